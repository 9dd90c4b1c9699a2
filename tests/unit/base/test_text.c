// SPDX-License-Identifier: BSD-2-Clause
/* Escaping, widths, numbers and tables: the last line of defence between a target and a tty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "base/distance.h"
#include "base/text.h"
#include "unit.h"

static void same(int line, const char *got, const char *want)
{
	if (!strcmp(got, want))
		return;
	FAIL("line %d: got \"%s\", want \"%s\"", line, got, want);
}

#define SAME(got, want) same(__LINE__, got, want)

static void escaped(int line, const char *text, unsigned int flags, const char *want)
{
	struct text_buf buf = { 0 };

	text_buf__escape(&buf, text, flags);
	same(line, text_buf__str(&buf), want);
	text_buf__free(&buf);
}

#define ESCAPED(text, flags, want) escaped(__LINE__, text, flags, want)

static void test_escape(void)
{
	ESCAPED("pkg.mod", 0, "pkg.mod");
	ESCAPED(NULL, 0, "");
	ESCAPED("\033[2J\r\n\t\177", 0, "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
	ESCAPED("a\\x1b", 0, "a\\\\x1b");
	ESCAPED("\xc2\x9b" "31m", 0, "\\u{9b}31m"); /* CSI as one C1 character */
	ESCAPED("a\xe2\x80\xae" "b\xe2\x81\xa6", 0, "a\\u{202e}b\\u{2066}");
	ESCAPED("\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x81\x81", 0, "\\u{200b}\\u{feff}\\u{e0041}");
	ESCAPED("\xc3\xa9\xe6\xa8\xa1", 0, "\xc3\xa9\xe6\xa8\xa1");
	ESCAPED("\xc3\xa9\xe6\xa8\xa1", TEXT_ASCII, "\\u{e9}\\u{6a21}");
	ESCAPED("a b|c", TEXT_SOLID, "a\\x20b\\x7cc");
	/* Overlong, surrogate, too large, cut short, stray continuation. */
	ESCAPED("\xc0\xaf", 0, "\\xc0\\xaf");
	ESCAPED("\xe0\x80\xaf", 0, "\\xe0\\x80\\xaf");
	ESCAPED("\xed\xa0\x80", 0, "\\xed\\xa0\\x80");
	ESCAPED("\xf4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80");
	ESCAPED("\xe6\xa8", 0, "\\xe6\\xa8");
	ESCAPED("\x80x\xff", 0, "\\x80x\\xff");
}

