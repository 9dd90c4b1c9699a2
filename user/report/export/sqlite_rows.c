// SPDX-License-Identifier: BSD-2-Clause
/* Rows, column by column in the order of sqlite.sql. */
#include "report/export/sqlite_out.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head/loss.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"
#include "report/enum_words.h"

/* Statement of one table; its columns are bound from left to right. */
struct row {
	sqlite3_stmt *stmt;
	int at, err;
};

static int row__open(sqlite3 *db, const char *table, int columns, struct row *row)
{
	struct text_buf sql = { 0 };

	text_buf__printf(&sql, "INSERT INTO %s VALUES (?", table);
	while (--columns)
		text_buf__add(&sql, ",?");
	text_buf__add(&sql, ")");
	*row = (struct row){ .at = 0 };
	row->err = sqlite3_prepare_v2(db, text_buf__str(&sql), -1, &row->stmt, NULL);
	text_buf__free(&sql);
	return row->err ? -ENOMEM : 0;
}

/* 0 or -ENOMEM for any error since it was opened. */
static int row__close(struct row *row)
{
	sqlite3_finalize(row->stmt);
	return row->err ? -ENOMEM : 0;
}

static void row__end(struct row *row)
{
	if (sqlite3_step(row->stmt) != SQLITE_DONE)
		row->err = SQLITE_NOMEM;
	sqlite3_reset(row->stmt);
	sqlite3_clear_bindings(row->stmt);
	row->at = 0;
}

static void put_int(struct row *row, __s64 value)
{
	row->err |= sqlite3_bind_int64(row->stmt, ++row->at, value);
}

/* NS_UNKNOWN, and what no integer of SQLite holds, is NULL. */
static void put_ns(struct row *row, __u64 ns)
{
	if (ns > INT64_MAX)
		row->at++;
	else
		put_int(row, (__s64)ns);
}

/* 0 stands for unknown. */
static void put_id(struct row *row, __u64 id)
{
	put_ns(row, id ? id : NS_UNKNOWN);
}

static void put_text(struct row *row, const char *text)
{
	struct text_buf buf = { 0 };

	row->at++;
	if (!text)
		return;
	text_buf__repair(&buf, text);
	row->err |= buf.err ? SQLITE_NOMEM :
			      sqlite3_bind_text(row->stmt, row->at, text_buf__str(&buf), -1,
						SQLITE_TRANSIENT);
	text_buf__free(&buf);
}

static void put_site(struct row *row, const struct site *site)
{
	put_text(row, site->module);
	put_text(row, site->file);
	put_id(row, site->line > 0 ? (__u64)site->line : 0);
}

static void put_load_id(struct row *row, const struct load *load)
{
	put_id(row, load ? load->id : 0);
}

/* ---- the trace */

static void put_meta(struct row *row, const char *key, const char *value)
{
	put_text(row, key);
	put_text(row, value);
	row__end(row);
}

static int put_metas(sqlite3 *db, const struct view *view)
{
	const struct host_info *host = model__host(view->model);
	struct row row;
	int err = row__open(db, "meta", 2, &row);

	if (err)
		return err;
	put_meta(&row, "schema_version", "1");
	put_meta(&row, "tool", "pyimport-bpf");
	put_meta(&row, "version", host ? host->tool_version : NULL);
	put_meta(&row, "kernel", host ? host->kernel : NULL);
	put_meta(&row, "arch", host ? host->arch : NULL);
	put_meta(&row, "hostname", host ? host->hostname : NULL);
	put_meta(&row, "complete", model__is_complete(view->model) ? "1" : "0");
	put_meta(&row, "cut", model__is_cut(view->model) ? "1" : "0");
	return row__close(&row);
}

int sqlite_put_trace(sqlite3 *db, const struct view *view)
{
	struct row row;
	int err = put_metas(db, view);

	if (!err)
		err = row__open(db, "loss", 2, &row);
	if (err)
		return err;
	for (const struct loss_counter *counter = loss_counters; counter->name; counter++) {
		put_text(&row, counter->name);
		put_ns(&row, model__stats(view->model) ? loss_value(view->model, counter) :
							 NS_UNKNOWN);
		row__end(&row);
	}
	return row__close(&row);
}

