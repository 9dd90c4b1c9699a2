/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model: what the decoded stream means. Processes, threads, loads (imports that did work),
 * edges (every import statement, cached or not) and losses. Pure: no BPF, no /proc, no clock.
 * Strings are UTF-8 (surrogates and invalid bytes already replaced), not escaped for a terminal.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "pyimport_event.h"
#include "pyimport_charge.h"
#include "pyimport_stats.h"
#include "model/file.h"
#include "model/forget.h"
#include "model/hold.h"
#include "model/net.h"
#include "model/overhead.h"
#include "model/same_content.h"
#include "model/startup.h"
#include "model/throttle.h"

#define NS_UNKNOWN (~0ULL) /* a time that was not measured: null in JSON, never 0 */
#define MEASURED_TOLD (1u << 31) /* the trace says what it recorded, statements too */

enum load_result { LOAD_LOADED = 1, LOAD_FAILED, LOAD_UNFINISHED };
enum load_kind {
	KIND_UNKNOWN = 0, KIND_SOURCE, KIND_BYTECODE, KIND_EXTENSION, KIND_BUILTIN, KIND_FROZEN,
	KIND_NAMESPACE, KIND_ZIP, KIND_LAZY,
};
enum load_via {
	VIA_UNKNOWN = 0, VIA_STATEMENT, VIA_IMPORT_MODULE, VIA_MAIN, VIA_RELOAD, VIA_NATIVE,
	VIA_LAZY, VIA_LOADER, /* the latter: a loader's exec_module called by hand */
};

/* What could not be told of a load, as bits. That nobody asked for it is no such thing. */
enum load_unknown { UNKNOWN_IMPORTER = 1, UNKNOWN_LINE = 2, UNKNOWN_ERROR = 4 };

/* Why source was compiled, and whether the result was kept. */
enum compile_cause { COMPILE_UNKNOWN = 0, COMPILE_MISSING, COMPILE_STALE };
enum pyc_fate { PYC_UNKNOWN = 0, PYC_WRITTEN, PYC_UNWRITABLE, PYC_UNWRITTEN };

/*
 * Where an import was asked for. NULL and line 0 = unknown. Several statements can stand in one
 * line: their code objects and instructions tell them apart, if these are known (code 0: not).
 */
struct site {
	const char *module, *file, *function; /* the latter "<module>" in a body */
	int line;
	__s32 lasti;
	__u32 code; /* the same for all code that was compiled from the same text */
};

struct load {
	__u32 id;                 /* unique in the trace */
	struct load *parent;      /* NULL: a root on its thread */
	struct load **children;   /* in order of start */
	__u32 child_cnt;
	bool is_exact;            /* nesting and both ends were observed */
	bool is_inherited;        /* began in the parent process, before fork */
	bool is_carried;          /* began in an earlier file of a rotated capture */
	struct process *process;
	__u32 tid, seq;           /* seq: order of start within the process, from 0 */
	__u32 interp;
	const char *module, *file, *error; /* NULL = unknown; error only when failed */
	enum load_result result : 8;
	enum load_kind kind : 8;
	enum load_via via : 8;
	enum compile_cause compile_cause : 4;
	enum pyc_fate pyc_fate : 4;
	__u8 unknown;             /* enum load_unknown */
	struct site importer;
	const struct site *declared; /* 3.15 lazy imports: where the name was; NULL = not one */
	struct load *found, *finding; /* LazyLoader's find of it, or around it; or NULL */
	__u64 start_ns, wall_ns, self_ns; /* wall/self NS_UNKNOWN while unfinished */
	__u64 overhead_ns, overhead_total_ns; /* what tracing took, of its own and in all */
	__u64 find_ns, dlopen_ns, init_ns, exec_ns; /* stages; NS_UNKNOWN = not measured */
	__u64 read_ns, compile_ns, unmarshal_ns; /* more of them; stages.c */
	__u64 cpu_ns, self_cpu_ns; /* wall/self less the waits; NS_UNKNOWN = not measured */
	/* Never NULL, zero if nothing was charged; see model__measured for what was measured. */
	const struct pyi_charge *charge;     /* its own */
	const struct pyi_charge *charge_all; /* with what it imported on the same thread */
	__u64 lock_wait_ns;       /* waiting for another thread that loads the same module */
};

/* 3.15: the name of a module that a statement declared as lazy. */
struct lazy_name {
	const char *module;       /* absolute */
	struct site declared;
	__u32 seq;                /* order of declaration */
	const struct load *load;  /* of the module, by this name if it was; NULL = none */
	bool is_never;            /* it was not in sys.modules either; all of that is known */
};

/* It failed, and not because sys.exit() was called in it: that is how some programs end. */
bool load_has_failed(const struct load *load);

