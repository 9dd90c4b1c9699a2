/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between kernel and user space about files, the network and other side effects. What
 * happened is counted in the kernel per (image, import span, path); only names travel as records of
 * their own, each once.
 */
#ifndef PYIMPORT_FILE_H
#define PYIMPORT_FILE_H

#include "pyimport_event.h"

#define PYI_CALLS 512       /* system call numbers looked at */
#define PYI_PATH_SZ 4096    /* PATH_MAX, NUL included */

/*
 * What a system call means to us; user space fills the table by number. The upper byte is an enum
 * pyi_phase_call.
 */
#define PYI_CALL_PHASE_SHIFT 8
#define PYI_CALL_MASK 0xff
enum pyi_call {
	PYI_CALL_NONE = 0,
	PYI_CALL_OPEN,      /* path is argument 0, flags 1 */
	PYI_CALL_OPENAT,    /* directory 0, path 1, flags 2 */
	PYI_CALL_OPENAT2,   /* the same, flags in a struct */
	PYI_CALL_CREAT,
	PYI_CALL_STAT,      /* path 0: stat, lstat, access */
	PYI_CALL_STATAT,    /* path 1: newfstatat, statx, faccessat */
	PYI_CALL_READLINK,  /* path 0 */
	PYI_CALL_READLINKAT,
	PYI_CALL_MKDIR,     /* path 0 */
	PYI_CALL_MKDIRAT,   /* path 1 */
	PYI_CALL_FSTAT,     /* descriptor 0 */
	PYI_CALL_GETDENTS,
	PYI_CALL_READ,      /* descriptor 0, result bytes */
	PYI_CALL_WRITE,
	PYI_CALL_SENDFILE,  /* from descriptor 1 */
	PYI_CALL_COPY_RANGE, /* from descriptor 0 */
	PYI_CALL_MMAP,
	PYI_CALL_MPROTECT,
	/* from here on: the network and waiting */
	PYI_CALL_NET,
	PYI_CALL_CONNECT = PYI_CALL_NET,
	PYI_CALL_SEND,      /* sendto: data 1, size 2 */
	PYI_CALL_SENDMSG,
	PYI_CALL_SENDMMSG,
	PYI_CALL_RECV,
	PYI_CALL_LISTEN,
	PYI_CALL_ACCEPT,
	PYI_CALL_POLL,
	PYI_CALL_SLEEP,
	PYI_CALL_SELECT,
	PYI_CALL_FLOCK,
	PYI_CALL_FCNTL,     /* F_SETLKW and its like */
	PYI_CALL_SIGACTION, /* signal 0, action 1 */
};

enum pyi_path_kind {
	PYI_PATH_GIVEN = 0,   /* as the program wrote it: absolute, or below its directory */
	PYI_PATH_REVERSED = 1, /* components from the file up, each with NUL */
	PYI_PATH_BELOW = 2,   /* below a directory that was not found out */
	PYI_PATH_META = 3,    /* none: the file system's own blocks */
	PYI_PATH_REST = 4,    /* none: files beyond PYI_FILES_MAX of a process, together */
};

/* Keys that stand for no path. */
enum pyi_path_key { PYI_KEY_REST = 1, PYI_KEY_META = 2, PYI_KEY_UNREADABLE = 3 };

#define PYI_FILES_MAX 65536 /* paths told apart in one image; the rest are counted together */

/* Its text follows. */
struct pyi_path {
	struct pyi_hdr hdr;
	__u64 key;   /* hash of text and kind, never below 16 */
	__u32 kind;  /* enum pyi_path_kind */
	__u32 sz;    /* bytes of text; given paths without the NUL at their end */
};

struct pyi_file_key {
	__u64 path;
	__u32 serial;
	__u32 span;   /* 0: outside imports */
	__u32 parity; /* as in struct pyi_charge_key: of one it is read, of the other counted */
	__u32 pad;
};

