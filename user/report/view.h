/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/report: what its files share. */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include <stdint.h>
#include <stdio.h>

#include "base/table.h"
#include "base/text.h"
#include "model/model.h"
#include "model/unexamined.h"
#include "report/list.h"
#include "report/loss.h"
#include "report/report.h"
#include "report/uses.h"

#define TOP_DEFAULT 10
#define WIDTH_NARROW 80 /* below, tables leave the kind out */

/* One report being written. The width in `opts` is resolved. */
struct view {
	const struct model *model; /* that of `input` */
	struct report_input input;
	struct report_opts opts;
	unsigned int uses; /* enum uses: what it shows */
	bool is_whole; /* no width was given: tables are as wide as what is in them */
	FILE *out;
};

/* The writers. 0 or -ENOMEM; errors of view->out are seen by report_write. */
#define REPORT_WRITER(name, write, uses) int write(const struct view *view);
#define REPORT_COMMAND_WRITER(command, format, write, uses) int write(const struct view *view);
REPORT_VIEWS(REPORT_WRITER)
REPORT_FORMATS(REPORT_WRITER)
REPORT_COMMANDS(REPORT_COMMAND_WRITER)
#undef REPORT_WRITER
#undef REPORT_COMMAND_WRITER

/* ---- words.c: words for the model's enums, the same in text and JSON */
const char *word_result(enum load_result result);
const char *word_kind(enum load_kind kind);
const char *word_via(enum load_via via); /* NULL = unknown */
const char *word_cache(enum cache_state cache); /* NULL = unknown */
const char *word_lib_via(enum lib_via via);
const char *word_family(unsigned int family); /* of a socket; NULL = unknown */
const char *word_net_kind(enum pyi_net_kind kind);
const char *word_layer(unsigned int index); /* name of bit @index, NULL behind the last */

/* ---- loss.c; its counters are in loss.h */
int loss_write_text(const struct view *view);

/* ---- recorded.c: what the trace has not, and which option records it */
void recorded_foot(const struct view *view);

/* ---- holds.c: starts that waited for their probes */
void holds_write_text(const struct view *view);

/* ---- unprobed.c: the interpreters behind that counter, with the reasons */
void unprobed_write_text(const struct view *view);
void unexamined_write_text(const struct view *view);

/* ---- walk.c: a load's tree without recursion: trees are as deep as the target likes */
struct walk {
	struct walk_step {
		struct load *load;
		size_t next; /* child to visit next */
	} *steps;
	size_t cnt, cap;
	size_t depth;        /* of the load returned last; a root has 0 */
	int err;
};
void walk__free(struct walk *walk);
void walk__start(struct walk *walk, struct load *root);
struct load *walk__pre(struct walk *walk);  /* parents first; NULL at the end or on err */
struct load *walk__post(struct walk *walk); /* children first */

/* Roots of @process by thread, the main thread first. malloc'd, root_cnt entries. */
int walk_roots(const struct process *process, struct load ***out);

/* Processes in tree order: parents, then their children, by start. malloc'd. */
int walk_processes(const struct model *model, struct process ***out, size_t *cnt);
bool process_is_shown(const struct process *process); /* others ran no Python */

/* ---- rank.c */
enum rank { RANK_SELF, RANK_TOTAL };
/* All loads, dearest first, unknown times last. malloc'd, load_cnt entries. */
int rank_loads(const struct process *process, enum rank by, struct load ***out);

/* What the headline says. Times NS_UNKNOWN when unknown. */
struct facts {
	__u64 startup_ns, interpreter_ns, imports_ns;
	const struct load *heavy; /* most of the import time is below this one; or NULL */
	unsigned int heavy_pct;
	size_t thread_cnt;        /* threads that loaded something */
	size_t approx_cnt, wait_cnt;
	__u64 wait_ns;            /* sum of lock waits */
	const struct load *longest_wait;
	__u64 main_self_ns;       /* __main__ without its imports */
};
int facts_find(const struct process *process, struct facts *facts);
/* --min: of the imports of @process; what took less is left out of trees. 0 = nothing is. */
__u64 view_least_ns(const struct view *view, const struct process *process);
__u64 process_base_ns(const struct process *process); /* offsets count from here */