/* ---- a process */

static void put_command(struct row *row, const struct process *process)
{
	struct text_buf buf = { 0 };
	char comm[sizeof(process->comm) + 1] = "";

	memcpy(comm, process->comm, sizeof(process->comm));
	for (size_t i = 0; i < process->argc; i++) {
		text_buf__add(&buf, i ? " " : "");
		text_buf__add(&buf, process->argv[i]);
	}
	if (!process->argc)
		text_buf__add(&buf, comm);
	row->err |= buf.err ? SQLITE_NOMEM : 0;
	put_text(row, buf.sz ? text_buf__str(&buf) : NULL);
	text_buf__free(&buf);
}

static void put_label(struct row *row, const struct process *process)
{
	struct text_buf buf = { 0 };

	phrase_program(process, &buf);
	row->err |= buf.err ? SQLITE_NOMEM : 0;
	put_text(row, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int put_identity(sqlite3 *db, const struct process *process)
{
	struct headline headline;
	struct row row;
	int err = headline_find(process, &headline) ?: row__open(db, "process", 26, &row);

	if (err)
		return err;
	put_int(&row, process->serial);
	put_id(&row, process->parent ? process->parent->serial : 0);
	put_id(&row, process->tgid);
	put_id(&row, process->nspid);
	put_id(&row, process->ppid);
	put_command(&row, process);
	put_text(&row, process->exe);
	put_text(&row, process->cwd);
	put_text(&row, process->cgroup);
	put_text(&row, process->container.name ? process->container.name : process->container.id);
	put_text(&row, process->python ? process->python->version : NULL);
	put_text(&row, process->python ? process->python->implementation : NULL);
	put_ns(&row, process->start_ns);
	put_ns(&row, process->end_ns);
	put_ns(&row, process->exec_ns);
	put_ns(&row, headline.startup_ns);
	put_ns(&row, headline.interpreter_ns);
	put_ns(&row, headline.imports_ns);
	put_ns(&row, process->has_exit && !process->exit_signal ? (__u64)process->exit_code :
								  NS_UNKNOWN);
	put_id(&row, process->has_exit ? (__u64)process->exit_signal : 0);
	put_int(&row, process->is_late && !process->is_log);
	put_int(&row, process->loaded_cnt);
	put_int(&row, process->failed_cnt);
	put_int(&row, process->unfinished_cnt);
	put_ns(&row, process_cached_cnt(process));
	put_label(&row, process);
	row__end(&row);
	return row__close(&row);
}

static void put_package(struct row *row, const char *module)
{
	size_t size = module ? strcspn(module, ".") : 0;
	struct text_buf buf = { 0 };

	text_buf__add_sz(&buf, module ? module : "", size);
	row->err |= buf.err ? SQLITE_NOMEM : 0;
	put_text(row, size ? text_buf__str(&buf) : NULL);
	text_buf__free(&buf);
}

static void put_charge(struct row *row, __u32 measured, const struct pyi_charge *charge)
{
	bool has_files = measured & PYI_GROUP_FILES;

	for (int i = 0; i < PYI_WAIT_CNT; i++)
		put_ns(row, measured & PYI_GROUP_CPU ? charge->wait_ns[i] : NS_UNKNOWN);
	put_ns(row, has_files ? charge->opens : NS_UNKNOWN);
	put_ns(row, has_files ? charge->open_misses : NS_UNKNOWN);
	put_ns(row, has_files ? charge->stats : NS_UNKNOWN);
	put_ns(row, has_files ? charge->stat_misses : NS_UNKNOWN);
	put_ns(row, has_files ? charge->bytes_read : NS_UNKNOWN);
	put_ns(row, measured & PYI_GROUP_DISK ? charge->bytes_from_disk : NS_UNKNOWN);
	if (measured & PYI_GROUP_MEMORY)
		put_int(row, (__s64)(charge->rss_anon + charge->rss_file));
	else
		row->at++;
}

static int put_imports(sqlite3 *db, const struct process *process)
{
	struct row row;
	int err = row__open(db, "import", 38, &row);

	for (size_t i = 0; !err && i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		put_int(&row, process->serial);
		put_int(&row, load->id);
		put_load_id(&row, load->parent);
		put_int(&row, load->tid);
		put_int(&row, load->seq);
		put_text(&row, load->module);
		put_package(&row, load->module);
		put_text(&row, word_result(load->result));
		put_text(&row, load->result == LOAD_FAILED ? load->error : NULL);
		put_text(&row, word_kind(load->kind));
		put_text(&row, load->file);
		put_text(&row, word_via(load->via));
		put_site(&row, &load->importer);
		put_ns(&row, load->start_ns);
		put_ns(&row, load_as_measured_ns(load, load->wall_ns, load->overhead_total_ns));
		put_ns(&row, load_as_measured_ns(load, load->self_ns, load->overhead_ns));
		put_ns(&row, load_as_measured_ns(load, load->cpu_ns, load->overhead_total_ns));
		put_ns(&row, load_as_measured_ns(load, load->self_cpu_ns, load->overhead_ns));
		put_ns(&row, load->lock_wait_ns);
		put_charge(&row, process->measured, load->charge_all);
		put_int(&row, load->is_exact);
		put_ns(&row, load_overhead_ns(load, load->overhead_ns));
		put_ns(&row, load_overhead_ns(load, load->overhead_total_ns));
		row__end(&row);
	}
	return err ? err : row__close(&row);
}

static int put_edges(sqlite3 *db, const struct process *process)
{
	struct row row;
	int err = row__open(db, "edge", 10, &row);

	for (size_t i = 0; !err && i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];

		put_int(&row, process->serial);
		put_site(&row, &edge->importer);
		put_text(&row, edge->module);
		put_int(&row, edge->count);
		put_int(&row, edge->cached);
		put_ns(&row, edge->first_ns);
		put_int(&row, edge->is_circular);
		put_load_id(&row, edge->load);
		row__end(&row);
	}
	return err ? err : row__close(&row);
}

static int put_libs(sqlite3 *db, const struct process *process)
{
	struct row row;
	int err = row__open(db, "lib", 9, &row);

	for (size_t i = 0; !err && i < process->lib_cnt; i++) {
		const struct lib *lib = process->libs[i];

		put_int(&row, process->serial);
		put_text(&row, lib->path);
		put_load_id(&row, lib->load);
		put_text(&row, word_lib_via(lib->via));
		put_int(&row, lib->tid);
		put_ns(&row, lib->start_ns);
		put_ns(&row, lib->wall_ns);
		put_ns(&row, lib->bytes);
		put_int(&row, lib->failed);
		row__end(&row);
	}
	return err ? err : row__close(&row);
}

static int put_files(sqlite3 *db, const struct process *process)
{
	struct row row;
	int err = row__open(db, "file", 12, &row);

	for (size_t i = 0; !err && i < process->files.cnt; i++) {
		const struct file *file = process->files.files[i];

		put_int(&row, process->serial);
		put_text(&row, file->path);
		put_load_id(&row, file->load);
		put_int(&row, file->io.opens);
		put_int(&row, file->io.open_misses);
		put_int(&row, file->io.stats);
		put_int(&row, file->io.stat_misses);
		put_ns(&row, file->io.bytes_read);
		put_ns(&row, file->io.bytes_written);
		put_ns(&row, file->io.mapped);
		put_ns(&row, process->measured & PYI_GROUP_DISK ? file->io.bytes_disk : NS_UNKNOWN);
		put_id(&row, file->io.size);
		row__end(&row);
	}
	return err ? err : row__close(&row);
}

int sqlite_put_process(sqlite3 *db, const struct process *process)
{
	return put_identity(db, process) ?: put_imports(db, process) ?: put_edges(db, process) ?:
	       put_libs(db, process) ?: put_files(db, process);
}
