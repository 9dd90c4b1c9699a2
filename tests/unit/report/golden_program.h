/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that every golden report shows, told as raw records: a shop that imports pandas, with
 * a circle of imports, a worker thread and hostile names. make_program() leaves it in `model`.
 */
#ifndef GOLDEN_PROGRAM_H
#define GOLDEN_PROGRAM_H

#include "model/model.h"
#include "unit.h"

#define MS 1000000ULL
#define MAIN_TID 4242

/* ---- records -------------------------------------------------------------------------------- */

static struct model *model;
static __u32 next_span, next_flags; /* flags of BEGIN records */

static void apply(const void *record, size_t size)
{
	CHECK(model__apply(model, record, size) == 0);
}

static struct pyi_hdr hdr(unsigned int kind, size_t size, __u32 tid, __u64 ms)
{
	return (struct pyi_hdr){
		.kind = (__u16)kind, .size = (__u32)size, .tgid = MAIN_TID, .tid = tid, .proc = 1,
		.ts_ns = ms * MS,
	};
}

/* Latin-1, or UTF-16 code units when @kind is 2. */
static struct pyi_str str(const char *text, size_t sz, unsigned int kind)
{
	struct pyi_str value = {
		.sz = (__u16)sz, .kind = (__u8)kind, .is_ascii = 1,
		.full_chars = (__u32)(sz / kind),
	};

	for (size_t i = 0; i < sz; i++)
		value.is_ascii &= kind == 1 && (unsigned char)text[i] < 0x80;
	return value;
}

/* @args: NUL-separated, as the kernel keeps them. */
static void put_exec(__u32 tgid, __u32 proc, __u64 ms, const char *comm, const char *args,
		     size_t args_sz)
{
	struct pyi_exec rec = { .ppid = 4000, .nspid = tgid, .old_tid = tgid };

	rec.hdr = hdr(PYI_EV_EXEC, sizeof(rec), tgid, ms);
	rec.hdr.tgid = tgid;
	rec.hdr.proc = proc;
	snprintf(rec.comm, sizeof(rec.comm), "%s", comm);
	rec.filename_sz = (__u16)snprintf(rec.filename, sizeof(rec.filename), "/usr/bin/%s", comm) + 1;
	rec.args_sz = (__u16)args_sz;
	memcpy(rec.args, args, args_sz);
	apply(&rec, sizeof(rec));
}

static void put_exit(__u32 tgid, __u32 proc, __u64 ms, int status)
{
	struct pyi_exit rec = { .hdr = hdr(PYI_EV_EXIT, sizeof(rec), tgid, ms),
				.exit_code = status };

	rec.hdr.tgid = tgid;
	rec.hdr.proc = proc;
	apply(&rec, sizeof(rec));
}

static void put_python(__u64 ms)
{
	struct pyi_python rec = {
		.hdr = hdr(PYI_EV_PYTHON, sizeof(rec), MAIN_TID, ms), .layout = 1,
		.checks = PYI_CHECK_NAME | PYI_CHECK_THREAD | PYI_CHECK_FRAME | PYI_CHECK_GLOBALS,
	};

	snprintf(rec.comm, sizeof(rec.comm), "python3.11");
	apply(&rec, sizeof(rec));
}

/* Line of an instruction: first + lasti / 2. */
static void put_code(__u32 id, const char *module, const char *filename, __u64 ms)
{
	union {
		struct pyi_code code;
		__u8 room[sizeof(struct pyi_code) + 64];
	} rec = { .code = { .id = id, .firstlineno = 1, .globals = 0x1000 + id,
			  .lines = PYI_LINES_LNOTAB, .table_sz = 64 } };

	rec.code.hdr = hdr(PYI_EV_CODE, sizeof(rec), MAIN_TID, ms);
	rec.code.module = str(module, strlen(module), 1);
	rec.code.filename = str(filename, strlen(filename), 1);
	rec.code.name = str("<module>", 8, 1);
	memcpy(rec.code.module_text, module, strlen(module));
	memcpy(rec.code.filename_text, filename, strlen(filename));
	memcpy(rec.code.name_text, "<module>", 8);
	for (size_t i = 0; i < 64; i += 2) {
		rec.code.table[i] = 2;
		rec.code.table[i + 1] = 1;
	}
	apply(&rec, sizeof(rec));
}