/* One import statement of one process and what it asked for. */
struct edge {
	struct site importer;
	const char *module;       /* absolute */
	const char *asked;        /* what the statement names: of `from p import m` it is p */
	__u32 count, cached, caller_cnt; /* runs; runs that found it in sys.modules; of callers */
	__u64 first_ns;
	struct load *load, *around; /* that it caused; innermost at its first run; NULL: none */
	const struct site *callers; /* of a function that ran it outside of all imports; or NULL */
	bool is_circular;         /* closes a cycle: the module was still loading below us */
	bool is_elsewhere;        /* it ran outside of that load, too, or may have */
	bool is_body;             /* it stands in the body of its module, not in a function */
	bool is_from, has_unseen; /* `from asked import …`; and not all of the names were seen */
	const char *const *from;  /* its names, if all were seen (none: a star); or NULL */
	const char *const *bound; /* what it binds them to (none: as they are); NULL: not known */
	__u8 from_cnt, bound_cnt;
};

/* What the file of a shared object says. Belongs to a mapped file if size and inode are its own. */
struct lib_info {
	const char *path;
	__u64 size, ino;
	const char *const *needed; /* DT_NEEDED, as written */
	size_t needed_cnt;
};

enum lib_via {
	LIB_IMPORT = 0, /* the interpreter's own dlopen, for an extension module */
	LIB_NEEDED,     /* mapped inside one: a dependency */
	LIB_START,      /* before the first import: what the program is linked with */
	LIB_EXPLICIT,   /* ctypes, cffi, C code */
};

struct lib {
	const char *path;
	__u32 span;
	enum lib_via via;
	__u64 bytes;              /* of its file; NS_UNKNOWN */
	const struct lib_info *info; /* NULL = not examined */
	__u64 open_ns, map_ns, relocate_ns, constructors_ns; /* of the dlopen; NS_UNKNOWN */
	struct load *load;        /* NULL = outside any load */
	__u32 tid;
	__u64 start_ns, wall_ns;
	bool failed;
};

/* A thread that waited for another one to load a module. */
struct wait {
	const char *module;       /* NULL = unknown */
	struct load *load;        /* of the waiting thread, around the wait; or NULL */
	struct load *owner;       /* the other thread's load of the module, or NULL */
	__u32 tid;
	__u64 start_ns, wall_ns;  /* wall NS_UNKNOWN: did not end */
};

/* All NULL = in none. */
struct container_info {
	const char *id, *name, *runtime, *image; /* all but id NULL = unknown */
};

/* Facts user space read elsewhere about a process or an interpreter. All may be NULL. */
struct process_info {
	const char *exe, *cwd, *cgroup;
	const char *const *argv;
	size_t argc;
	const char *unit;         /* of systemd */
	struct container_info container;
	__u32 nspid, ppid;        /* 0 = unknown */
};
struct python_info {
	const char *version, *implementation, *binary;
	bool free_threaded;
	__u32 layers;             /* enum interp_layer of user/interpreters, as plain bits */
	const char *const *notes;
	size_t note_cnt;
};

/*
 * A stretch of a process's life, in order of its end. "exec" ends with the first import,
 * "interpreter" where the program is about to run, "startup" with the last import of start-up: they
 * begin with the process. "site" is the module, "main" are the program's own imports. Moments, with
 * start_ns = end_ns: "listen", "ready" (it first waits for a connection), "accept", "exit".
 */
struct phase {
	const char *name;
	__u64 start_ns, end_ns;
};
#define PHASES_MAX 10

