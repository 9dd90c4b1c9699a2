// SPDX-License-Identifier: BSD-2-Clause
/* What the stream means: loads, their results, kinds, stages; processes and threads. */
#include "stream.h"

#define FILE_A "/app/a.py"

static void test_tree(void)
{
	struct process *process;
	struct stream s;
	struct load *a, *b;

	open_main(&s);
	stream_edge(&s, 2900, 20, 1, 0, 0, 10, 4, "a"); /* third unit: line 3 */
	stream_code(&s, 11, 0x20, "a", "", FILE_A, "<module>", 1, 5);
	stream_open_load(&s, 3000, 2, 1, 20, 11, 0x20, "a");
	stream_edge(&s, 3400, 21, 3, 0, 0, 11, 2, "b");
	stream_code(&s, 12, 0x30, "b", "", "/app/b.py", "<module>", 1, 5);
	stream_open_load(&s, 3500, 4, 3, 21, 12, 0x30, "b");
	stream_close_load(&s, 4500, 4);
	stream_close_load(&s, 6000, 2);
	stream_end(&s, 9000, 1);
	stream_exit(&s, 9500, 3 << 8);
	stream_count(&s, 20, 5, 1);
	stream_count(&s, 21, 1, 1);
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	a = stream_load(&s, 1, "a", 0);
	b = stream_load(&s, 1, "b", 0);
	CHECK(process->load_cnt == 3 && process->root_cnt == 1 && process->loaded_cnt == 3);
	CHECK(b->parent == a && a->child_cnt == 1 && a->children[0] == b && b->seq == 2);
	CHECK(a->wall_ns == 3000 && a->self_ns == 2000 && b->self_ns == 1000);
	CHECK(a->find_ns == 10 && a->exec_ns == 6000 - 5 - 3030);
	CHECK(a->kind == KIND_SOURCE && a->via == VIA_STATEMENT && a->result == LOAD_LOADED);
	CHECK(a->is_exact && !a->is_inherited && a->tid == 100);
	SAME(a->file, FILE_A);
	SAME(a->importer.module, "__main__");
	SAME(a->importer.file, "/app/app.py");
	CHECK(a->importer.line == 3 && b->importer.line == 2);
	CHECK(process->roots[0]->via == VIA_MAIN && process->roots[0]->kind == KIND_SOURCE);
	CHECK(!process->roots[0]->importer.file);
	CHECK(process->has_exit && process->exit_code == 3 && !process->exit_signal);
	CHECK(process->start_ns == 1000 && process->end_ns == 9500 && process->exec_ns == 1000);
	CHECK(process->argc == 2 && !strcmp(process->argv[1], "app.py") && process->nspid == 7);
	CHECK(process->cached_cnt == 4 && process->startup_end_ns == 6000);
	CHECK(stream_find_edge(&s, 1, 3, "a")->count == 5);
	CHECK(stream_find_edge(&s, 1, 3, "a")->cached == 4);
	CHECK(stream_find_edge(&s, 1, 3, "a")->load == a);
	CHECK(model__is_complete(s.model));
	stream_close(&s);
}

