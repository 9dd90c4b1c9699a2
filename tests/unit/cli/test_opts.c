// SPDX-License-Identifier: BSD-2-Clause
/* The command line: values with units, what goes together, what belongs to the command. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/line/commands.h"
#include "cli/line/help.h"
#include "cli/line/options.h"
#include "cli/opts.h"
#include "pyimport_charge.h"
#include "report/report.h"
#include "unit.h"

static void test_durations(void)
{
	static const struct {
		const char *text;
		int err;
		__u64 ns;
	} cases[] = {
		{ "30s", 0, 30000000000 }, { "30", 0, 30000000000 }, { "2ms", 0, 2000000 },
		{ "1.5s", 0, 1500000000 }, { "0.25ms", 0, 250000 }, { "2m", 0, 120000000000 },
		{ "1h", 0, 3600000000000 }, { "7us", 0, 7000 }, { "9NS", 0, 9 },
		{ "1.0000000019s", 0, 1000000001 }, { "0", -ERANGE, 0 }, { "0s", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "-1s", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 }, { ".5s", -EINVAL, 0 }, { "1 s", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 }, { "1ss", -EINVAL, 0 }, { "0x10", -EINVAL, 0 },
		{ "99999999999999999999", -ERANGE, 0 }, { "9999999999h", -ERANGE, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u64 ns = 0;
		int err = parse_duration(cases[i].text, &ns);

		if (err != cases[i].err || (!err && ns != cases[i].ns))
			FAIL("%s: err %d, %llu ns", cases[i].text, err, ns);
	}
}

static void test_bytes(void)
{
	static const struct {
		const char *text;
		int err;
		size_t bytes;
	} cases[] = {
		{ "64kB", 0, 64000 }, { "16mb", 0, 16000000 }, { "16MiB", 0, 16 << 20 },
		{ "4096", 0, 4096 }, { "1gib", 0, 1 << 30 }, { "0.5k", 0, 500 }, { "7b", 0, 7 },
		{ "16 mb", -EINVAL, 0 }, { "mb", -EINVAL, 0 }, { "1tb", -EINVAL, 0 },
		{ "99999999999g", -ERANGE, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t bytes = 0;
		int err = parse_bytes(cases[i].text, &bytes);

		if (err != cases[i].err || (!err && bytes != cases[i].bytes))
			FAIL("%s: err %d, %zu bytes", cases[i].text, err, bytes);
	}
}

static void test_tgids(void)
{
	pid_t *tgids = NULL;
	size_t cnt = 0;

	CHECK(!parse_tgids("1,22", &tgids, &cnt));
	CHECK(!parse_tgids("333", &tgids, &cnt));
	CHECK(cnt == 3 && tgids[0] == 1 && tgids[1] == 22 && tgids[2] == 333);
	CHECK(parse_tgids("", &tgids, &cnt) == -EINVAL);
	CHECK(parse_tgids("1,", &tgids, &cnt) == -EINVAL);
	CHECK(parse_tgids("0", &tgids, &cnt) == -ERANGE);
	CHECK(parse_tgids("-5", &tgids, &cnt) == -EINVAL);
	CHECK(parse_tgids("4294967297", &tgids, &cnt) == -ERANGE);
	CHECK(parse_tgids("12345678901234567890", &tgids, &cnt) == -EINVAL);
	free(tgids);
}

#define PARSE(opts, ...) \
	opts__parse_quiet(opts, \
			  sizeof((char *[]){ "pyimport-bpf", ##__VA_ARGS__ }) / sizeof(char *), \
			  (char *[]){ "pyimport-bpf", ##__VA_ARGS__, NULL })

static void test_targets(void)
{
	struct opts opts;

	CHECK(!PARSE(&opts, "-a") && opts.want_all && !opts.argv && !opts.tgid_cnt);
	CHECK(!strcmp(opts.view, "summary") && !strcmp(opts.format, "text"));
	CHECK(PARSE(&opts, "--view", "tree") == -EINVAL && PARSE(&opts, "record", "-o", "x") == -EINVAL);
	CHECK(!PARSE(&opts, "top") && opts.want_all);
	CHECK(PARSE(&opts, "why", "json") == -EINVAL && PARSE(&opts, "why", "/dev/null") == -EINVAL);
	CHECK(!PARSE(&opts, "why", "json", "x.cap") && opts.word_cnt == 2);
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "-p", "7,8") && opts.tgid_cnt == 2 && !opts.want_all);
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "--", "ls", "-l", "--", "-p") && !opts.want_all);
	CHECK(PARSE(&opts, "-p", "7", "-a") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "--", "ls") == -EINVAL);
	CHECK(PARSE(&opts, "-p", "7", "--", "ls") == -EINVAL);
	CHECK(!PARSE(&opts, "--container", "web", "--wait") && !opts.want_all && opts.want_wait);
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "--cgroup=/a") && !strcmp(opts.scopes[0], "/a") && !opts.want_all);
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "--container", "a,b", "--container", "c", "--container=b") &&
	      opts.scope_cnt == 3 && opts.is_container && !strcmp(opts.scopes[1], "b") &&
	      !strcmp(opts.scopes[2], "c"));
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "--cgroup", "/a,b", "--cgroup", "/a") && opts.scope_cnt == 2 &&
	      !strcmp(opts.scopes[0], "/a,b") && !opts.is_container);
	opts__clear(&opts);
	CHECK(PARSE(&opts, "--container", "a,,b") == -EINVAL);
	CHECK(PARSE(&opts, "--cgroup", "") == -EINVAL);
	CHECK(PARSE(&opts, "--cgroup", "/a", "--container", "b") == -EINVAL);
	CHECK(PARSE(&opts, "--container", "b", "--", "ls") == -EINVAL);
	CHECK(PARSE(&opts, "--wait") == -EINVAL);
	CHECK(PARSE(&opts, "--") == -EINVAL);
	CHECK(PARSE(&opts, "ls") == -EINVAL);
	CHECK(PARSE(&opts, "ls", "--", "ls") == -EINVAL);
	CHECK(PARSE(&opts, "--no-such-option") == -EINVAL);
}

#define CAUSES (PYI_GROUP_CPU | PYI_GROUP_FILES | PYI_GROUP_DISK | PYI_GROUP_MEMORY | \
		PYI_GROUP_NET | PYI_GROUP_PHASES)

/* What is left out, by what is to be shown, of whom, and by what was said. */
static void test_profile(void)
{
	struct opts opts;

	CHECK(!PARSE(&opts, "--format", "json", "-a") && !opts.want_no_edges && !opts.groups_off);
	CHECK(!PARSE(&opts, "--", "ls") && !opts.want_no_edges &&
	      opts.groups_off == (PYI_GROUP_MEMORY | PYI_GROUP_NET));
	CHECK(!PARSE(&opts, "-a") && opts.want_no_edges);
	CHECK(!PARSE(&opts, "-a", "--view", "advice") && !opts.want_no_edges && !opts.groups_off);
	CHECK(!PARSE(&opts, "-a", "--view", "tree", "--no-cpu") && opts.want_no_edges &&
	      opts.groups_off == (CAUSES & ~PYI_GROUP_PHASES));
	CHECK(!PARSE(&opts, "record", "-o", "x", "--", "ls") && !opts.want_no_edges &&
	      !opts.groups_off);
	CHECK(!PARSE(&opts, "record", "-o", "x", "-a") && opts.want_no_edges && !opts.groups_off);
	CHECK(!PARSE(&opts, "--format", "importtime", "-o", "x", "--", "ls") &&
	      !opts.want_no_edges && !opts.groups_off);
	CHECK(!PARSE(&opts, "--format", "importtime", "--until-ready", "-a") &&
	      opts.want_no_edges && opts.groups_off == (CAUSES & ~PYI_GROUP_PHASES));
	CHECK(!PARSE(&opts, "--format", "folded", "--by", "memory", "-a") &&
	      opts.groups_off == (CAUSES & ~PYI_GROUP_MEMORY));
	CHECK(!PARSE(&opts, "why", "json", "-a") && !opts.want_no_edges);
	CHECK(!PARSE(&opts, "top") && opts.want_no_edges && opts.groups_off == CAUSES);
	CHECK(!PARSE(&opts, "agent") && opts.want_no_edges &&
	      opts.groups_off == (PYI_GROUP_CPU | PYI_GROUP_MEMORY));
	CHECK(!PARSE(&opts, "--profile", "full", "--view", "tree", "-a") && !opts.want_no_edges &&
	      !opts.groups_off);
	CHECK(!PARSE(&opts, "--profile", "loads", "--format", "json", "--", "ls") &&
	      opts.want_no_edges && opts.groups_off == CAUSES);
	CHECK(PARSE(&opts, "--profile", "loads", "--until-ready", "-a") == -EINVAL);
	CHECK(PARSE(&opts, "--profile", "some", "-a") == -EINVAL);
}

