/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands. Each returns an exit status and has logged what went wrong. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

struct opts;

int trace_run(const struct opts *opts);
int schema_run(const struct opts *opts);
int diff_run(const struct opts *opts);
int report_run(const struct opts *opts);
int doctor_run(const struct opts *opts);
int version_run(const struct opts *opts);
int why_run(const struct opts *opts);
int check_run(const struct opts *opts);
int top_run(const struct opts *opts);
int bench_run(const struct opts *opts);
int agent_run(const struct opts *opts);
int help_run(const struct opts *opts);
int completion_run(const struct opts *opts);

#endif
