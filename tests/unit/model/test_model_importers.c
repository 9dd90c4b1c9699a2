// SPDX-License-Identifier: BSD-2-Clause
/* What the stream means: who imported a load, and bodies that run outside any. */
#include "stream.h"

/* Importlib's frames are looked through; a package on the way has its submodule's importer. */
static void test_importers(void)
{
	static const struct pyi_frame stack[] = { { 40, 0 }, { 41, 0 }, { 10, 10 } };
	static const struct pyi_frame lib[] = { { 41, 0 }, { 42, 0 }, { 10, 12 } };
	struct stream s;

	open_main(&s);
	stream_code(&s, 40, 0x60, "importlib._bootstrap", "importlib",
		    "<frozen importlib._bootstrap>", "_call_with_frames_removed", 1, 1);
	stream_code(&s, 41, 0x60, "importlib._bootstrap", "importlib",
		    "<frozen importlib._bootstrap>", "_find_and_load", 1, 1);
	stream_code(&s, 42, 0x61, "importlib", "importlib",
		    "/usr/lib/python3.11/importlib/__init__.py", "import_module", 1, 1);
	stream_edge(&s, 2900, 20, 1, 0, 0, 10, 10, "p.q");
	stream_find(&s, 3000, 2, 1, 20, "p.q");
	stream_find(&s, 3010, 3, 2, 0, "p");
	stream_frames(&s, 3, stack, 3);
	stream_end(&s, 3050, 3);
	stream_end(&s, 3060, 2);
	stream_begin(&s, 3100, 4, 1, PYI_SPAN_SEARCH, "m");
	stream_frames(&s, 4, lib, 3);
	stream_mark(&s, 3110, 4, PYI_MARK_NEW_MODULE);
	stream_end(&s, 3150, 4);
	stream_edge(&s, 3200, 21, 1, 0, 0, 10, 14, "r.s");
	stream_find(&s, 3210, 5, 1, 21, "r.s");
	stream_find(&s, 3220, 6, 5, 0, "r"); /* its frames were lost */
	stream_end(&s, 3230, 6);
	stream_end(&s, 3240, 5);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	CHECK(stream_load(&s, 1, "p", 0)->importer.line == 6);
	CHECK(stream_load(&s, 1, "p", 0)->via == VIA_STATEMENT);
	CHECK(stream_load(&s, 1, "p.q", 0)->importer.line == 6);
	CHECK(stream_load(&s, 1, "m", 0)->importer.line == 7);
	CHECK(stream_load(&s, 1, "m", 0)->via == VIA_IMPORT_MODULE);
	CHECK(stream_load(&s, 1, "r", 0)->importer.line == 8);
	stream_close(&s);
}

/* exec() of a string is no import, whoever's names it runs in; a loader's exec_module is one. */
static void test_bodies(void)
{
	static const struct pyi_frame user[] = { { 10, 4 } };
	static const struct pyi_frame loader[] = { { 43, 0 }, { 10, 6 } };
	static const struct pyi_frame lazy[] = { { 43, 0 }, { 44, 0 }, { 10, 8 } };
	struct pyi_begin open = { .id = 8, .parent = 7, .span = PYI_SPAN_DLOPEN };
	struct process *process;
	struct stream s;

	open_main(&s);
	stream_code(&s, 43, 0x60, "importlib._bootstrap_external", "importlib",
		    "<frozen importlib._bootstrap_external>", "exec_module", 1, 1);
	stream_code(&s, 44, 0x62, "importlib.util", "importlib", "/usr/lib/importlib/util.py",
		    "__getattribute__", 1, 1);
	stream_code(&s, 45, 0x10, "__main__", "", "<string>", "<module>", 1, 1);
	stream_body(&s, 2100, 2, 1, 45, 0x10, "__main__"); /* exec("import x") */
	stream_frames(&s, 2, user, 1);
	stream_find(&s, 2110, 3, 2, 0, "x");
	stream_end(&s, 2150, 3);
	stream_end(&s, 2160, 2);
	stream_code(&s, 46, 0x70, "namedtuple_P", "", "<string>", "<module>", 1, 1);
	stream_body(&s, 2200, 4, 1, 46, 0x70, "namedtuple_P");
	stream_frames(&s, 4, user, 1);
	stream_end(&s, 2210, 4);
	stream_body(&s, 2250, 40, 1, 10, 0x10, "__main__"); /* a file run in our own names */
	stream_frames(&s, 40, user, 1);
	stream_end(&s, 2260, 40);
	stream_code(&s, 47, 0x71, "plugin", "", "/app/plugin.py", "<module>", 1, 1);
	stream_body(&s, 2300, 5, 1, 47, 0x71, "plugin");
	stream_frames(&s, 5, loader, 2);
	stream_fail(&s, 2400, 5, "OSError");
	stream_body(&s, 2410, 50, 1, 47, 0x71, "plugin"); /* anew, in a dict at the same address */
	stream_frames(&s, 50, loader, 2);
	stream_end(&s, 2420, 50);
	stream_code(&s, 48, 0x72, "late", "", "/app/late.py", "<module>", 1, 1);
	stream_body(&s, 2500, 6, 1, 48, 0x72, "late");
	stream_frames(&s, 6, lazy, 3);
	stream_end(&s, 2600, 6);
	stream_begin(&s, 2650, 7, 1, PYI_SPAN_DYNAMIC, "");
	stream_begin_full(&s, 2660, &open, "/app/by_hand.so");
	stream_end(&s, 2670, 8);
	stream_end(&s, 2680, 7);
	stream_begin(&s, 2700, 9, 1, PYI_SPAN_EXECDEF, "by_hand");
	stream_end(&s, 2800, 9);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	CHECK(stream_load(&s, 1, "plugin", 1)->result == LOAD_LOADED);
	CHECK(process->load_cnt == 6 && process->root_cnt == 1);
	CHECK(stream_load(&s, 1, "by_hand", 0)->kind == KIND_EXTENSION);
	CHECK(stream_load(&s, 1, "by_hand", 0)->via == VIA_LOADER);
	CHECK(stream_load(&s, 1, "by_hand", 0)->exec_ns == 100);
	CHECK(stream_load(&s, 1, "__main__", 0)->init_ns == NS_UNKNOWN);
	SAME(stream_load(&s, 1, "by_hand", 0)->file, "/app/by_hand.so");
	SAME(stream_load(&s, 1, "x", 0)->parent->module, "__main__");
	CHECK(stream_load(&s, 1, "plugin", 0)->via == VIA_LOADER);
	CHECK(stream_load(&s, 1, "plugin", 0)->importer.line == 4);
	CHECK(stream_load(&s, 1, "plugin", 0)->result == LOAD_FAILED);
	CHECK(stream_load(&s, 1, "plugin", 0)->exec_ns == 100);
	CHECK(stream_load(&s, 1, "late", 0)->via == VIA_LAZY);
	CHECK(stream_load(&s, 1, "late", 0)->importer.line == 5);
	stream_close(&s);
}

int main(void)
{
	RUN(test_importers);
	RUN(test_bodies);
	return unit_result();
}
