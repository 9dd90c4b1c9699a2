/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and user space: every record in the ring buffer, every
 * map value that both sides read. Fixed-width types only, padding spelled out, sizes asserted.
 * Kinds are append-only; a reader that does not know a kind skips `size` bytes.
 */
#ifndef PYIMPORT_EVENT_H
#define PYIMPORT_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define PYI_ABI_VERSION 1

/* Numbers are never used twice: captures hold them. */
enum pyi_event_kind {
	PYI_EV_EXEC = 1,   /* a process (re)started: struct pyi_exec */
	PYI_EV_FORK = 2,   /* struct pyi_fork */
	PYI_EV_EXIT = 3,   /* the whole process ended: struct pyi_exit */
	PYI_EV_PYTHON = 4, /* first hit of a probed interpreter in a process: struct pyi_python */
	PYI_EV_BEGIN = 5,  /* a span opened on a thread: struct pyi_begin */
	PYI_EV_END = 6,    /* a span closed: struct pyi_end */
	PYI_EV_MARK = 7,   /* something happened inside the span on top: struct pyi_mark */
	PYI_EV_EDGE = 8,   /* first run of one import statement: struct pyi_edge */
	PYI_EV_CODE = 9,   /* a code object named by an edge or a frame: struct pyi_code */
	PYI_EV_THREAD_EXIT = 10, /* a thread other than the last ended: header only */
	PYI_EV_FRAMES = 11, /* more of the Python stack for a span or an edge: struct pyi_frames */
	PYI_EV_FROM = 12,   /* names of a `from x import …`: struct pyi_from */
	PYI_EV_CGROUP = 13, /* a cgroup was made: struct pyi_cgroup, pyimport_scope.h */
	PYI_EV_JOIN = 14,   /* a running process came into a followed cgroup: header only */
	PYI_EV_BOUND = 15,  /* what a statement's names are bound to: struct pyi_from */
	PYI_EV_PATH = 20,   /* the text behind a path's key: struct pyi_path, pyimport_file.h */
	PYI_EV_NET = 21,    /* a connection, a look-up, a socket listened on: struct pyi_net */
	PYI_EV_SPAWN = 22,  /* a thread or a child process was started: struct pyi_spawn */
	PYI_EV_PHASE = 25,  /* struct pyi_phase, pyimport_phase.h */
	/* Made by user space from maps, files and logs, into the same stream; never sent by BPF. */
	PYI_EV_EDGE_COUNT = 32, /* struct pyi_edge_count */
	PYI_EV_CHARGE = 33,  /* struct pyi_charge_record, pyimport_charge.h */
	PYI_EV_CHARGED = 34, /* struct pyi_charged */
	PYI_EV_FILE = 40,    /* struct pyi_file, pyimport_file.h */
	PYI_EV_LINK = 41,    /* stages of one dlopen: struct pyi_link */
	PYI_EV_EFFECT = 42,  /* sleeps and file locks of a span: struct pyi_effect */
	PYI_EV_LOG = 48,     /* a process known from a log of -X importtime: header only */
	PYI_EV_INVENTORY = 56, /* what was there before us: struct pyi_inventory */
	PYI_EV_NAMESPACE = 57, /* a module's, told in an earlier file: struct pyi_namespace */
};

/* Flags of any record. */
enum pyi_event_flag {
	PYI_F_TRUNC = 1 << 0,       /* a string or table was cut to fit */
	PYI_F_UNREADABLE = 1 << 1,  /* a read from the target's memory failed */
	PYI_F_SWITCHING = 1 << 2,   /* the process switches C stacks (greenlet): frames nest */
	PYI_F_UNOBSERVED = 1 << 3,  /* END: the end was not seen; ts is an upper bound */
	PYI_F_OVERFLOW = 1 << 4,    /* BEGIN: deeper than PYI_MAX_DEPTH; parent: deepest known */
	PYI_F_APPROX = 1 << 5,      /* parent chosen without proof */
	PYI_F_VFORK = 1 << 6,       /* FORK: the child shares the parent's memory until it execs */
	PYI_F_NO_ROOM = 1 << 7,     /* BEGIN: of a body whose code object found no room */
	PYI_F_RESULT = 1 << 8,      /* END of a SEARCH span: `failed` counts */
	/* Made by user space. */
	PYI_F_CARRIED = 1 << 9,     /* of an earlier file of a capture that was rotated */
	PYI_F_INHERITED = 1 << 10,  /* … and of the process that this one was forked from */
};

