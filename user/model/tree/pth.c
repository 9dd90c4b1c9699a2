// SPDX-License-Identifier: BSD-2-Clause
/* Which .pth file was being read. */
#include "model/tree/pth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_pth(const struct file *file)
{
	size_t len = file->path ? strlen(file->path) : 0;

	return len > 4 && !strcmp(file->path + len - 4, ".pth") && file->io.bytes_read;
}

static int cmp_first(const void *a, const void *b)
{
	const struct file *x = *(const struct file *const *)a;
	const struct file *y = *(const struct file *const *)b;

	return x->io.first_ns < y->io.first_ns ? -1 : x->io.first_ns > y->io.first_ns;
}

int pth_find(const struct process *process, struct pth *pth)
{
	const struct process_files *files = &process->files;
	size_t cnt = 0;

	*pth = (struct pth){};
	for (size_t i = 0; i < files->cnt; i++)
		cnt += is_pth(files->files[i]);
	if (!cnt)
		return 0;
	pth->files = calloc(cnt, sizeof(*pth->files));
	if (!pth->files)
		return -ENOMEM;
	for (size_t i = 0; i < files->cnt; i++)
		if (is_pth(files->files[i]))
			pth->files[pth->cnt++] = files->files[i];
	qsort(pth->files, pth->cnt, sizeof(*pth->files), cmp_first);
	return 0;
}

void pth_free(struct pth *pth)
{
	free(pth->files);
	pth->files = NULL;
}

void pth_name(const struct pth *pth, struct site *site, __u64 at_ns)
{
	const char *path = NULL;

	if (!site->file || !site->module || strcmp(site->file, "<string>") ||
	    strcmp(site->module, "site"))
		return;
	for (size_t i = 0; i < pth->cnt && pth->files[i]->io.first_ns <= at_ns; i++)
		path = pth->files[i]->path;
	if (!path)
		return;
	site->file = path;
	site->line = 0;
}
