// SPDX-License-Identifier: BSD-2-Clause
/* `check` for people, and as JSON. */
#include <errno.h>

#include "base/cleanup.h"
#include "report/ci/check.h"
#include "report/json/json_out.h"
#include "report/text/wording.h"

static void put_escaped(const struct view *view, size_t indent, enum table_style style,
			const struct text_buf *raw)
{
	struct text_buf buf = { 0 };

	text_buf__escape(&buf, text_buf__str(raw), view_escape_flags(view));
	put_para(view, indent, style, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int put_chain(const struct view *view, const struct verdict *verdict)
{
	static const struct table_col cols[] = {
		{ NULL, true, TABLE_WHOLE, 0, 0 }, { NULL, false, TABLE_CUT_HEAD, 20, 0 },
		{ NULL, false, TABLE_CUT_MIDDLE, 14, 0 },
	};
	const struct table_look look = view_look(view, 10);
	_cleanup_(graph__freep) struct graph *graph = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	struct why why;
	int err = verdict_chain(verdict, &graph, &why);

	if (!err)
		err = table__new(&table, cols, 3);
	for (__u32 i = 0; !err && why.chain_cnt && i < why.chains[0].hop_cnt; i++) {
		const struct why_hop *hop = &why.chains[0].hops[i];
		struct text_buf buf = { 0 };
		char num[TEXT_NUM_SZ];

		if (!hop->stmt)
			continue;
		table__add(table, text_ns(num, hop->to->wall_ns), TABLE_PLAIN);
		phrase_place(view, graph->process, &hop->stmt->site, &buf);
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		text_buf__reset(&buf);
		phrase_module(view, hop->to, &buf);
		table__add(table, text_buf__str(&buf), TABLE_BOLD);
		text_buf__free(&buf);
	}
	if (!err && table__row_cnt(table))
		err = table__print(table, &look, view->out);
	why_clear(&why);
	return err;
}

static int put_verdict(const struct view *view, const struct verdict *verdict)
{
	static const char *const marks[] = {
		[VERDICT_OK] = "ok   ", [VERDICT_NOISY] = "noisy", [VERDICT_BROKEN] = "FAIL ",
		[VERDICT_UNKNOWN] = "FAIL ",
	};
	bool is_bad = verdict->result == VERDICT_BROKEN || verdict->result == VERDICT_UNKNOWN;
	struct text_buf raw = { 0 }, place = { 0 };

	text_buf__add(&raw, marks[verdict->result]);
	text_buf__add(&raw, " ");
	phrase_checked(verdict, &raw);
	text_buf__add(&raw, ": ");
	phrase_verdict(verdict, &raw);
	put_escaped(view, 2, is_bad ? TABLE_RED : TABLE_PLAIN, &raw);
	if (verdict->site.file && verdict->process) {
		text_buf__add(&place, "at ");
		phrase_place(view, verdict->process, &verdict->site, &place);
		put_para(view, 10, TABLE_PLAIN, text_buf__str(&place));
	}
	text_buf__free(&place);
	text_buf__free(&raw);
	return is_bad ? put_chain(view, verdict) : 0;
}

static void put_entry(const struct view *view, const struct verdict *verdict)
{
	struct text_buf raw = { 0 };

	text_buf__add(&raw, verdict->entry->name);
	put_escaped(view, 0, TABLE_BOLD, &raw);
	text_buf__free(&raw);
}

int check_write(const struct view *view)
{
	const struct verdicts *check = view->input.check;
	const struct budget_entry *last = NULL;
	struct text_buf buf = { 0 };
	int err = check ? 0 : -EINVAL;

	for (size_t i = 0; !err && i < check->cnt; i++) {
		if (check->all[i].entry != last)
			put_entry(view, &check->all[i]);
		last = check->all[i].entry;
		err = put_verdict(view, &check->all[i]);
	}
	if (err)
		return err;
	text_buf__printf(&buf, "%zu of %zu checks failed", check->broken_cnt, check->cnt);
	if (check->noisy_cnt)
		text_buf__printf(&buf, ", %zu could not be told: more runs (-n) might", check->noisy_cnt);
	text_buf__add(&buf, ".");
	put_para(view, 0, check->broken_cnt ? TABLE_RED : TABLE_PLAIN, text_buf__str(&buf));
	if (!check->is_complete)
		put_para(view, 0, TABLE_RED, "Not complete: data was lost, see the report of the capture.");
	text_buf__free(&buf);
	return 0;
}

static json_t *new_chain(struct json_out *jo, const struct why *why)
{
	json_t *array = json_array();

	for (__u32 i = 0; why->chain_cnt && i < why->chains[0].hop_cnt; i++) {
		const struct why_hop *hop = &why->chains[0].hops[i];
		json_t *obj;

		if (!hop->stmt)
			continue;
		obj = json_object();
		json_set_str(jo, obj, "module", hop->to->module);
		json_set(jo, obj, "importer", json_new_site(jo, &hop->stmt->site));
		json_set_ns(jo, obj, "wall_ns", hop->to->wall_ns);
		if (json_array_append_new(array, obj))
			jo->err = -ENOMEM;
	}
	return array;
}

static int put_json(struct json_out *jo, const struct verdict *verdict)
{
	_cleanup_(graph__freep) struct graph *graph = NULL;
	struct text_buf raw = { 0 };
	struct site site;
	struct why why;
	json_t *obj;
	int err = verdict_chain(verdict, &graph, &why);

	if (err)
		return err;
	obj = json_object();
	site = verdict_site(verdict, &why);
	json_set_str(jo, obj, "entry", verdict->entry->name);
	phrase_checked(verdict, &raw);
	json_set_str(jo, obj, "check", text_buf__str(&raw));
	json_set_str(jo, obj, "result", word_verdict(verdict->result));
	text_buf__reset(&raw);
	phrase_verdict(verdict, &raw);
	json_set_str(jo, obj, "message", text_buf__str(&raw));
	json_set_ns(jo, obj, "value", verdict->value);
	json_set_ns(jo, obj, "low", verdict->low);
	json_set_ns(jo, obj, "high", verdict->high);
	json_set_ns(jo, obj, "limit", verdict->max);
	json_set_bool(jo, obj, "over_interpreter", verdict->is_over_floor);
	json_set_ns(jo, obj, "baseline", verdict->then);
	json_set_int(jo, obj, "runs", (long long)verdict->run_cnt);
	json_set_int(jo, obj, "runs_with_value", (long long)verdict->value_cnt);
	json_set_str(jo, obj, "module", verdict->load ? verdict->load->module : NULL);
	json_set_str(jo, obj, "file", site.file);
	json_set(jo, obj, "line", site.line > 0 ? json_integer(site.line) : json_null());
	json_set(jo, obj, "chain", new_chain(jo, &why));
	json_put(jo, obj, false);
	text_buf__free(&raw);
	why_clear(&why);
	return jo->err;
}

int check_write_json(const struct view *view)
{
	const struct verdicts *check = view->input.check;
	struct json_out jo = { .out = view->out, .view = view };
	int err = check ? 0 : -EINVAL;

	if (err)
		return err;
	fprintf(view->out, "{\"schema_version\":1,\"ok\":%s,\"complete\":%s,\"failed\":%zu,"
		"\"noisy\":%zu,\"checks\":[", check->broken_cnt ? "false" : "true",
		check->is_complete ? "true" : "false", check->broken_cnt, check->noisy_cnt);
	for (size_t i = 0; !err && i < check->cnt; i++) {
		fputs(i ? ",\n" : "\n", view->out);
		err = put_json(&jo, &check->all[i]);
	}
	fputs("\n]}\n", view->out);
	return err;
}
