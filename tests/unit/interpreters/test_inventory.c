// SPDX-License-Identifier: BSD-2-Clause
/* What was there before tracing began: apart from what was traced, whatever the stream says. */
#include "stream.h"

static void item(struct stream *s, __u64 ts_ns, __u32 what, __u32 ppid, const char *name,
		    const char *file, __u64 bytes)
{
	size_t size = sizeof(struct pyi_inventory) + strlen(name) + strlen(file);
	struct pyi_inventory *rec = calloc(1, size);

	rec->hdr = stream_hdr(s, PYI_EV_INVENTORY, size, ts_ns);
	rec->what = what;
	rec->ppid = ppid;
	rec->bytes = bytes;
	rec->name = stream_str(name);
	rec->file = stream_str(file);
	memcpy(rec->text, name, strlen(name));
	memcpy(rec->text + strlen(name), file, strlen(file));
	stream_apply(s, rec, size);
	free(rec);
}

static void load(struct stream *s, __u64 ts_ns, __u32 id, const char *name)
{
	stream_find(s, ts_ns, id, 0, 0, name);
	stream_mark(s, ts_ns + 1, id, PYI_MARK_NEW_MODULE);
	stream_end(s, ts_ns + 10, id);
}

static void take(struct stream *s)
{
	item(s, 1000, PYI_INVENTORY_PROCESS, 50, "", "", 0);
	item(s, 1000, PYI_INVENTORY_LIB, 0, "/usr/lib/libc.so.6", "", 2000000);
	item(s, 1000, PYI_INVENTORY_MODULE, 0, "sys", "", 0);
	item(s, 1000, PYI_INVENTORY_MODULE, 0, "os", "/lib/os.py", 0);
	item(s, 1000, PYI_INVENTORY_MODULE, 0, "os", "/lib/os.py", 0); /* a sub-interpreter's */
	item(s, 1000, PYI_INVENTORY_MODULE, 0, "between", "/b.py", 0);
	item(s, 1000, PYI_INVENTORY_MODULES, 0, "", "", 0);
}

static void test_kept(void)
{
	const struct inventory *inventory;
	struct process *process;
	struct stream s;

	stream_open(&s);
	load(&s, 990, 1, "between"); /* its probes were there before the inventory was taken */
	take(&s);
	load(&s, 2000, 2, "new");
	stream_fork(&s, 3000, 200, 2);
	stream_finish(&s, 9000);
	process = stream_process(&s, 1);
	inventory = process->inventory;
	CHECK(process->is_late && process->ppid == 50 && inventory && inventory->has_modules);
	CHECK(!inventory->is_cut && inventory->taken_ns == 1000);
	CHECK(inventory->module_cnt == 2 && inventory->lib_cnt == 1);
	CHECK(!strcmp(inventory->modules[0]->name, "sys") && !inventory->modules[0]->file);
	CHECK(!strcmp(inventory->modules[1]->file, "/lib/os.py"));
	CHECK(inventory->libs[0]->bytes == 2000000);
	CHECK(process->load_cnt == 2 && process->loaded_cnt == 2);
	CHECK(stream_process(&s, 2)->inherited_cnt == 4 && !stream_process(&s, 2)->inventory);
	stream_close(&s);
}

/* Without the record that says so, sys.modules was not read: how much is inherited is unknown. */
static void test_unread(void)
{
	struct stream s;

	stream_open(&s);
	item(&s, 1000, PYI_INVENTORY_PROCESS, 50, "", "", 0);
	item(&s, 1000, PYI_INVENTORY_LIB, 0, "/usr/lib/libc.so.6", "", 1);
	stream_fork(&s, 3000, 200, 2);
	stream_finish(&s, 9000);
	CHECK(!stream_process(&s, 1)->inventory->has_modules);
	CHECK(stream_process(&s, 2)->inherited_cnt == ~0u);
	stream_close(&s);
}

/* A process that was seen from its start has no inventory, whoever sends one. */
static void test_not_late(void)
{
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 500, 50, "py", 3);
	take(&s);
	stream_finish(&s, 9000);
	CHECK(!stream_process(&s, 1)->inventory && !stream_process(&s, 1)->is_late);
	stream_close(&s);
}

/* Two processes that are each the other's parent would hang every walk. */
static void test_parents_in_a_circle(void)
{
	struct stream s;

	stream_open(&s);
	item(&s, 1000, PYI_INVENTORY_PROCESS, 200, "", "", 0);
	s.tgid = s.tid = 200;
	s.proc = 2;
	item(&s, 1000, PYI_INVENTORY_PROCESS, 100, "", "", 0);
	s.tgid = s.tid = 100;
	s.proc = 1;
	item(&s, 1000, PYI_INVENTORY_PROCESS, 200, "", "", 0);
	item(&s, 1000, PYI_INVENTORY_PROCESS, 100, "", "", 0);
	stream_finish(&s, 9000);
	CHECK(stream_process(&s, 2)->parent == stream_process(&s, 1));
	CHECK(!stream_process(&s, 1)->parent);
	stream_close(&s);
}

/* Lengths that reach beyond the record are refused. */
static void test_malformed(void)
{
	struct pyi_inventory rec = { .what = PYI_INVENTORY_MODULE };
	struct stream s;

	stream_open(&s);
	rec.hdr = stream_hdr(&s, PYI_EV_INVENTORY, sizeof(rec), 1000);
	rec.name.sz = 1;
	stream_apply(&s, &rec, sizeof(rec));
	rec.name.sz = 0;
	rec.file.sz = 65535;
	stream_apply(&s, &rec, sizeof(rec));
	rec.hdr.size = sizeof(rec) - 1;
	stream_apply(&s, &rec, sizeof(rec) - 1);
	CHECK(model__malformed(s.model) == 3);
	stream_close(&s);
}

int main(void)
{
	RUN(test_kept);
	RUN(test_unread);
	RUN(test_not_late);
	RUN(test_parents_in_a_circle);
	RUN(test_malformed);
	return unit_result();
}
