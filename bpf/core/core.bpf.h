/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every BPF file shares: the state of a thread and of a process, and the doors to the maps,
 * which all live in core.bpf.c. Knobs are set by user space before load.
 */
#ifndef BPF_CORE_CORE_BPF_H
#define BPF_CORE_CORE_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "pyimport_charge.h"
#include "pyimport_event.h"
#include "pyimport_layout.h"
#include "pyimport_maps.h"
#include "pyimport_scope.h"
#include "pyimport_stats.h"

/* An open span. SEARCH spans have no stack pointer that could be compared. */
struct open_span {
	u64 sp;      /* user stack pointer at the begin site; SEARCH: hash of the module's name */
	u64 pyframe; /* Python frame running then: tells greenlets apart that share addresses */
	u32 id;      /* 0: ended, kept as a hole until everything above it has gone */
	u8 span;     /* enum pyi_span */
	u8 flags;    /* enum open_flag */
	u16 pad;
};

enum open_flag {
	OPEN_SEARCHED = 1 << 0,    /* its module was looked for */
	OPEN_COMPILED = 1 << 2,
	OPEN_WORKED = 1 << 3,      /* code of its module's ran, or began to */
	OPEN_ENDS_SEARCH = 1 << 4, /* the SEARCH span below ends with it */
	OPEN_PARENT = 1 << 5,      /* SEARCH: of the parent package of the SEARCH span below */
	OPEN_RELOAD = 1 << 6,      /* SEARCH: its frame is that of reload */
};

#define NEAR_DEPTH 246
#define FRAME_BUF_SZ 128 /* enough for the fields we read of any version's frame */
#define CODE_BUF_SZ 256  /* the same of a code object */
#define STR_PEEK_SZ 168  /* type, head of a str and, most often, all of its text */
#define STR_PEEK_TEXT_SZ (STR_PEEK_SZ - 72) /* text seen whatever the head's size */

struct code_key {
	u64 code, globals;
	u32 serial;
	u32 gen; /* dict_gen() then */
};
struct code_value {
	u64 key; /* code_key mixed; 0 = a free slot */
	u32 id;
	u32 role; /* enum code_role in python/code.bpf.h */
	u64 sum;  /* of what it says: file, name, module, lines */
	u32 gen;  /* dict_gen() when that was found right last */
	u32 serial;
};

/* Values of __name__ and __package__ in a module's dict, 0 where absent. */
struct module_names {
	u64 name, package;
};

struct str_view {
	u64 data;   /* address of the characters */
	u64 hash;
	u32 sz;     /* bytes */
	u32 chars;
	u8 kind, is_ascii, is_interned;
	u8 peek_off;  /* where the text stands in thread.str_buf; 0 = not there */
};

/* A Python frame as far as we need it. */
struct pyframe {
	u64 addr, code, globals, back;
	u64 instr; /* names the running instruction: its address, or code + f_lasti up to 3.10 */
};

/* What span_begin opens. */
struct begin_args {
	u64 sp, pyframe, globals, now;
	u64 name; /* a str object */
	u64 cstr; /* or a C string */
	u32 edge, code, flags;
	u8 span, via, want_frames, is_switching;
	u8 open_flags; /* enum open_flag */
};

/* An import statement that runs. */
struct edge_args {
	struct str_view name;
	u64 name_obj, globals, fromlist;
	s32 level;
	u32 has_globals_twice; /* as its locals, too */
};

/*
 * Locals of functions deep in the call chain. Kernels before 6.13 allow 512 bytes of stack for
 * the whole chain, not per function. No function that owns one of these is entered twice at once.
 */
/* A load under way that did not pass the import function. */
struct search {
	u64 frame;     /* of _find_and_load, or of reload */
	u64 name;
	u8 via;
	u8 is_parent;  /* of the package that the next one's module is in */
	u16 pad;
	u32 id;        /* of the span that was opened for it just now, 0 = none was */
};
#define SEARCHES_MAX 5
struct searches {
	u32 cnt;
	u32 is_linked;
	u32 callee;         /* enum frame_kind of the frame looked at before */
	u32 pad;
	u64 callee_frame, callee_name, until;
	u64 own;            /* the name that is being searched for, 0 = none */
	struct search at[SEARCHES_MAX]; /* innermost first */
};

/* A dict of the target's that is searched. */
struct dict_view {
	u64 indices, entries, mask, value;
	u32 width, step;
};

struct scratch {
	struct begin_args begin;          /* whoever calls span_begin */
	struct str_view begin_name;       /* span_begin */
	struct pyframe frames_at;         /* emit_frames */
	struct str_view code_file;        /* code_id */
	u64 code_words[3];
	u64 code_names_of;                /* dict that code_names are of, in this hit */
	struct module_names code_names;
	struct str_view code_str;         /* emit_code */
	struct module_names names;        /* a site */
	struct pyframe frame;
	struct str_view name;
	struct edge_args edge;            /* edge_first */
	struct open_span span;            /* span_read */
	struct searches searches;
};

