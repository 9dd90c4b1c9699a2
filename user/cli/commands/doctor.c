// SPDX-License-Identifier: BSD-2-Clause
/*
 * `doctor`: what would work here, told beforehand by the checks the trace command makes, and
 * `--version`. Problems carry one line of remedy each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/host_checks.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "trace/follow/pythons.h"
#include "probe/price.h"
#include "probe/probes.h"
#include "interpreters/discover/discover.h"
#include "interpreters/interp.h"

static const char *const marks[] = {
	[CHECK_FINE] = "ok  ", [CHECK_LIMITED] = "warn", [CHECK_FATAL] = "FAIL",
};

/* A path of the target may hold anything. */
static void print_escaped(const char *text, FILE *out)
{
	struct text_buf buf = {};

	text_buf__escape(&buf, text, 0);
	fputs(text_buf__str(&buf), out);
	text_buf__free(&buf);
}

static enum check_result print_checks(FILE *out)
{
	struct check checks[CHECKS_MAX];
	size_t cnt = checks_full(checks);
	enum check_result worst = CHECK_FINE;

	for (size_t i = 0; i < cnt; i++) {
		fprintf(out, "  %s  %-16s %s\n", marks[checks[i].result], checks[i].name,
			checks[i].detail);
		if (checks[i].result != CHECK_FINE && checks[i].remedy)
			fprintf(out, "        %-16s try: %s\n", "", checks[i].remedy);
		if (checks[i].result > worst)
			worst = checks[i].result;
	}
	return worst;
}

static void print_interpreter(const struct interp *interp, bool is_refused, FILE *out)
{
	fprintf(out, "  %s  ", is_refused ? marks[CHECK_FATAL] : marks[CHECK_FINE]);
	print_escaped(interp->path, out);
	fprintf(out, " (%s %s%s%s)\n", interp->implementation[0] ? interp->implementation : "unknown",
		interp->version[0] ? interp->version : "of unknown version",
		interp->is_free_threaded ? ", free-threaded" : "", interp->is_debug ? ", debug" : "");
	if (!is_refused) {
		fprintf(out, "        %zu sites: ", interp->site_cnt);
		pythons_print_layers(interp, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < interp->note_cnt; i++) {
		fputs("        ", out);
		print_escaped(interp->notes[i], out);
		fputc('\n', out);
	}
}

static enum check_result find_processes(const struct opts *opts, struct discover *discover,
					FILE *out)
{
	enum check_result worst = CHECK_FINE;

	for (size_t i = 0; i < opts->tgid_cnt; i++) {
		int cnt = discover__process(discover, opts->tgids[i]);

		if (cnt > 0)
			continue;
		worst = CHECK_FATAL;
		if (cnt == -ESRCH || cnt == -ENOENT)
			fprintf(out, "  FAIL  process %d: there is none\n", opts->tgids[i]);
		else if (cnt < 0)
			fprintf(out, "  FAIL  process %d: %s\n        try: sudo, or CAP_SYS_PTRACE\n",
				opts->tgids[i], strerror(-cnt));
		else
			fprintf(out, "  FAIL  process %d: no Python in it that can be probed\n",
				opts->tgids[i]);
	}
	return worst;
}

static enum check_result print_interpreters(const struct opts *opts, FILE *out)
{
	enum check_result worst = CHECK_FINE;
	struct discover *discover = NULL;
	struct pythons *pythons = NULL;
	const struct interp *interp;
	bool is_refused;

	if (pythons__new(NULL, &pythons) || discover__new(pythons__add, pythons, &discover)) {
		pythons__free(pythons);
		return CHECK_FATAL;
	}
	if (opts->tgid_cnt)
		worst = find_processes(opts, discover, out);
	else if (discover__host(discover, getenv("PATH")))
		worst = CHECK_LIMITED;
	for (size_t i = 0; (interp = pythons__get(pythons, i, &is_refused)); i++) {
		print_interpreter(interp, is_refused, out);
		if (is_refused && worst == CHECK_FINE)
			worst = CHECK_LIMITED;
	}
	if (!pythons__cnt(pythons) && !opts->tgid_cnt)
		fputs("  warn  none is running now; one that starts later will be found\n", out);
	discover__free(discover);
	pythons__free(pythons);
	return worst;
}

static void print_kernel(FILE *out)
{
	struct utsname name;

	if (!uname(&name))
		fprintf(out, "Kernel %s, %s\n", name.release, name.machine);
}

/* So that what tracing costs here can be compared with what it costs elsewhere. */
static void print_price(const struct opts *opts, FILE *out)
{
	char text[PRICE_TEXT_SZ];
	struct price price;

	price_measure(opts->want_perf, &price);
	fprintf(out, "  %s  %-16s %s\n", marks[CHECK_FINE], "price",
		price_text(&price, text));
}

int doctor_run(const struct opts *opts)
{
	enum check_result host, pythons;

	print_kernel(stdout);
	host = print_checks(stdout);
	print_price(opts, stdout);
	fputs("Interpreters\n", stdout);
	pythons = print_interpreters(opts, stdout);
	fputs(host == CHECK_FATAL || pythons == CHECK_FATAL ? "Tracing will not work.\n" :
	      host == CHECK_LIMITED || pythons == CHECK_LIMITED ? "Tracing works, with the limits above.\n" :
	      "Everything works.\n", stdout);
	if (fflush(stdout))
		return EXIT_OURS;
	return host == CHECK_FATAL || pythons == CHECK_FATAL ? EXIT_UNTRACED : EXIT_OK;
}

int version_run(const struct opts *opts)
{
	printf("pyimport-bpf %s%s%s%s, %s\n", PYIMPORT_VERSION, *PYIMPORT_GITREV ? " (" : "",
	       PYIMPORT_GITREV, *PYIMPORT_GITREV ? ")" : "", probes_library());
	if (opts->verbosity) {
		print_kernel(stdout);
		print_checks(stdout);
	}
	return fflush(stdout) ? EXIT_OURS : EXIT_OK;
}
