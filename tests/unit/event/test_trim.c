// SPDX-License-Identifier: BSD-2-Clause
/* What lay in the ring buffer before a record does not go where records are kept. */
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "unit.h"

#define STALE 0xee
#define ROOM 8192

/* A record of @kind in room for @tail bytes behind its fixed part, every byte of it stale. */
static void *stale(unsigned int kind, size_t tail)
{
	size_t size = event_fixed_sz(kind) + tail;
	struct pyi_hdr *hdr = malloc(ROOM);

	memset(hdr, STALE, ROOM);
	*hdr = (struct pyi_hdr){ .kind = kind, .size = size, .tgid = 1, .tid = 1, .proc = 1,
				 .ts_ns = 2 };
	return hdr;
}

static struct pyi_str ascii(size_t sz)
{
	return (struct pyi_str){ .sz = sz, .kind = 1, .is_ascii = 1, .full_chars = sz };
}

/* Frees @record. @from: where nothing stale may be any more; @want: size of the result. */
static void check(void *record, size_t from, size_t want)
{
	struct pyi_hdr *hdr = record;
	unsigned char *out = malloc(hdr->size);
	size_t size;

	CHECK(event_is_valid(record, hdr->size) && event_has_slack(hdr->kind));
	size = event_trim(record, hdr->size, out);
	if (size != want || ((struct pyi_hdr *)out)->size != want || !event_is_valid(out, size))
		FAIL("kind %u: %zu bytes, not %zu", hdr->kind, size, want);
	CHECK(!memcmp(out + sizeof(*hdr), (char *)record + sizeof(*hdr), from - sizeof(*hdr)));
	for (size_t i = from; i < size; i++)
		if (out[i] == STALE)
			FAIL("kind %u: byte %zu is stale", hdr->kind, i);
	free(out);
	free(record);
}

/* Texts and tables of 5 bytes; in the code record only the last one can be told by its place. */
static void test_each(void)
{
	struct pyi_begin *begin = stale(PYI_EV_BEGIN, PYI_STR_SMALL);
	struct pyi_edge *edge = stale(PYI_EV_EDGE, PYI_STR_TINY);
	struct pyi_from *from = stale(PYI_EV_FROM, PYI_MAX_FROMLIST * PYI_FROM_SZ);
	struct pyi_mark *mark = stale(PYI_EV_MARK, 0);
	struct pyi_frames *frames = stale(PYI_EV_FRAMES, 0);
	struct pyi_exec *exec = stale(PYI_EV_EXEC, 0);

	begin->name = ascii(5);
	begin->span = PYI_SPAN_FIND;
	check(begin, sizeof(*begin) + 5, sizeof(*begin) + 5);
	edge->name = ascii(5);
	check(edge, sizeof(*edge) + 5, sizeof(*edge) + 5);
	from->cnt = 1;
	memset(from->names, 0, PYI_FROM_SZ);
	check(from, sizeof(*from) + PYI_FROM_SZ, sizeof(*from) + PYI_FROM_SZ);
	mark->name = ascii(5);
	check(mark, offsetof(struct pyi_mark, text) + 5, sizeof(*mark));
	frames->cnt = 2;
	check(frames, offsetof(struct pyi_frames, frames) + 2 * sizeof(struct pyi_frame),
	      sizeof(*frames));
	exec->filename_sz = sizeof(exec->filename);
	exec->args_sz = 5;
	check(exec, offsetof(struct pyi_exec, args) + 5, sizeof(*exec));
}

static struct pyi_code *stale_code(void)
{
	struct pyi_code *code = stale(PYI_EV_CODE, 512);

	code->module = code->package = code->filename = code->name = ascii(5);
	code->table_sz = 7;
	return code;
}

static void test_code(void)
{
	struct pyi_code *code = stale_code();
	unsigned char *out = malloc(ROOM);
	size_t stale_cnt = 0;

	CHECK(event_trim(code, code->hdr.size, out) == sizeof(*code) + 7);
	for (size_t i = offsetof(struct pyi_code, module_text); i < sizeof(*code) + 7; i++)
		stale_cnt += out[i] == STALE;
	CHECK(stale_cnt == 4 * 5 + 7); /* the texts and the table, of which every byte was that */
	/* Cut: that its table reaches the end of the record says that the table was. */
	code->hdr.flags = PYI_F_TRUNC;
	CHECK(event_trim(code, code->hdr.size, out) == sizeof(*code) + 512);
	CHECK(!out[sizeof(*code) + 7] && out[sizeof(*code) + 6] == STALE);
	free(out);
	free(code);
}

int main(void)
{
	RUN(test_each);
	RUN(test_code);
	return unit_result();
}
