// SPDX-License-Identifier: BSD-2-Clause
/*
 * The HTML report: one file that works from disk, without network. The page is made of the files
 * in page/ when this is built (scripts/embed.py); what is added here is the JSON of --format json,
 * packed by gzip, in base64: none of its characters means anything to HTML. The browser unpacks it.
 * `diff` adds the trace before, and the JSON of its own.
 */
#include "report/view.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "report/head/causes.h"

#include "html_page.h"

#define GZIP_BITS (15 + 16) /* the largest window, and a gzip header */
#define PACKED_SZ 3072      /* a multiple of three: base64 without padding in between */

struct packer {
	FILE *out;
	z_stream stream;
	unsigned char packed[PACKED_SZ];
	bool has_failed;
};

static void put_base64(const unsigned char *data, size_t sz, FILE *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < sz; i += 3) {
		size_t left = sz - i;
		unsigned int bits = (unsigned int)data[i] << 16 |
				    (left > 1 ? (unsigned int)data[i + 1] << 8 : 0) |
				    (left > 2 ? data[i + 2] : 0);

		fputc(digits[bits >> 18], out);
		fputc(digits[bits >> 12 & 63], out);
		fputc(left > 1 ? digits[bits >> 6 & 63] : '=', out);
		fputc(left > 2 ? digits[bits & 63] : '=', out);
	}
}

/* Packs what there is; @flush: Z_FINISH at the end. */
static void pack(struct packer *packer, int flush)
{
	int result;

	do {
		result = deflate(&packer->stream, flush);
		packer->has_failed |= result == Z_STREAM_ERROR;
		if (packer->stream.avail_out && flush != Z_FINISH)
			return;
		put_base64(packer->packed, PACKED_SZ - packer->stream.avail_out, packer->out);
		packer->stream.next_out = packer->packed;
		packer->stream.avail_out = PACKED_SZ;
	} while (!packer->has_failed && (packer->stream.avail_in || (flush == Z_FINISH &&
								     result != Z_STREAM_END)));
}

static ssize_t take(void *cookie, const char *data, size_t sz)
{
	struct packer *packer = cookie;

	packer->stream.next_in = (z_const Bytef *)data;
	packer->stream.avail_in = (uInt)sz;
	pack(packer, Z_NO_FLUSH);
	return packer->has_failed || ferror(packer->out) ? 0 : (ssize_t)sz;
}

/* An element with what @write makes of @view. */
static int put_packed(const struct view *view, const char *id,
		      int (*write)(const struct view *view))
{
	const cookie_io_functions_t io = { .write = take };
	struct packer packer = { .out = view->out, .stream = { .avail_out = PACKED_SZ } };
	struct view json = *view;
	int err;

	packer.stream.next_out = packer.packed;
	if (deflateInit2(&packer.stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_BITS, 9,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	fprintf(view->out, "<script type=\"application/gzip\" id=\"%s\">", id);
	json.out = fopencookie(&packer, "w", io);
	err = json.out ? write(&json) : -ENOMEM;
	if (json.out)
		fclose(json.out); /* errors of the stream below are report_write's */
	pack(&packer, Z_FINISH);
	deflateEnd(&packer.stream);
	fputs("</script>\n", view->out);
	return err ? err : packer.has_failed ? -EIO : 0;
}

/* What waits are called, in the order in which they are drawn: from the table of causes. */
static void put_causes(const struct view *view)
{
	fputs("<meta name=\"causes\" content=\"", view->out);
	for (int i = 0; i < CAUSE_CNT; i++)
		fprintf(view->out, "%s%s:%s", i ? "," : "", causes[i].key, causes[i].word);
	fputs("\">\n", view->out);
}

static int write_page(const struct view *view, bool is_diff)
{
	struct view before = *view;
	int err;

	fputs(html_head, view->out);
	put_causes(view);
	err = put_packed(view, "data", json_write);
	before.model = view->input.before;
	if (!err && is_diff)
		err = put_packed(&before, "before", json_write);
	if (!err && is_diff)
		err = put_packed(view, "diff", diff_write_json);
	fputs(html_tail, view->out);
	return err;
}

int html_write(const struct view *view)
{
	return write_page(view, false);
}

int diff_write_html(const struct view *view)
{
	return write_page(view, true);
}
