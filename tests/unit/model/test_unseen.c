// SPDX-License-Identifier: BSD-2-Clause
/* What ran without being traced makes a trace incomplete, and each view says what and why. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/model.h"
#include "report/report.h"
#include "stream.h"

static struct model *new_model(void)
{
	struct pyi_stats stats = {};
	struct model *model;

	if (model__new(&model))
		abort();
	model__set_stats(model, &stats);
	return model;
}

static char *report(struct model *model, const char *view, const char *format)
{
	char *text = NULL;
	size_t sz = 0;
	FILE *out = open_memstream(&text, &sz);

	CHECK(model__finish(model, 1) == 0);
	CHECK(out && report_write(&(struct report_input){ .model = model },
			   view, format, NULL, out) == 0);
	fclose(out);
	model__free(model);
	return text;
}

static void add_hostile(struct model *model)
{
	const char *const notes[] = { "this is\033[2J something else" };
	const struct python_info info = { .binary = "/opt/\033]0;x\007py", .implementation = "pypy",
					  .version = "7.3", .notes = notes, .note_cnt = 1 };

	CHECK(model__is_complete(model));
	CHECK(model__add_unprobed(model, &info) == 0);
	CHECK(model__add_unprobed(model, &(struct python_info){}) == 0);
	CHECK(!model__is_complete(model));
	CHECK(model__unprobed_cnt(model) == 2);
	CHECK(!model__unprobed(model, 2));
}

static void test_text(void)
{
	struct model *model = new_model();
	_cleanup_free_ char *text = NULL;

	add_hostile(model);
	text = report(model, "summary", "text");
	CHECK(strstr(text, "2 interpreters ran that could not be probed"));
	CHECK(strstr(text, "something else"));
	CHECK(strstr(text, "Incomplete"));
	CHECK(!strchr(text, '\033') && !strchr(text, '\007'));
}

static void test_json(void)
{
	struct model *model = new_model();
	_cleanup_free_ char *text = NULL;
	json_t *doc, *list;

	add_hostile(model);
	text = report(model, "summary", "json");
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(doc, "unprobed");
	CHECK(json_is_false(json_object_get(doc, "complete")));
	CHECK(json_array_size(list) == 2);
	CHECK(!strcmp(json_string_value(json_object_get(json_array_get(list, 0), "version")),
		      "7.3"));
	CHECK(json_is_null(json_object_get(json_array_get(list, 1), "binary")));
	CHECK(json_integer_value(json_object_get(json_object_get(doc, "loss"), "unprobed")) == 2);
	json_decref(doc);
}

static void test_late_starts(void)
{
	struct model *model = new_model();
	_cleanup_free_ char *text = NULL;

	model__set_late_starts(model, 1);
	model__set_unknown_starts(model, 2);
	CHECK(!model__is_complete(model));
	text = report(model, "tree", "text");
	CHECK(strstr(text, "1 process was running before its interpreter was probed"));
	CHECK(strstr(text, "2 programs ran, and it is not known"));
}

/* How many starts are told as late of a program whose first import is that of @first. */
static __u64 late_starts_of(const char *first, bool has_exec)
{
	struct python_info info = { .version = "3.11.2", .implementation = "cpython" };
	struct pyi_python python = { .layout = 3 };
	struct pyi_stats stats = {};
	struct stream s;
	__u64 cnt;

	stream_open(&s);
	if (has_exec)
		stream_exec(&s, 1000, 1, "python3\0app.py", 15);
	python.hdr = stream_hdr(&s, PYI_EV_PYTHON, sizeof(python), 2000);
	stream_apply(&s, &python, sizeof(python));
	stream_find(&s, 3000, 1, 0, 0, first);
	stream_end(&s, 4000, 1);
	stream_fork(&s, 5000, 101, 2); /* it begins with what its parent has */
	s.proc = 2;
	s.tgid = s.tid = 101;
	stream_find(&s, 6000, 2, 0, 0, "app");
	stream_end(&s, 7000, 2);
	CHECK(!model__set_python_info(s.model, 3, &info));
	model__set_stats(s.model, &stats);
	stream_finish(&s, 8000);
	cnt = model__late_starts(s.model);
	CHECK(model__is_complete(s.model) == !cnt);
	stream_close(&s);
	return cnt;
}

static void test_begun_unseen(void)
{
	CHECK(late_starts_of("email.utils", true) == 1);
	CHECK(late_starts_of("email.utils", false) == 0); /* that it was there before is no loss */
	CHECK(late_starts_of("encodings", true) == 0);
	CHECK(late_starts_of("_frozen_importlib", true) == 0);
}

/* What was held is told, and is no loss. */
static void test_holds(void)
{
	const struct hold_info holds[] = {
		{ .tgid = 7, .path = "/opt/a\033b", .is_exec = true, .wall_ns = 53000000 },
		{ .tgid = 8, .path = "/opt/lib.so", .wall_ns = 1000000 },
	};
	const char *const formats[] = { "text", "json" };

	for (size_t i = 0; i < 2; i++) {
		struct model *model = new_model();
		_cleanup_free_ char *text = NULL;

		CHECK(!model__add_hold(model, &holds[0]) && !model__add_hold(model, &holds[1]));
		CHECK(model__is_complete(model));
		text = report(model, "summary", formats[i]);
		CHECK(strstr(text, i ? "\"at\":\"mapping\"" : "2 starts were held"));
		CHECK(i || strstr(text, "53.0 ms at most"));
		CHECK(!strchr(text, '\033'));
	}
}

int main(void)
{
	RUN(test_holds);
	RUN(test_text);
	RUN(test_json);
	RUN(test_late_starts);
	RUN(test_begun_unseen);
	return unit_result();
}