static void test_repair(void)
{
	struct text_buf buf = { 0 };

	text_buf__repair(&buf, "a\xff\xed\xa0\x80\xc3\xa9");
	SAME(text_buf__str(&buf), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
	text_buf__free(&buf);
	SAME(text_is_harmless("a b\\|\xc3\xa9") ? "yes" : "no", "yes");
	SAME(text_is_harmless("a\033") ? "yes" : "no", "no");
	SAME(text_is_harmless("\xc2\x9b") ? "yes" : "no", "no");
	SAME(text_is_harmless("\xff") ? "yes" : "no", "no");
}

static void is_ns(int line, uint64_t ns, const char *want)
{
	char num[TEXT_NUM_SZ];

	same(line, text_ns(num, ns), want);
}

#define NS(ns, want) is_ns(__LINE__, ns, want)

static void test_numbers(void)
{
	char num[TEXT_NUM_SZ];

	NS(UINT64_MAX, "-");
	NS(0, "0 ms");
	NS(1, "<0.01 ms");
	NS(4999, "<0.01 ms");
	NS(5000, "0.01 ms");
	NS(44999, "0.04 ms");
	NS(94999, "0.09 ms");
	NS(95000, "0.1 ms");
	NS(400000, "0.4 ms");
	NS(12345678, "12.3 ms");
	NS(99949999, "99.9 ms");
	NS(99950000, "100 ms");
	NS(412000000, "412 ms");
	NS(999499999, "999 ms");
	NS(999500000, "1.00 s");
	NS(1234567890, "1.23 s");
	NS(9994999999, "9.99 s");
	NS(9995000000, "10.0 s");
	NS(99949999999, "99.9 s");
	NS(99950000000, "100 s");
	NS(3600000000000, "3,600 s");
	NS(UINT64_MAX - 1, "18,446,744,074 s");
	SAME(text_count(num, 0), "0");
	SAME(text_count(num, 999), "999");
	SAME(text_count(num, 1000), "1,000");
	SAME(text_count(num, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void test_width(void)
{
	char num[64];
	size_t cols;

	snprintf(num, sizeof(num), "%zu %zu %zu %zu", text_width("abc"),
		 text_width("\xe6\xa8\xa1\xe5\x9d\x97"), text_width("e\xcc\x81"),
		 text_width("\xf0\x9f\x90\x8d"));
	SAME(num, "3 4 1 2");
	/* A wide character is never halved. */
	snprintf(num, sizeof(num), "%zu", text_head("a\xe6\xa8\xa1z", 2, &cols));
	SAME(num, "1");
	SAME("a\xe6\xa8\xa1z" + text_tail("a\xe6\xa8\xa1z", 2, &cols), "z");
}

static void tabled(int line, size_t width, bool use_ascii, const char *want)
{
	static const struct table_col cols[] = {
		{ "self", true, TABLE_WHOLE, 0, 0 }, { "module", false, TABLE_CUT_MIDDLE, 4, 0 },
		{ "importer", false, TABLE_CUT_HEAD, 4, 0 },
	};
	const struct table_look look = { .width = width, .indent = 1, .use_ascii = use_ascii };
	_cleanup_free_ char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);
	struct table *table = NULL;

	if (!out || table__new(&table, cols, 3))
		abort();
	table__add(table, "1.23 s", TABLE_PLAIN);
	table__add(table, "package.module", TABLE_RED);
	table__add(table, "path/to/file.py:12", TABLE_DIM);
	table__add(table, "4 ms", TABLE_PLAIN);
	table__add_kept(table, "||a", TABLE_RED, 2);
	table__add(table, "", TABLE_DIM);
	if (table__print(table, &look, out))
		abort();
	fclose(out);
	table__free(table);
	same(line, text, want);
}

static void test_table(void)
{
	tabled(__LINE__, 80, false,
	       "   self  module          importer\n"
	       " 1.23 s  package.module  path/to/file.py:12\n"
	       "   4 ms  ||a\n");
	tabled(__LINE__, 30, true,
	       "   self  module     importer\n"
	       " 1.23 s  pa...dule  ...e.py:12\n"
	       "   4 ms  ||a\n");
}

static void test_distance(void)
{
	char far[100] = "";

	CHECK(text_distance("", "") == 0 && text_distance("", "abc") == 3);
	CHECK(text_distance("view", "view") == 0 && text_distance("VIEW", "view") == 0);
	CHECK(text_distance("veiw", "view") == 1); /* swapped */
	CHECK(text_distance("vew", "view") == 1 && text_distance("views", "view") == 1);
	CHECK(text_distance("kitten", "sitting") == 3 && text_distance("sitting", "kitten") == 3);
	memset(far, 'x', sizeof(far) - 1);
	CHECK(text_distance(far, "") == 63 && text_distance("", far) == 63);
}

static void test_nearest(void)
{
	static const char *const names[] = { "record", "report", "tree", "why", NULL };
	static const struct { const char *word, *near; } cases[] = {
		{ "reprot", "report" }, { "recrod", "record" }, { "tre", "tree" }, { "Tree", "tree" },
		{ "wyh", "why" }, { "rep", "report" }, { "python3", NULL }, { "", NULL }, { "ls", NULL },
		{ "reportreportreportreportreportreportreportreport", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *near = text_nearest(cases[i].word, names);

		if (strcmp(near ? near : "none", cases[i].near ? cases[i].near : "none") != 0)
			FAIL("%s: %s", cases[i].word, near ? near : "nothing");
	}
}

int main(void)
{
	RUN(test_escape);
	RUN(test_repair);
	RUN(test_numbers);
	RUN(test_width);
	RUN(test_table);
	RUN(test_distance);
	RUN(test_nearest);
	return unit_result();
}
