/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the model keeps while the stream runs. Private to user/model. Everything a reader sees is
 * in model.h; the structs here embed it as their first member or stand beside it.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

/* Memory that runs out inside uthash is an error of the call, not the end of the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "model/arena.h"
#include "model/model.h"

struct code {
	__u32 id;
	int firstlineno;
	__u64 globals;
	__u32 lines, table_sz;
	const unsigned char *table;
	const char *module, *package, *file, *name;
	bool is_table_cut, is_module_cut;
	UT_hash_handle hh;
};

/* The Python stack of a record, innermost first. */
struct frames {
	__u32 cnt;
	struct pyi_frame at[PYI_MAX_FRAMES];
};

/* What was seen inside a load: settles its kind and result. */
enum evidence {
	SEEN_BODY = 1 << 0, SEEN_EXECDEF = 1 << 1, SEEN_DYNAMIC = 1 << 2, SEEN_BUILTIN = 1 << 3,
	SEEN_NEW_MODULE = 1 << 4, SEEN_COMPILE = 1 << 5, SEEN_END = 1 << 6, SEEN_FAILURE = 1 << 7,
	SEEN_BODY_FAILED = 1 << 8,
};

struct load_state {
	struct load load;
	__u32 evidence;
	__u32 stmt, body_code;
	__u8 span, via;
	bool is_wait;           /* only waited for another thread's load of the same module */
	bool is_wait_candidate;
	const char *body_error;
	const char *made_error;  /* type of the last ImportError made inside, by a LOCK load */
	struct frames *frames;
	__u64 children_ns;      /* wall of the children that ended, for find_ns */
	UT_hash_handle hh_clone;
};

struct stmt {
	__u32 id, tid;
	struct process_state *process;
	struct pyi_frame frame;
	__s32 level;
	__u8 has_from, is_circular;
	const char *raw, *module; /* as written; absolute */
	const char **from;
	__u32 from_cnt;
	__u32 count, loads;
	__u64 first_ns;
	struct load_state *load;  /* first load it caused */
	UT_hash_handle hh;
};

struct span {
	__u32 id, tid;
	__u8 kind, via;
	struct process_state *process;
	__u32 parent;             /* id: it may close before we do where stacks are switched */
	struct load_state *load;  /* innermost load it belongs to, or NULL */
	bool is_own;              /* it opened that load */
	struct lib *lib;
	__u64 start_ns, dlopen_ns;
	struct span *next;        /* open spans of the process */
	struct span *prev;
	UT_hash_handle hh;
};

/* A module that is being loaded now, by one thread or more. */
struct open_name {
	const char *name;         /* interned: compared as text all the same */
	struct load_state *first; /* of those open at a time */
	__u32 cnt;
	UT_hash_handle hh;
};

struct thread_state {
	__u32 tid;
	bool is_lazy;             /* the next load resolves a lazy import */
	struct pyi_frame lazy;
	UT_hash_handle hh;
};

/* A module name that does not fit a code record, by the module's dict. */
struct long_name {
	struct long_name *next;
	__u64 globals;
	const char *name;
};

struct process_state {
	struct process process;
	struct span *open;        /* list head: most recent first */
	struct open_name *names;
	struct thread_state *threads;
	struct load_state *clones; /* inherited loads by the id of the original */
	struct load_state *main;
	struct long_name *long_names;
	UT_hash_handle hh;
};

struct python_state {
	__u32 layout;
	struct python_info info;
	UT_hash_handle hh;
};

struct model {
	struct arena arena;
	struct process_state *by_serial;
	struct process **processes; /* in order of appearance */
	size_t process_cnt, process_cap;
	struct span *spans;
	struct stmt *stmts;
	struct code *codes;
	struct python_state *pythons;
	struct pyi_stats stats;
	struct host_info host;
	__u64 malformed, orphan_ends, clone_cnt;
	size_t load_cnt;
	const char *current;
	bool is_finished;
};

/* apply.c */
struct process_state *process_get(struct model *model, const struct pyi_hdr *hdr);
struct thread_state *thread_get(struct model *model, struct process_state *process, __u32 tid);
int array_push(void *array_ptr, size_t *cnt, size_t *cap, void *item);

/* load.c: spans become loads */
int span_begin(struct model *model, const struct pyi_begin *rec);
int span_end(struct model *model, const struct pyi_end *rec);
int span_mark(struct model *model, const struct pyi_mark *rec);
void spans_abandon(struct model *model, struct process_state *process, __u32 tid);
struct load_state *load_inherited(struct model *model, struct process_state *process,
				  struct load_state *origin);

/* stmt.c: import statements become edges */
int stmt_first(struct model *model, const struct pyi_edge *rec);
int stmt_from(struct model *model, const struct pyi_from *rec);
int stmt_count(struct model *model, const struct pyi_edge_count *rec);
int code_add(struct model *model, const struct pyi_code *rec);
int code_learn_name(struct model *model, struct process_state *process, struct code *code,
		    const char *name);
struct code *code_find(struct model *model, __u32 id);
struct site code_site(struct model *model, const struct pyi_frame *frame);
struct site frames_site(struct model *model, const struct frames *frames);
bool is_importlib_file(const char *file);

/* finish.c */
int edges_finish(struct model *model);

#endif
