/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line asked for. Parsed once (cli/opts.h), then passed as const. */
#ifndef TRACE_OPTS_H
#define TRACE_OPTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Exit statuses: a contract. In launch mode the command's own status comes before EXIT_OK. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_OURS = 1,     /* a failure of ours while running */
	EXIT_USAGE = 2,
	EXIT_UNTRACED = 3, /* could not trace */
	EXIT_LOSS = 4,     /* --strict, and data was lost */
};

enum command { COMMAND_TRACE = 0, COMMAND_DOCTOR, COMMAND_VERSION, COMMAND_RECORD,
	       COMMAND_REPORT, COMMAND_DIFF, COMMAND_SCHEMA, COMMAND_WHY, COMMAND_CHECK,
	       COMMAND_BENCH, COMMAND_TOP, COMMAND_HELP, COMMAND_COMPLETION,
	       COMMAND_AGENT };

#define OTLP_PROTOBUF "http/protobuf"
#define OTLP_JSON "http/json"

struct opts {
	pid_t *tgids;      /* -p */
	size_t tgid_cnt;
	char **argv;       /* after --, verbatim; NULL = none. Points into main's argv */
	char **words;      /* of the subcommand: files, modules. The strings are main's */
	size_t word_cnt;
	char **scopes;     /* --container or --cgroup, each as it was named; malloc'd */
	size_t scope_cnt;
	__u64 duration_ns; /* 0 = until the end */
	__u64 idle_ns;     /* --until-idle; 0 = not */
	__u64 slow_ns;     /* tell of imports that take this long or longer at once; 0 = of none */
	const char *view, *format;
	const char *by;    /* NULL = time */
	const char *profile; /* what to record; NULL = by what is to be shown */
	const char *capture_path; /* -o; NULL = none, "-" = standard output */
	__u64 rotate_bytes, rotate_ns; /* a capture goes on in another file then; 0 = never */
	size_t keep_cnt;         /* of these files; 0 = all */
	const char *module;      /* why */
	const char *budget, *baseline, *versus; /* NULL = none */
	size_t runs;             /* -n; 0 = not said */
	const char *defer;       /* NULL = none */
	const char *completion;  /* of which shell; NULL = none */
	const char *fail_on;     /* diff: limits of growth; NULL = none */
	const char *report_path; /* NULL = standard output */
	size_t ring_sz;    /* 0 = default */
	size_t top;        /* 0 = default */
	double min_share;  /* of all imports; what took less is left out of trees */
	/* No holes: the small ones at the end. */
	enum command command;
	enum command help_on;      /* help: of which command */
	int help_depth;            /* enum help_depth */
	int width;                 /* --width; 0 = not said */
	const char *tables; /* for tests: NAME:N,… entries of BPF maps; NULL = as usual */
	char **line;             /* the command line, to be read once more, and its words */
	int line_cnt;
	const char *config;      /* agent: a file with options; NULL = none */
	char *config_text;       /* what was read from it, malloc'd: fields point into it */
	/* Files of the agent's TLS and of its users, NULL = none of either. */
	const char *tls_cert, *tls_key, *auth_file;
	const char *listen;      /* agent; NULL = the usual address */
	size_t max_series;       /* agent; 0 = default */
	/* Of the agent: where captures are kept, NULL = nowhere, and how many; 0 = default. */
	const char *spool;
	size_t spool_bytes, spool_files;
	__u64 spool_age_ns, slow_start_ns;
	const char *otlp, *otlp_headers, *otlp_ca; /* where it is pushed to; files; NULL = none */
	const char *otlp_protocol; /* OTLP_PROTOBUF or OTLP_JSON; NULL = the former */
	__u64 otlp_interval_ns; /* 0 = default */
	const char *no_tracepoint; /* for tests: as if the kernel lacked it */
	__u32 groups_off;  /* enum pyi_group: causes not to measure */
	int verbosity;
	bool want_all;
	bool is_container; /* what `scopes` names; else cgroups */
	bool want_wait;    /* the container or cgroup is still to come */
	bool want_until_ready;
	bool is_importtime;       /* --from importtime: the file of `report` is such a log */
	bool want_update, want_cold;
	bool is_strict;
	bool want_perf, want_no_edges, want_no_hold, want_no_color;
	bool want_redacted;         /* agent: command lines and directories are told to nobody */
	bool want_kept;             /* a start-up that is told can be written as a capture */
	bool want_no_frames, want_sums; /* of the agent: as in struct probes_opts */
	bool want_unfolded;
	bool want_stats, is_dry_run;
	bool is_as_measured; /* what tracing took of the times stays in them */
};

#endif