static void test_command_is_verbatim(void)
{
	char *argv[] = { "pyimport-bpf", "-v", "--", "--", "-p", "doctor", "", NULL };
	struct opts opts;

	CHECK(!opts__parse_quiet(&opts, 7, argv));
	CHECK(opts.argv == argv + 3 && opts.verbosity == 1);
	CHECK(!strcmp(opts.argv[0], "--") && !strcmp(opts.argv[3], "") && !opts.argv[4]);
}

static void test_subcommand(void)
{
	struct opts opts;

	CHECK(!PARSE(&opts, "doctor") && opts.command == COMMAND_DOCTOR);
	CHECK(!PARSE(&opts, "doctor", "-p", "3") && opts.tgid_cnt == 1);
	opts__clear(&opts);
	CHECK(PARSE(&opts, "doctor", "doctor") == -EINVAL);
	CHECK(!PARSE(&opts, "report", "-", "--view", "tree") && opts.command == COMMAND_REPORT);
	CHECK(opts.word_cnt == 1 && !strcmp(opts.words[0], "-"));
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "diff", "a", "b", "--format", "json") && opts.word_cnt == 2);
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "record", "-o", "x", "--", "ls") && opts.argv && opts.capture_path);
	opts__clear(&opts);
	CHECK(PARSE(&opts, "report") == -EINVAL && PARSE(&opts, "record", "--", "ls") == -EINVAL);
	CHECK(PARSE(&opts, "report", "a", "b") == -EINVAL);
	CHECK(PARSE(&opts, "report", "a", "-p", "3") == -EINVAL);
	CHECK(PARSE(&opts, "diff", "a") == -EINVAL && PARSE(&opts, "diff", "a", "b", "-a") == -EINVAL);
	CHECK(PARSE(&opts, "diff", "a", "b", "--format", "chrome") == -EINVAL);
	CHECK(PARSE(&opts, "report", "a", "-o", "b") == -EINVAL);
	CHECK(PARSE(&opts, "doctor", "--", "ls") == -EINVAL);
	CHECK(!PARSE(&opts, "--", "doctor") && opts.command == COMMAND_TRACE && opts.argv);
}

