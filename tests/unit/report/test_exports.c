// SPDX-License-Identifier: BSD-2-Clause
/*
 * What other programs insist on, whatever the stream was: slices of a track nest, events balance,
 * the HTML page holds the JSON unchanged and nothing of it is HTML.
 * tests/e2e/output/test_exports.py has the programs themselves.
 */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "report/report.h"
#include "stream.h"

static char *export_by(const struct model *model, const char *format, const char *by, int want)
{
	const struct report_opts opts = { .by = by };
	char *text = NULL;
	size_t sz = 0;
	FILE *out = open_memstream(&text, &sz);
	int err = report_write(&(struct report_input){ .model = model }, NULL, format, &opts, out);

	if (err != want)
		FAIL("%s: %d, not %d", format, err, want);
	fclose(out);
	return text;
}

static char *export(const struct model *model, const char *format)
{
	return export_by(model, format, NULL, 0);
}

static json_t *parse(const char *what, const char *text)
{
	json_error_t error;
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!doc)
		FAIL("%s: line %d: %s", what, error.line, error.text);
	return doc;
}

/* ---- the rules ------------------------------------------------------------------------------ */

static long long ns_of(const json_t *event, const char *key)
{
	return (long long)(json_real_value(json_object_get(event, key)) * 1000 + 0.5);
}