enum pyi_file_flag {
	PYI_FILE_EXEC = 1 << 0,    /* mapped for execution */
	PYI_FILE_DIR = 1 << 1,     /* a directory */
	PYI_FILE_WRITTEN = 1 << 2, /* opened for writing */
	PYI_FILE_REGULAR = 1 << 3,
	PYI_FILE_IN_LINK = 1 << 4, /* mapped inside a dlopen of the interpreter */
	PYI_FILE_REMOTE = 1 << 5,  /* its file system has no block device: bytes_disk is unknown */
	PYI_FILE_UNWRITABLE = 1 << 6, /* could not be opened for writing, or made */
};

struct pyi_file_value {
	__u64 first_ns, last_ns;
	__u64 search_ns;    /* inside open, stat, readlink and getdents that succeeded */
	__u64 miss_ns;      /* inside those that found nothing */
	__u64 io_ns;        /* inside read, write and mmap */
	__u64 bytes_read, bytes_written, mapped, bytes_disk;
	__u64 ino, size;    /* 0 = never opened or looked at */
	__u32 dev;
	__u32 opens, open_misses; /* calls; of these, failed */
	__u32 stats, stat_misses; /* stat, access and readlink families */
	__u32 dirs_read;    /* listings read to their end */
	__u32 tid;          /* of the first call */
	__u32 flags;
};

struct pyi_file {
	struct pyi_hdr hdr;
	struct pyi_file_key key;
	struct pyi_file_value value;
};

/*
 * Where a dlopen was. ld.so opens and maps everything, then relocates everything and protects
 * what was relocated, then runs the constructors.
 */
struct pyi_link_value {
	__u64 open_ns;    /* inside open, read, stat */
	__u64 mapped_ns;  /* when the last map call was done */
	__u64 relro_ns;   /* when the last part was protected; 0 = none was */
	__u32 serial;
	__u32 tid;
};

struct pyi_link {
	struct pyi_hdr hdr;
	__u32 span;
	__u32 pad;
	struct pyi_link_value value;
};

struct pyi_effect_value {
	__u64 sleep_ns, lock_ns;
	__u32 sleeps, locks;
	__u64 signals; /* bit N-1: a handler was set for signal N */
	__u64 ignored; /* … it is ignored since: by system(), for a while */
};

struct pyi_effect {
	struct pyi_hdr hdr;
	__u32 span;
	__u32 pad;
	struct pyi_effect_value value;
};

enum pyi_net_kind { PYI_NET_CONNECT = 1, PYI_NET_DNS = 2, PYI_NET_LISTEN = 3, PYI_NET_ACCEPT = 4 };

#define PYI_ADDR_SZ 112  /* struct sockaddr_un, rounded up */
#define PYI_QUERY_SZ 128 /* a DNS question's name as it stands in the packet */

/* Sent when it begins and when it is over; the second has the counts. */
struct pyi_net_value {
	__u64 id;         /* of the socket: unique together with start_ns */
	__u64 start_ns;
	__u64 wall_ns;    /* until connected, answered or first accepted; ~0 = not seen */
	__u64 blocked_ns; /* inside connect, send, recv and poll of this socket */
	__u64 sent, received; /* bytes; of a listening socket `received` counts connections */
	__u32 serial, span, tid;
	__s32 error;      /* errno, 0 = none */
	__u16 kind;       /* enum pyi_net_kind */
	__u16 type;       /* SOCK_STREAM 1, SOCK_DGRAM 2 */
	__u16 addr_sz, query_sz;
	__u8 addr[PYI_ADDR_SZ];   /* struct sockaddr */
	__u8 query[PYI_QUERY_SZ];
};

struct pyi_net {
	struct pyi_hdr hdr;
	struct pyi_net_value value;
};

struct pyi_spawn {
	struct pyi_hdr hdr;
	__u32 span;
	__u32 child_tid;
	__u32 is_thread;
	__u32 pad;
};

_Static_assert(sizeof(struct pyi_file_value) == 88 + 32, "pyi_file_value");
_Static_assert(sizeof(struct pyi_net_value) == 48 + 16 + 8 + PYI_ADDR_SZ + PYI_QUERY_SZ,
	       "pyi_net_value");

#endif
