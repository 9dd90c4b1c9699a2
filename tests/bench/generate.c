// SPDX-License-Identifier: BSD-2-Clause
/*
 * generate OUT.cap PROCESSES LOADS SHAPE: a capture of as many processes, each with as many loads.
 * Every load is as the kernel sends one of a .py file: statement, search, new module, code object,
 * body, charge, one file. SHAPE is how they nest: flat (all in the main module), deep (chains of
 * 500, as deep as the kernel follows), tree (each of the first half imports two others).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/capture.h"
#include "pyimport_event.h"
#include "pyimport_charge.h"
#include "pyimport_file.h"

#define CHAIN 500
#define TABLE_SZ 48
#define IDS_PER_LOAD 4 /* statement, search, code, body */

static struct {
	struct capture_writer *writer;
	__u32 proc, first_id, load_cnt;
	__u64 now_ns, record_cnt;
	const char *shape;
	int err;
} gen;

static struct pyi_hdr hdr_of(__u16 kind, size_t size)
{
	return (struct pyi_hdr){ .kind = kind, .size = size, .tgid = 1000 + gen.proc,
				 .tid = 1000 + gen.proc, .proc = gen.proc,
				 .ts_ns = gen.now_ns += 1000 };
}

static void put(const void *record, size_t size)
{
	if (!gen.err)
		gen.err = capture_writer__put(gen.writer, CAPTURE_RECORD, record, size);
	gen.record_cnt++;
}

static struct pyi_str str_of(char *text, size_t room, const char *format, __u32 nr)
{
	int len = snprintf(text, room, format, nr);

	return (struct pyi_str){ .sz = len, .kind = 1, .is_ascii = 1, .full_chars = len };
}

/* Ids of the nth load; the 0th is the main module's body and its code. */
static __u32 id_of(__u32 nr, int which)
{
	return gen.first_id + nr * IDS_PER_LOAD + which;
}

enum { ID_STMT, ID_FIND, ID_CODE, ID_BODY };

static void put_begin(__u32 nr, __u8 span, __u32 parent)
{
	struct {
		struct pyi_begin rec;
		char text[PYI_STR_SMALL];
	} out = {};

	out.rec.hdr = hdr_of(PYI_EV_BEGIN, sizeof(out));
	out.rec.span = span;
	out.rec.frame = (struct pyi_frame){ 0, -1 };
	out.rec.id = id_of(nr, span == PYI_SPAN_BODY ? ID_BODY : ID_FIND);
	out.rec.parent = parent;
	if (span == PYI_SPAN_BODY) {
		out.rec.code = id_of(nr, ID_CODE);
		out.rec.globals = 0x10000000ULL + (__u64)nr * 64;
	} else {
		out.rec.edge = id_of(nr, ID_STMT);
	}
	out.rec.name = str_of(out.text, sizeof(out.text), nr ? "app.part.module_%u" : "__main__",
			      nr);
	put(&out, sizeof(out));
}

static void put_end(__u32 nr, __u8 span)
{
	struct pyi_end rec = { .hdr = hdr_of(PYI_EV_END, sizeof(rec)), .span = span,
			       .id = id_of(nr, span == PYI_SPAN_BODY ? ID_BODY : ID_FIND) };

	put(&rec, sizeof(rec));
}

static void put_code(__u32 nr)
{
	struct {
		struct pyi_code rec;
		__u8 table[1024];
	} out = {};
	struct pyi_code *rec = &out.rec;

	rec->hdr = hdr_of(PYI_EV_CODE, sizeof(out));
	rec->id = id_of(nr, ID_CODE);
	rec->firstlineno = 1;
	rec->globals = 0x10000000ULL + (__u64)nr * 64;
	rec->lines = PYI_LINES_LOCATIONS;
	rec->table_sz = TABLE_SZ;
	rec->module = str_of(rec->module_text, sizeof(rec->module_text),
			     nr ? "app.part.module_%u" : "__main__", nr);
	rec->package = str_of(rec->package_text, sizeof(rec->package_text), "app.part", 0);
	rec->filename = str_of(rec->filename_text, sizeof(rec->filename_text),
			       "/srv/app/part/module_%u.py", nr);
	rec->name = str_of(rec->name_text, sizeof(rec->name_text), "<module>", 0);
	for (int i = 0; i < TABLE_SZ; i += 2) { /* a line for each unit of code */
		out.table[i] = 0x80 | 13 << 3;
		out.table[i + 1] = i ? 2 : 0;
	}
	out.table[TABLE_SZ - 1] = nr % 32 * 2; /* real ones differ, too */
	put(&out, sizeof(out));
}

static void put_stmt(__u32 nr, __u32 parent_nr)
{
	struct {
		struct pyi_edge rec;
		char text[PYI_STR_TINY];
	} out = {};

	out.rec.hdr = hdr_of(PYI_EV_EDGE, sizeof(out));
	out.rec.id = id_of(nr, ID_STMT);
	out.rec.span = id_of(parent_nr, ID_BODY);
	out.rec.frame = (struct pyi_frame){ id_of(parent_nr, ID_CODE), (int)(nr % 20) * 2 };
	out.rec.name = str_of(out.text, sizeof(out.text), "app.part.module_%u", nr);
	put(&out, sizeof(out));
}

