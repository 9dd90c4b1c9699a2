// SPDX-License-Identifier: BSD-2-Clause
/* "findings" of one process in JSON. */
#include <errno.h>

#include "report/text/finding.h"
#include "report/json/json_out.h"

static json_t *new_sites(struct json_out *jo, const struct finding *finding)
{
	json_t *array = json_array();

	for (__u32 i = 0; i < finding->same_cnt; i++)
		if (json_array_append_new(array, json_new_site(jo, &finding->same[i]->site)))
			jo->err = -ENOMEM;
	return array;
}

static json_t *new_risk(struct json_out *jo, const struct risk *risk)
{
	const struct site *site = &risk->load->importer;
	json_t *obj = json_object();

	json_set_str(jo, obj, "kind", word_risk(risk->kind));
	json_set(jo, obj, "import", json_integer(risk->load->id));
	json_set_str(jo, obj, "module", risk->load->module);
	json_set_str(jo, obj, "file", site->file);
	json_set(jo, obj, "line", site->line > 0 ? json_integer(site->line) : json_null());
	json_set_int(jo, obj, "count", risk->cnt);
	if (risk->kind == RISK_SIGNALS)
		json_set(jo, obj, "signals", json_new_signals(jo, risk->signals));
	else
		json_set_str(jo, obj, "what", risk->what);
	return obj;
}

/* Null: none were seen, but not all that could be was looked at. */
static json_t *new_risks(struct json_out *jo, __u32 measured, const struct finding *finding)
{
	__u32 needed = PYI_GROUP_NET | PYI_GROUP_FILES;
	json_t *array;

	if (!finding->risk_cnt && (measured & needed) != needed)
		return json_null();
	array = json_array();
	for (__u32 i = 0; i < finding->risk_cnt; i++)
		if (json_array_append_new(array, new_risk(jo, finding->risks[i])))
			jo->err = -ENOMEM;
	return array;
}

/* Each with the module that it names: a line can have several statements. */
static json_t *new_stmts(struct json_out *jo, const struct finding *finding)
{
	json_t *array = json_array();

	for (__u32 i = 0; i < finding->stmt_cnt; i++) {
		const struct graph_stmt *stmt = &finding->graph->stmts[finding->stmts[i]];
		json_t *obj = json_new_site(jo, &stmt->site);

		json_set_str(jo, obj, "asks_for", stmt->asked);
		if (json_array_append_new(array, obj))
			jo->err = -ENOMEM;
	}
	return array;
}

static void add_id(struct json_out *jo, json_t *array, const struct load *load)
{
	if (json_array_append_new(array, json_integer(load->id)))
		jo->err = -ENOMEM;
}

/* By id: imports that would not be made, of these the ones that may be, others that may not. */
static void set_vanishing(struct json_out *jo, json_t *obj, const struct gains *gains,
			  const struct finding *finding)
{
	const struct process *process = gains->graph->process;
	json_t *vanish = json_array(), *may_stay = json_array(), *may_vanish = json_array();
	bool *is_gone = calloc(process->load_cnt + 1, sizeof(*is_gone));
	struct gain gain;

	if (!is_gone || gains__of_stmts(gains, finding->stmts, finding->stmt_cnt, &gain))
		jo->err = -ENOMEM;
	for (__u32 i = 0; is_gone && i < process->load_cnt; i++) {
		is_gone[i] = reach__is_lost(gains->reach, i + 1);
		if (is_gone[i])
			add_id(jo, vanish, process->loads[i]);
		if (is_gone[i] && !reach__is_lost(gains->sure, i + 1))
			add_id(jo, may_stay, process->loads[i]);
	}
	if (!is_gone || gains__most(gains, finding->stmts, finding->stmt_cnt, &gain))
		jo->err = -ENOMEM;
	for (__u32 i = 0; is_gone && i < process->load_cnt; i++)
		if (!is_gone[i] && reach__is_lost(gains->reach, i + 1))
			add_id(jo, may_vanish, process->loads[i]);
	free(is_gone);
	json_set(jo, obj, "vanish", vanish);
	json_set(jo, obj, "may_stay", may_stay);
	json_set(jo, obj, "may_vanish", may_vanish);
}

static json_t *new_call(struct json_out *jo, const struct site *site)
{
	json_t *obj = site ? json_new_site(jo, site) : json_null();

	if (site)
		json_set_str(jo, obj, "function", site->function);
	return obj;
}

static json_t *new_use(struct json_out *jo, const struct finding *finding)
{
	json_t *obj = new_call(jo, finding->used ? &finding->used->site : NULL);

	if (finding->used)
		json_set(jo, obj, "caller", new_call(jo, finding->caller_site));
	return obj;
}

static void set_deferral(struct json_out *jo, json_t *obj, const struct advice *advice,
			 const struct finding *finding)
{
	const struct gains *gains = advice->gains;

	json_set_int(jo, obj, "modules", finding->gain.modules);
	json_set_ns(jo, obj, "least_saving_ns", finding->gain.least_ns);
	json_set_ns(jo, obj, "most_saving_ns", finding->gain.most_ns);
	set_vanishing(jo, obj, gains, finding);
	json_set(jo, obj, "used", new_use(jo, finding));
	json_set(jo, obj, "risks", new_risks(jo, gains->graph->process->measured, finding));
}