static void test_failures(void)
{
	struct stream s;

	open_main(&s);
	stream_find(&s, 3000, 2, 1, 0, "gone");
	stream_fail(&s, 3100, 2, "ModuleNotFoundError");
	stream_begin(&s, 3200, 3, 1, PYI_SPAN_SEARCH, "gone_too.sub"); /* nothing was found */
	stream_begin(&s, 3210, 9, 3, PYI_SPAN_SEARCH, "gone_too");
	stream_import_error(&s, 3220, 9, "ModuleNotFoundError");
	stream_end(&s, 3230, 9);
	stream_end(&s, 3300, 3);
	stream_begin(&s, 3400, 4, 1, PYI_SPAN_SEARCH, "bad");
	stream_mark(&s, 3410, 4, PYI_MARK_NEW_MODULE);
	stream_body(&s, 3420, 5, 4, 0, 0x40, "bad");
	stream_fail(&s, 3430, 5, "RuntimeError");
	stream_end(&s, 3500, 4);
	stream_begin(&s, 3600, 6, 1, PYI_SPAN_SEARCH, "unparsable");
	stream_mark(&s, 3610, 6, PYI_MARK_NEW_MODULE);
	stream_mark(&s, 3620, 6, PYI_MARK_COMPILE);
	stream_end(&s, 3700, 6);
	stream_find(&s, 3800, 7, 1, 0, "open");
	stream_exit(&s, 3900, 9);
	stream_finish(&s, 10000);
	CHECK(stream_load(&s, 1, "gone", 0)->result == LOAD_FAILED);
	SAME(stream_load(&s, 1, "gone", 0)->error, "ModuleNotFoundError");
	CHECK(stream_load(&s, 1, "gone_too", 0)->result == LOAD_FAILED);
	SAME(stream_load(&s, 1, "gone_too", 0)->error, "ModuleNotFoundError");
	CHECK(stream_load(&s, 1, "gone_too.sub", 0)->result == LOAD_FAILED);
	SAME(stream_load(&s, 1, "gone_too.sub", 0)->error, "ModuleNotFoundError");
	CHECK(stream_load(&s, 1, "bad", 0)->result == LOAD_FAILED);
	SAME(stream_load(&s, 1, "bad", 0)->error, "RuntimeError");
	CHECK(stream_load(&s, 1, "unparsable", 0)->result == LOAD_FAILED);
	SAME(stream_load(&s, 1, "unparsable", 0)->error, "NULL");
	CHECK(stream_load(&s, 1, "open", 0)->result == LOAD_UNFINISHED);
	CHECK(stream_load(&s, 1, "open", 0)->wall_ns == NS_UNKNOWN);
	CHECK(stream_load(&s, 1, "__main__", 0)->result == LOAD_UNFINISHED);
	CHECK(stream_process(&s, 1)->exit_signal == 9 && stream_process(&s, 1)->failed_cnt == 5);
	CHECK(stream_process(&s, 1)->unfinished_cnt == 1);
	stream_close(&s);
}

/* import_module of a module that is there takes its lock up to 3.10: no load, no failure. */
static void test_cached_import_module(void)
{
	struct stream s;

	open_main(&s);
	stream_open_load(&s, 3000, 2, 1, 0, 0, 0x20, "a");
	stream_begin(&s, 3200, 4, 3, PYI_SPAN_SEARCH, "a"); /* itself, while it is loading */
	stream_end(&s, 3210, 4);
	stream_close_load(&s, 3500, 2);
	stream_begin(&s, 3600, 5, 1, PYI_SPAN_SEARCH, "a");
	stream_end(&s, 3610, 5);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	CHECK(stream_process(&s, 1)->load_cnt == 2 && stream_process(&s, 1)->failed_cnt == 0);
	CHECK(stream_load(&s, 1, "a", 0)->self_ns == 500);
	stream_close(&s);
}

