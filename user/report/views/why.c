// SPDX-License-Identifier: BSD-2-Clause
/*
 * `why MODULE`: for each process that loaded it, the chains of import statements that lead there:
 * the one along which it was loaded, then the shortest first.
 */
#include "model/graph/why.h"

#include <string.h>

#include "base/cleanup.h"
#include "report/json/json_out.h"
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"
#include "report/views/why_names.h"

#define UNSEEN_SHOWN 5
#define CHAINS_SHOWN 3 /* the first says it, and is seen without scrolling */

static const struct table_col cols[] = {
	{ NULL, true, TABLE_WHOLE, 0, 0 },
	{ NULL, true, TABLE_WHOLE, 0, 0 },
	{ NULL, false, TABLE_CUT_HEAD, 20, 0 },
	{ NULL, false, TABLE_CUT_MIDDLE, 14, 0 },
	{ NULL, false, TABLE_WHOLE, 0, 0 },
};

static void add_share(const struct headline *headline, __u64 wall_ns, struct text_buf *buf)
{
	if (wall_ns == NS_UNKNOWN || headline->imports_ns == NS_UNKNOWN || !headline->imports_ns)
		return;
	if (wall_ns >= headline->imports_ns)
		text_buf__add(buf, "100%");
	else
		text_buf__printf(buf, "%.0f%%", (double)wall_ns * 100 / (double)headline->imports_ns);
}

/* C code that found it loaded: who loaded it, at another place, says nothing of this hop. */
static struct site site_of(const struct why_hop *hop)
{
	struct site native = { .line = -1, .module = hop->from ? hop->from->module : NULL };

	if (hop->stmt)
		return hop->stmt->site;
	return hop->is_cached ? native : hop->to->importer;
}

static void add_place(const struct view *view, const struct process *process,
		      const struct why_hop *hop, struct text_buf *buf)
{
	struct site site = site_of(hop);

	if (hop->is_package)
		text_buf__add(buf, "(its package)");
	else if (hop->stmt || hop->is_cached)
		phrase_place(view, process, &site, buf);
	else
		phrase_importer(view, hop->to, buf);
	if (!hop->stmt && hop->is_cached && !hop->is_package)
		text_buf__add(buf, " (from C)");
	if (!hop->stmt || !hop->to->found || hop->is_cached)
		return;
	text_buf__add(buf, " (lazy, used at ");
	phrase_place(view, process, &hop->to->importer, buf);
	text_buf__add(buf, ")");
}

static void add_hop(const struct view *view, const struct headline *headline,
		    const struct why_hop *hop, struct table *table)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, hop->to->wall_ns), TABLE_PLAIN);
	add_share(headline, hop->to->wall_ns, &buf);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	text_buf__reset(&buf);
	add_place(view, hop->to->process, hop, &buf);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	text_buf__reset(&buf);
	phrase_module(view, hop->to, &buf);
	table__add(table, text_buf__str(&buf), TABLE_BOLD);
	table__add(table, hop->is_cached ? "found loaded" : "", TABLE_DIM);
	text_buf__free(&buf);
}

/* The program itself is where every chain begins: told only where nothing follows. */
static bool is_shown(const struct why_chain *chain, __u32 index)
{
	return index || chain->hop_cnt == 1 || chain->hops[0].to->via != VIA_MAIN;
}

static const char *word_chain(const struct why_chain *chain)
{
	if (!chain->has_loaded)
		return "leads to it as well";
	return chain->hops[chain->hop_cnt - 1].to->result == LOAD_FAILED ? "tried to load it" : "loaded it";
}

static int write_chain(const struct view *view, const struct headline *headline,
		       const struct why_chain *chain, size_t number)
{
	const struct table_look look = view_look(view, 6);
	_cleanup_(table__freep) struct table *table = NULL;
	struct text_buf buf = { 0 };
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	if (err)
		return err;
	text_buf__printf(&buf, "%zu. %s", number, word_chain(chain));
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
	for (__u32 i = 0; i < chain->hop_cnt; i++)
		if (is_shown(chain, i))
			add_hop(view, headline, &chain->hops[i], table);
	return table__print(table, &look, view->out);
}

static size_t count_below(const struct load *load, int *err)
{
	_cleanup_(walk__free) struct walk walk = { 0 };
	size_t cnt = 0;

	walk__start(&walk, (struct load *)load);
	while (walk__pre(&walk))
		cnt++;
	*err = walk.err;
	return cnt;
}

