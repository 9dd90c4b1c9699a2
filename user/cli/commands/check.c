// SPDX-License-Identifier: BSD-2-Clause
/*
 * `check`: runs, or a capture of one, against a budget. Status 1 when it is broken. With --update
 * the limits are rewritten instead.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/budget/budget.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "trace/output.h"
#include "cli/commands/repeat.h"
#include "cli/replay.h"
#include "cli/repository.h"
#include "model/model.h"
#include "report/report.h"

#define RUNS_TIMED 5 /* where a limit on a time is set and nobody said how often to run */

static bool has_timed(const struct limit *limits)
{
	for (int i = 0; i < METRIC_CNT; i++)
		if (limits[i].is_set && metrics[i].is_timed)
			return true;
	return false;
}

static size_t runs_of(const struct opts *opts, const struct budget_entry *entry)
{
	bool is_timed = has_timed(entry->limits);

	for (size_t i = 0; i < entry->module_cnt; i++)
		is_timed |= has_timed(entry->modules[i].limits);
	return opts->runs ? opts->runs : entry->runs ? entry->runs : is_timed ? RUNS_TIMED : 1;
}

/* The runs that @entry is judged by: those in @shared, or its own command's. */
static int find_runs(const struct opts *opts, const struct budget_entry *entry,
		     const struct traced_runs *shared, struct traced_runs *own,
		     const struct traced_runs **out)
{
	*out = shared;
	if (shared->cnt)
		return 0;
	if (!entry->argv) {
		log_err(0, "%s:%zu: the entry '%.80s' has no command", opts->budget, entry->line,
			entry->name);
		log_hint("a capture file, a command behind --, or `command:` in the entry");
		return -EINVAL;
	}
	*out = own;
	return traced_runs__add(own, opts, entry->argv, runs_of(opts, entry));
}

/* What the command line names counts for all entries. */
static int find_shared(const struct opts *opts, const struct budget *budget,
		       struct traced_runs *shared)
{
	size_t cnt = 1;

	if (opts->word_cnt)
		return traced_runs__read(shared, opts, opts->words[0]);
	for (size_t i = 0; i < budget->entry_cnt; i++)
		if (runs_of(opts, &budget->entries[i]) > cnt)
			cnt = runs_of(opts, &budget->entries[i]);
	return opts->argv ? traced_runs__add(shared, opts, opts->argv, cnt) : 0;
}

/* GitHub shows this file below the run. */
static int write_summary(const struct verdicts *result, const struct model *model)
{
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	const struct report_input input = { .model = model, .check = result };
	_cleanup_fclose_ FILE *file = NULL;

	if (!path || !*path)
		return 0;
	file = fopen(path, "ae");
	if (!file || report_write(&input, "check", "markdown", NULL, file))
		return log_err(-errno, "cannot write the summary to %s", path);
	return 0;
}

static int write_result(const struct opts *opts, struct verdicts *result,
			const struct model *model)
{
	const struct report_input input = { .model = model, .check = result };
	struct opts own = *opts;
	char cwd[PATH_MAX], root[PATH_MAX];
	struct output output;
	int err;

	result->cwd = getcwd(cwd, sizeof(cwd));
	result->root = result->cwd ? repository_find(cwd, root, sizeof(root)) : NULL;

	own.view = "check";
	own.argv = NULL; /* the command is done: the standard output is ours */
	if (output__open(&own, &output))
		return -EIO;
	err = output__write(&output, &own, &input);
	output__close(&output);
	if (!err && !strcmp(opts->format, "github"))
		err = write_summary(result, model);
	return err;
}

static int judge(const struct opts *opts, struct budget *budget, struct traced_runs *own,
		 const struct traced_runs *shared, struct verdicts *result)
{
	int err = 0;

	for (size_t i = 0; !err && i < budget->entry_cnt; i++) {
		const struct traced_runs *runs;

		err = find_runs(opts, &budget->entries[i], shared, &own[i], &runs);
		if (!err && opts->want_update)
			err = budget_measure(&budget->entries[i], runs->models, runs->cnt);
		else if (!err)
			err = check_entry(result, &budget->entries[i], runs->models, runs->cnt);
	}
	return err;
}

