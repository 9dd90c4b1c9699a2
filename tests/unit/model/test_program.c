// SPDX-License-Identifier: BSD-2-Clause
/* What a command line runs; the truth is what CPython makes of it (see Python/getopt.c). */
#include "model/program.h"

#include "model/model.h"
#include "unit.h"

static void check(enum program_kind kind, const char *name, size_t argc, char **argv)
{
	struct process process = { .argc = argc, .argv = argv };
	struct program program = process_program(&process);

	if (program.kind != kind || !program.name != !name ||
	    (name && strcmp(program.name, name)))
		FAIL("%s %s: kind %d, %s", argc && argv[0] ? argv[0] : "",
		     argc > 1 && argv[1] ? argv[1] : "", program.kind,
		     program.name ? program.name : "no name");
}

#define RUNS(kind, name, ...) do { \
	char *argv[] = { __VA_ARGS__ }; \
	check(kind, name, sizeof(argv) / sizeof(argv[0]), argv); \
} while (0)

static void test_scripts(void)
{
	RUNS(PROGRAM_SCRIPT, "app.py", "python3", "app.py", "-m", "x");
	RUNS(PROGRAM_SCRIPT, "/srv/a/app.py", "/opt/venv/bin/python3.12", "-uB", "/srv/a/app.py");
	RUNS(PROGRAM_SCRIPT, "app.py", "python", "-W", "error", "-X", "importtime", "app.py");
	RUNS(PROGRAM_SCRIPT, "app.py", "python", "-Werror", "-Ximporttime", "app.py");
	RUNS(PROGRAM_SCRIPT, "app.py", "python", "-uW", "error", "app.py");
	RUNS(PROGRAM_SCRIPT, "app.py", "python", "--check-hash-based-pycs", "never", "app.py");
	RUNS(PROGRAM_SCRIPT, "app/", "python", "app/");
	RUNS(PROGRAM_SCRIPT, "-odd.py", "python", "--", "-odd.py");
}

static void test_modules_and_code(void)
{
	RUNS(PROGRAM_MODULE, "http.server", "python3", "-m", "http.server", "80");
	RUNS(PROGRAM_MODULE, "json.tool", "pypy3", "-mjson.tool");
	RUNS(PROGRAM_MODULE, "app", "python3", "-Im", "app");
	RUNS(PROGRAM_MODULE, "", "python3", "-m");
	RUNS(PROGRAM_CODE, NULL, "python3", "-c", "pass", "app.py");
	RUNS(PROGRAM_CODE, NULL, "python3", "-uc", "pass");
	RUNS(PROGRAM_CODE, NULL, "python3", "-cpass");
}

static void test_neither(void)
{
	RUNS(PROGRAM_STDIN, NULL, "python3");
	RUNS(PROGRAM_STDIN, NULL, "python3", "-i", "-");
	RUNS(PROGRAM_STDIN, NULL, "python3", "--");
	RUNS(PROGRAM_STDIN, NULL, "python3", "-X");
	RUNS(PROGRAM_TITLE, "gunicorn: worker [app]", "gunicorn: worker [app]");
	RUNS(PROGRAM_OTHER, NULL, "uwsgi", "--ini", "x.ini");
	RUNS(PROGRAM_OTHER, NULL, NULL, "app.py");
	RUNS(PROGRAM_SCRIPT, "", "python3", NULL);
	check(PROGRAM_OTHER, NULL, 0, NULL);
}

int main(void)
{
	RUN(test_scripts);
	RUN(test_modules_and_code);
	RUN(test_neither);
	return unit_result();
}
