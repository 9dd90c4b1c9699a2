// SPDX-License-Identifier: BSD-2-Clause
/*
 * --format sqlite: the trace as a database file, for questions nobody foresaw. It is made in memory
 * and written at the end, so that it goes to pipes too; the rows are in sqlite_rows.c.
 */
#include "report/export/sqlite_out.h"

#include <errno.h>

#include "base/cleanup.h"
#include "report/text/walk.h"
#include "sqlite_tables.h"

/* After the rows: an index that grows with them would cost twice the time. */
static const char indexes[] =
	"CREATE INDEX import_by_id ON import (process, id);"
	"CREATE INDEX import_by_module ON import (module);"
	"CREATE INDEX edge_by_module ON edge (module);"
	"CREATE INDEX file_by_import ON file (process, import);";

static void cleanup_sqlite(sqlite3 **db)
{
	sqlite3_close(*db);
}

static void cleanup_sqlite_free(unsigned char **data)
{
	sqlite3_free(*data);
}

static int run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -ENOMEM;
}

static int fill(const struct view *view, sqlite3 *db)
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (!err)
		err = sqlite_put_trace(db, view);
	for (size_t i = 0; !err && i < cnt; i++)
		err = sqlite_put_process(db, processes[i]);
	return err;
}

int sqlite_write(const struct view *view)
{
	_cleanup_(cleanup_sqlite) sqlite3 *db = NULL;
	_cleanup_(cleanup_sqlite_free) unsigned char *data = NULL;
	sqlite3_int64 size = 0;
	int err = sqlite3_open(":memory:", &db) == SQLITE_OK ? 0 : -ENOMEM;

	/* Memory is all that can be missing: there is no file and nobody else. */
	err = err ?: run(db, sqlite_tables) ?: run(db, "BEGIN") ?: fill(view, db) ?: run(db, indexes) ?:
	      run(db, "COMMIT");
	if (err)
		return err;
	data = sqlite3_serialize(db, "main", &size, 0);
	if (!data)
		return -ENOMEM;
	fwrite(data, 1, (size_t)size, view->out); /* its errors are seen by report_write */
	return 0;
}
