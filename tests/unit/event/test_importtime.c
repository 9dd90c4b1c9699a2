// SPDX-License-Identifier: BSD-2-Clause
/* Logs of -X importtime: lines of every version, what is between them, what they cannot tell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/importtime.h"
#include "event/importtime_line.h"
#include "model/tape/importtime_model.h"
#include "model/model.h"
#include "unit.h"

#define HEAD "import time: self [us] | cumulative | imported package\n"

static struct importtime_result result;

static struct model *read_log(const char *text)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	struct model *model;
	int err;

	CHECK(in && !model__new(&model));
	err = log_play(in, model, &result);
	if (err)
		FAIL("log_play: %d", err);
	CHECK(!model__malformed(model));
	fclose(in);
	return model;
}

static const struct load *find(const struct model *model, size_t process, const char *name)
{
	const struct process *p = model__process(model, process);

	for (size_t i = 0; p && i < p->load_cnt; i++)
		if (p->loads[i]->module && !strcmp(p->loads[i]->module, name))
			return p->loads[i];
	FAIL("no %s", name);
	return NULL;
}

static void test_lines(void)
{
	static const struct {
		const char *text;
		enum importtime_kind kind;
		long long self_us, wall_us;
		unsigned int level;
		const char *name;
	} cases[] = {
		{ "import time: self [us] | cumulative | imported package", LINE_HEADER, 0, 0, 0, NULL },
		{ "import time:       451 |       8398 | json", LINE_IMPORT, 451, 8398, 0, "json" },
		{ "import time:       451 |        451 |   a.b", LINE_IMPORT, 451, 451, 1, "a.b" },
		{ "import time:      -451 |        451 |     deep", LINE_IMPORT, -451, 451, 2, "deep" },
		{ "noise import time: 1 | 2 | x", LINE_IMPORT, 1, 2, 0, "x" },
		{ "import time: noise import time: 1 | 2 | x", LINE_IMPORT, 1, 2, 0, "x" },
		{ "import time: 1 | 2 | two words", LINE_IMPORT, 1, 2, 0, "two words" },
		{ "import time: 1 | 2 | ", LINE_OTHER, 0, 0, 0, NULL },
		{ "import time: 1 | -2 | x", LINE_OTHER, 0, 0, 0, NULL },
		{ "import time: 1 | 2", LINE_OTHER, 0, 0, 0, NULL },
		{ "import time: 1  2 | x", LINE_OTHER, 0, 0, 0, NULL },
		{ "import time: 1.5 | 2 | x", LINE_OTHER, 0, 0, 0, NULL },
		{ "import time: 99999999999999999999999 | 2 | x", LINE_OTHER, 0, 0, 0, NULL },
		{ "import time", LINE_OTHER, 0, 0, 0, NULL },
		{ "", LINE_OTHER, 0, 0, 0, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct importtime_line line = {};
		enum importtime_kind kind = importtime_parse(cases[i].text, &line);

		if (kind != cases[i].kind)
			FAIL("%s: kind %d", cases[i].text, kind);
		else if (kind == LINE_IMPORT &&
			 (line.self_us != cases[i].self_us || line.wall_us != cases[i].wall_us ||
			  line.level != cases[i].level || strcmp(line.name, cases[i].name)))
			FAIL("%s: %lld %lld %u '%s'", cases[i].text, line.self_us, line.wall_us,
			     line.level, line.name);
	}
}

/* Children stand before their parent; what they leave of its time is its own. */
static void test_tree(void)
{
	struct model *model = read_log(HEAD
		"import time:       100 |        100 |     c\n"
		"Traceback (most recent call last):\n"
		"import time:       200 |        300 |   b\n"
		"a line without end import time:        50 |         50 |   d\r\n"
		"import time:       150 |        500 | a\n"
		"import time:        10 |         10 | e\n");
	const struct load *a = find(model, 0, "a"), *b = find(model, 0, "b");
	const struct load *c = find(model, 0, "c"), *d = find(model, 0, "d");

	CHECK(result.import_cnt == 5 && result.other_cnt == 1 && !result.orphan_cnt);
	CHECK(!a->parent && b->parent == a && c->parent == b && d->parent == a);
	CHECK(a->wall_ns == 500000 && a->self_ns == 150000 && b->self_ns == 200000);
	CHECK(d->start_ns >= b->start_ns + b->wall_ns);
	CHECK(find(model, 0, "e")->start_ns == a->start_ns + a->wall_ns);
	CHECK(a->is_exact && c->is_exact && !a->importer.file && a->via == VIA_UNKNOWN);
	CHECK(a->kind == KIND_UNKNOWN && a->result == LOAD_LOADED);
	CHECK(model__process(model, 0)->is_log && !model__process(model, 0)->tgid);
	CHECK(model__process(model, 0)->startup_end_ns == NS_UNKNOWN);
	CHECK(!model__is_complete(model) && !model__stats(model));
	model__free(model);
}

