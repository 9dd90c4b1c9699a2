// SPDX-License-Identifier: BSD-2-Clause
/* Which modules may be loaded: `forbid` and `allow` of a budget. */
#include <errno.h>
#include <string.h>

#include "model/compare/verdict_list.h"

/* "torch" means torch.nn as well. */
static bool is_forbidden(const char *glob, const char *module)
{
	return strpbrk(glob, "*?") ? glob_matches(glob, module) : name_is_in(module, glob);
}

int verdict_forbidden(struct verdicts *result, const struct runs *runs)
{
	for (size_t k = 0; k < runs->entry->forbidden_cnt; k++) {
		struct verdict *verdict = verdict_add(result, runs, VERDICT_FORBIDDEN);

		if (!verdict)
			return -ENOMEM;
		verdict->what = runs->entry->forbidden[k];
		for (size_t r = 0; r < runs->cnt && !verdict->load; r++) {
			for (size_t i = 0; i < runs->processes[r]->load_cnt; i++) {
				const struct load *load = runs->processes[r]->loads[i];

				if (load->module && load->result != LOAD_FAILED &&
				    load->via != VIA_MAIN &&
				    is_forbidden(verdict->what, load->module)) {
					verdict->load = load;
					verdict->process = runs->processes[r];
					verdict->result = VERDICT_BROKEN;
					break;
				}
			}
		}
	}
	return 0;
}

static bool is_allowed(const struct budget_entry *entry, const char *module)
{
	for (size_t i = 0; i < entry->allowed_cnt; i++)
		if (is_forbidden(entry->allowed[i], module))
			return true;
	return false;
}

/* Installed, and loaded by the program: what site loads before it is not its choice. */
static bool is_package(const struct load *load)
{
	const struct startup *startup = &load->process->startup;

	return load->module && load->file && load->result != LOAD_FAILED &&
	       (strstr(load->file, "/site-packages/") || strstr(load->file, "/dist-packages/")) &&
	       (startup->by == STARTUP_UNKNOWN || load->start_ns >= startup->run_ns);
}

/* One verdict for each top-level package beyond those allowed, at its first load. */
int verdict_allowed(struct verdicts *result, const struct runs *runs)
{
	const struct process *process = runs->processes[0];
	size_t before = result->cnt;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		struct verdict *verdict;
		bool is_told = false;

		if (!is_package(load) || is_allowed(runs->entry, load->module))
			continue;
		for (size_t k = before; !is_told && k < result->cnt; k++)
			is_told = strcspn(load->module, ".") == strcspn(result->all[k].what, ".") &&
				  !strncmp(load->module, result->all[k].what,
					   strcspn(load->module, "."));
		if (is_told)
			continue;
		verdict = verdict_add(result, runs, VERDICT_ALLOWED);
		if (!verdict)
			return -ENOMEM;
		verdict->what = load->module;
		verdict->load = load;
		verdict->result = VERDICT_BROKEN;
	}
	return result->cnt > before || verdict_add(result, runs, VERDICT_ALLOWED) ? 0 : -ENOMEM;
}