static void test_values(void)
{
	struct opts opts;

	CHECK(!PARSE(&opts, "-a", "--format", "json", "--top", "3"));
	CHECK(!strcmp(opts.format, "json") && opts.top == 3);
	CHECK(!PARSE(&opts, "-a", "--view", "tree", "--format", "text", "--top", "3"));
	CHECK(!strcmp(opts.view, "tree") && !strcmp(opts.format, "text") && opts.top == 3);
	CHECK(!PARSE(&opts, "-a", "--ring", "64kb", "-d", "2ms"));
	CHECK(opts.ring_sz == 65536 && opts.duration_ns == 2000000);
	CHECK(!PARSE(&opts, "-a", "--ring", "66kb") && opts.ring_sz == 131072);
	CHECK(!PARSE(&opts, "-a", "--ring", "4kb") && opts.ring_sz == 4096);
	CHECK(!PARSE(&opts, "-a", "--view", "tree", "--min", "1.5%") && opts.min_share == 0.015);
	CHECK(PARSE(&opts, "-a", "--min", "1.5") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "--min", "101%") == -EINVAL);
	CHECK(!PARSE(&opts, "-a", "--width", "60") && opts.width == 60);
	CHECK(PARSE(&opts, "-a", "--ring", "2kb") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "--view", "no") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "--format", "no") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "--top", "0") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "-d", "0") == -EINVAL);
	CHECK(!PARSE(&opts, "-a", "--slow", "50ms") && opts.slow_ns == 50000000);
	CHECK(PARSE(&opts, "-a", "--slow", "fast") == -EINVAL);
	CHECK(!PARSE(&opts, "-a", "--until-idle", "5s", "--until-ready") && opts.want_until_ready);
	CHECK(opts.idle_ns == 5000000000ULL);
	CHECK(PARSE(&opts, "-a", "--until-idle", "0") == -EINVAL);
	CHECK(PARSE(&opts, "-a", "--until-ready", "--no-phases") == -EINVAL);
}