/* ---- causes.c */

/* ---- net.c: what began before @until_ns, @max rows; NS_UNKNOWN = whenever */
int net_uses_write(const struct view *view, const struct process *process, __u64 until_ns,
		   size_t max);

/* ---- lazy.c: lazy imports of 3.15, and what became of them */
int lazy_write(const struct view *view, const struct process *process);

/* ---- ready.c: who was ready when; nothing when nobody ever served */
int ready_write(const struct view *view);

/* ---- large_files.c: large files */
int biggest_write(const struct view *view, const struct process *process, size_t max);
void same_write(const struct view *view, const struct process *process);
void phrase_same(const struct view *view, const struct same_files *same, struct text_buf *buf);

/* ---- late_imports.c: imports made when it was up */
void late_head(const struct view *view, const struct process *process);

/* ---- throttle.c: the cgroup's CPU quota */
void overhead_head(const struct view *view, const struct process *process); /* if known */
void overhead_foot(const struct view *view); /* why it is not */
void throttle_head(const struct view *view, const struct process *process); /* if it mattered */
void throttle_write(const struct view *view, const struct process *process);

/* ---- bytes.c */
char *view_bytes(char buf[TEXT_NUM_SZ], __u64 bytes); /* "1.23 MB", decimal; returns @buf */

/* ---- wording.c: phrases, escaped, appended to a buffer */
unsigned int view_escape_flags(const struct view *view);
void phrase_place(const struct view *view, const struct process *process,
		  const struct site *site, struct text_buf *buf);
void phrase_importer(const struct view *view, const struct load *load, struct text_buf *buf);
void phrase_name(const struct view *view, const struct load *load, struct text_buf *buf);
/* The name with what went wrong in brackets, or "!" where that is too long. */
void phrase_module(const struct view *view, const struct load *load, struct text_buf *buf);
/* The kind, or what went wrong in its place. */
void phrase_kind(const struct view *view, const struct load *load, struct text_buf *buf);
/* What people call it: the script's name or "-m module", else the command; as it is, not escaped. */
void phrase_program(const struct process *process, struct text_buf *buf);
void phrase_command(const struct view *view, const struct process *process, struct text_buf *buf);
/* Writes @text wrapped to the width: @indent blanks first, two more on later lines. */
void put_para(const struct view *view, size_t indent, enum table_style style, const char *text);

/* ---- head.c: what every text view says about a process before its table */
int head_write(const struct view *view, const struct process *process);
int foot_write(const struct view *view); /* legend, skipped processes, loss */
/* Calls @write for each process that is shown, then the foot. Its error, or -ENOMEM. */
int view_each_process(const struct view *view,
		      int (*write)(const struct view *view, const struct process *process));

/* ---- groups.c: processes that did the same are shown as one */
struct spread { __u64 min_ns, median_ns, max_ns; }; /* NS_UNKNOWN: of none is it known */
/* Of own_ns, or own_measured_ns. */
struct spread spread_of(const struct group *group, bool is_measured);
bool process_is_drawn(const struct view *view, const struct process *process);
void group_add_pids(const struct group *group, struct text_buf *buf); /* "12, 13 and 7 more" */
void workers_head(const struct view *view, const struct process *process);

/* ---- running.c: what was there before tracing began */
void phrase_mb(struct text_buf *buf, __u64 bytes);
void inventory_head(const struct view *view, const struct process *process);

/* ---- lists.c: short lists below the ranked tables */
int lists_write(const struct view *view, const struct process *process,
		const struct facts *facts);

static inline enum table_style style_of(const struct load *load)
{
	return load->result == LOAD_LOADED ? TABLE_PLAIN : TABLE_RED;
}

static inline size_t view_top(const struct view *view)
{
	return view->opts.top ? view->opts.top : TOP_DEFAULT;
}

static inline bool view_is_narrow(const struct view *view)
{
	return view->opts.width < WIDTH_NARROW;
}

static inline struct table_look view_look(const struct view *view, size_t indent)
{
	return (struct table_look){
		.width = (size_t)view->opts.width, .is_whole = view->is_whole, .indent = indent,
		.use_color = view->opts.use_color, .use_ascii = view->opts.use_ascii,
	};
}

#endif
