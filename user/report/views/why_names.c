// SPDX-License-Identifier: BSD-2-Clause
/* `why`: a package as a whole, and names that may have been meant. */
#include "report/views/why_names.h"

#include <string.h>

#include "base/distance.h"
#include "base/text.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define NAMES_MAX 5

/* The submodule's name behind @package; NULL = it is none. */
static const char *below(const char *module, const char *package)
{
	size_t sz = strlen(package);

	if (!module || strncmp(module, package, sz) || module[sz] != '.')
		return NULL;
	return module + sz + 1;
}

static bool is_of(const struct load *load, const char *package)
{
	return load->module && (!strcmp(load->module, package) || below(load->module, package));
}

/* Outermost within the package: others of it are in its time. */
static bool is_outer(const struct load *load, const char *package)
{
	for (const struct load *at = load->parent; at; at = at->parent)
		if (at->tid == load->tid && is_of(at, package))
			return false;
	return true;
}

__u64 why_package_ns(const struct process *process, const char *package, size_t *cnt)
{
	__u64 sum_ns = 0;

	*cnt = 0;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->result != LOAD_LOADED || load->is_inherited || !is_of(load, package))
			continue;
		*cnt += below(load->module, package) != NULL;
		if (is_outer(load, package) && load_is_startup(load) &&
		    load->tid == process->tgid)
			sum_ns += load->wall_ns;
	}
	return sum_ns;
}

void why_package(const struct view *view, const struct process *process, const char *package,
		 __u64 imports_ns)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	size_t cnt;
	__u64 sum_ns = why_package_ns(process, package, &cnt);

	if (!cnt)
		return;
	text_buf__add(&buf, "The package ");
	text_buf__escape(&buf, package, view_escape_flags(view));
	text_buf__printf(&buf, " with its %s submodule%s", text_count(num, cnt),
			 cnt == 1 ? "" : "s");
	text_buf__printf(&buf, " and what these import: %s", text_ns(num, sum_ns));
	if (imports_ns != NS_UNKNOWN && imports_ns && sum_ns <= imports_ns)
		text_buf__printf(&buf, ", %.0f%% of %s imports", sum_ns * 100.0 / imports_ns,
				 text_ns(num, imports_ns));
	text_buf__add(&buf, ".");
	put_para(view, 2, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
}

struct near {
	const char *name;
	size_t distance;
};

static void rank(struct near best[NAMES_MAX], size_t *cnt, const char *name, size_t distance)
{
	size_t at;

	for (size_t i = 0; i < *cnt; i++)
		if (!strcmp(best[i].name, name))
			return;
	for (at = *cnt; at && best[at - 1].distance > distance; at--)
		if (at < NAMES_MAX)
			best[at] = best[at - 1];
	if (at < NAMES_MAX)
		best[at] = (struct near){ name, distance };
	*cnt += *cnt < NAMES_MAX;
}

void why_nothing(const struct view *view)
{
	const char *wanted = view->opts.module;
	struct near best[NAMES_MAX];
	struct text_buf buf = { 0 };
	size_t cnt = 0;

	for (size_t i = 0; i < model__process_cnt(view->model); i++) {
		const struct process *process = model__process(view->model, i);

		for (size_t k = 0; k < process->load_cnt; k++) {
			const char *name = process->loads[k]->module;
			size_t distance = name ? text_distance(name, wanted) : 0;

			/* A third of its letters may be wrong, or it is the end of a name. */
			if (name && (distance <= strlen(wanted) / 3 || strstr(name, wanted)))
				rank(best, &cnt, name, distance);
		}
	}
	text_buf__add(&buf, "Nothing leads to ");
	text_buf__escape(&buf, wanted, view_escape_flags(view));
	text_buf__add(&buf, ": it was not loaded.");
	for (size_t i = 0; i < cnt; i++) {
		text_buf__add(&buf, i ? ", " : " Loaded were ");
		text_buf__escape(&buf, best[i].name, view_escape_flags(view));
	}
	text_buf__add(&buf, cnt ? "." : "");
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}