static int write_headline(const struct view *view, const struct load *load,
			  const struct headline *headline, const struct why *why)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	int err;
	size_t below = count_below(load, &err);

	phrase_module(view, load, &buf);
	text_buf__printf(&buf, ": %s", text_ns(num, load->wall_ns));
	if (headline->imports_ns != NS_UNKNOWN && headline->imports_ns &&
	    load->wall_ns != NS_UNKNOWN) {
		text_buf__add(&buf, ", ");
		add_share(headline, load->wall_ns, &buf);
		text_buf__printf(&buf, " of %s imports", text_ns(num, headline->imports_ns));
	}
	if (below > 1)
		text_buf__printf(&buf, ", %s module%s with it", text_count(num, below - 1),
				 below == 2 ? "" : "s");
	text_buf__printf(&buf, ". %u statement%s for it; %s%zu chain%s to it.", why->stmt_cnt,
			 why->stmt_cnt == 1 ? " asks" : "s ask", why->has_more ? "more than " : "",
			 why->chain_cnt, why->chain_cnt == 1 ? " leads" : "s lead");
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	err = err ? err : buf.err;
	text_buf__free(&buf);
	return err;
}

/* Statements that may name it behind `from package import`, for all we saw. */
static size_t list_unseen(const struct view *view, const struct load *load, struct text_buf *buf)
{
	const struct process *process = load->process;
	const char *dot = load->module ? strrchr(load->module, '.') : NULL;
	size_t cnt = 0, len = dot ? (size_t)(dot - load->module) : 0;

	for (size_t i = 0; len && i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];

		if (!edge->has_unseen || strncmp(edge->module, load->module, len) ||
		    edge->module[len])
			continue;
		if (cnt++ < UNSEEN_SHOWN) {
			text_buf__add(buf, cnt > 1 ? ", " : "");
			phrase_place(view, process, &edge->importer, buf);
		}
	}
	return cnt;
}

static void write_unseen(const struct view *view, const struct load *load)
{
	struct text_buf places = { 0 }, buf = { 0 };
	size_t cnt = list_unseen(view, load, &places);

	if (cnt) {
		text_buf__printf(&buf, "%zu statement%s from its package names that were not seen, "
				 "it may be among them: %s%s", cnt, cnt == 1 ? " imports" : "s import",
				 text_buf__str(&places), cnt > UNSEEN_SHOWN ? " and more" : "");
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	}
	text_buf__free(&places);
	text_buf__free(&buf);
}

static void write_process_name(const struct view *view, const struct process *process)
{
	struct text_buf buf = { 0 };

	phrase_command(view, process, &buf);
	if (process->tgid)
		text_buf__printf(&buf, " (pid %u)", process->tgid);
	else
		text_buf__add(&buf, " (pid unknown)");
	put_para(view, 0, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_process(const struct view *view, const struct graph *graph,
			 const struct load *load)
{
	struct headline headline;
	struct why why;
	int err = headline_find(graph->process, &headline);

	if (!err)
		err = why_find(graph, load, view->opts.top ? view->opts.top : CHAINS_SHOWN, &why);
	if (err)
		return err;
	write_process_name(view, graph->process);
	why_package(view, graph->process, view->opts.module, headline.imports_ns);
	err = write_headline(view, load, &headline, &why);
	write_unseen(view, load);
	for (size_t i = 0; !err && i < why.chain_cnt; i++)
		err = write_chain(view, &headline, &why.chains[i], i + 1);
	if (why.has_more) {
		fputc('\n', view->out);
		put_para(view, 2, TABLE_DIM, "There are more; --top N shows N of them.");
	}
	fputc('\n', view->out);
	why_clear(&why);
	return err;
}

/* A module that only ever failed is an answer, too. */
static const struct load *find_target(const struct graph *graph, const char *module)
{
	const struct load *load = graph__find(graph, module);

	for (size_t i = 0; !load && i < graph->load_cnt; i++) {
		const struct load *at = graph->process->loads[i];

		if (at->module && !strcmp(at->module, module))
			load = at;
	}
	return load;
}

typedef int (*process_fn)(void *ctx, const struct graph *graph, const struct load *load);

static int for_each_process(const struct view *view, process_fn fn, void *ctx)
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (!err && !view->opts.module)
		return -EINVAL;
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++) {
		_cleanup_(graph__freep) struct graph *graph = NULL;
		const struct load *load;

		err = graph__new(processes[i], 0, &graph);
		load = err ? NULL : find_target(graph, view->opts.module);
		if (load && !load->is_inherited)
			err = fn(ctx, graph, load);
	}
	return err;
}