/*
 * Of one thread, in task storage: goes away with it. 7.x has no room for a value of more than a
 * little less than 8 KiB (it says so only when it is asked for one: kmalloc_nolock), so the stack
 * of spans is cut in two.
 */
struct thread {
	u32 serial;       /* of the process image this state belongs to */
	u32 depth;        /* open spans; at most PYI_MAX_DEPTH */
	u64 tstate;       /* PyThreadState, found once per thread */
	u64 interp;
	u64 find_name;    /* address of the str or _Py_Identifier "_find_and_load" */
	u64 module_name;  /* address of the interned str "<module>" */
	u64 now, bias;    /* of the hit that is being handled */
	u64 walk;         /* tstate_find: where the walk over thread states has come to */
	u32 best, best_id; /* span_of_frame: what it has found */
	u32 is_switching; /* the process swaps C stacks */
	u32 is_checked;   /* the layout was put to the test in this process */
	u64 pid_tgid;
	u64 edge_key;     /* last statement run, so that its load can be counted */
	u32 edge_id;      /* of the same; 0 = none or importlib's */
	u32 layout;
	u64 str_type;     /* PyUnicode_Type, once it is proved; 0 = unknown */
	u64 tuple_type, none_type; /* types of the fromlists seen */
	u64 none;                  /* a fromlist of the latter */
	u64 name_key, package_key; /* the str objects "__name__" and "__package__" */
	u64 search_name;           /* what the load that began last looks for: the str, the span */
	u32 search_id;
	u32 submit_cnt;
	u64 result;                /* what the call returned whose end is handled */
	struct pyi_spent spent;    /* until the hit that is being handled */
	struct pyi_spent inside;   /* until inside_ns */
	u64 inside_ns;             /* when the last thing happened that was in the span on top */
	u64 import_frame;          /* that the statement of edge_id is in */
	u32 import_sp;             /* low half of the stack pointer of the import entered last */
	u16 frame_reg;             /* held the frame at an import; PYI_REG_NONE = unknown */
	u16 is_native;             /* the import without statement comes from C */
	u64 blocked_at;            /* `now` when it last was seen to wait for a lock */
	u64 blocked_cnt;           /* and how often it has since that hit */
	struct code_key last_code; /* statements come in runs of the same code object */
	u64 last_code_id;
	struct scratch scratch;
	/* Scratch as well: windows of the target's memory. */
	u64 frame_buf[FRAME_BUF_SZ / 8];
	u64 str_buf[STR_PEEK_SZ / 8];
	u64 code_buf[CODE_BUF_SZ / 8];
	u64 dict_buf[9]; /* three entries */
	union {
		struct pyi_frame frames[PYI_MAX_FRAMES];
		char path[256]; /* is_greenlet_path */
		struct dict_view dict_view;
	};
	struct open_span open[NEAR_DEPTH];
};

/* The spans of a thread that imports deeper. */
struct deep_spans {
	struct open_span open[PYI_MAX_DEPTH - NEAR_DEPTH];
};
#define STORAGE_MAX_SZ (8192 - 256)
_Static_assert(sizeof(struct thread) <= STORAGE_MAX_SZ, "thread");
_Static_assert(sizeof(struct deep_spans) <= STORAGE_MAX_SZ, "deep_spans");

/* Scheduling of one thread of a followed process; see charge.bpf.h. */
struct account {
	u32 serial;   /* of the image, 0 = to be looked up */
	u16 cause;    /* enum pyi_wait, of the wait that began at off_ns */
	u16 is_over;  /* the thread has ended: the kernel's clean-up is charged to nobody */
	u64 on_ns;    /* given a CPU; 0 = not known */
	u64 off_ns;   /* left it; 0 = is on it, or not known */
	u64 woken_ns; /* made runnable */
	u64 ran_ns;   /* the kernel's own sum of its CPU time, when it left */
	u32 span, below; /* key of the span on top, when it left */
	u32 wait, pad;   /* id of the wait for an import that began at off_ns, 0 = none */
	u64 faults;       /* of the thread, when its process's memory was looked at last */
	struct rss start; /* of its process when this thread, its first one, was started */
};

#include "core/maps.bpf.h"