/* What a span measures. */
enum pyi_span {
	PYI_SPAN_FIND = 1,   /* importlib._bootstrap._find_and_load called by the import function */
	PYI_SPAN_SEARCH = 2, /* the same work without it: import_module, reload; see `via` (release
			      * 0.1.0 saw the lock that it takes) */
	PYI_SPAN_BODY = 3,   /* PyEval_EvalCode of a code object named <module> */
	PYI_SPAN_EXECDEF = 4, /* PyModule_ExecDef: body of an extension or builtin module */
	PYI_SPAN_DLOPEN = 5, /* dlopen called by the interpreter */
	PYI_SPAN_DYNAMIC = 6, /* _imp.create_dynamic: open, link and PyInit of an extension */
};

/* PYI_EV_MARK: what happened. */
enum pyi_mark_kind {
	PYI_MARK_COMPILE = 1,        /* source compiled: no usable .pyc */
	PYI_MARK_NEW_MODULE = 2,     /* a module object was created: the search succeeded */
	PYI_MARK_CREATE_BUILTIN = 3, /* _imp.create_builtin */
	PYI_MARK_LOCK_TAKEN = 4,     /* _find_and_load asked for the module's lock */
	PYI_MARK_LAZY_RESOLVE = 5,   /* 3.15: a lazy import is being loaded; name = declared name */
	PYI_MARK_RUN_MAIN = 6,       /* Py_RunMain entered: interpreter initialised */
	PYI_MARK_FINALIZE = 7,       /* Py_FinalizeEx entered */
	PYI_MARK_IMPORT_ERROR = 8,   /* an ImportError was made in a SEARCH span; name = its type */
	PYI_MARK_LAZY_DECLARE = 9,   /* 3.15: a lazy import was declared; name = absolute */
	PYI_MARK_LAZY_MODULE = 10,   /* the module is a LazyLoader's, and has not been executed */
};

/* Why a SPAN_SEARCH (or a lock-less span) was opened: the nearest frame that tells. */
enum pyi_via {
	PYI_VIA_UNKNOWN = 0,
	PYI_VIA_IMPORT_MODULE = 1, /* importlib.import_module or _gcd_import */
	PYI_VIA_RELOAD = 2,        /* importlib.reload (_bootstrap._exec) */
	PYI_VIA_NATIVE = 3,        /* FIND: PyImport_Import from C, under importlib's own frame */
	PYI_VIA_WAIT = 4,          /* FIND: no load, a wait for the one of another thread */
};

/* pyi_edge.level: relative to the package of another module than the frame's, which is unknown. */
#define PYI_LEVEL_OF_OTHER 65536
#define PYI_MAX_DEPTH 576       /* open spans kept per thread; deeper ones are counted */
#define PYI_MAX_FRAMES 64       /* Python frames sent where the first is importlib's own */
#define PYI_MAX_CALLERS 16      /* … and behind the frame of a function's statement */
#define PYI_STR_TINY 32         /* tail of the commonest statements */
#define PYI_STR_SMALL 96        /* tail of the small record class */
#define PYI_STR_LARGE 4096      /* tail of the large one: 1,000 four-byte characters fit */
#define PYI_CODE_FILE_SZ 1024   /* for the file in a code record */
#define PYI_CODE_NAME_SZ 256    /* per name in a code record */
#define PYI_ERROR_SZ 48         /* exception type name */
#define PYI_ARGS_SZ 1024        /* command line captured at exec */
#define PYI_MAX_FROMLIST 8
#define PYI_FROM_SZ 40

/* Start of every record. Times are CLOCK_MONOTONIC. */
struct pyi_hdr {
	__u16 kind; /* enum pyi_event_kind */
	__u16 pad;
	__u32 size; /* the whole record */
	__u32 flags;
	__u32 tgid;
	__u32 tid;
	__u32 proc; /* serial of the image: new at fork and exec, so pid reuse is harmless */
	__u64 ts_ns;
};

/*
 * Text from the target as it lies in its memory: `kind` 1, 2 or 4 bytes per character as in
 * PyUnicodeObject (1 is Latin-1, not UTF-8), 0 for a C string of unknown encoding.
 */
