// SPDX-License-Identifier: BSD-2-Clause
/*
 * Puts the probes of one interpreter file in place and takes all probes away again. With
 * uprobe_multi a file costs one link whatever the number of its sites; else one perf event each.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probe/private.h"
#include "interpreters/interp.h"

static struct probed_file *find_file(struct probes *probes, const struct code_id *id)
{
	for (size_t i = 0; i < probes->file_cnt; i++) {
		if (code_id_same(&probes->files[i].id, id))
			return &probes->files[i];
	}
	return NULL;
}

/* The kernel warns (ext4, 6.18) when it has to read a probed page from disk itself. */
static void read_probed_pages(int fd, const struct interp *interp)
{
	char byte;

	for (size_t i = 0; i < interp->site_cnt; i++)
		if (pread(fd, &byte, 1, interp->sites[i].file_off) != 1)
			return;
}

static bool is_wanted(const struct probes *probes, const struct interp_site *site)
{
	return !probes->want_no_edges || site->site.begin != PYI_SITE_IMPORT || site->site.end;
}

/* Sites and layout go into their maps first: a probe may fire as soon as it stands. */
static int fill_maps(struct probes *probes, const struct interp *interp, __u32 layout,
		     unsigned long *offsets, __u64 *cookies, size_t *cnt)
{
	int sites = bpf_map__fd(probes->skel->maps.sites);
	__u32 index;
	int err;

	err = bpf_map_update_elem(bpf_map__fd(probes->skel->maps.layouts), &layout,
				  &interp->layout, BPF_ANY);
	if (err)
		return log_err(err, err == -E2BIG ? "more different interpreters than the map holds" :
						    "cannot write an interpreter's layout");
	for (size_t i = 0; i < interp->site_cnt; i++) {
		struct pyi_site site = interp->sites[i].site;

		if (!is_wanted(probes, &interp->sites[i]))
			continue;
		site.layout = layout;
		site.is_stepped = !interp->sites[i].is_emulated;
		index = probes->site_cnt;
		err = bpf_map_update_elem(sites, &index, &site, BPF_ANY);
		if (err)
			return log_err(err, err == -E2BIG ? "more probe sites than the map holds" :
							    "cannot write a probe site");
		offsets[*cnt] = interp->sites[i].file_off;
		cookies[*cnt] = index;
		probes->site_cnt++;
		*cnt += 1;
	}
	return 0;
}

static int attach_multi(const struct bpf_program *program, struct probed_file *file,
			const char *path, const unsigned long *offsets, const __u64 *cookies,
			size_t cnt)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets, .cookies = cookies,
		    .cnt = cnt);
	struct bpf_link *link = bpf_program__attach_uprobe_multi(program, -1, path, NULL, &opts);

	if (!link)
		return -errno;
	file->links[file->link_cnt++] = link;
	return 0;
}

static int attach_perf(const struct bpf_program *program, struct probed_file *file,
		       const char *path, const unsigned long *offsets, const __u64 *cookies,
		       size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookies[i]);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(program, -1, path,
									offsets[i], &opts);

		if (!link)
			return -errno;
		file->links[file->link_cnt++] = link;
	}
	return 0;
}

static void *destroy_link(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/*
 * Taking a uprobe away waits for the kernel's tasks-trace grace period, 30 to 100 ms each; the
 * waits overlap when every link goes on a thread of its own.
 */
static void destroy_links(struct bpf_link **links, size_t cnt)
{
	_cleanup_free_ pthread_t *threads = calloc(cnt ? cnt : 1, sizeof(*threads));
	size_t started = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (threads && cnt > 1 &&
		    !pthread_create(&threads[started], NULL, destroy_link, links[i]))
			started++;
		else
			destroy_link(links[i]);
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* A file that was written over keeps its inode: what stands at the old places goes first. */
static void detach_rewritten(struct probes *probes, const struct code_id *id)
{
	for (size_t i = 0; probes->files && i < probes->file_cnt; i++) {
		struct probed_file *file = &probes->files[i];

		if (!code_id_rewritten(&file->id, id))
			continue;
		destroy_links(file->links, file->link_cnt);
		file->link_cnt = 0;
		file->id = (struct code_id){};
	}
}

int probes__attach(struct probes *probes, int fd, const struct interp *interp, __u32 *layout)
{
	_cleanup_free_ unsigned long *offsets = calloc(interp->site_cnt + 1, sizeof(*offsets));
	_cleanup_free_ __u64 *cookies = calloc(interp->site_cnt + 1, sizeof(*cookies));
	struct probed_file *file, *files;
	char path[64];
	struct code_id id;
	__u32 site_cnt = probes->site_cnt;
	size_t cnt = 0;
	int err;

	if (!offsets || !cookies)
		return -ENOMEM;
	err = code_id(fd, &id);
	if (err)
		return log_err(err, "%s: cannot be examined", interp->path);
	file = find_file(probes, &id);
	if (file) {
		*layout = file->layout;
		return 0;
	}
	if (!interp->site_cnt)
		return log_err(-ENOTSUP, "%s: no instruction to probe was found", interp->path);
	detach_rewritten(probes, &id);
	files = realloc(probes->files, (probes->file_cnt + 1) * sizeof(*files));
	if (!files)
		return -ENOMEM;
	probes->files = files;
	file = &files[probes->file_cnt];
	*file = (struct probed_file){ .id = id, .layout = probes->layout_cnt };
	file->links = calloc(interp->site_cnt, sizeof(struct bpf_link *));
	if (!file->links)
		return -ENOMEM;
	err = fill_maps(probes, interp, file->layout, offsets, cookies, &cnt);
	if (!err) {
		read_probed_pages(fd, interp);
		/* By descriptor: the file that was examined, whatever its path names by now. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		err = probes->is_multi ?
			      attach_multi(probes->skel->progs.site_multi, file, path, offsets,
					   cookies, cnt) :
			      attach_perf(probes->skel->progs.site_perf, file, path, offsets,
					  cookies, cnt);
	}
	if (err) {
		destroy_links(file->links, file->link_cnt);
		free(file->links);
		probes->site_cnt = site_cnt; /* its slots are free again */
		log_err(err, "%s: cannot be probed", interp->path);
		if (err == -EACCES && !probes->is_multi)
			log_hint("sudo; probes that are perf events need CAP_SYS_ADMIN");
		return err;
	}
	probes->file_cnt++;
	probes->layout_cnt++;
	*layout = file->layout;
	return 0;
}

void probes__detach(struct probes *probes)
{
	_cleanup_free_ struct bpf_link **links = NULL;
	size_t cnt = 0, total = 0;

	/*
	 * The sites go one by one: without those of ends what had begun would seem to be lost,
	 * without those of bodies memory that is used again would be taken for what lay there.
	 */
	if (probes->skel && probes->skel->bss)
		probes->skel->bss->cfg_active = false;
	for (size_t i = 0; i < probes->file_cnt; i++)
		total += probes->files[i].link_cnt;
	links = calloc(total ? total : 1, sizeof(*links));
	for (size_t i = 0; i < probes->file_cnt; i++) {
		struct probed_file *file = &probes->files[i];

		for (size_t j = 0; j < file->link_cnt; j++) {
			if (links)
				links[cnt++] = file->links[j];
			else
				bpf_link__destroy(file->links[j]);
		}
		free(file->links);
	}
	if (links)
		destroy_links(links, cnt);
	probes->file_cnt = 0;
	if (probes->skel)
		pyimport_bpf__detach(probes->skel);
}