struct process {
	__u32 serial;             /* pyi_hdr.proc */
	__u32 tgid, nspid, ppid, uid;
	struct process *parent;
	__u64 start_ns, end_ns;   /* end NS_UNKNOWN while running */
	__u64 exec_ns;            /* NS_UNKNOWN: attached later */
	__u64 run_main_ns;        /* interpreter initialised; NS_UNKNOWN */
	__u64 startup_end_ns;     /* startup.end_ns */
	struct startup startup, startup_measured; /* the latter with what tracing took */
	struct overhead overhead;
	/* The image it replaced, or was replaced by, in the course of one start-up; or NULL. */
	struct process *previous, *next;
	struct hold_info *holds; size_t hold_cnt; /* of it, once it had been exec'ed */
	__u64 listen_ns, ready_ns, accept_ns; /* first of each; NS_UNKNOWN = not seen */
	__u16 listen_family, listen_port; /* 0 = unknown */
	const char *ready_by;     /* the call it waits with, NULL = unknown */
	__u32 ready_tid;          /* the thread that does, 0 = unknown */
	struct phase phases[PHASES_MAX];
	size_t phase_cnt;
	char comm[16];
	char **argv; size_t argc; /* NULL = unknown */
	const char *exe, *cwd, *cgroup;
	const char *unit;         /* systemd's, NULL = none or unknown */
	struct container_info container;
	bool is_late;             /* was running when we attached, or when this file began */
	bool is_carried;          /* its begin is in an earlier file of a rotated capture */
	bool is_log;              /* read from a log of -X importtime: little is known */
	bool is_python;           /* an interpreter was hit */
	bool has_uring;           /* uses io_uring: what goes through it is not seen */
	bool is_switching;        /* stacks were switched inside an import: greenlets */
	bool has_exit; int exit_code, exit_signal;
	__u32 layout, checks;     /* of struct pyi_python */
	const struct python_info *python; /* NULL = unknown */
	struct load **loads; size_t load_cnt, load_cap; /* all, by seq */
	struct load **roots; size_t root_cnt, root_cap;
	struct edge **edges; size_t edge_cnt, edge_cap;
	struct lazy_name **lazies; size_t lazy_cnt, lazy_cap; /* as they were declared */
	struct lib **libs; size_t lib_cnt, lib_cap; /* the interpreter's own dlopens */
	struct lib **other_libs; size_t other_lib_cnt, other_lib_cap; /* mapped by others */
	struct wait **waits; size_t wait_cnt, wait_cap;
	struct process_files files;
	struct process_net net;
	struct same_files **same; size_t same_cnt, same_cap; /* of one content each */
	struct throttle *throttle; /* NULL: it could not be told */
	__u32 loaded_cnt, failed_cnt, unfinished_cnt, lock_waits;
	__u32 measured;                   /* enum pyi_group; MEASURED_TOLD */
	struct pyi_charge outside;        /* outside any load, on the first thread */
	__u64 outside_ns, outside_cpu_ns; /* of the first thread; NS_UNKNOWN */
	struct pyi_charge outside_others; /* and on the others */
	struct pyi_charge total;          /* these two and all loads */
	__u64 cached_cnt;         /* runs of import statements that found sys.modules */
	struct inventory *inventory; /* NULL: none was taken */
	/* workers.c */
	__u32 inherited_cnt;      /* modules its parent had loaded when it was forked; or ~0 */
	__u64 own_ns;             /* wall of the outermost imports it ran itself, on all threads */
	__u64 own_measured_ns;    /* the same with what tracing took */
	struct group *group;      /* never NULL once the trace is over */
};

/*
 * Processes that did the same: the same program, started by the same parent (or by parents that
 * did the same) in the same way, that loaded the same modules themselves and ended alike. A process
 * unlike all others is a group of one.
 */
struct group {
	__u32 id;                 /* from 1, in order of their first process */
	struct group *parent;     /* of the parents; NULL = none seen */
	struct process **members; /* by own_measured_ns, unknown times last */
	size_t member_cnt, member_cap;
	struct process *typical;  /* the one in the middle of these, of two the quicker one */
};

/* What a process had when we came; of none of it a time is known. */
struct inventory_item {
	const char *name;         /* module, or path of a shared object */
	const char *file;         /* of a module; NULL = none, or unknown */
	__u64 bytes;              /* of a shared object: mapped */
};
struct inventory {
	__u64 taken_ns;
	bool has_modules;         /* sys.modules could be read */
	bool is_cut;              /* but not all of it */
	struct inventory_item **modules, **libs;
	size_t module_cnt, module_cap, lib_cnt, lib_cap;
};

struct host_info {
	const char *kernel, *arch, *hostname;
	const char *tool_version;
	__u64 trace_start_ns, trace_end_ns;
	__u64 realtime_ns; /* CLOCK_REALTIME at trace_start_ns; 0 = unknown */
	__u32 cpu_cnt, file_nr; /* online; of a rotated capture, from 1; 0 = unknown, not rotated */
};

struct event;
struct model;

/* What goes into a model beside records: @info of model__set_fact is the struct named here. */
enum model_fact {
	FACT_HOST = 1, /* struct host_info */
	FACT_PYTHON,   /* struct python_info; id: layout */
	FACT_PROCESS,  /* struct process_info; id: serial */
	FACT_STATS, FACT_UNEXAMINED, /* struct pyi_stats, struct unexamined_info */
	FACT_UNPROBED, /* struct python_info; see model__add_unprobed */
	FACT_LATE_STARTS, /* __u64 */
	FACT_LIB,      /* struct lib_info */
	FACT_UNKNOWN_STARTS, /* __u64 */
	FACT_HOLD,     /* struct hold_info */
	FACT_THROTTLE, /* struct throttle_info; id: serial */
	FACT_SAME,     /* struct same_info; id: serial */
	FACT_HELD,     /* struct held_info */
	FACT_PRICE,    /* struct price_info */
};