static long long int_of(const json_t *obj, const char *key)
{
	const json_t *value = json_object_get(obj, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static const char *name_of(const json_t *obj)
{
	return json_string_value(json_object_get(obj, "name"));
}

/* Each slice is inside all those that are open on its track. The tracks come one by one. */
static size_t check_nesting(const json_t *events)
{
	long long ends[512], tid = -1;
	size_t depth = 0, cnt = 0, i;
	const json_t *event;

	json_array_foreach(events, i, event) {
		long long start = ns_of(event, "ts"), end = start + ns_of(event, "dur");

		if (strcmp(json_string_value(json_object_get(event, "ph")), "X"))
			continue;
		if (int_of(event, "tid") != tid)
			depth = 0;
		tid = int_of(event, "tid");
		while (depth && ends[depth - 1] <= start && ends[depth - 1] < end)
			depth--;
		for (size_t k = 0; k < depth; k++)
			if (end > ends[k])
				FAIL("%s overlaps", name_of(event));
		if (depth < 512)
			ends[depth++] = end;
		cnt++;
	}
	return cnt;
}

static size_t check_balance(const json_t *profile)
{
	const json_t *events = json_object_get(profile, "events"), *event;
	long long frames[512], last = int_of(profile, "startValue");
	size_t depth = 0, i;

	json_array_foreach(events, i, event) {
		bool is_open = *json_string_value(json_object_get(event, "type")) == 'O';

		CHECK(int_of(event, "at") >= last);
		last = int_of(event, "at");
		if (is_open && depth < 512)
			frames[depth++] = int_of(event, "frame");
		else if (!is_open)
			CHECK(depth && frames[--depth] == int_of(event, "frame"));
	}
	CHECK(!depth && last <= int_of(profile, "endValue"));
	return json_array_size(events) / 2;
}

static size_t load_cnt(const struct model *model)
{
	size_t cnt = 0;

	for (size_t i = 0; i < model__process_cnt(model); i++) {
		const struct process *process = model__process(model, i);

		cnt += process->load_cnt + process->lib_cnt + process->wait_cnt;
	}
	return cnt;
}

/* Every load is on exactly one track of each format. */
static void check_tracks(const struct model *model)
{
	_cleanup_free_ char *chrome = export(model, "chrome"), *scope = export(model, "speedscope");
	json_t *trace = parse("chrome", chrome), *file = parse("speedscope", scope), *profile;
	size_t i, cnt = 0;

	CHECK(check_nesting(json_object_get(trace, "traceEvents")) == load_cnt(model));
	json_array_foreach(json_object_get(file, "profiles"), i, profile)
		cnt += strstr(name_of(profile), "thread") ?
		       check_balance(profile) : 0 * check_balance(profile);
	CHECK(cnt == load_cnt(model));
	json_decref(trace);
	json_decref(file);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void test_overlap(void)
{
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 100, 1, "python3\0a.py", 13);
	/* Two greenlets: each import begins inside the other's time, and ends after it. */
	s.flags = PYI_F_APPROX;
	stream_open_load(&s, 1000, 10, 0, 0, 0, 0x10, "one");
	stream_open_load(&s, 2000, 20, 0, 0, 0, 0x20, "two");
	stream_open_load(&s, 3000, 30, 11, 0, 0, 0x30, "one.inner");
	stream_close_load(&s, 4000, 30);
	stream_close_load(&s, 5000, 10);
	stream_close_load(&s, 6000, 20);
	stream_finish(&s, 10000);
	check_tracks(s.model);
	{
		_cleanup_free_ char *text = export(s.model, "chrome");

		CHECK(strstr(text, "main thread, overlapping (1)"));
	}
	stream_close(&s);
}

static void test_wait(void)
{
	const struct process *process;
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 100, 1, "python3\0a.py", 13);
	s.tid = 101;
	stream_open_load(&s, 1000, 10, 0, 0, 0, 0x10, "shared");
	s.tid = 102;
	stream_open_load(&s, 1100, 20, 0, 0, 0, 0x20, "asks");
	stream_find(&s, 2000, 30, 21, 0, "shared");
	s.tid = 101;
	stream_close_load(&s, 5000, 10);
	s.tid = 102;
	stream_end(&s, 5100, 30);
	stream_close_load(&s, 6000, 20);
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	CHECK(process->wait_cnt == 1);
	if (process->wait_cnt == 1) {
		const struct wait *wait = process->waits[0];
		_cleanup_free_ char *text = export(s.model, "chrome");

		CHECK(!strcmp(wait->module, "shared") && wait->wall_ns == 3100);
		CHECK(wait->owner == stream_load(&s, 1, "shared", 0));
		CHECK(wait->load == stream_load(&s, 1, "asks", 0));
		CHECK(strstr(text, "\"ph\":\"s\"") && strstr(text, "\"ph\":\"f\""));
	}
	check_tracks(s.model);
	stream_close(&s);
}

/* Begins and ends in any order, on three threads, some lost: the rules hold all the same. */
static void test_random(void)
{
	for (unsigned int seed = 1; seed <= 200; seed++) {
		unsigned int rest = seed;
		__u32 open[64] = { 0 };
		size_t cnt = 0;
		__u64 ts_ns = 1000;
		struct stream s;

		stream_open(&s);
		stream_exec(&s, 100, 1, "python3\0a.py", 13);
		for (__u32 id = 2; id < 120; id += 2) {
			size_t at = cnt ? (size_t)rand_r(&rest) % cnt : 0;
			char name[16];

			/* Times may be equal: children end with their parents. */
			ts_ns += (__u64)(rand_r(&rest) % 3) * 100;
			s.tid = 100 + (__u32)(rand_r(&rest) % 3);
			s.is_dropping = rand_r(&rest) % 20 == 0;
			snprintf(name, sizeof(name), "m%d", rand_r(&rest) % 40);
			if (cnt < 64 && (rand_r(&rest) % 2 || !cnt)) {
				s.flags = rand_r(&rest) % 2 ? PYI_F_APPROX : 0;
				stream_open_load(&s, ts_ns, id, cnt && rand_r(&rest) % 4 ?
						 open[at] + 1 : 0, 0, 0, id, name);
				open[cnt++] = id;
			} else {
				stream_close_load(&s, ts_ns + 10, open[at]);
				open[at] = open[--cnt];
			}
		}
		s.is_dropping = false;
		stream_finish(&s, ts_ns + 1000);
		check_tracks(s.model);
		stream_close(&s);
	}
}

/* ---- the page ------------------------------------------------------------------------------- */

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* gzip in base64, as the browser reads it. */
static char *unpack(const char *text)
{
	size_t sz = strlen(text), cnt = 0;
	_cleanup_free_ unsigned char *packed = malloc(sz + 1);
	char *out = calloc(1, 1 << 20);
	z_stream stream = {};
	unsigned int bits = 0;

	for (size_t i = 0; i < sz && text[i] != '='; i++) {
		bits = bits << 6 | (unsigned int)(strchr(BASE64, text[i]) - BASE64);
		if (i % 4)
			packed[cnt++] = (unsigned char)(bits >> (6 - i % 4 * 2));
	}
	stream.next_in = packed;
	stream.avail_in = (uInt)cnt;
	stream.next_out = (Bytef *)out;
	stream.avail_out = (1 << 20) - 1;
	CHECK(inflateInit2(&stream, 15 + 16) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END);
	inflateEnd(&stream);
	return out;
}

static void test_page(void)
{
	static const char open_tag[] = "<script type=\"application/gzip\" id=\"data\">";
	static const char *const names[] = {
		"</script><script>alert(1)</script>", "<!--<script>", "a&amp;b", "l\xe2\x80\xa8s",
		"p\xe2\x80\xa9s", "e\xe2\x80\xa6", "\xe2\x80",
		"\xe2\x80\xe2\x80\xa8", "x\xe2", "\\u003c",
	};
	_cleanup_free_ char *page = NULL, *json = NULL, *unpacked = NULL;
	json_t *inside, *alone;
	char *data, *end;
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 100, 1, "python3\0a.py", 13);
	for (__u32 i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		stream_open_load(&s, 1000 * (i + 1), 2 * i + 2, 0, 0, 0, i + 1, names[i]);
		stream_close_load(&s, 1000 * (i + 1) + 500, 2 * i + 2);
	}
	stream_finish(&s, 100000);
	page = export(s.model, "html");
	json = export(s.model, "json");
	data = strstr(page, open_tag);
	CHECK(data);
	if (!data)
		return stream_close(&s);
	data += strlen(open_tag);
	end = strstr(data, "</script>");
	*end = '\0';
	CHECK(strspn(data, BASE64 "=") == strlen(data));
	unpacked = unpack(data);
	inside = parse("html", unpacked);
	alone = parse("json", json);
	CHECK(inside && alone && json_equal(inside, alone));
	/* Behind the data: the script and its end, no more. */
	CHECK(strstr(end + 1, "<script>") && !strstr(strstr(end + 1, "<script>") + 1, "<script"));
	CHECK(!strstr(page, "http://") && !strstr(end + 1, "http"));
	json_decref(inside);
	json_decref(alone);
	stream_close(&s);
}

static void test_unmeasured(void)
{
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 100, 1, "python3\0a.py", 13);
	stream_open_load(&s, 1000, 10, 0, 0, 0, 0x10, "a");
	stream_close_load(&s, 2000, 10);
	stream_finish(&s, 10000);
	free(export_by(s.model, "folded", "memory", -ENODATA));
	free(export_by(s.model, "folded", "time", 0));
	free(export_by(s.model, "folded", "nonsense", -EINVAL));
	stream_close(&s);
}

int main(void)
{
	RUN(test_overlap);
	RUN(test_wait);
	RUN(test_random);
	RUN(test_page);
	RUN(test_unmeasured);
	return unit_result();
}
