/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one trace consists of, and its phases in order: session__launch, __open, __target, __close.
 * Private to user/trace.
 */
#ifndef TRACE_SESSION_H
#define TRACE_SESSION_H

#include <linux/types.h>
#include <stdbool.h>
#include "trace/output.h"
#include "trace/prices.h"
#include "trace/recording.h"
#include "trace/slow.h"
#include "interpreters/hold/hold.h"
#include "interpreters/process/invoker.h"

#define FOLD_POLL_MS 100 /* nobody looks on; what begins wakes us, to be looked at in time */

/* What accompanies a trace on the terminal; all may be NULL. */
struct trace_hooks {
	void (*start)(void *ctx);   /* the probes are live */
	/* A few dozen times a second. False: the user has seen enough. */
	bool (*update)(void *ctx, const struct model *model, __u64 now_ns);
	void (*finish)(void *ctx, const struct model *model, __u64 end_ns); /* before its end */
	/* If not NULL: start-ups are told one by one and forgotten, see struct model_lean. */
	void (*fold)(void *ctx, struct model *part, bool is_tail);
	/* With it, about once a second: the model knows what was lost so far. */
	void (*measure)(void *ctx, const struct model *model, __u64 record_cnt);
	void (*reload)(void *ctx);  /* with it: a SIGHUP has come */
	bool has_no_report;         /* what the hooks show is all there is */
};

struct session {
	const struct opts *opts;
	const struct trace_hooks *hooks;
	void *hooks_ctx;
	struct output output;      /* the report's; no file: `record` writes none */
	struct recording recording;
	struct invoker invoker;
	struct launch *launch;     /* NULL unless a command is launched */
	struct model *model;
	struct model *replayed;    /* of what was written while tracing; NULL: model is whole */
	struct ended_files *ended; /* NULL: the model forgets nothing */
	struct probes *probes;
	struct prices prices;
	struct pythons *pythons;
	struct discover *discover;
	struct facts *facts;
	struct containers *containers;
	struct cgroups *cgroups;   /* NULL: none are mounted */
	struct scope *scope;       /* NULL unless a cgroup or container is traced */
	struct identity *identity;
	struct until *until;       /* NULL: nothing but -d and Ctrl-C ends it early */
	struct throttles *throttles;
	struct slow slow;          /* for --slow */
	struct late *late;         /* NULL until a process that ran before us shows itself */
	unsigned int given_up_cnt; /* such processes whose memory did not answer: apart.h */
	struct hold *hold;         /* NULL: nothing is held */
	struct hold_stats held;
	struct held *held_notes;   /* private to probe_held.c */
	bool has_ended;            /* the launched command */
	int wait_status;
	__u64 record_cnt, record_bytes; /* of the stream */
	size_t described_cnt;      /* interpreters in the capture so far */
	__u64 due_ns;              /* since when another file is due; 0 = it is not */
	__u64 file_ns;             /* when this file of a rotated capture began; 0 = with tracing */
	__u64 folded_ns, measured_ns; /* when the hooks were told last */
	__u64 start_ns, ready_ns, detach_ns; /* for --stats: begin, when live, how long it took */
};

/* Forks the command, held. 0, or the exit status that ends us. */
int session__launch(struct session *session);
/* The shell's words and status for a command that cannot be started. */
int session_refuse_command(const char *name, int err);

/* Loads the programs and makes what records go to. 0 or -errno after a logged message. */
int session__open(struct session *session);
void session__close(struct session *session);

/* Finds and probes what the options name; -errno after a logged message: could not trace. */
int session__target(struct session *session);

/* Follows what was found in the scope since the last call. False: all of it is gone. */
bool session__look_at_scope(struct session *session);

/* Starts holding what starts; a failure is a warning only. */
void session__hold(struct session *session);

/* For who reads the ring. The threads that hold were begun before, with their own. */
void session__raise_priority(void);
/* Ends it; what was held goes into the model. */
void session__unhold(struct session *session);

/* Tells the model how many starts were not traced whole, so far. */
void session__tell_starts(struct session *session);

/* Of this machine, and of the capture's file. @end_ns 0: it goes on. 0 or -ENOMEM. */
int session__describe_host(struct session *session, __u64 end_ns);

/* Often, while tracing: begins another file of the capture when --rotate says so. */
void session__rotate(struct session *session, __u64 now_ns);

/* Often, while tracing: tells the hooks what they asked for, in its time. */
void session__fold(struct session *session, __u64 now_ns);

/* What tracing cost, on standard error. */
void session__print_stats(struct session *session);

#endif