struct pyi_str {
	__u16 sz;   /* bytes that follow, without NUL */
	__u8 kind;
	__u8 is_ascii;
	__u32 full_chars; /* length in the target, to show how much a cut one lost */
};

/* A Python frame: which code object, and where in it. */
struct pyi_frame {
	__u32 code;  /* id of a PYI_EV_CODE record, 0 = unknown */
	__s32 lasti; /* byte offset of the running instruction in the bytecode, -1 = unknown */
};

struct pyi_exec {
	struct pyi_hdr hdr;
	__u32 ppid;
	__u32 nspid;
	__u32 uid;
	__u32 old_tid; /* thread that called exec */
	__u64 cgroup;
	char comm[16];
	__u16 filename_sz; /* with NUL; 0 = unreadable */
	__u16 args_sz;     /* NUL-separated; cut if PYI_F_TRUNC */
	__u32 pad;
	char filename[256];
	char args[PYI_ARGS_SZ];
};

struct pyi_fork {
	struct pyi_hdr hdr; /* of the parent */
	__u32 child_tgid;
	__u32 child_proc;
	__u32 child_nspid;
	__u32 pad;
	char comm[16];
};

struct pyi_exit {
	struct pyi_hdr hdr;
	__s32 exit_code; /* as wait(2) gives it: status << 8 | signal */
	__u32 pad;
};

/* Result of the checks made on the first hit, so that a wrong layout shows instead of lying. */
enum pyi_check {
	PYI_CHECK_NAME = 1 << 0,   /* the name argument is a str whose type is PyUnicode_Type */
	PYI_CHECK_THREAD = 1 << 1, /* a thread state with our thread id was found */
	PYI_CHECK_FRAME = 1 << 2,  /* its frame's code object has type PyCode_Type */
	PYI_CHECK_GLOBALS = 1 << 3, /* globals are a dict whose first key is __name__ */
};

struct pyi_python {
	struct pyi_hdr hdr;
	__u32 layout;   /* index of the interpreter in user space's table */
	__u32 checks;   /* enum pyi_check bits that held; one event per change */
	__u64 bias;     /* load bias of the interpreter's file */
	char comm[16];
};

/*
 * What tracing has taken from a thread so far: counts that only grow, so that two of them tell what
 * fell between. All zero: an older build, which did not count.
 */
struct pyi_spent {
	__u64 bpf_ns; /* in our programs, as they measured it themselves */
	__u32 traps;  /* probes hit whose instruction the kernel emulates */
	__u32 steps;  /* … or single-steps */
	__u32 calls;  /* system calls that our programs looked at */
	__u32 pad;
};

struct pyi_begin {
	struct pyi_hdr hdr;
	__u32 id;      /* unique in the trace, never 0 */
	__u32 parent;  /* span below it on the same stack, 0 = none */
	__u8 span;     /* enum pyi_span */
	__u8 via;      /* enum pyi_via */
	__u16 pad;
	__u32 edge;    /* FIND: the statement that asked (id of a PYI_EV_EDGE), 0 = unknown */
	__u64 globals; /* BODY: the module's dict, so that later code records name it; else 0 */
	struct pyi_frame frame; /* who asked, innermost frame; a PYI_EV_FRAMES may give the rest */
	__u32 code;    /* BODY: its own code object */
	__u32 interp;  /* interpreter state, hashed to 32 bits: sub-interpreters differ */
	struct pyi_str name; /* absolute module name; DLOPEN: path */
	struct pyi_spent spent; /* until hdr.ts_ns, like that of the end */
	char text[];
};

struct pyi_end {
	struct pyi_hdr hdr;
	__u32 id;
	__u8 span;
	__u8 failed; /* the call returned NULL or -1 */
	__u16 pad;
	char error[PYI_ERROR_SZ]; /* exception type, empty = unknown */
	struct pyi_spent spent;
};

struct pyi_mark {
	struct pyi_hdr hdr;
	__u32 id; /* span on top, 0 = none */
	__u32 mark;
	struct pyi_frame frame; /* LAZY_…: where the import was declared */
	struct pyi_str name;
	char text[PYI_STR_SMALL];
};

/*
 * One import statement (code object, instruction, name), at its first run in a process. Without a
 * code object: what the body of an extension module asks for, whose span `span` is.
 */
