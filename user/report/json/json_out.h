/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the JSON writer: objects made with jansson, dumped one by one. A 20,000-module
 * trace never stands in memory a second time; only the frame around them is printed by hand.
 */
#ifndef REPORT_JSON_JSON_OUT_H
#define REPORT_JSON_JSON_OUT_H

#include <jansson.h>

#include "report/view.h"

struct json_out {
	FILE *out;
	const struct view *view;
	bool needs_ascii; /* the object holds characters that could act on a terminal */
	int err;          /* -ENOMEM sticks */
};

/* Each sets one key of @obj; NULL and NS_UNKNOWN become null. */
void json_set(struct json_out *jo, json_t *obj, const char *key, json_t *value); /* steals */
void json_set_str(struct json_out *jo, json_t *obj, const char *key, const char *text);
void json_set_ns(struct json_out *jo, json_t *obj, const char *key, __u64 ns);
void json_set_int(struct json_out *jo, json_t *obj, const char *key, long long value);
void json_set_bool(struct json_out *jo, json_t *obj, const char *key, bool value);
void json_set_null(struct json_out *jo, json_t *obj, const char *key);
json_t *json_new_str(struct json_out *jo, const char *text);
json_t *json_new_strs(struct json_out *jo, const char *const *strings, size_t cnt);
json_t *json_new_site(struct json_out *jo, const struct site *site);

/* Writes @obj on one line and frees it; @is_embedded: without the braces around it. */
void json_put(struct json_out *jo, json_t *obj, bool is_embedded);

/* ---- json_trace.c */
json_t *json_new_tool(struct json_out *jo, const struct host_info *host);
json_t *json_new_host(struct json_out *jo, const struct host_info *host);
/* Names of @groups (enum pyi_group). */
json_t *json_new_recorded(struct json_out *jo, __u32 groups);
json_t *json_new_trace(struct json_out *jo, const struct model *model);
json_t *json_new_loss(struct json_out *jo, const struct model *model);
json_t *json_new_hits(struct json_out *jo, const struct model *model);
json_t *json_new_holds(struct json_out *jo, const struct model *model);
json_t *json_new_held(struct json_out *jo, const struct model *model);
json_t *json_new_unprobed(struct json_out *jo, const struct model *model);
json_t *json_new_unexamined(struct json_out *jo, const struct model *model);

/* ---- json_process.c */
void json_write_process(struct json_out *jo, const struct process *process);
json_t *json_new_identity(struct json_out *jo, const struct process *process);

/* ---- json_inventory.c */
json_t *json_new_inventory(struct json_out *jo, const struct inventory *inventory);

/* ---- json_workers.c */
json_t *json_new_groups(struct json_out *jo, const struct model *model);

/* ---- json_findings.c */
void json_write_findings(struct json_out *jo, const struct process *process); /* an array */

/* ---- json_files.c */
void json_write_files(struct json_out *jo, const struct process *process);
/* Sets paths, elsewhere, size and bytes_compared. */
void json_set_same(struct json_out *jo, json_t *obj, const struct same_files *same);

/* ---- json_net.c */
void json_write_net(struct json_out *jo, const struct process *process);
json_t *json_new_signals(struct json_out *jo, __u64 signals); /* their names, as an array */

/* ---- json_import.c */
json_t *json_new_import(struct json_out *jo, const struct load *load);
json_t *json_new_edge(struct json_out *jo, const struct edge *edge);
json_t *json_new_lazy(struct json_out *jo, const struct lazy_name *lazy);
json_t *json_new_lib(struct json_out *jo, const struct lib *lib);
json_t *json_new_wait(struct json_out *jo, const struct wait *wait);
json_t *json_new_late(struct json_out *jo, const struct process *process);

/* ---- json_causes.c */
json_t *json_new_causes(struct json_out *jo, const struct process *process);
void json_set_causes(struct json_out *jo, json_t *obj, const struct load *load);

#endif
