/* SPDX-License-Identifier: BSD-2-Clause */
/* Records about causes, files and the network, made by hand; beside stream.h. */
#ifndef CHARGES_H
#define CHARGES_H

#include "stream.h"

static inline void charges_wait(struct stream *s, __u32 span, __u32 below, enum pyi_wait wait,
				__u64 ns)
{
	struct pyi_charge_record rec = { .hdr = stream_hdr(s, PYI_EV_CHARGE, sizeof(rec), 1),
					 .span = span, .below = below };

	rec.charge.wait_ns[wait] = ns;
	stream_apply(s, &rec, sizeof(rec));
}

static inline void charges_settled(struct stream *s, __u32 groups)
{
	struct pyi_charged rec = { .hdr = stream_hdr(s, PYI_EV_CHARGED, sizeof(rec), 1),
				   .groups = groups };

	rec.hdr.proc = ~0u;
	stream_apply(s, &rec, sizeof(rec));
}

static inline void charges_path_sz(struct stream *s, __u64 key, __u32 kind, const char *text,
				   size_t sz)
{
	size_t size = sizeof(struct pyi_path) + ((sz + 8) & ~7ul);
	struct pyi_path *rec = calloc(1, size);

	*rec = (struct pyi_path){ .hdr = stream_hdr(s, PYI_EV_PATH, size, 1), .key = key,
				  .kind = kind, .sz = sz };
	memcpy(rec + 1, text, sz);
	stream_apply(s, rec, size);
	free(rec);
}

static inline void charges_path(struct stream *s, __u64 key, const char *text)
{
	charges_path_sz(s, key, PYI_PATH_GIVEN, text, strlen(text));
}

static inline void charges_file(struct stream *s, __u32 span, __u64 path,
				struct pyi_file_value value)
{
	struct pyi_file rec = { .hdr = stream_hdr(s, PYI_EV_FILE, sizeof(rec), 1),
				.key = { .path = path, .serial = s->proc, .span = span },
				.value = value };

	if (!rec.value.tid)
		rec.value.tid = s->tid;
	stream_apply(s, &rec, sizeof(rec));
}

static inline const struct file *charges_find(const struct process *process, const char *path,
					      const struct load *load)
{
	for (size_t i = 0; i < process->files.cnt; i++)
		if (process->files.files[i]->path && process->files.files[i]->load == load &&
		    !strcmp(process->files.files[i]->path, path))
			return process->files.files[i];
	return NULL;
}

#endif