static void test_kinds(void)
{
	static const struct pyi_frame stack[] = { { 33, 0 }, { 10, 10 } };
	struct pyi_begin open = { .id = 22, .parent = 21, .span = PYI_SPAN_DLOPEN };
	struct process *process;
	struct load *ext;
	struct stream s;

	open_main(&s);
	stream_code(&s, 30, 0x50, "f", "", "<frozen f>", "<module>", 1, 1);
	stream_open_load(&s, 3000, 2, 1, 0, 30, 0x50, "f");
	stream_close_load(&s, 3100, 2);
	stream_code(&s, 31, 0x51, "z", "", "/app/x.zip/z.py", "<module>", 1, 1);
	stream_open_load(&s, 3200, 4, 1, 0, 31, 0x51, "z");
	stream_close_load(&s, 3300, 4);
	stream_code(&s, 32, 0x52, "y", "", "/app/my.zipper/y.py", "<module>", 1, 1);
	stream_find(&s, 3400, 6, 1, 0, "y");
	stream_mark(&s, 3410, 6, PYI_MARK_NEW_MODULE);
	stream_body(&s, 3420, 7, 6, 32, 0x52, "y");
	stream_close_load(&s, 3500, 6);
	stream_find(&s, 3600, 8, 1, 0, "ns");
	stream_mark(&s, 3610, 8, PYI_MARK_NEW_MODULE);
	stream_end(&s, 3620, 8);
	stream_find(&s, 3700, 9, 1, 0, "bi");
	stream_mark(&s, 3710, 9, PYI_MARK_CREATE_BUILTIN);
	stream_begin(&s, 3720, 10, 9, PYI_SPAN_EXECDEF, "bi");
	stream_end(&s, 3730, 10);
	stream_end(&s, 3740, 9);
	stream_find(&s, 4000, 20, 1, 0, "ext");
	stream_begin(&s, 4100, 21, 20, PYI_SPAN_DYNAMIC, "");
	stream_begin_full(&s, 4110, &open, "/app/ext.so");
	stream_end(&s, 4150, 22);
	stream_end(&s, 4200, 21);
	stream_begin(&s, 4300, 23, 20, PYI_SPAN_EXECDEF, "ext");
	stream_find(&s, 4310, 24, 23, 0, "child");
	stream_code(&s, 33, 0x53, "importlib._bootstrap", "importlib",
		    "<frozen importlib._bootstrap>", "_call_with_frames_removed", 1, 1);
	stream_frames(&s, 24, stack, 2);
	stream_end(&s, 4320, 24);
	stream_end(&s, 4350, 23);
	stream_end(&s, 4400, 20);
	stream_find(&s, 4500, 25, 1, 0, "odd"); /* took its own place in sys.modules, say */
	stream_end(&s, 4600, 25);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	ext = stream_load(&s, 1, "ext", 0);
	CHECK(stream_load(&s, 1, "f", 0)->kind == KIND_FROZEN);
	CHECK(stream_load(&s, 1, "z", 0)->kind == KIND_ZIP);
	CHECK(stream_load(&s, 1, "y", 0)->kind == KIND_BYTECODE);
	CHECK(stream_load(&s, 1, "ns", 0)->kind == KIND_NAMESPACE);
	CHECK(stream_load(&s, 1, "bi", 0)->kind == KIND_BUILTIN);
	CHECK(!stream_load(&s, 1, "bi", 0)->file);
	CHECK(stream_load(&s, 1, "odd", 0)->kind == KIND_UNKNOWN);
	CHECK(stream_load(&s, 1, "odd", 0)->result == LOAD_LOADED);
	CHECK(ext->kind == KIND_EXTENSION && ext->find_ns == 100 && ext->dlopen_ns == 40);
	CHECK(ext->init_ns == 60 && ext->exec_ns == 50 && ext->self_ns == 390);
	SAME(ext->file, "/app/ext.so");
	CHECK(stream_load(&s, 1, "child", 0)->via == VIA_NATIVE);
	SAME(stream_load(&s, 1, "child", 0)->importer.module, "ext"); /* not who asked for ext */
	CHECK(!stream_load(&s, 1, "child", 0)->importer.file);
	CHECK(stream_load(&s, 1, "child", 0)->unknown == UNKNOWN_LINE);
	CHECK(!stream_load(&s, 1, "f", 0)->unknown);
	CHECK(process->lib_cnt == 1 && process->libs[0]->load == ext);
	CHECK(process->libs[0]->wall_ns == 40 && process->load_cnt == 9);
	stream_close(&s);
}