static void put_counts(__u32 nr)
{
	struct pyi_edge_count rec = { .hdr = hdr_of(PYI_EV_EDGE_COUNT, sizeof(rec)),
				      .id = id_of(nr, ID_STMT), .count = 3, .loads = 1,
				      .first_ns = gen.now_ns };

	put(&rec, sizeof(rec));
}

static void put_costs(__u32 nr)
{
	struct {
		struct pyi_path rec;
		char text[64];
	} path = {};
	struct pyi_file file = { .hdr = hdr_of(PYI_EV_FILE, sizeof(file)) };
	struct pyi_charge_record charge = { .hdr = hdr_of(PYI_EV_CHARGE, sizeof(charge)),
					    .span = id_of(nr, ID_FIND) };

	charge.charge = (struct pyi_charge){ .opens = 1, .stats = 3, .bytes_read = 4000 };
	put(&charge, sizeof(charge));
	path.rec.hdr = hdr_of(PYI_EV_PATH, sizeof(path));
	path.rec.key = ((__u64)gen.proc << 32) + nr + 1;
	path.rec.kind = PYI_PATH_GIVEN;
	path.rec.sz = snprintf(path.text, sizeof(path.text), "/srv/app/part/module_%u.py", nr);
	put(&path, sizeof(path));
	file.key.path = path.rec.key;
	file.key.span = id_of(nr, ID_FIND);
	file.key.serial = gen.proc;
	file.value.opens = 1;
	file.value.bytes_read = 4000;
	put(&file, sizeof(file));
}

static void open_load(__u32 nr, __u32 parent_nr)
{
	struct pyi_mark mark = { .id = id_of(nr, ID_FIND), .mark = PYI_MARK_NEW_MODULE,
				 .frame = { 0, -1 } };

	put_stmt(nr, parent_nr);
	put_begin(nr, PYI_SPAN_FIND, id_of(parent_nr, ID_BODY));
	mark.hdr = hdr_of(PYI_EV_MARK, sizeof(mark));
	put(&mark, sizeof(mark));
	put_code(nr);
	put_begin(nr, PYI_SPAN_BODY, id_of(nr, ID_FIND));
}

static void close_load(__u32 nr)
{
	struct pyi_charged rec = { .groups = PYI_GROUP_CPU | PYI_GROUP_FILES };

	put_end(nr, PYI_SPAN_BODY);
	put_end(nr, PYI_SPAN_FIND);
	put_costs(nr);
	if (nr % 500)
		return;
	rec.hdr = hdr_of(PYI_EV_CHARGED, sizeof(rec));
	put(&rec, sizeof(rec));
}

static void load_tree(__u32 nr, __u32 parent_nr)
{
	if (nr > gen.load_cnt)
		return;
	open_load(nr, parent_nr);
	load_tree(2 * nr, nr);
	load_tree(2 * nr + 1, nr);
	close_load(nr);
}

static void load_chains(__u32 depth)
{
	for (__u32 nr = 1; nr <= gen.load_cnt; nr += depth) {
		__u32 last = nr + depth - 1 < gen.load_cnt ? nr + depth - 1 : gen.load_cnt;

		for (__u32 i = nr; i <= last; i++)
			open_load(i, i == nr ? 0 : i - 1);
		for (__u32 i = last; i >= nr; i--)
			close_load(i);
	}
}

static void run_process(__u32 proc)
{
	struct pyi_exec exec = { .nspid = 1, .ppid = 1, .comm = "python3", .filename_sz = 17,
				 .args_sz = 16, .filename = "/usr/bin/python3",
				 .args = "python3\0app.py\0" };
	struct pyi_python python = { .layout = 1 };
	struct pyi_exit exit_rec = {};

	gen.proc = proc;
	gen.first_id = 1 + (proc - 1) * (gen.load_cnt + 1) * IDS_PER_LOAD;
	exec.hdr = hdr_of(PYI_EV_EXEC, sizeof(exec));
	put(&exec, sizeof(exec));
	python.hdr = hdr_of(PYI_EV_PYTHON, sizeof(python));
	put(&python, sizeof(python));
	put_code(0);
	put_begin(0, PYI_SPAN_BODY, 0);
	if (!strcmp(gen.shape, "tree"))
		load_tree(1, 0);
	else
		load_chains(!strcmp(gen.shape, "deep") ? CHAIN : 1);
	put_end(0, PYI_SPAN_BODY);
	exit_rec.hdr = hdr_of(PYI_EV_EXIT, sizeof(exit_rec));
	put(&exit_rec, sizeof(exit_rec));
	for (__u32 nr = 1; nr <= gen.load_cnt; nr++)
		put_counts(nr);
}

int main(int argc, char **argv)
{
	__u32 process_cnt = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	FILE *out = process_cnt ? fopen(argv[1], "w") : NULL;
	struct capture_end end = {};

	if (!out || capture_writer__new(out, &gen.writer))
		return 2;
	gen.load_cnt = strtoul(argv[3], NULL, 10);
	gen.shape = argv[4];
	for (__u32 proc = 1; proc <= process_cnt; proc++)
		run_process(proc);
	end = (struct capture_end){ .end_ns = gen.now_ns, .record_cnt = gen.record_cnt };
	if (!gen.err)
		gen.err = capture_writer__put(gen.writer, CAPTURE_END, &end, sizeof(end));
	if (!gen.err)
		gen.err = capture_writer__flush(gen.writer);
	capture_writer__free(gen.writer);
	return gen.err || fclose(out) ? 1 : 0;
}