static struct pyi_frame at(__u32 code, int line)
{
	return (struct pyi_frame){ .code = code, .lasti = code ? 2 * (line - 1) : -1 };
}

static void put_edge(__u32 id, __u32 span, struct pyi_frame frame, const char *name, __u32 count,
		     __u32 loads, __u64 ms)
{
	union {
		struct pyi_edge edge;
		char room[sizeof(struct pyi_edge) + PYI_STR_SMALL];
	} rec = { .edge = { .id = id, .span = span, .frame = frame } };
	struct pyi_edge_count sum = { .id = id, .count = count, .loads = loads,
				      .first_ns = ms * MS };

	rec.edge.hdr = hdr(PYI_EV_EDGE, sizeof(rec), MAIN_TID, ms);
	rec.edge.name = str(name, strlen(name), 1);
	memcpy(rec.edge.text, name, strlen(name));
	apply(&rec, sizeof(rec));
	sum.hdr = hdr(PYI_EV_EDGE_COUNT, sizeof(sum), MAIN_TID, ms);
	apply(&sum, sizeof(sum));
}

static __u32 begin_full(enum pyi_span span, __u32 tid, __u32 parent, __u32 edge, __u32 code,
			struct pyi_frame frame, const char *text, size_t sz, unsigned int kind,
			__u64 ms)
{
	union {
		struct pyi_begin begin;
		char room[sizeof(struct pyi_begin) + PYI_STR_LARGE];
	} rec = { .begin = { .id = ++next_span, .parent = parent, .span = (__u8)span, .edge = edge,
			   .frame = frame, .code = code, .interp = 7,
			   .globals = code ? 0x1000 + code : 0 } };

	rec.begin.hdr = hdr(PYI_EV_BEGIN, sizeof(rec), tid, ms);
	rec.begin.hdr.flags = next_flags;
	rec.begin.name = str(text, sz, kind);
	memcpy(rec.begin.text, text, sz);
	apply(&rec, sizeof(rec));
	return rec.begin.id;
}

static __u32 begin_find(__u32 parent, __u32 edge, struct pyi_frame frame, const char *name,
			__u64 ms)
{
	return begin_full(PYI_SPAN_FIND, MAIN_TID, parent, edge, 0, frame, name, strlen(name), 1,
			  ms);
}

static __u32 begin_body(__u32 parent, __u32 code, const char *name, __u64 ms)
{
	return begin_full(PYI_SPAN_BODY, MAIN_TID, parent, 0, code, at(0, 0), name, strlen(name), 1,
			  ms);
}

static void end(__u32 id, enum pyi_span span, __u32 tid, const char *error, __u64 ms)
{
	struct pyi_end rec = {
		.hdr = hdr(PYI_EV_END, sizeof(rec), tid, ms), .id = id, .span = (__u8)span,
		.failed = error != NULL,
	};

	snprintf(rec.error, sizeof(rec.error), "%s", error ? error : "");
	apply(&rec, sizeof(rec));
}

static void put_mark(enum pyi_mark_kind mark, __u32 id, __u64 ms)
{
	struct pyi_mark rec = {
		.hdr = hdr(PYI_EV_MARK, sizeof(rec), MAIN_TID, ms), .id = id, .mark = mark,
		.frame = at(0, 0),
	};

	apply(&rec, sizeof(rec));
}

/* ---- the program every golden file shows ---------------------------------------------------- */

/* A source module whose body does nothing. */
static void put_leaf(__u32 parent, __u32 edge, struct pyi_frame frame, const char *name,
		     __u64 from_ms, __u64 to_ms)
{
	__u32 find = begin_find(parent, edge, frame, name, from_ms);

	put_mark(PYI_MARK_NEW_MODULE, find, from_ms + 1);
	end(find, PYI_SPAN_FIND, MAIN_TID, NULL, to_ms);
}

