// SPDX-License-Identifier: BSD-2-Clause
/*
 * Captures that older builds wrote, in tests/golden/captures: each must be read for ever, and give
 * the same report, byte for byte. `UPDATE_GOLDEN=1 make check` accepts what a view now prints; a
 * capture itself is never written anew. tests/golden/captures/README tells what the files hold.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/model.h"
#include "model/tape/tape.h"
#include "report/report.h"
#include "unit.h"

#define DIR "tests/golden/captures/"

static struct model *load(const char *name)
{
	_cleanup_fclose_ FILE *in = NULL;
	struct tape_result result = {};
	struct model *model;
	char path[256];

	snprintf(path, sizeof(path), DIR "%s.cap", name);
	in = fopen(path, "r");
	CHECK(in && !model__new(&model));
	if (!in)
		return NULL;
	CHECK(!tape_play(in, model, &result));
	CHECK(!result.is_cut && !result.is_damaged && !model__malformed(model));
	return model;
}

static char *slurp(const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (in && text && !fread(text, 1, (1 << 20) - 1, in))
		FAIL("%s is empty", path);
	return text;
}

static void check_report(const struct model *model, const char *name, const char *view,
			 const char *format)
{
	_cleanup_free_ char *got = NULL, *want = NULL;
	char path[256];
	size_t size;
	FILE *out = open_memstream(&got, &size);

	CHECK(!report_write(&(struct report_input){ .model = model }, view, format, NULL, out));
	fclose(out);
	snprintf(path, sizeof(path), DIR "%s.%s.txt", name, view);
	if (getenv("UPDATE_GOLDEN")) {
		out = fopen(path, "w");
		CHECK(out && fputs(got, out) >= 0 && !fclose(out));
		return;
	}
	want = slurp(path);
	if (strcmp(got, want))
		FAIL("%s differs (UPDATE_GOLDEN=1 to accept):\n%s", path, got);
}

static void check_capture(const char *name)
{
	struct model *model = load(name);

	if (!model)
		return;
	check_report(model, name, "summary", "text");
	check_report(model, name, "tree", "text");
	model__free(model);
}

static void test_plain(void)
{
	check_capture("plain");
}

static void test_fork(void)
{
	check_capture("fork");
}

int main(void)
{
	RUN(test_plain);
	RUN(test_fork);
	return unit_result();
}
