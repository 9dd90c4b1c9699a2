// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every view and format, from raw records to text. What is expected stands in tests/golden;
 * `UPDATE_GOLDEN=1 make check` writes it anew, for a reviewer to read in the diff.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/report.h"
#include "golden_program.h"

static int write_model(const char *view, const char *format, const struct report_opts *opts,
		       FILE *out)
{
	return report_write(&(struct report_input){ .model = model }, view, format, opts, out);
}

static char *report(const char *view, const char *format, const struct report_opts *opts)
{
	char *text = NULL;
	size_t sz = 0;
	FILE *out = open_memstream(&text, &sz);

	CHECK(out && write_model(view, format, opts, out) == 0);
	fclose(out);
	return text;
}

static char *slurp(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "r");
	_cleanup_free_ char *text = NULL;
	size_t cap = 0;

	if (!file || getdelim(&text, &cap, '\0', file) < 0)
		return NULL;
	return TAKE_PTR(text);
}

/* The same names as users would see them can harm no terminal, whatever the golden file says. */
static void check_harmless(const char *what, const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		_cleanup_free_ char *one = strndup(line, strcspn(line, "\n"));

		if (!one || !text_is_harmless(one))
			FAIL("%s: harmful line: %s", what, one ? one : "");
		if (!line[strcspn(line, "\n")])
			break;
	}
}

static void golden(const char *name, const char *view, const char *format,
		   const struct report_opts *opts)
{
	_cleanup_free_ char *got = report(view, format, opts), *want = NULL;
	char path[256];

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	check_harmless(name, got);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *file = fopen(path, "w");

		CHECK(file && fputs(got, file) >= 0);
		if (file)
			fclose(file);
		return;
	}
	want = slurp(path);
	if (!want || strcmp(got, want))
		FAIL("%s differs (run from the top folder; UPDATE_GOLDEN=1 to accept):\n%s", path, got);
}

static void test_golden(void)
{
	const struct report_opts narrow = { .width = 60, .use_ascii = true, .top = 3 };

	make_program();
	golden("summary.txt", "summary", "text", NULL);
	golden("summary_60.txt", "summary", "text", &narrow);
	golden("tree.txt", "tree", "text", NULL);
	golden("tree_60.txt", "tree", "text", &narrow);
	golden("blame.txt", "blame", "text", NULL);
	golden("importtime.txt", NULL, "importtime", NULL);
	golden("report.json", NULL, "json", NULL);
	golden("chrome.json", NULL, "chrome", NULL);
	golden("speedscope.json", NULL, "speedscope", NULL);
	golden("folded.txt", NULL, "folded", NULL);
	golden("graph.dot", NULL, "dot", NULL);
	golden("openmetrics.txt", NULL, "openmetrics", NULL);
	golden("otlp.json", NULL, "otlp", NULL);
	drop_model();
}

/* What --help promises. */
static void test_every_view(void)
{
	make_program();
	for (const char *const *view = report_views; *view; view++) {
		_cleanup_free_ char *text = report(*view, "text", NULL);

		if (!text || !*text)
			FAIL("no text for --view %s", *view);
	}
	drop_model();
}

static void test_ascii(void)
{
	const struct report_opts opts = { .use_ascii = true };
	const char *const views[] = { "summary", "tree", "blame" };

	make_program();
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *text = report(views[i], "text", &opts);

		for (const char *c = text; *c; c++)
			if ((unsigned char)*c >= 0x80) {
				FAIL("%s: byte %02x", views[i], (unsigned char)*c);
				break;
			}
	}
	drop_model();
}

/* The document parses, names survive unchanged, self and children add up, unknown is null. */
static void test_json(void)
{
	_cleanup_free_ char *text = NULL;
	json_t *doc, *process, *import;
	json_error_t error;
	bool has_evil = false;
	size_t i;

	make_program();
	text = report(NULL, "json", NULL);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!doc) {
		FAIL("line %d: %s", error.line, error.text);
		return drop_model();
	}
	CHECK(json_is_false(json_object_get(doc, "complete")));
	CHECK(json_integer_value(json_object_get(json_object_get(doc, "loss"), "ring_full")) == 12345);
	CHECK(json_array_size(json_object_get(doc, "processes")) == 2);
	process = json_array_get(json_object_get(doc, "processes"), 0);
	CHECK(json_is_null(json_object_get(process, "container")));
	json_array_foreach(json_object_get(process, "imports"), i, import) {
		const char *module = json_string_value(json_object_get(import, "module"));

		has_evil |= module && strstr(module, "evil\033[2J\nimport time: 1 | 2 | fake\177");
		CHECK(json_is_null(json_object_get(import, "cpu_ns")));
		CHECK(json_is_object(json_object_get(import, "importer")));
	}
	CHECK(has_evil);
	json_decref(doc);
	drop_model();
}

static void test_deep(void)
{
	const char *const formats[] = { "text", "json", "importtime", "chrome", "speedscope",
				       "folded", "otlp", "html" };

	make_chain(5000);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		_cleanup_free_ char *text = report("tree", formats[i], NULL);

		/* The page has it packed: test_exports unpacks it. */
		CHECK(!strcmp(formats[i], "html") || strstr(text, "m4999"));
	}
	drop_model();
}

static void test_empty(void)
{
	_cleanup_free_ char *text = NULL;

	CHECK(model__new(&model) == 0);
	CHECK(model__finish(model, 1) == 0);
	text = report(NULL, NULL, NULL);
	CHECK(strstr(text, "No Python program was seen."));
	free(report("tree", "json", NULL));
	for (size_t i = 0; report_formats[i]; i++)
		free(report(NULL, report_formats[i], NULL));
	drop_model();
}

static void test_refused(void)
{
	make_program();
	CHECK(write_model("nothing", "text", NULL, stdout) == -EINVAL);
	CHECK(write_model("nothing", "json", NULL, stdout) == -EINVAL);
	CHECK(write_model("tree", "nothing", NULL, stdout) == -EINVAL);
	CHECK(write_model("blame", "importtime", NULL, stdout) == -EINVAL);
	drop_model();
}

/* What the stream says is what the caller gets, even when only the last flush fails. */
static void test_write_errors(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	make_program();
	for (size_t i = 0; report_formats[i]; i++) {
		FILE *full = fopen("/dev/full", "w"), *piped;

		CHECK(full && write_model(NULL, report_formats[i], NULL, full) == -ENOSPC);
		if (full)
			fclose(full);
		CHECK(pipe(fds) == 0);
		close(fds[0]);
		piped = fdopen(fds[1], "w");
		CHECK(piped && write_model(NULL, report_formats[i], NULL, piped) == -EPIPE);
		if (piped)
			fclose(piped);
	}
	drop_model();
}

int main(void)
{
	RUN(test_golden);
	RUN(test_every_view);
	RUN(test_ascii);
	RUN(test_json);
	RUN(test_deep);
	RUN(test_empty);
	RUN(test_refused);
	RUN(test_write_errors);
	return unit_result();
}