static void put_pandas(__u32 parent)
{
	__u32 find = begin_find(parent, 2, at(2, 12), "pandas", 1025), body, ext, dynamic, lib;

	put_code(3, "pandas", "/usr/lib/python3/dist-packages/pandas/__init__.py", 1026);
	body = begin_body(find, 3, "pandas", 1027);
	put_edge(3, body, at(3, 22), "numpy", 1, 1, 1030);
	put_leaf(body, 3, at(3, 22), "numpy", 1030, 1130);
	put_edge(4, body, at(3, 25), "pandas._libs.interval", 1, 1, 1140);
	ext = begin_find(body, 4, at(3, 25), "pandas._libs.interval", 1140);
	dynamic = begin_full(PYI_SPAN_DYNAMIC, MAIN_TID, ext, 0, 0, at(0, 0), "pandas._libs.interval",
			     21, 1, 1142);
	lib = begin_full(PYI_SPAN_DLOPEN, MAIN_TID, dynamic, 0, 0, at(0, 0),
			 "/usr/lib/python3/dist-packages/pandas/_libs/interval.so", 55, 1, 1143);
	end(lib, PYI_SPAN_DLOPEN, MAIN_TID, NULL, 1153);
	end(dynamic, PYI_SPAN_DYNAMIC, MAIN_TID, NULL, 1155);
	end(ext, PYI_SPAN_FIND, MAIN_TID, NULL, 1170);
	end(body, PYI_SPAN_BODY, MAIN_TID, NULL, 1354);
	end(find, PYI_SPAN_FIND, MAIN_TID, NULL, 1355);
}

/* shop.a imports shop.b, which imports shop.a. */
static void put_circle(__u32 parent)
{
	__u32 a = begin_find(parent, 5, at(2, 14), "shop.a", 1356), a_body, b, b_body;

	put_code(4, "shop.a", "/srv/shop/shop/a.py", 1356);
	a_body = begin_body(a, 4, "shop.a", 1357);
	put_edge(6, a_body, at(4, 1), "shop.b", 1, 1, 1358);
	b = begin_find(a_body, 6, at(4, 1), "shop.b", 1358);
	put_code(5, "shop.b", "/srv/shop/shop/b.py", 1358);
	b_body = begin_body(b, 5, "shop.b", 1359);
	put_edge(7, b_body, at(5, 2), "shop.a", 3, 0, 1360);
	end(b_body, PYI_SPAN_BODY, MAIN_TID, NULL, 1361);
	end(b, PYI_SPAN_FIND, MAIN_TID, NULL, 1362);
	end(a_body, PYI_SPAN_BODY, MAIN_TID, NULL, 1363);
	end(a, PYI_SPAN_FIND, MAIN_TID, NULL, 1364);
}

/* A load whose importer's file is hostile too. */
static void put_named(__u32 parent, __u32 edge, const char *name, size_t sz, unsigned int kind,
		      const char *error, __u64 ms)
{
	__u32 find;

	put_edge(edge, parent, at(6, (int)edge), "*", 1, 1, ms);
	find = begin_full(PYI_SPAN_FIND, MAIN_TID, parent, edge, 0, at(6, (int)edge), name, sz,
			  kind, ms);
	if (!error)
		put_mark(PYI_MARK_NEW_MODULE, find, ms);
	end(find, PYI_SPAN_FIND, MAIN_TID, error, ms + 1);
}

static void put_hostile(__u32 parent)
{
	static const char evil[] = "evil\033[2J\nimport time: 1 | 2 | fake\177\x9b" "31m";
	static const char bidi[] = "\x2e\x20" "a\0b\0\x66\x20\x00\xd8"; /* RLO, ab, LRI, half a pair */
	static const char wide[] = "\x21\x6a\x57\x57.\0\x34\x04";       /* two wide, one Cyrillic */
	char large[1000];

	memset(large, 'n', sizeof(large));
	put_code(6, "bad\nname", "/srv/shop/\033]0;title\007\x9b.py", 1372);
	put_named(parent, 20, evil, sizeof(evil) - 1, 1, "Evil\033[0mError", 1372);
	put_named(parent, 21, bidi, sizeof(bidi) - 1, 2, NULL, 1374);
	next_flags = PYI_F_APPROX;
	put_named(parent, 22, wide, sizeof(wide) - 1, 2, NULL, 1376);
	next_flags = 0;
	put_named(parent, 23, large, sizeof(large), 1, NULL, 1378);
}

