// SPDX-License-Identifier: BSD-2-Clause
/* Text of the target to UTF-8, and which records are refused. */
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "unit.h"

static void text(int line, int kind, const void *bytes, size_t sz, __u32 full, const char *want)
{
	struct pyi_str str = { .sz = sz, .kind = kind, .full_chars = full };
	char *copy = malloc(sz ? sz : 1), *got = malloc(event_utf8_max(&str));
	size_t len;

	memcpy(copy, bytes, sz);
	len = event_utf8(&str, copy, got);
	if (strcmp(got, want) || len != strlen(want))
		FAIL("line %d: got \"%s\" (%zu), want \"%s\"", line, got, len, want);
	if (len + 1 > event_utf8_max(&str))
		FAIL("line %d: %zu bytes in room for %zu", line, len + 1, event_utf8_max(&str));
	free(copy);
	free(got);
}

#define TEXT(kind, bytes, full, want) text(__LINE__, kind, bytes, sizeof(bytes) - 1, full, want)

static void test_text(void)
{
	static const __u16 two[] = { 0x65e5, 'x', 0xd83d, 0xde00, 0xe9 };
	static const __u32 four[] = { 0x1f600, 0x10ffff, 0x110000, 0xdfff, 'z' };
	static const __u16 worst[] = { 0xffff, 0xffff, 0xffff };

	TEXT(1, "os.path", 7, "os.path");
	TEXT(1, "", 0, "");
	TEXT(1, "caf\xe9", 4, "caf\xc3\xa9");          /* Latin-1, not UTF-8 */
	TEXT(1, "\xff\xff\xff", 3, "\xc3\xbf\xc3\xbf\xc3\xbf");
	TEXT(1, "a\0b", 3, "a\xef\xbf\xbd" "b");       /* a NUL is no end */
	text(__LINE__, 2, two, sizeof(two), 5, /* a pair of surrogates is two lone ones in a str */
	     "\xe6\x97\xa5x\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
	text(__LINE__, 4, four, sizeof(four), 5,
	     "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xef\xbf\xbd\xef\xbf\xbdz");
	text(__LINE__, 2, worst, sizeof(worst), 3, "\xef\xbf\xbf\xef\xbf\xbf\xef\xbf\xbf");
	text(__LINE__, 4, four, sizeof(four) - 1, 4, /* half a character at the end */
	     "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xef\xbf\xbd\xef\xbf\xbd");
	/* C strings: UTF-8 if they are */
	TEXT(0, "/a/\xc3\xa9.so", 0, "/a/\xc3\xa9.so");
	TEXT(0, "\xff\xc3", 0, "\xef\xbf\xbd\xef\xbf\xbd");
	TEXT(0, "\xed\xa0\x80", 0, "\xef\xbf\xbd");            /* a surrogate in UTF-8 */
	TEXT(0, "\xc0\x80x", 0, "\xef\xbf\xbd\xef\xbf\xbdx");  /* overlong */
	TEXT(0, "\xf8\x88\x80\x80\x80", 0,
	     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	/* Cut ones say so. */
	TEXT(1, "abc", 10, "abc\xe2\x80\xa6");
	text(__LINE__, 2, two, 4, 1000, "\xe6\x97\xa5x\xe2\x80\xa6");
}

static bool is_valid(const void *record, size_t size)
{
	void *copy = malloc(size ? size : 1);
	bool ok;

	memcpy(copy, record, size);
	ok = event_is_valid(copy, size);
	free(copy);
	return ok;
}

static void test_sizes(void)
{
	static const struct { __u16 kind; size_t sz; } fixed[] = {
		{ PYI_EV_EXEC, sizeof(struct pyi_exec) }, { PYI_EV_FORK, sizeof(struct pyi_fork) },
		{ PYI_EV_EXIT, sizeof(struct pyi_exit) },
		{ PYI_EV_PYTHON, sizeof(struct pyi_python) },
		{ PYI_EV_BEGIN, sizeof(struct pyi_begin) }, { PYI_EV_END, sizeof(struct pyi_end) },
		{ PYI_EV_MARK, sizeof(struct pyi_mark) }, { PYI_EV_EDGE, sizeof(struct pyi_edge) },
		{ PYI_EV_CODE, sizeof(struct pyi_code) },
		{ PYI_EV_THREAD_EXIT, sizeof(struct pyi_hdr) },
		{ PYI_EV_FRAMES, sizeof(struct pyi_frames) },
		{ PYI_EV_FROM, sizeof(struct pyi_from) },
		{ PYI_EV_BOUND, sizeof(struct pyi_from) },
		{ PYI_EV_EDGE_COUNT, sizeof(struct pyi_edge_count) },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		union { struct pyi_hdr hdr; char bytes[8192]; } rec = {};

		/* The first word behind the header is the id where there is one. */
		memset(rec.bytes + sizeof(rec.hdr), fixed[i].kind == PYI_EV_CODE ||
		       fixed[i].kind == PYI_EV_FROM || fixed[i].kind == PYI_EV_BOUND ? 0 : 1, 4);
		rec.hdr.kind = fixed[i].kind;
		rec.hdr.proc = 1;
		rec.hdr.size = fixed[i].sz;
		if (fixed[i].kind == PYI_EV_BEGIN)
			((struct pyi_begin *)&rec)->span = PYI_SPAN_FIND;
		if (fixed[i].kind == PYI_EV_FRAMES || fixed[i].kind == PYI_EV_CODE ||
		    fixed[i].kind == PYI_EV_FROM || fixed[i].kind == PYI_EV_BOUND)
			((struct pyi_end *)&rec)->id = 1;
		if (!is_valid(&rec, fixed[i].sz))
			FAIL("kind %u refused", fixed[i].kind);
		CHECK(!is_valid(&rec, fixed[i].sz - 1));
		rec.hdr.size--;
		CHECK(!is_valid(&rec, fixed[i].sz));
		rec.hdr.size = fixed[i].sz + 8;
		CHECK(!is_valid(&rec, fixed[i].sz));
		rec.hdr.size = fixed[i].sz;
		rec.hdr.proc = 0;
		CHECK(!is_valid(&rec, fixed[i].sz)); /* of no process */
	}
	CHECK(!is_valid("", 0));
}

static void test_lengths(void)
{
	union {
		struct pyi_begin rec;
		char room[sizeof(struct pyi_begin) + PYI_STR_SMALL];
	} begin = {
		.rec = { .hdr = { .kind = PYI_EV_BEGIN, .size = sizeof(begin), .proc = 1 }, .id = 1,
			 .span = PYI_SPAN_BODY, .name = { .sz = PYI_STR_SMALL, .kind = 1 } } };
	struct pyi_frames frames = { .hdr = { .kind = PYI_EV_FRAMES, .size = sizeof(frames),
					      .proc = 1 }, .span = 1, .cnt = PYI_MAX_FRAMES };
	struct pyi_code code = { .hdr = { .kind = PYI_EV_CODE, .size = sizeof(code), .proc = 1 },
				 .id = 1 };

	CHECK(is_valid(&begin, sizeof(begin)));
	begin.rec.name.sz++;
	CHECK(!is_valid(&begin, sizeof(begin)));
	begin.rec.name.sz = 1;
	begin.rec.name.kind = 3;
	CHECK(!is_valid(&begin, sizeof(begin)));
	begin.rec.name.kind = 1;
	begin.rec.id = 0;
	CHECK(!is_valid(&begin, sizeof(begin)));
	begin.rec.id = 1;
	begin.rec.span = 99;
	CHECK(!is_valid(&begin, sizeof(begin)));
	CHECK(is_valid(&frames, sizeof(frames)));
	frames.cnt = PYI_MAX_FRAMES + 1;
	CHECK(!is_valid(&frames, sizeof(frames)));
	frames.cnt = 0xffffffff;
	CHECK(!is_valid(&frames, sizeof(frames)));
	CHECK(is_valid(&code, sizeof(code)));
	code.table_sz = 1;
	CHECK(!is_valid(&code, sizeof(code)));
	code.table_sz = 0;
	code.name.sz = sizeof(code.name_text) + 1;
	CHECK(!is_valid(&code, sizeof(code)));
}

int main(void)
{
	RUN(test_text);
	RUN(test_sizes);
	RUN(test_lengths);
	return unit_result();
}
