// SPDX-License-Identifier: BSD-2-Clause
/* `diff A B --format json`: every module of both sides, not only those that changed. */
#include "model/compare/diff.h"

#include "base/cleanup.h"
#include "report/compare/diff_out.h"
#include "report/head/lines.h"
#include "report/json/json_out.h"
#include "report/text/ranking.h"

static const char *const change_words[] = {
	[DIFF_SAME] = "same", [DIFF_NEW] = "new", [DIFF_GONE] = "gone", [DIFF_SLOWER] = "slower",
	[DIFF_FASTER] = "faster", [DIFF_BROKEN] = "broken", [DIFF_REPAIRED] = "repaired",
};

static json_t *new_doubts(struct json_out *jo, __u32 doubts)
{
	json_t *array = json_array();

	for (int i = 0; i < DIFF_DOUBT_CNT; i++)
		if ((doubts >> i & 1) &&
		    json_array_append_new(array, json_string(diff_doubt_words[i])))
			jo->err = -ENOMEM;
	return array;
}

static json_t *new_process(struct json_out *jo, const struct process *process)
{
	json_t *obj = json_object(), *args;
	struct headline headline;

	if (headline_find(process, &headline))
		jo->err = -ENOMEM;
	json_set(jo, obj, "pid", process->tgid ? json_integer(process->tgid) : json_null());
	json_set_int(jo, obj, "serial", process->serial);
	args = json_array();
	for (size_t i = 0; i < process->argc; i++)
		if (json_array_append_new(args, json_new_str(jo, process->argv[i])))
			jo->err = -ENOMEM;
	json_set(jo, obj, "cmdline", args);
	json_set_ns(jo, obj, "startup_ns", headline.startup_ns);
	json_set_ns(jo, obj, "earlier_images_ns", process->startup.by == STARTUP_UNKNOWN ?
						  NS_UNKNOWN : process->startup.images_ns);
	json_set_ns(jo, obj, "interpreter_ns", headline.interpreter_ns);
	json_set_ns(jo, obj, "imports_ns", headline.imports_ns);
	json_set_int(jo, obj, "loaded", process->loaded_cnt);
	json_set_ns(jo, obj, "cpu_ns",
		    process->measured & PYI_GROUP_CPU ? process->total.cpu_ns : NS_UNKNOWN);
	if (process->measured & PYI_GROUP_MEMORY)
		json_set_int(jo, obj, "rss_delta",
			     (__s64)(process->total.rss_anon + process->total.rss_file));
	else
		json_set_null(jo, obj, "rss_delta");
	return obj;
}

static json_t *new_module(struct json_out *jo, const struct diff_module *module)
{
	const struct load *a = module->before, *b = module->after;
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", module->name);
	json_set_str(jo, obj, "change", change_words[module->change]);
	json_set_ns(jo, obj, "before_self_ns", module->before_ns);
	json_set_ns(jo, obj, "after_self_ns", module->after_ns);
	json_set_ns(jo, obj, "before_wall_ns", a ? a->wall_ns : NS_UNKNOWN);
	json_set_ns(jo, obj, "after_wall_ns", b ? b->wall_ns : NS_UNKNOWN);
	json_set(jo, obj, "before_importer", a ? json_new_site(jo, &a->importer) : json_null());
	json_set(jo, obj, "after_importer", b ? json_new_site(jo, &b->importer) : json_null());
	return obj;
}

static json_t *new_tree(struct json_out *jo, const struct diff_tree *tree)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", tree->top->module);
	json_set_int(jo, obj, "import", tree->top->id);
	json_set_int(jo, obj, "modules", (long long)tree->cnt);
	json_set_ns(jo, obj, "wall_ns", tree->top->wall_ns);
	json_set(jo, obj, "importer", json_new_site(jo, &tree->top->importer));
	json_set_bool(jo, obj, "statement_on_one_side_only", tree->is_statement_apart);
	return obj;
}

static json_t *new_path(struct json_out *jo, const struct diff_path *path)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "path", path->path);
	json_set_str(jo, obj, "change", change_words[path->change]);
	return obj;
}

static json_t *new_phase(struct json_out *jo, const struct diff_phase *phase)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "name", phase->name);
	json_set_ns(jo, obj, "before_ns", phase->before_ns);
	json_set_ns(jo, obj, "after_ns", phase->after_ns);
	return obj;
}

/* "key":[ and one line per item; the arrays lie behind each other in memory. */
#define PUT_ARRAY(jo_, key_, items_, cnt_, new_) do { \
	fputs(",\n\"" key_ "\":[", (jo_)->out); \
	for (size_t i_ = 0; !(jo_)->err && i_ < (cnt_) && !ferror((jo_)->out); i_++) { \
		fputs(i_ ? ",\n" : "\n", (jo_)->out); \
		json_put(jo_, new_(jo_, &(items_)[i_]), false); \
	} \
	fputc(']', (jo_)->out); \
} while (0)

static void put_pair(struct json_out *jo, const struct diff_pair *pair)
{
	struct diff_phase phases[DIFF_PHASES_MAX];
	size_t phase_cnt = diff_phases(pair, phases);
	json_t *obj = json_object();

	json_set(jo, obj, "doubts", new_doubts(jo, pair->doubts));
	json_set(jo, obj, "before", new_process(jo, pair->before));
	json_set(jo, obj, "after", new_process(jo, pair->after));
	fputc('{', jo->out);
	json_put(jo, obj, true);
	PUT_ARRAY(jo, "phases", phases, phase_cnt, new_phase);
	PUT_ARRAY(jo, "new", pair->came, pair->came_cnt, new_tree);
	PUT_ARRAY(jo, "gone", pair->went, pair->went_cnt, new_tree);
	PUT_ARRAY(jo, "modules", pair->modules, pair->module_cnt, new_module);
	PUT_ARRAY(jo, "libs", pair->libs, pair->lib_cnt, new_path);
	PUT_ARRAY(jo, "files", pair->files, pair->file_cnt, new_path);
	fputc('}', jo->out);
}

static json_t *new_single(struct json_out *jo, const struct process *const *process)
{
	return new_process(jo, *process);
}

static json_t *new_lacks(struct json_out *jo, const struct diff *diff)
{
	json_t *obj = json_object();

	json_set(jo, obj, "before", json_new_recorded(jo, recorded_lacks(diff->before)));
	json_set(jo, obj, "after", json_new_recorded(jo, recorded_lacks(diff->after)));
	return obj;
}

int diff_write_json(const struct view *view)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	struct json_out jo = { .out = view->out };
	int err = diff__new(view->input.before, view->model, &diff);

	if (err)
		return err;
	fputs("{\"schema_version\":1,\n\"doubts\":", view->out);
	json_put(&jo, new_doubts(&jo, diff->doubts), false);
	fputs(",\n\"not_recorded\":", view->out);
	json_put(&jo, new_lacks(&jo, diff), false);
	fputs(",\n\"pairs\":[", view->out);
	for (size_t i = 0; i < diff->pair_cnt && !jo.err; i++) {
		fputs(i ? ",\n" : "\n", view->out);
		put_pair(&jo, &diff->pairs[i]);
	}
	fputc(']', view->out);
	PUT_ARRAY(&jo, "only_before", diff->only_before, diff->only_before_cnt, new_single);
	PUT_ARRAY(&jo, "only_after", diff->only_after, diff->only_after_cnt, new_single);
	fputs("}\n", view->out);
	return jo.err;
}