struct text_ctx {
	const struct view *view;
	bool has_any;
};

static int write_text(void *ctx, const struct graph *graph, const struct load *load)
{
	struct text_ctx *text = ctx;

	text->has_any = true;
	return write_process(text->view, graph, load);
}

int why_write(const struct view *view)
{
	struct text_ctx ctx = { .view = view };
	int err = for_each_process(view, write_text, &ctx);

	if (!err && !ctx.has_any)
		why_nothing(view);
	if (!err) {
		recorded_foot(view);
		err = loss_write_text(view);
	}
	return err || ctx.has_any ? err : -ESRCH;
}

static json_t *new_hop(struct json_out *jo, const struct why_hop *hop)
{
	struct site site = site_of(hop);
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", hop->to->module);
	json_set_int(jo, obj, "import", hop->to->id);
	json_set(jo, obj, "importer", json_new_site(jo, &site));
	json_set(jo, obj, "used", hop->to->found ? json_new_site(jo, &hop->to->importer) : json_null());
	json_set_ns(jo, obj, "wall_ns", hop->to->wall_ns);
	json_set_bool(jo, obj, "cached", hop->is_cached);
	json_set_bool(jo, obj, "package", hop->is_package);
	return obj;
}

static json_t *new_chain(struct json_out *jo, const struct why_chain *chain)
{
	json_t *obj = json_object(), *hops = json_array();

	json_set_bool(jo, obj, "loaded", chain->has_loaded);
	for (__u32 i = 0; i < chain->hop_cnt; i++)
		if (json_array_append_new(hops, new_hop(jo, &chain->hops[i])))
			jo->err = -ENOMEM;
	json_set(jo, obj, "hops", hops);
	return obj;
}

struct json_ctx {
	const struct view *view;
	struct json_out jo;
	bool has_any;
};

/* Null of a module that has no submodules. */
static json_t *new_package(struct json_out *jo, const struct process *process, const char *name)
{
	size_t cnt;
	__u64 ns = why_package_ns(process, name, &cnt);
	json_t *obj = cnt ? json_object() : json_null();

	if (cnt) {
		json_set_int(jo, obj, "submodules", (long long)cnt);
		json_set_ns(jo, obj, "wall_ns", ns);
	}
	return obj;
}

static int write_json(void *ctx, const struct graph *graph, const struct load *load)
{
	struct json_ctx *json = ctx;
	struct json_out *jo = &json->jo;
	json_t *obj = json_object(), *chains = json_array();
	struct text_buf unseen = { 0 };
	struct why why;
	int err = why_find(graph, load, view_top(json->view), &why);

	if (err)
		goto out;
	for (size_t i = 0; i < why.chain_cnt; i++)
		if (json_array_append_new(chains, new_chain(jo, &why.chains[i])))
			jo->err = -ENOMEM;
	json_set_int(jo, obj, "pid", graph->process->tgid);
	json_set_int(jo, obj, "serial", graph->process->serial);
	json_set_ns(jo, obj, "wall_ns", load->wall_ns);
	json_set_ns(jo, obj, "self_ns", load->self_ns);
	json_set(jo, obj, "package", new_package(jo, graph->process, json->view->opts.module));
	json_set_int(jo, obj, "statements", why.stmt_cnt);
	json_set_int(jo, obj, "unseen", (long long)list_unseen(json->view, load, &unseen));
	json_set_bool(jo, obj, "has_more", why.has_more);
	json_set(jo, obj, "chains", json_incref(chains));
	fputs(json->has_any ? ",\n" : "\n", jo->out);
	json->has_any = true;
	json_put(jo, json_incref(obj), false);
	why_clear(&why);
out:
	text_buf__free(&unseen);
	json_decref(chains);
	json_decref(obj);
	return err ? err : jo->err;
}

int why_write_json(const struct view *view)
{
	struct json_ctx ctx = { .view = view, .jo = { .out = view->out } };
	int err;

	fputs("{\"schema_version\":1,\"module\":", view->out);
	json_put(&ctx.jo, json_new_str(&ctx.jo, view->opts.module), false);
	fputs(",\"processes\":[", view->out);
	err = for_each_process(view, write_json, &ctx);
	fputs("\n]}\n", view->out);
	err = err ? err : ctx.jo.err;
	return err || ctx.has_any ? err : -ESRCH;
}
