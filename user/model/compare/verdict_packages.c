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
					verdict_tell(verdict, runs, r);
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

/* A package is told once, whatever of it was loaded. */
static bool is_told(const struct verdicts *result, size_t before, const char *module)
{
	size_t len = strcspn(module, ".");

	for (size_t k = before; k < result->cnt; k++)
		if (strcspn(result->all[k].what, ".") == len &&
		    !strncmp(module, result->all[k].what, len))
			return true;
	return false;
}

static int add_packages(struct verdicts *result, const struct runs *runs, size_t run, size_t before)
{
	const struct process *process = runs->processes[run];

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		struct verdict *verdict;

		if (!is_package(load) || is_allowed(runs->entry, load->module) ||
		    is_told(result, before, load->module))
			continue;
		verdict = verdict_add(result, runs, VERDICT_ALLOWED);
		if (!verdict)
			return -ENOMEM;
		verdict_tell(verdict, runs, run);
		verdict->what = load->module;
		verdict->load = load;
		verdict->result = VERDICT_BROKEN;
	}
	return 0;
}

/* One verdict for each top-level package beyond those allowed, at its first load. */
int verdict_allowed(struct verdicts *result, const struct runs *runs)
{
	size_t before = result->cnt;
	int err = 0;

	for (size_t run = 0; !err && run < runs->cnt; run++)
		err = add_packages(result, runs, run, before);
	if (err || result->cnt > before)
		return err;
	return verdict_add(result, runs, VERDICT_ALLOWED) ? 0 : -ENOMEM;
}