/* -X importtime=2 of 3.14: no times, and the indentation depends on the name's length. */
static void test_cached(void)
{
	struct model *model = read_log(HEAD
		"import time: cached    | cached     | sys\n"
		"import time: cached    | cached     |    _io\n"
		"import time: cached    | cached     | sys\n"
		"import time:        10 |         10 | a\n");
	const struct process *process = model__process(model, 0);

	CHECK(result.cached_cnt == 3 && result.import_cnt == 1);
	CHECK(process->load_cnt == 1 && process->cached_cnt == 3 && process->edge_cnt == 2);
	CHECK(!strcmp(process->edges[0]->module, "sys") && process->edges[0]->cached == 2);
	CHECK(process->edges[0]->first_ns == NS_UNKNOWN && !process->edges[0]->importer.file);
	model__free(model);
}

/* import_module() has no line; with threads lines mix. Told, and never more than the log says. */
static void test_odd(void)
{
	struct model *model = read_log(
		"import time:       100 |        100 |     lost\n"
		"import time:       -80 |         20 |   small\n"
		"import time:       900 |        900 |       deep\n"
		"import time:        10 |         10 | top\n"
		"import time:         5 |          5 |   last\n");

	CHECK(result.negative_cnt == 1 && result.orphan_cnt == 1 && result.process_cnt == 1);
	/* Two levels further in than its parent: its place is a guess. */
	CHECK(!find(model, 0, "deep")->is_exact && find(model, 0, "deep")->parent);
	CHECK(!find(model, 0, "small")->is_exact && !find(model, 0, "small")->self_ns);
	CHECK(!find(model, 0, "last")->parent && !find(model, 0, "last")->is_exact);
	CHECK(model__process(model, 0)->python->note_cnt == 3);
	model__free(model);
}

static void test_processes(void)
{
	struct model *model = read_log(HEAD "import time: 1 | 1 | a\n" HEAD "import time: 2 | 2 | a\n"
		"# pyimport-bpf: process 12, thread 12, python3, Python 3.11.2\n" HEAD
		"import time: 3 | 3 | a\n"
		"# pyimport-bpf: process 12, thread 13, python3, Python 3.11.2\n" HEAD
		"import time: 4 | 4 | b\n");

	CHECK(result.process_cnt == 3 && model__process_cnt(model) == 3);
	CHECK(find(model, 1, "a")->wall_ns == 2000);
	CHECK(model__process(model, 2)->tgid == 12);
	CHECK(find(model, 2, "a")->tid == 12 && find(model, 2, "b")->tid == 13);
	model__free(model);
}

static void test_hostile(void)
{
	size_t size = 200000;
	char *text = malloc(size + 100);
	struct model *model;
	FILE *in;

	/* Deep: each line one level less than the one before, as far as a line is read. */
	FILE *out = fmemopen(text, size, "w");

	for (int level = 400; level >= 0; level--)
		fprintf(out, "import time: 1 | %d | %*sm%d\n", 1000 - level, 2 * level, "", level);
	fclose(out);
	model = read_log(text);
	CHECK(model__process(model, 0)->load_cnt == 401 &&
	      model__process(model, 0)->root_cnt == 1);
	model__free(model);

	/* A name without end; a NUL; no newline at the end. */
	memset(text, 'x', size);
	memcpy(text, "import time: 1 | 2 | ", 21);
	memcpy(text + size - 60, "\nimport time: 3 | 3 | y\nz",
	       sizeof("\nimport time: 3 | 3 | y\nz"));
	model = read_log(text);
	CHECK(result.import_cnt == 2 && result.other_cnt == 1);
	CHECK(strlen(model__process(model, 0)->loads[0]->module) < 3 * PYI_STR_LARGE);
	CHECK(model__truncated(model) == 1);
	model__free(model);

	in = fmemopen("import time: 1 | 1 | a\0b\n", 25, "r");
	CHECK(!model__new(&model) && !log_play(in, model, &result) && result.import_cnt == 1);
	model__free(model);
	fclose(in);

	in = fmemopen("nothing of the kind\n", 20, "r");
	CHECK(!model__new(&model) && log_play(in, model, &result) == -ENOENT);
	model__free(model);
	fclose(in);
	free(text);
}

int main(void)
{
	RUN(test_lines);
	RUN(test_tree);
	RUN(test_cached);
	RUN(test_odd);
	RUN(test_processes);
	RUN(test_hostile);
	return unit_result();
}