/* Whoever came second only waited; it may have been the first to ask. */
static void test_waiting(void)
{
	for (int order = 0; order < 2; order++) {
		__u32 loader = order ? 101 : 100, waiter = order ? 100 : 101;
		struct process *process;
		struct stream s;

		open_main(&s);
		s.tid = waiter;
		stream_find(&s, 2900, 30, 0, 0, "outer");
		stream_mark(&s, 2910, 30, PYI_MARK_NEW_MODULE);
		stream_body(&s, 2920, 31, 30, 0, 0x90, "outer");
		if (order)
			stream_find(&s, 2990, 32, 31, 0, "a");
		s.tid = loader;
		stream_open_load(&s, 3000, 2, 0, 0, 0, 0x20, "a");
		s.tid = waiter;
		if (!order)
			stream_find(&s, 3100, 32, 31, 0, "a");
		s.tid = loader;
		stream_close_load(&s, 4000, 2);
		s.tid = waiter;
		stream_end(&s, 4100, 32);
		stream_end(&s, 4200, 31);
		stream_end(&s, 4300, 30);
		stream_finish(&s, 10000);
		process = stream_process(&s, 1);
		CHECK(process->load_cnt == 3 && process->lock_waits == 1);
		CHECK(stream_load(&s, 1, "a", 0)->tid == loader && !stream_load(&s, 1, "a", 1));
		CHECK(stream_load(&s, 1, "outer", 0)->child_cnt == 0);
		CHECK(stream_load(&s, 1, "outer", 0)->lock_wait_ns == (order ? 1110 : 1000));
		CHECK(stream_load(&s, 1, "outer", 0)->self_ns == 1400);
		stream_close(&s);
	}
}

/* A thread blocked on the lock of a module that another one loads, or that it loads itself. */
static void test_blocked_on_module(void)
{
	for (int is_own = 0; is_own < 2; is_own++) {
		struct pyi_begin rec = { .id = 32, .span = PYI_SPAN_FIND, .via = PYI_VIA_WAIT,
					 .frame = { 0, -1 } };
		struct process *process;
		struct stream s;

		open_main(&s);
		stream_open_load(&s, 3000, 2, 0, 0, 0, 0x20, "a");
		rec.parent = is_own ? 2 : 0;
		s.tid = is_own ? s.tid : 105;
		stream_begin_full(&s, 3100, &rec, "a");
		if (is_own)
			stream_end(&s, 3500, 32);
		s.tid = 100;
		stream_close_load(&s, 4000, 2);
		if (!is_own) { /* one more, when nobody loads it any longer */
			s.tid = 106;
			rec.id = 33;
			stream_begin_full(&s, 4010, &rec, "a");
			s.tid = 105;
			stream_end(&s, 4020, 32);
			s.tid = 106;
			stream_end(&s, 4030, 33);
		}
		stream_finish(&s, 10000);
		process = stream_process(&s, 1);
		CHECK(process->load_cnt == 2 && process->wait_cnt == (is_own ? 0 : 1));
		CHECK(process->lock_waits == (is_own ? 0 : 1));
		CHECK(is_own || (process->waits[0]->owner == stream_load(&s, 1, "a", 0) &&
				 process->waits[0]->wall_ns == 920 && !process->waits[0]->load));
		stream_close(&s);
	}
}

static void test_fork_and_exec(void)
{
	struct process *parent, *child, *image;
	struct load *inherited;
	struct stream s;

	open_main(&s);
	stream_open_load(&s, 3000, 2, 1, 0, 0, 0x20, "a");
	stream_fork(&s, 3200, 200, 2);
	stream_close_load(&s, 4000, 2); /* the parent is quicker */
	stream_end(&s, 4100, 1);
	s.proc = 2;
	s.tgid = s.tid = 200;
	stream_open_load(&s, 4200, 10, 3, 0, 0, 0x20, "b");
	stream_close_load(&s, 4300, 10);
	stream_close_load(&s, 4400, 2); /* the child leaves a's body as well */
	stream_find(&s, 4500, 12, 1, 0, "c");
	stream_end(&s, 4600, 12);
	s.proc = 3;
	stream_exec(&s, 5000, 100, "x", 2);
	stream_find(&s, 5100, 13, 0, 0, "d");
	s.proc = 4;
	stream_exec(&s, 6000, 100, "y", 2);
	stream_finish(&s, 10000);
	parent = stream_process(&s, 1);
	child = stream_process(&s, 2);
	image = stream_process(&s, 3);
	CHECK(parent->load_cnt == 2 && stream_load(&s, 1, "a", 0)->wall_ns == 1000);
	CHECK(stream_load(&s, 1, "a", 0)->result == LOAD_LOADED);
	CHECK(child->parent == parent && child->ppid == 100 && child->is_python);
	CHECK(child->end_ns == 5000 && child->loaded_cnt == 2 && child->unfinished_cnt == 0);
	inherited = stream_load(&s, 2, "a", 0);
	CHECK(inherited && inherited->is_inherited);
	CHECK(inherited->id != stream_load(&s, 1, "a", 0)->id);
	CHECK(stream_load(&s, 2, "b", 0)->parent == inherited);
	SAME(inherited->parent->module, "__main__");
	CHECK(inherited->parent->seq == 0 && inherited->seq == 1);
	CHECK(stream_load(&s, 2, "c", 0)->parent == inherited->parent);
	CHECK(stream_load(&s, 3, "d", 0)->result == LOAD_UNFINISHED);
	CHECK(image->end_ns == 6000 && image->parent == parent && !image->is_late);
	stream_close(&s);
}

