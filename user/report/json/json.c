// SPDX-License-Identifier: BSD-2-Clause
/*
 * JSON: the frame of the document. The contract is docs/json.md: names are never renamed, unknown
 * is null and never 0.
 */
#include "report/json/json_out.h"

#include "base/cleanup.h"
#include "report/text/walk.h"

static void put_member(struct json_out *jo, const char *key, json_t *value)
{
	fprintf(jo->out, "\"%s\":", key);
	json_put(jo, value, false);
	fputs(",\n", jo->out);
}

int json_write(const struct view *view)
{
	const struct host_info *host = model__host(view->model);
	struct json_out jo = { .out = view->out, .view = view };
	_cleanup_free_ struct process **processes = NULL;
	bool is_first = true;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (err)
		return err;
	fputs("{\"schema_version\":1,\n", view->out);
	put_member(&jo, "tool", json_new_tool(&jo, host));
	put_member(&jo, "host", json_new_host(&jo, host));
	put_member(&jo, "trace", json_new_trace(&jo, view->model));
	put_member(&jo, "complete", json_boolean(model__is_complete(view->model)));
	put_member(&jo, "loss", json_new_loss(&jo, view->model));
	put_member(&jo, "holds", json_new_holds(&jo, view->model));
	put_member(&jo, "held", json_new_held(&jo, view->model));
	put_member(&jo, "unprobed", json_new_unprobed(&jo, view->model));
	put_member(&jo, "unexamined", json_new_unexamined(&jo, view->model));
	put_member(&jo, "probes", json_new_hits(&jo, view->model));
	put_member(&jo, "groups", json_new_groups(&jo, view->model));
	fputs("\"processes\":[", view->out);
	for (size_t i = 0; !jo.err && i < cnt && !ferror(view->out); i++) {
		fputs(is_first ? "\n" : ",\n", view->out);
		json_write_process(&jo, processes[i]);
		is_first = false;
	}
	fputs("\n]}\n", view->out);
	return jo.err;
}