static void test_misplaced(void)
{
	struct opts opts;

	CHECK(PARSE(&opts, "report", "a", "--ring", "4kb") == -EINVAL);
	CHECK(PARSE(&opts, "--ring", "4kb", "report", "a") == -EINVAL);
	CHECK(PARSE(&opts, "doctor", "--view", "tree") == -EINVAL);
	CHECK(PARSE(&opts, "check", "--budget", "b", "--format", "sqlite") == -EINVAL);
	CHECK(PARSE(&opts, "why", "m", "f", "--format", "html") == -EINVAL);
	CHECK(PARSE(&opts, "report", "a", "--strict=1") == -EINVAL);
	CHECK(PARSE(&opts, "report", "a", "--json") == -EINVAL);
	CHECK(!PARSE(&opts, "--format", "junit", "check", "--budget", "b"));
	CHECK(!strcmp(opts.format, "junit") && opts.command == COMMAND_CHECK);
}

static void test_help(void)
{
	struct opts opts;

	CHECK(!PARSE(&opts) && opts.command == COMMAND_HELP && opts.help_depth == HELP_SHORT);
	CHECK(!PARSE(&opts, "--help") && opts.command == COMMAND_HELP && opts.help_on == COMMAND_TRACE);
	CHECK(!PARSE(&opts, "diff", "-h") && opts.help_on == COMMAND_DIFF);
	CHECK(!PARSE(&opts, "help", "check") && opts.help_on == COMMAND_CHECK);
	opts__clear(&opts);
	CHECK(!PARSE(&opts, "-?") && opts.command == COMMAND_HELP);
	CHECK(PARSE(&opts, "help", "chekc") == -EINVAL);
	CHECK(!PARSE(&opts, "version") && opts.command == COMMAND_VERSION);
}

/* Every line of every help fits, and has the options of its command and no other. */
static void test_help_text(void)
{
	for (const struct command_info *info = commands; info->doc; info++) {
		char *text = NULL;
		size_t sz;
		FILE *out = open_memstream(&text, &sz);

		if (info->doc)
			help_print(info, HELP_FULL, 72, out);
		fclose(out);
		for (const struct option_info *opt = options; info->doc && opt->name; opt++) {
			char head[64];
			bool is_there;

			snprintf(head, sizeof(head), "--%s%s", opt->name, opt->arg ? "=" : "\n");
			is_there = strstr(text, head);
			snprintf(head, sizeof(head), "--%s%s", opt->name, opt->arg ? "=" : " ");
			is_there |= strstr(text, head) != NULL;
			if (!is_there && option_is_for(opt, info->command) &&
			    !option_is_hidden(opt))
				FAIL("help of %s lacks --%s", info->name ? info->name : "none", opt->name);
		}
		free(text);
	}
}

/* Every option must reach every shell. */
static void test_completions(void)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	for (size_t i = 0; i < 3; i++) {
		char *text = NULL;
		size_t sz;
		FILE *out = open_memstream(&text, &sz);

		CHECK(!opts_print_completion(shells[i], out));
		fclose(out);
		for (const struct option_info *opt = options; opt->name; opt++) {
			if (!option_is_hidden(opt) && !strstr(text, opt->name))
				FAIL("--%s is not in the completion for %s", opt->name, shells[i]);
		}
		free(text);
	}
	CHECK(opts_print_completion("tcsh", stdout) == -EINVAL);
}

/* Each name stands in bold at the head of a line of the manual page, as @macro @name. */
static void check_manual(const char *manual, const char *const *names)
{
	char line[64];

	for (; *names; names++) {
		bool is_there = false;

		for (int i = 0; i < 2; i++) {
			snprintf(line, sizeof(line), "\n.%s %s", i ? "BR" : "B", *names);
			is_there |= strstr(manual, line) != NULL;
		}
		if (!is_there)
			FAIL("man/pyimport-bpf.8 does not tell of %s", *names);
	}
}

static void test_manual(void)
{
	_cleanup_free_ char *manual = calloc(1, 1 << 20);
	FILE *file = fopen("man/pyimport-bpf.8", "r");

	CHECK(file && manual && fread(manual, 1, (1 << 20) - 1, file));
	check_manual(manual, report_views);
	check_manual(manual, report_formats);
	fclose(file);
}

int main(void)
{
	RUN(test_durations);
	RUN(test_bytes);
	RUN(test_tgids);
	RUN(test_targets);
	RUN(test_profile);
	RUN(test_command_is_verbatim);
	RUN(test_subcommand);
	RUN(test_values);
	RUN(test_misplaced);
	RUN(test_help);
	RUN(test_help_text);
	RUN(test_completions);
	RUN(test_manual);
	return unit_result();
}