static void test_late_and_threads(void)
{
	struct pyi_hdr gone;
	struct stream s;

	stream_open(&s);
	stream_find(&s, 3000, 2, 77, 0, "under_unknown");
	stream_end(&s, 3050, 2);
	stream_end(&s, 3060, 99); /* began before us */
	s.tid = 101;
	stream_find(&s, 3100, 3, 0, 0, "thread_dies");
	gone = stream_hdr(&s, PYI_EV_THREAD_EXIT, sizeof(gone), 3200);
	stream_apply(&s, &gone, sizeof(gone));
	s.tid = 100;
	stream_find(&s, 3300, 4, 0, 0, "thread_dies");
	stream_end(&s, 3400, 4);
	stream_finish(&s, 10000);
	CHECK(stream_process(&s, 1)->is_late && stream_process(&s, 1)->load_cnt == 3);
	CHECK(!stream_load(&s, 1, "under_unknown", 0)->is_exact);
	CHECK(!stream_load(&s, 1, "under_unknown", 0)->parent);
	CHECK(stream_load(&s, 1, "thread_dies", 0)->result == LOAD_UNFINISHED);
	CHECK(stream_load(&s, 1, "thread_dies", 1)->result == LOAD_LOADED);
	CHECK(model__malformed(s.model) == 0);
	stream_close(&s);
}

/* A code record has room for a part of such a name; the body's begin has it whole. */
static void test_long_names(void)
{
	char name[PYI_CODE_NAME_SZ + 100 + 1];
	size_t size = sizeof(struct pyi_code);
	struct pyi_code *code = calloc(1, size);
	struct stream s;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	open_main(&s);
	code->hdr = stream_hdr(&s, PYI_EV_CODE, size, 1);
	code->id = 60;
	code->globals = 0x90;
	code->module = stream_str(name);
	code->module.sz = PYI_CODE_NAME_SZ;
	memset(code->module_text, 'x', PYI_CODE_NAME_SZ);
	for (__u32 i = 0; i < 2; i++) { /* the body's own code, then a function's */
		stream_apply(&s, code, size);
		if (!i)
			stream_open_load(&s, 3000, 2, 1, 0, 60, 0x90, name);
		stream_edge(&s, 3100 + i, 20 + i, 3, 0, 0, code->id++, 0, i ? "second" : "first");
	}
	stream_close_load(&s, 3200, 2);
	stream_finish(&s, 10000);
	CHECK(stream_load(&s, 1, name, 0));
	CHECK(stream_process(&s, 1)->edge_cnt == 2 && model__truncated(s.model) == 2);
	for (size_t i = 0; i < stream_process(&s, 1)->edge_cnt; i++)
		SAME(stream_process(&s, 1)->edges[i]->importer.module, name);
	free(code);
	stream_close(&s);
}

int main(void)
{
	RUN(test_tree);
	RUN(test_failures);
	RUN(test_cached_import_module);
	RUN(test_kinds);
	RUN(test_waiting);
	RUN(test_blocked_on_module);
	RUN(test_fork_and_exec);
	RUN(test_late_and_threads);
	RUN(test_long_names);
	return unit_result();
}
