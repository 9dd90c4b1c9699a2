// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a process that ran already had loaded before tracing began: modules by package, shared
 * objects by size. Of none of it a time is known, and none is shown.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head/head.h"
#include "report/text/wording.h"

/* A top-level package, or a module that is in none. */
struct package {
	const char *name; /* not NUL-terminated: @sz bytes */
	size_t sz, cnt;
	const char *file; /* of the package itself, or NULL */
};

static size_t package_sz(const struct inventory_item *module)
{
	return strcspn(module->name, ".");
}

/* By package, so that one's modules lie together. */
static int cmp_modules(const void *a, const void *b)
{
	const struct inventory_item *x = *(struct inventory_item *const *)a;
	const struct inventory_item *y = *(struct inventory_item *const *)b;
	size_t x_sz = package_sz(x), y_sz = package_sz(y);
	int order = memcmp(x->name, y->name, x_sz < y_sz ? x_sz : y_sz);

	return order ? order : x_sz < y_sz ? -1 : x_sz > y_sz;
}

static int cmp_packages(const void *a, const void *b)
{
	const struct package *x = a, *y = b;
	size_t sz = x->sz < y->sz ? x->sz : y->sz;
	int order;

	if (x->cnt != y->cnt)
		return x->cnt > y->cnt ? -1 : 1;
	order = memcmp(x->name, y->name, sz);
	return order ? order : x->sz < y->sz ? -1 : x->sz > y->sz;
}

static size_t sum_packages(struct inventory_item *const *modules, size_t module_cnt,
			   struct package *packages)
{
	size_t cnt = 0;

	for (size_t i = 0; i < module_cnt; i++) {
		const char *name = modules[i]->name;
		size_t sz = package_sz(modules[i]);
		struct package *package = &packages[cnt ? cnt - 1 : 0];

		if (!cnt || package->sz != sz || memcmp(package->name, name, sz)) {
			package = &packages[cnt++];
			*package = (struct package){ .name = name, .sz = sz };
		}
		package->cnt++;
		if (!name[sz])
			package->file = modules[i]->file;
	}
	return cnt;
}

static void add_package(const struct view *view, const struct package *package,
			struct table *table)
{
	_cleanup_free_ char *name = strndup(package->name, package->sz);
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	table__add(table, text_count(num, package->cnt), TABLE_PLAIN);
	text_buf__escape(&buf, name, view_escape_flags(view));
	table__add(table, text_buf__str(&buf), TABLE_BOLD);
	text_buf__reset(&buf);
	text_buf__escape(&buf, package->file ? package->file : "", view_escape_flags(view));
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

static void put_more(const struct view *view, size_t cnt, size_t shown, const char *what)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (cnt > shown) {
		text_buf__printf(&buf, "and %s more %s", text_count(num, cnt - shown), what);
		put_para(view, 4, TABLE_DIM, text_buf__str(&buf));
	}
	text_buf__free(&buf);
}

static int write_modules(const struct view *view, const struct inventory *inventory)
{
	static const struct table_col cols[] = {
		{ "modules", true, TABLE_WHOLE, 0, 0 },
		{ "package", false, TABLE_CUT_MIDDLE, 14, 0 },
		{ "file", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ struct package *packages = calloc(inventory->module_cnt + 1,
							 sizeof(*packages));
	_cleanup_free_ struct inventory_item **modules = calloc(inventory->module_cnt + 1,
								sizeof(*modules));
	_cleanup_(table__freep) struct table *table = NULL;
	int err = table__new(&table, cols, 3);
	size_t cnt;

	if (err || !packages || !modules)
		return err ? err : -ENOMEM;
	if (!inventory->module_cnt)
		return 0;
	memcpy(modules, inventory->modules, inventory->module_cnt * sizeof(*modules));
	qsort(modules, inventory->module_cnt, sizeof(*modules), cmp_modules);
	cnt = sum_packages(modules, inventory->module_cnt, packages);
	qsort(packages, cnt, sizeof(*packages), cmp_packages);
	for (size_t i = 0; i < cnt && i < view_top(view); i++)
		add_package(view, &packages[i], table);
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "In sys.modules before tracing began (no times)");
	err = table__print(table, &look, view->out);
	put_more(view, cnt, view_top(view), "packages");
	return err;
}

static int cmp_bytes(const void *a, const void *b)
{
	const struct inventory_item *x = *(struct inventory_item *const *)a;
	const struct inventory_item *y = *(struct inventory_item *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int write_libs(const struct view *view, const struct inventory *inventory)
{
	static const struct table_col cols[] = {
		{ "mapped", true, TABLE_WHOLE, 0, 0 },
		{ "shared object", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ struct inventory_item **libs = calloc(inventory->lib_cnt + 1,
							     sizeof(*libs));
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	int err = table__new(&table, cols, 2);

	if (err || !libs)
		return err ? err : -ENOMEM;
	if (!inventory->lib_cnt)
		return 0;
	memcpy(libs, inventory->libs, inventory->lib_cnt * sizeof(*libs));
	qsort(libs, inventory->lib_cnt, sizeof(*libs), cmp_bytes);
	for (size_t i = 0; i < inventory->lib_cnt && i < view_top(view); i++) {
		text_buf__reset(&buf);
		phrase_mb(&buf, libs[i]->bytes);
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		text_buf__reset(&buf);
		text_buf__escape(&buf, libs[i]->name, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	}
	if (buf.err)
		return buf.err;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "Mapped then");
	err = table__print(table, &look, view->out);
	put_more(view, inventory->lib_cnt, view_top(view), "shared objects");
	return err;
}

static int write_process(const struct view *view, const struct process *process)
{
	const struct inventory *inventory = process->inventory;
	int err = head_write(view, process);

	if (!err && inventory && inventory->has_modules)
		err = write_modules(view, inventory);
	if (!err && inventory)
		err = write_libs(view, inventory);
	if (!err && !process->is_late)
		put_para(view, 2, TABLE_PLAIN, "It was seen from its start: there is no inventory.");
	fputc('\n', view->out);
	return err;
}

int inventory_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
