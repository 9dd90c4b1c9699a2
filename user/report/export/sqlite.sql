-- The tables of --format sqlite; docs/sqlite.md says what the columns mean. Version 1: columns and
-- tables are added, never renamed or removed. Times are nanoseconds, sizes bytes; NULL is unknown.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE loss (counter TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
CREATE TABLE process (
	serial INTEGER PRIMARY KEY, parent INTEGER, pid INTEGER, nspid INTEGER, ppid INTEGER,
	command TEXT, exe TEXT, cwd TEXT, cgroup TEXT, container TEXT,
	python TEXT, implementation TEXT,
	start_ns INTEGER, end_ns INTEGER, exec_ns INTEGER,
	startup_ns INTEGER, interpreter_ns INTEGER, imports_ns INTEGER,
	exit_code INTEGER, exit_signal INTEGER, attached_late INTEGER,
	loaded INTEGER, failed INTEGER, unfinished INTEGER, cached INTEGER, label TEXT);
CREATE TABLE import (
	process INTEGER, id INTEGER, parent INTEGER, tid INTEGER, seq INTEGER,
	module TEXT, package TEXT, result TEXT, error TEXT, kind TEXT, file TEXT, via TEXT,
	importer TEXT, importer_file TEXT, importer_line INTEGER,
	start_ns INTEGER, wall_ns INTEGER, self_ns INTEGER,
	cpu_ns INTEGER, self_cpu_ns INTEGER, lock_wait_ns INTEGER,
	wait_disk_ns INTEGER, wait_lock_ns INTEGER, wait_runqueue_ns INTEGER,
	wait_network_ns INTEGER, wait_sleep_ns INTEGER, wait_child_ns INTEGER,
	wait_other_ns INTEGER,
	opens INTEGER, open_misses INTEGER, stats INTEGER, stat_misses INTEGER,
	bytes_read INTEGER, bytes_from_disk INTEGER, rss_bytes INTEGER, exact INTEGER,
	overhead_ns INTEGER, overhead_total_ns INTEGER);
CREATE TABLE edge (
	process INTEGER, importer TEXT, importer_file TEXT, importer_line INTEGER, module TEXT,
	count INTEGER, cached INTEGER, first_ns INTEGER, circular INTEGER, import INTEGER);
CREATE TABLE lib (
	process INTEGER, path TEXT, import INTEGER, via TEXT, tid INTEGER,
	start_ns INTEGER, wall_ns INTEGER, bytes INTEGER, failed INTEGER);
CREATE TABLE file (
	process INTEGER, path TEXT, import INTEGER, opens INTEGER, open_misses INTEGER,
	stats INTEGER, stat_misses INTEGER, bytes_read INTEGER, bytes_written INTEGER,
	mapped INTEGER, bytes_from_disk INTEGER, size INTEGER);