static json_t *new_evidence(struct json_out *jo, const struct advice *advice,
			    const struct finding *finding)
{
	const struct load *load = finding->load;
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", load ? load->module : NULL);
	json_set(jo, obj, "import", load ? json_integer(load->id) : json_null());
	json_set_ns(jo, obj, "wall_ns", load ? load->wall_ns : NS_UNKNOWN);
	switch (finding->rule) {
	case FINDING_DEFER:
		set_deferral(jo, obj, advice, finding);
		json_set_str(jo, obj, "asks_for", finding->graph->stmts[finding->stmts[0]].asked);
		json_set_bool(jo, obj, "in_function", finding->is_function);
		json_set_bool(jo, obj, "entry", finding->is_entry);
		json_set_str(jo, obj, "caller", finding->caller ? finding->caller->module : NULL);
		json_set_bool(jo, obj, "group", finding->is_group);
		json_set(jo, obj, "same", new_sites(jo, finding));
		break;
	case FINDING_TOGETHER:
		set_deferral(jo, obj, advice, finding);
		json_set(jo, obj, "statements", new_stmts(jo, finding));
		break;
	case FINDING_NO_GAIN:
		json_set(jo, obj, "also", json_new_site(jo, &finding->other));
		json_set_int(jo, obj, "statements", finding->joint_cnt);
		json_set_ns(jo, obj, "joint_saving_ns", finding->joint.ns);
		break;
	case FINDING_COMPILED:
		json_set_int(jo, obj, "modules", finding->cnt);
		json_set_int(jo, obj, "in_archives", finding->zip_cnt);
		json_set_int(jo, obj, "without_pyc", finding->no_pyc_cnt);
		break;
	case FINDING_NETWORK:
	case FINDING_CHILD:
	case FINDING_THREADS:
		json_set_int(jo, obj, "count", finding->cnt);
		json_set_ns(jo, obj, "blocked_ns", finding->rule == FINDING_THREADS ? NS_UNKNOWN :
						   finding->observed_ns);
		json_set_str(jo, obj, "peer", finding->peer);
		break;
	case FINDING_LAZY:
		json_set(jo, obj, "declared", json_new_site(jo, &finding->other));
		break;
	case FINDING_SAME:
		json_set_same(jo, obj, finding->same_files);
		break;
	case FINDING_LATE:
		json_set(jo, obj, "tid", load ? json_integer(load->tid) : json_null());
		json_set_bool(jo, obj, "waits_for_connections", finding->is_waiter);
		json_set_ns(jo, obj, "blocked_ns", finding->is_waiter ? finding->observed_ns :
								   NS_UNKNOWN);
		json_set_str(jo, obj, "function", finding->site.function);
		json_set(jo, obj, "caller", new_call(jo, finding->caller_site));
		break;
	default:
		json_set_str(jo, obj, "error", load ? load->error : NULL);
	}
	return obj;
}

static void set_id(struct json_out *jo, json_t *obj, const struct finding *finding)
{
	struct text_buf buf = { 0 };

	text_buf__printf(&buf, "%s:", word_rule(finding->rule));
	if (finding->rule == FINDING_COMPILED)
		text_buf__add(&buf, "all");
	else if (finding->rule == FINDING_SAME)
		text_buf__add(&buf, finding->same_files->paths[0]);
	else
		text_buf__printf(&buf, "%s:%d:%s", finding->site.file ? finding->site.file : "?",
				 finding->site.line, finding->load && finding->load->module ?
				 finding->load->module : "?");
	json_set_str(jo, obj, "id", text_buf__str(&buf));
	text_buf__free(&buf);
}

static json_t *new_finding(struct json_out *jo, const struct process *process,
			   const struct advice *advice, const struct finding *finding)
{
	bool has_saving = finding->rule == FINDING_DEFER || finding->rule == FINDING_NO_GAIN ||
			  finding->rule == FINDING_FAILED || finding->rule == FINDING_TOGETHER;
	struct text_buf buf = { 0 };
	json_t *obj = json_object();

	set_id(jo, obj, finding);
	json_set_str(jo, obj, "rule", word_rule(finding->rule));
	json_set_str(jo, obj, "severity", word_severity(advice, finding));
	phrase_finding(jo->view, process, finding, &buf);
	json_set_str(jo, obj, "message", text_buf__str(&buf));
	text_buf__reset(&buf);
	phrase_remedy(jo->view, process, finding, &buf);
	json_set_str(jo, obj, "remedy", text_buf__str(&buf));
	json_set_str(jo, obj, "file", finding->site.file);
	json_set(jo, obj, "line", finding->site.line > 0 ? json_integer(finding->site.line) :
							    json_null());
	json_set(jo, obj, "evidence", new_evidence(jo, advice, finding));
	json_set_ns(jo, obj, "saving_ns", has_saving && advice->gains->has_edges ? finding->gain.ns :
									 NS_UNKNOWN);
	if (has_saving && advice->gains->has_edges && advice->gains->has_memory)
		json_set_int(jo, obj, "saving_bytes", finding->gain.bytes);
	else
		json_set_null(jo, obj, "saving_bytes");
	json_set_str(jo, obj, "confidence", word_confidence(finding->confidence));
	text_buf__free(&buf);
	return obj;
}

void json_write_findings(struct json_out *jo, const struct process *process)
{
	struct advice *advice = NULL;
	int err = process->load_cnt ? advice__new(process, &advice) : 0;

	if (err)
		jo->err = err;
	fputc('[', jo->out);
	for (size_t i = 0; advice && !jo->err && i < advice->finding_cnt && !ferror(jo->out); i++) {
		fputs(i ? ",\n" : "\n", jo->out);
		json_put(jo, new_finding(jo, process, advice, &advice->findings[i]), false);
	}
	fputc(']', jo->out);
	advice__free(advice);
}