static void put_program(void)
{
	__u32 main_body, shop, body, find;

	put_python(1004);
	put_leaf(0, 0, at(0, 0), "encodings", 1005, 1009);
	put_mark(PYI_MARK_RUN_MAIN, 0, 1018);
	put_code(1, "__main__", "/srv/shop/app.py", 1019);
	main_body = begin_body(0, 1, "__main__", 1019);
	put_edge(1, main_body, at(1, 3), "shop", 1, 1, 1020);
	shop = begin_find(main_body, 1, at(1, 3), "shop", 1020);
	put_code(2, "shop", "/srv/shop/shop/__init__.py", 1021);
	body = begin_body(shop, 2, "shop", 1022);
	put_edge(2, body, at(2, 12), "pandas", 1, 1, 1025);
	put_pandas(body);
	put_edge(5, body, at(2, 14), "shop.a", 1, 1, 1356);
	put_circle(body);
	put_edge(8, body, at(2, 17), "ujson", 1, 1, 1370);
	find = begin_find(body, 8, at(2, 17), "ujson", 1370);
	end(find, PYI_SPAN_FIND, MAIN_TID, "ModuleNotFoundError", 1371);
	put_hostile(body);
	end(body, PYI_SPAN_BODY, MAIN_TID, NULL, 1390);
	end(shop, PYI_SPAN_FIND, MAIN_TID, NULL, 1391);
	put_edge(9, main_body, at(1, 5), "sys", 5000, 0, 1392);
	begin_full(PYI_SPAN_FIND, 4250, 0, 0, 0, at(1, 8), "shop.worker", 11, 1, 1400);
	end(main_body, PYI_SPAN_BODY, MAIN_TID, NULL, 1480);
	put_exit(MAIN_TID, 1, 1500, 3 << 8);
}

static void set_facts(void)
{
	static const char *const notes[] = { "Lines inside generators are not known." };
	const struct process_info process = {
		.exe = "/usr/bin/python3.11", .cwd = "/srv/shop", .cgroup = "/shop.slice",
	};
	const struct python_info python = {
		.version = "3.11.2", .implementation = "cpython", .binary = "/usr/bin/python3.11",
		.layers = 0x1ff, .notes = notes, .note_cnt = 1,
	};
	const struct host_info host = {
		.kernel = "6.1.0", .arch = "x86_64", .hostname = "box", .tool_version = "0.0",
		.trace_start_ns = 900 * MS, .trace_end_ns = 1600 * MS,
	};
	const struct pyi_stats stats = { .ring_full = 12345, .unreadable = 1, .hits = 99 };

	CHECK(model__set_process_info(model, 1, &process) == 0);
	CHECK(model__set_python_info(model, 1, &python) == 0);
	CHECK(model__set_host(model, &host) == 0);
	model__set_stats(model, &stats);
}

static void make_program(void)
{
	static const char args[] = "/usr/bin/python3.11\0app.py\0--name\0a b\033[31m\xff";

	CHECK(model__new(&model) == 0);
	next_span = 0;
	put_exec(MAIN_TID, 1, 1000, "python3.11", args, sizeof(args));
	put_exec(77, 2, 1001, "sh", "sh", 3);
	put_exit(77, 2, 1002, 0);
	put_program();
	set_facts();
	CHECK(model__finish(model, 1600 * MS) == 0);
}

/* A chain of imports, each inside the last. */
static void make_chain(int depth)
{
	struct pyi_stats stats = { 0 };
	__u32 span = 0;
	char name[32];

	CHECK(model__new(&model) == 0);
	next_span = 0;
	put_exec(MAIN_TID, 1, 1000, "python3.11", "python3", 8);
	put_python(1001);
	for (int i = 0; i < depth; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		span = begin_find(span, 0, at(0, 0), name, 1002);
	}
	for (; span; span--)
		end(span, PYI_SPAN_FIND, MAIN_TID, NULL, 1003);
	model__set_stats(model, &stats);
	CHECK(model__finish(model, 1600 * MS) == 0);
}

static void drop_model(void)
{
	model__free(model);
	model = NULL;
}

#endif /* GOLDEN_PROGRAM_H */
