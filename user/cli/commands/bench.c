// SPDX-License-Identifier: BSD-2-Clause
/*
 * `bench`: a command, or two in turns, run without being traced, and how long it took. With --cold
 * each command is traced once beforehand, to learn which files it reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wordexp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/commands/evict.h"
#include "cli/progress.h"
#include "cli/opts.h"
#include "trace/output.h"
#include "cli/commands/repeat.h"
#include "model/model.h"
#include "model/compare/sample.h"
#include "probe/price.h"
#include "interpreters/process/invoker.h"
#include "interpreters/process/launch.h"
#include "report/report.h"

#define RUNS_DEFAULT 10

struct benching {
	const struct opts *opts;
	struct invoker invoker;
	struct bench bench;
	char **argvs[2];
	char *commands[2];
	wordexp_t words;   /* of --versus */
	struct evict evicts[2];
	size_t runs;
};

static __u64 children_cpu_ns(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_CHILDREN, &usage))
		return 0;
	return (__u64)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
	       (__u64)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static char *join(char *const *argv)
{
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	for (size_t i = 0; out && argv[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", argv[i]);
	if (out)
		fclose(out);
	return text;
}

static int split_versus(struct benching *benching)
{
	int err = wordexp(benching->opts->versus, &benching->words, WRDE_NOCMD);

	if (err == WRDE_NOSPACE)
		return -ENOMEM;
	if (err || !benching->words.we_wordc) {
		log_err(0, "--versus is not a command line: %s", benching->opts->versus);
		log_hint("words and quotes only: no pipes, redirections or $(…)");
		return -EINVAL;
	}
	benching->argvs[1] = benching->words.we_wordv;
	return 0;
}

static int prepare_side(struct benching *benching, size_t index)
{
	struct bench_side *side = &benching->bench.sides[index];

	benching->commands[index] = join(benching->argvs[index]);
	side->command = benching->commands[index];
	side->wall_ns = calloc(benching->runs, sizeof(__u64));
	side->cpu_ns = calloc(benching->runs, sizeof(__u64));
	benching->bench.side_cnt++;
	return side->command && side->wall_ns && side->cpu_ns ? 0 : -ENOMEM;
}

/* What fails early is fast: its times would say nothing. */
static int check_status(const char *command, int status)
{
	if (!status)
		return 0;
	if (WIFSIGNALED(status))
		log_err(0, "a run was killed by signal %d: %s", WTERMSIG(status), command);
	else
		log_err(0, "a run failed with status %d: %s", WEXITSTATUS(status), command);
	log_hint("sh -c 'COMMAND || true' if that is how it is meant to end");
	return -ECHILD;
}

/* One run. A negative result is an error of ours. */
static int run_once(struct benching *benching, size_t index, __u64 *wall_ns, __u64 *cpu_ns)
{
	const struct launch_opts opts = { .argv = benching->argvs[index],
					  .invoker = &benching->invoker };
	struct launch *launch = NULL;
	__u64 cpu = children_cpu_ns(), begin;
	int status = 0, err = launch__new(&opts, &launch);

	if (err)
		return log_err(err, "cannot start %s", opts.argv[0]);
	begin = clock_ns();
	err = launch__release(launch);
	if (err) {
		log_err(err, "%s: cannot be run", opts.argv[0]);
		goto out;
	}
	do
		err = launch__poll(launch, true, &status);
	while (err == -EINTR);
	*wall_ns = clock_ns() - begin;
	*cpu_ns = children_cpu_ns() - cpu;
	err = err == 1 ? check_status(benching->commands[index], status) : err < 0 ? err : -ECHILD;
out:
	launch__free(launch);
	return err;
}

static void note_held(struct bench *bench, const struct evict_result *result)
{
	if (result->held_bytes < bench->held_bytes && bench->file_cnt)
		return;
	bench->file_cnt = result->file_cnt;
	bench->file_bytes = result->bytes;
	bench->held_cnt = result->held_cnt;
	bench->held_bytes = result->held_bytes;
}

static int run_side(struct benching *benching, size_t index)
{
	struct bench_side *side = &benching->bench.sides[index];
	struct evict_result result;
	int err;

	if (benching->opts->want_cold) {
		evict__drop(&benching->evicts[index], &result);
		note_held(&benching->bench, &result);
	}
	err = run_once(benching, index, &side->wall_ns[side->cnt], &side->cpu_ns[side->cnt]);
	if (err)
		return err;
	side->cnt++;
	return 0;
}

/* What the command reads, learnt by tracing it: modules, shared objects, all other files. */
static int learn_files(struct benching *benching, size_t index)
{
	struct evict *evict = &benching->evicts[index];
	struct traced_runs runs = {};
	const struct process *process;
	int err = traced_runs__add(&runs, benching->opts, benching->argvs[index], 1);

	for (size_t i = 0; !err && (process = model__process(runs.models[0], i)); i++) {
		err = evict__add(evict, process->exe);
		if (!err && process->python)
			err = evict__add(evict, process->python->binary);
		for (size_t k = 0; !err && k < process->load_cnt; k++)
			err = evict__add(evict, process->loads[k]->file);
		for (size_t k = 0; !err && k < process->lib_cnt; k++)
			err = evict__add(evict, process->libs[k]->path);
		for (size_t k = 0; !err && k < process->other_lib_cnt; k++)
			err = evict__add(evict, process->other_libs[k]->path);
		for (size_t k = 0; !err && k < process->files.cnt; k++)
			err = evict__add(evict, process->files.files[k]->path);
	}
	traced_runs__clear(&runs);
	return err;
}

/* Warm: one run that does not count. Taking turns, and every other time the other way round. */
static int run_all(struct benching *benching)
{
	size_t sides = benching->bench.side_cnt;
	__u64 wall_ns, cpu_ns;
	int err = 0;

	progress_start();
	for (size_t i = 0; !err && i < sides; i++) {
		progress_say(benching->opts->want_cold ? "a traced run, to learn which files %s reads" :
			     "a first run of %s, which does not count", benching->argvs[i][0]);
		err = benching->opts->want_cold ? learn_files(benching, i) :
		      run_once(benching, i, &wall_ns, &cpu_ns);
	}
	for (size_t round = 0; !err && round < benching->runs; round++)
		for (size_t i = 0; !err && i < sides; i++) {
			progress_say("run %zu of %zu", round * sides + i + 1, benching->runs * sides);
			err = run_side(benching, round % 2 ? sides - 1 - i : i);
		}
	progress_stop();
	return err;
}

/* Ratios of two machines can be compared by what these cost on each. */
static void note_machine(const struct benching *benching, struct bench *bench)
{
	struct price price;

	price_measure(benching->opts->want_perf, &price);
	bench->syscall_ns = price.syscall_ns;
	bench->probe_ns = price.trap_ns;
}

static int write_bench(const struct benching *benching, struct output *output)
{
	const struct report_input input = { .bench = &benching->bench };
	struct opts own = *benching->opts;
	int err;

	own.view = "bench";
	err = output__write(output, &own, &input);
	return err ? EXIT_OURS : EXIT_OK;
}

/* The command's output would drown the figures. */
static int silence(void)
{
	_cleanup_close_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	return fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ? -errno : 0;
}

static int run_bench(struct benching *benching, struct output *output)
{
	int err = invoker_find(&benching->invoker);

	benching->argvs[0] = benching->opts->argv;
	if (!err)
		err = prepare_side(benching, 0);
	if (!err && benching->opts->versus)
		err = split_versus(benching);
	if (!err && benching->opts->versus)
		err = prepare_side(benching, 1);
	if (!err)
		err = silence();
	if (!err)
		err = run_all(benching);
	if (!err)
		note_machine(benching, &benching->bench);
	return err ? EXIT_OURS : write_bench(benching, output);
}

int bench_run(const struct opts *opts)
{
	struct benching benching = { .opts = opts, .bench.is_cold = opts->want_cold,
				     .runs = opts->runs ? opts->runs : RUNS_DEFAULT };
	struct opts own = *opts;
	struct output output;
	int status;

	if (!opts->argv) {
		log_err(0, "bench needs a command: pyimport-bpf bench -- COMMAND");
		return EXIT_USAGE;
	}
	own.argv = NULL; /* the standard output is ours */
	if (output__open(&own, &output))
		return EXIT_OURS;
	status = run_bench(&benching, &output);
	output__close(&output);
	for (size_t i = 0; i < 2; i++) {
		free(benching.bench.sides[i].wall_ns);
		free(benching.bench.sides[i].cpu_ns);
		free(benching.commands[i]);
		evict__clear(&benching.evicts[i]);
	}
	if (benching.argvs[1])
		wordfree(&benching.words);
	invoker_clear(&benching.invoker);
	return status;
}
