// SPDX-License-Identifier: BSD-2-Clause
/* --view net: connections and look-ups, and what else imports do beyond loading. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/view.h"
#include "report/head/head.h"
#include "report/text/sections.h"
#include "report/text/wording.h"
#include "report/enum_words.h"

static void add_import(const struct view *view, const struct process *process,
		       const struct load *load, struct table *table)
{
	struct text_buf buf = { 0 };

	if (load)
		phrase_name(view, load, &buf);
	table__add(table, load ? text_buf__str(&buf) : "(no import)", TABLE_BOLD);
	text_buf__reset(&buf);
	if (load && (load->importer.file || load->importer.module))
		phrase_place(view, process, &load->importer, &buf);
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

static void add_address(const struct view *view, const struct net_use *use, struct table *table)
{
	struct text_buf buf = { 0 };

	if (use->name) {
		text_buf__escape(&buf, use->name, view_escape_flags(view));
		text_buf__add(&buf, " from ");
	}
	text_buf__escape(&buf, use->address ? use->address : "?", view_escape_flags(view));
	if (use->error > 0) {
		const char *name = strerrorname_np(use->error);

		text_buf__printf(&buf, " (%s)", name ? name : "failed");
	}
	table__add(table, text_buf__str(&buf), use->error > 0 ? TABLE_RED : TABLE_PLAIN);
	text_buf__free(&buf);
}

/* libc asks for a cache of names that hardly any machine has. */
static bool is_habit(const struct net_use *use)
{
	return use->error && use->address && !strcmp(use->address, "unix:/var/run/nscd/socket");
}

int net_uses_write(const struct view *view, const struct process *process, __u64 until_ns,
		   size_t max)
{
	static const struct table_col cols[] = {
		{ "what", false, TABLE_WHOLE, 0, 0 }, { "took", true, TABLE_WHOLE, 0, 0 },
		{ "blocked", true, TABLE_WHOLE, 0, 0 }, { "sent", true, TABLE_WHOLE, 0, 0 },
		{ "received", true, TABLE_WHOLE, 0, 0 },
		{ "address", false, TABLE_CUT_MIDDLE, 20, 0 },
		{ "by", false, TABLE_CUT_MIDDLE, 10, 0 },
		{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	const struct process_net *net = &process->net;
	_cleanup_(table__freep) struct table *table = NULL;
	char num[TEXT_NUM_SZ];
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	if (err || !net->cnt)
		return err;
	for (size_t i = 0; i < net->cnt && table__row_cnt(table) < max; i++) {
		const struct net_use *use = net->uses[i];
		bool is_listener = use->kind == PYI_NET_LISTEN;

		if (use->start_ns > until_ns || (until_ns != NS_UNKNOWN && is_habit(use)))
			continue;
		table__add(table, word_net_kind(use->kind), TABLE_PLAIN);
		table__add(table, text_ns(num, use->wall_ns), TABLE_PLAIN);
		table__add(table, is_listener ? "-" : text_ns(num, use->blocked_ns), TABLE_PLAIN);
		table__add(table, is_listener ? "-" : view_bytes(num, use->sent), TABLE_PLAIN);
		table__add(table, is_listener ? "-" : view_bytes(num, use->received), TABLE_PLAIN);
		add_address(view, use, table);
		add_import(view, process, use->load, table);
	}
	if (!table__row_cnt(table))
		return 0;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, until_ns == NS_UNKNOWN ?
		 "Connections, look-ups and sockets, by start" :
		 "Connections, look-ups and sockets before it was ready");
	return table__print(table, &look, view->out);
}

static bool is_shown(const struct effect *effect)
{
	return effect->load && (effect->threads | effect->children | effect->sleeps |
				effect->locks | effect->signals);
}

static int put_effects(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "threads", true, TABLE_WHOLE, 0, 0 }, { "children", true, TABLE_WHOLE, 0, 0 },
		{ "sleeps", true, TABLE_WHOLE, 0, 0 }, { "slept", true, TABLE_WHOLE, 0, 0 },
		{ "file locks", true, TABLE_WHOLE, 0, 0 }, { "handlers", true, TABLE_WHOLE, 0, 0 },
		{ "by", false, TABLE_CUT_MIDDLE, 10, 0 },
		{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	const struct process_net *net = &process->net;
	_cleanup_(table__freep) struct table *table = NULL;
	char num[TEXT_NUM_SZ];
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	for (size_t i = 0; !err && i < net->effect_cnt; i++) {
		const struct effect *effect = net->effects[i];

		if (!is_shown(effect))
			continue;
		table__add(table, effect->threads ? text_count(num, effect->threads) : "-",
			   TABLE_PLAIN);
		table__add(table, effect->children ? text_count(num, effect->children) : "-",
			   TABLE_PLAIN);
		table__add(table, effect->sleeps ? text_count(num, effect->sleeps) : "-",
			   TABLE_PLAIN);
		table__add(table, effect->sleeps ? text_ns(num, effect->sleep_ns) : "-",
			   TABLE_PLAIN);
		table__add(table, effect->locks ? text_count(num, effect->locks) : "-",
			   TABLE_PLAIN);
		table__add(table, effect->signals ?
			   text_count(num, (__u64)__builtin_popcountll(effect->signals)) : "-",
			   TABLE_PLAIN);
		add_import(view, process, effect->load, table);
	}
	if (err || !table__row_cnt(table))
		return err;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "Threads, children, waits and signal handlers of imports");
	return table__print(table, &look, view->out);
}