extern const volatile bool cfg_all;       /* follow whatever hits a probe */
extern const volatile bool cfg_has_waking; /* when a thread was made runnable is seen */
extern const volatile bool cfg_scoped;    /* follow what is in one of `scopes` */
/* Controller whose v1 hierarchy names cgroups, -1 = v2. */
extern const volatile __s32 cfg_cgroup_v1;
extern const volatile __s32 cfg_cgroup_root; /* number of its hierarchy */
extern const volatile bool cfg_memory;    /* resident memory is measured */
extern const volatile bool cfg_sums;      /* files: what each outermost load read, no names */
extern const volatile bool cfg_no_frames; /* nobody asks who imported */
extern const volatile __u32 cfg_page_sz;
extern const volatile bool cfg_wake_at_exec; /* wake the reader at begins, not at ends */
extern const volatile __u32 cfg_wakeup_sz;  /* wake the reader when this much is waiting */
extern bool cfg_active;                   /* set once every probe is attached */
extern __u32 last_id, last_serial;
extern __u64 last_end_ns;                 /* when an image of a followed process ended last */
extern struct pyi_stats stats;
extern __u32 charge_parity;               /* of the charges made now: user space reads the others */
extern __u64 charge_cnt;                  /* entries made in `charges`, ever */
extern const volatile __u32 cfg_edge_slots, cfg_code_slots; /* powers of two */
#define DICT_GEN_BITS 12
extern __u32 dict_gens[1 << DICT_GEN_BITS];
extern const volatile struct pyi_charge charge_zero;

#define count_loss(field) __sync_fetch_and_add(&stats.field, 1)
#define new_id() (__sync_fetch_and_add(&last_id, 1) + 1)
#define new_serial() (__sync_fetch_and_add(&last_serial, 1) + 1)

/*
 * Three words of the target and its serial mixed into 64 bits that stand for them. Among a million
 * statements two would collide once in 37 million traces.
 */
static __always_inline u64 mix_key(u64 a, u64 b, u64 c, u32 serial)
{
	u64 key = (a ^ (u64)serial << 48) * 0x9e3779b97f4a7c15ULL;

	key = (key ^ key >> 29 ^ b) * 0xbf58476d1ce4e5b9ULL;
	key = (key ^ key >> 32 ^ c) * 0x94d049bb133111ebULL;
	key ^= key >> 31;
	return key ?: 1;
}

/*
 * How many bodies have begun in a module's dict; several dicts share one count. Code objects and
 * statements are known by addresses, which are used again. But nothing runs in a dict that is new
 * at its address before a body has begun in it: until this changes they need no other look.
 */
static __always_inline u32 *dict_gen(u64 globals, u32 serial)
{
	return &dict_gens[((globals ^ (u64)serial << 48) * 0x9e3779b97f4a7c15ULL) >>
			  (64 - DICT_GEN_BITS)];
}

/*
 * Does an image run still? Another that began 65,536 images later may have taken its place: then
 * what was kept of it is made anew when it is missed.
 */
static __always_inline bool is_serial_alive(u32 serial)
{
	u32 index = serial & (SERIAL_CNT - 1);
	u32 *alive = bpf_map_lookup_elem(&serials, &index);

	return alive && *alive == serial;
}

static __always_inline void serial_set(u32 serial, bool is_alive)
{
	u32 index = serial & (SERIAL_CNT - 1);
	u32 *alive = bpf_map_lookup_elem(&serials, &index);

	if (alive)
		__sync_val_compare_and_swap(alive, is_alive ? *alive : serial,
					    is_alive ? serial : 0);
}

/*
 * Waking the reader costs more than the probe itself, so records are submitted silently until
 * enough of them wait; the reader looks at the ring on a timer as well.
 */
static __always_inline u64 wake_flag(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= cfg_wakeup_sz ?
		       BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* For those who send much. Looking is not free either: its cache line belongs to the reader. */
static __always_inline u64 thread_wake_flag(struct thread *t)
{
	return ++t->submit_cnt & 31 ? BPF_RB_NO_WAKEUP : wake_flag();
}

/* The header of what a thread sends while a hit is handled. */
static __always_inline void fill_thread_hdr(const struct thread *t, struct pyi_hdr *hdr, u16 kind,
					    u32 sz)
{
	hdr->kind = kind;
	hdr->pad = 0;
	hdr->size = sz;
	hdr->flags = 0;
	hdr->tgid = t->pid_tgid >> 32;
	hdr->tid = t->pid_tgid;
	hdr->proc = t->serial;
	hdr->ts_ns = t->now;
}

static __always_inline void fill_hdr(struct pyi_hdr *hdr, u16 kind, u32 sz, u32 serial)
{
	u64 id = bpf_get_current_pid_tgid();

	hdr->kind = kind;
	hdr->pad = 0;
	hdr->size = sz;
	hdr->flags = 0;
	hdr->tgid = id >> 32;
	hdr->tid = id;
	hdr->proc = serial;
	hdr->ts_ns = bpf_ktime_get_ns();
}

__hidden struct proc *proc_add(u32 tgid, u32 flags);
__hidden void emit_exec(u32 serial, u64 ts_ns, u32 old_tid, const char *filename);
__hidden u64 cgroup_of(struct task_struct *task);
__hidden bool scope_covers(struct task_struct *task);
__hidden void scope_join(struct task_struct *task);
__hidden u32 nspid_of(struct task_struct *task);
__hidden void count_pair(u32 span, u32 is_end);

#endif