/* Told of everything a model is given, before it is applied: what a capture file is made of. */
struct model_tap {
	void (*record)(void *ctx, const void *record, size_t size);
	void (*fact)(void *ctx, enum model_fact fact, __u32 id, const void *info);
	void *ctx;
};

int model__new(struct model **out);
void model__free(struct model *model);

/*
 * Applies one raw record (as it left the ring buffer). Returns 0 also for records it refuses:
 * these are counted in model__malformed. -ENOMEM only when memory ran out.
 */
int model__apply(struct model *model, const void *record, size_t size);
int model__apply_event(struct model *model, const struct event *event); /* already checked */

/* @tap is copied; NULL = none. Every setter below tells it. */
void model__set_tap(struct model *model, const struct model_tap *tap);

/* The setter that belongs to @fact. -EINVAL: no such fact. */
int model__set_fact(struct model *model, enum model_fact fact, __u32 id, const void *info);

/* The stream ended before the trace did: a capture that was cut or damaged. Never complete then. */
void model__set_cut(struct model *model);
bool model__is_cut(const struct model *model);

/* Side facts; strings are copied. Unknown serials are ignored. */
int model__set_process_info(struct model *model, __u32 serial, const struct process_info *info);
int model__set_python_info(struct model *model, __u32 layout, const struct python_info *info);
/*
 * An interpreter that ran but could not be probed, its notes saying why; copied, and told apart by
 * its binary. And how many processes ran theirs before it was probed: imports are missing.
 */
int model__add_unprobed(struct model *model, const struct python_info *info);
void model__set_late_starts(struct model *model, __u64 cnt);
/* Programs that ran; whether they hold a Python is not known. */
void model__set_unknown_starts(struct model *model, __u64 cnt);
/* One quota of a process: at the first look, and whenever its counters have grown. Copied. */
int model__add_throttle(struct model *model, __u32 serial, const struct throttle_info *info);
int model__set_lib_info(struct model *model, const struct lib_info *info);

/* Calls @fn for every path a process has mapped for execution; stops at its first error. */
typedef int (*model_path_fn)(void *ctx, const struct process *process, const char *path);
int model__each_mapped(struct model *model, model_path_fn fn, void *ctx);
/* Calls @fn with the large files of each process, by size; stops at its first error. */
typedef int (*model_large_files_fn)(void *ctx, const struct process *process,
				    const struct large_file *files, size_t cnt);
int model__each_large(struct model *model, model_large_files_fn fn, void *ctx);
int model__add_same(struct model *model, __u32 serial, const struct same_info *info); /* copied */
void model__set_stats(struct model *model, const struct pyi_stats *stats);
int model__set_host(struct model *model, const struct host_info *host);

/*
 * Ends the trace at @end_ns: open loads become unfinished, self times, kinds, results, edges and
 * counts are settled. Call once, before any reader below.
 */
int model__finish(struct model *model, __u64 end_ns);

size_t model__process_cnt(const struct model *model);
struct process *model__process(const struct model *model, size_t index); /* by start */
size_t model__group_cnt(const struct model *model);
struct group *model__group(const struct model *model, size_t index); /* by id */

/* When it was up: when it first waited for a connection, else the end of start-up; NS_UNKNOWN. */
__u64 process_up_ns(const struct process *process);

/* Is it an import (not the program itself) with no other import of its process around it? */
bool load_is_outermost(const struct load *load);

const struct pyi_stats *model__stats(const struct model *model); /* NULL = never set */
const struct host_info *model__host(const struct model *model);
__u64 model__malformed(const struct model *model);
__u64 model__truncated(const struct model *model);   /* names that were cut; they end in "…" */
size_t model__unprobed_cnt(const struct model *model);
const struct python_info *model__unprobed(const struct model *model, size_t index); /* NULL: end */
__u64 model__late_starts(const struct model *model);
__u32 model__measured(const struct model *model); /* enum pyi_group: what was recorded */
__u32 process_lacks(const struct process *process, __u32 groups); /* of these; of a log all */
__u64 process_cached_cnt(const struct process *process); /* NS_UNKNOWN: not recorded */
__u64 charge_wait_ns(const struct pyi_charge *charge); /* sum of its waits */
__u64 model__unknown_starts(const struct model *model);
bool model__is_complete(const struct model *model); /* no loss of any kind */

/* For a progress line while tracing: Python processes, loads so far, module loading now. */
void model__progress(const struct model *model, size_t *processes, size_t *loads,
		     const char **current);

/* Did it run before us, and is what it had then still to be told? */
bool model__wants_inventory(const struct model *model, __u32 serial);

/*
 * While tracing: a copy of the load that the record applied last has ended, as far as it is known
 * by now (self time is not, nor the program itself, which is no import). False: it ended none.
 */
bool model__ended(struct model *model, struct load *out);

#endif