struct pyi_edge {
	struct pyi_hdr hdr;
	__u32 id;     /* unique in the trace, never 0 */
	__u32 span;   /* innermost open span of the thread, 0 = none */
	__s32 level;  /* 0 absolute, 1 = `from .` …, PYI_LEVEL_OF_OTHER */
	__u32 has_from; /* a fromlist was given (a PYI_EV_FROM may follow) */
	struct pyi_frame frame;
	struct pyi_str name; /* as written: relative names are not resolved */
	char text[];
};

/*
 * Follows the record it extends: a span whose own frame is importlib's or no file's; a statement of
 * a function that first ran outside of all imports, with its callers.
 */
struct pyi_frames {
	struct pyi_hdr hdr;
	__u32 span; /* BEGIN it belongs to, or 0 */
	__u32 edge; /* EDGE it belongs to, or 0 */
	__u32 cnt;
	__u32 pad;
	struct pyi_frame frames[PYI_MAX_FRAMES]; /* innermost first; [0] is the record's own */
};

/* BOUND: one for each name, as it stands behind `as`; none if every name is bound as it is. */
struct pyi_from {
	struct pyi_hdr hdr;
	__u32 edge;
	__u16 cnt; /* valid entries of names[]; an empty one was not ASCII or too long */
	__u16 all; /* names in the fromlist */
	char names[][PYI_FROM_SZ]; /* NUL-padded; room for 2 or PYI_MAX_FROMLIST */
};

enum pyi_lines {
	PYI_LINES_NONE = 0,
	PYI_LINES_LNOTAB = 1,   /* 3.6-3.9: co_lnotab */
	PYI_LINES_RANGES = 2,   /* 3.10: co_linetable, PEP 626 */
	PYI_LINES_LOCATIONS = 3, /* 3.11+: co_linetable, PEP 657 */
};

struct pyi_code {
	struct pyi_hdr hdr;
	__u32 id;        /* unique in the trace, never 0 */
	__s32 firstlineno;
	__u64 globals;   /* module dict: joins with pyi_begin.globals */
	__u32 lines;     /* enum pyi_lines: format of the table */
	__u32 table_sz;  /* bytes of the line table at the tail */
	struct pyi_str module;   /* globals["__name__"]; may be cut: BODY has it whole */
	struct pyi_str package;  /* globals["__package__"], sz 0 = None or absent */
	struct pyi_str filename; /* co_filename */
	struct pyi_str name;     /* co_name */
	char module_text[PYI_CODE_NAME_SZ];
	char package_text[PYI_CODE_NAME_SZ];
	char filename_text[PYI_CODE_FILE_SZ];
	char name_text[64];
	__u8 table[];
};

struct pyi_edge_count {
	struct pyi_hdr hdr;
	__u32 id;
	__u32 count; /* runs of the statement */
	__u32 loads; /* of these, how many led to a FIND span */
	__u32 is_inside; /* all runs in the span that the first was in; older captures: 0 */
	__u64 first_ns;
};

/* One thing that a running process had when we came, read by user space. */
enum pyi_inventory_what {
	PYI_INVENTORY_PROCESS = 1, /* the process itself: `ppid` */
	PYI_INVENTORY_MODULE = 2,  /* in sys.modules; `file` is its __file__ */
	PYI_INVENTORY_LIB = 3,     /* a mapped shared object; `bytes` of it are mapped */
	PYI_INVENTORY_MODULES = 4, /* behind the modules: all were read (PYI_F_TRUNC: not all) */
};

struct pyi_inventory {
	struct pyi_hdr hdr;
	__u32 what; /* enum pyi_inventory_what */
	__u32 ppid;
	__u64 bytes;
	struct pyi_str name;
	struct pyi_str file;
	char text[]; /* the name, then the file */
};

/* The dict that a module's body ran in. */
struct pyi_namespace {
	struct pyi_hdr hdr;
	__u64 globals;
	struct pyi_str name;
	char text[];
};

_Static_assert(sizeof(struct pyi_hdr) == 32, "pyi_hdr");
_Static_assert(sizeof(struct pyi_str) == 8, "pyi_str");
_Static_assert(sizeof(struct pyi_exec) == 32 + 16 + 8 + 16 + 8 + 256 + PYI_ARGS_SZ, "pyi_exec");
_Static_assert(sizeof(struct pyi_end) == 32 + 8 + PYI_ERROR_SZ + 24, "pyi_end");

#endif