/* Files that an import itself wrote; compiled modules are the interpreter's business. */
static int put_written(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "written", true, TABLE_WHOLE, 0, 0 }, { "file", false, TABLE_CUT_HEAD, 20, 0 },
		{ "by", false, TABLE_CUT_MIDDLE, 10, 0 },
		{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	for (size_t i = 0; !err && i < process->files.cnt; i++) {
		const struct file *file = process->files.files[i];

		if (!file->load || !file->path || !(file->io.flags & PYI_FILE_WRITTEN) ||
		    strstr(file->path, ".pyc"))
			continue;
		table__add(table, view_bytes(num, file->io.bytes_written), TABLE_PLAIN);
		text_buf__reset(&buf);
		text_buf__escape(&buf, file->path, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		add_import(view, process, file->load, table);
	}
	if (err || !table__row_cnt(table))
		return err;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "Files written by imports");
	return table__print(table, &look, view->out);
}

static void put_sums(const struct view *view, const struct process *process)
{
	const struct process_net *net = &process->net;
	__u64 blocked_ns = 0, all_ns = 0;
	size_t import_cnt = 0;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	for (size_t i = 0; i < net->cnt; i++) {
		all_ns += net->uses[i]->blocked_ns;
		if (!net->uses[i]->load || net->uses[i]->load->via == VIA_MAIN)
			continue;
		blocked_ns += net->uses[i]->blocked_ns;
		import_cnt++;
	}
	if (!net->cnt) {
		put_para(view, 2, TABLE_PLAIN, "No connection, no name look-up.");
		return;
	}
	text_buf__printf(&buf, "%s use%s of the network, ", text_count(num, net->cnt),
			 net->cnt == 1 ? "" : "s");
	text_buf__printf(&buf, "%s blocked; ", text_ns(num, all_ns));
	text_buf__printf(&buf, "%s of them by imports, ", text_count(num, import_cnt));
	text_buf__printf(&buf, "%s blocked", text_ns(num, blocked_ns));
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_process(const struct view *view, const struct process *process)
{
	int err = head_write(view, process);

	if (err)
		return err;
	if (!(process->measured & PYI_GROUP_NET)) {
		put_para(view, 2, TABLE_PLAIN, "The network was not traced.");
		return 0;
	}
	put_sums(view, process);
	err = net_uses_write(view, process, NS_UNKNOWN, SIZE_MAX);
	if (!err)
		err = put_effects(view, process);
	if (!err)
		err = put_written(view, process);
	fputc('\n', view->out);
	return err;
}

int net_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