/* When the baseline was recorded: the day in UTC, the same wherever it is read. */
static void set_day(struct verdicts *result, const struct host_info *host)
{
	static char day[16];
	time_t time_s = host ? (time_t)(host->realtime_ns / 1000000000) : 0;
	struct tm tm;

	if (!time_s || !gmtime_r(&time_s, &tm) || !strftime(day, sizeof(day), "%Y-%m-%d", &tm))
		return;
	for (size_t i = 0; i < result->cnt; i++)
		result->all[i].then_day = day;
}

/* What is broken, against what it was. @replay: the baseline, which must outlive the result. */
static int look_back(const struct opts *opts, const struct budget *budget,
		     const struct traced_runs *own, const struct traced_runs *shared,
		     struct verdicts *result, struct replay *replay)
{
	int err;

	if (!opts->baseline || !result->broken_cnt)
		return 0;
	err = replay_load(opts, opts->baseline, replay);
	if (!err)
		set_day(result, model__host(replay->model));
	if (!err)
		err = check_since(result, shared->models, shared->cnt, replay->model);
	for (size_t i = 0; !err && i < budget->entry_cnt; i++)
		err = check_since(result, own[i].models, own[i].cnt, replay->model);
	return err;
}

static int update(const struct opts *opts, const struct budget *budget)
{
	int err = budget_write(opts->budget, budget);

	if (!err)
		log_line("pyimport-bpf: new limits in %s", opts->budget);
	return err ? EXIT_OURS : EXIT_OK;
}

static int status_of(const struct opts *opts, const struct verdicts *result)
{
	if (result->broken_cnt)
		return EXIT_OURS;
	return opts->is_strict && !result->is_complete ? EXIT_LOSS : EXIT_OK;
}

static int check_budget(const struct opts *opts, struct budget *budget)
{
	_cleanup_free_ struct traced_runs *own = calloc(budget->entry_cnt, sizeof(*own));
	struct traced_runs shared = {};
	struct verdicts result = {};
	struct replay baseline = {};
	const struct model *model;
	int status, err = own ? find_shared(opts, budget, &shared) : -ENOMEM;
	bool is_untraced = shared.is_untraced;

	if (!err)
		err = judge(opts, budget, own, &shared, &result);
	if (!err)
		err = look_back(opts, budget, own, &shared, &result, &baseline);
	model = shared.cnt ? shared.models[0] : own && own[0].cnt ? own[0].models[0] : NULL;
	for (size_t i = 0; own && i < budget->entry_cnt; i++)
		is_untraced |= own[i].is_untraced;
	status = is_untraced ? EXIT_UNTRACED : EXIT_OURS;
	if (!err && opts->want_update)
		status = update(opts, budget);
	else if (!err && model && !write_result(opts, &result, model))
		status = status_of(opts, &result);
	check_clear(&result);
	model__free(baseline.model);
	for (size_t i = 0; own && i < budget->entry_cnt; i++)
		traced_runs__clear(&own[i]);
	traced_runs__clear(&shared);
	return status;
}

int check_run(const struct opts *opts)
{
	struct budget budget;
	int status;

	if (!opts->budget) {
		log_err(0, "check needs --budget FILE");
		log_hint("--budget budget.yaml --update -- COMMAND, which writes a first one");
		return EXIT_USAGE;
	}
	if (opts->word_cnt && opts->argv) {
		log_err(0, "check: either a capture file or a command, not both");
		return EXIT_USAGE;
	}
	if (opts->want_update && access(opts->budget, F_OK) &&
	    budget_write_first(opts->budget, opts->argv))
		return EXIT_OURS;
	if (budget_read(opts->budget, &budget))
		return EXIT_OURS;
	status = check_budget(opts, &budget);
	budget_clear(&budget);
	return status;
}
