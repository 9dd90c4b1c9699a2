// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which system calls mean what, on this architecture; and what the kernel side has counted,
 * brought into the stream.
 */
#include "probe/calls.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probe/features.h"
#include "pyimport_file.h"

#define BATCH 2048
#define MAP_PREALLOC 16384u /* entries where maps cannot grow on demand */

static const struct { unsigned int nr, call; } calls[] = {
#ifdef SYS_open
	{ SYS_mkdir, PYI_CALL_MKDIR },
	{ SYS_open, PYI_CALL_OPEN }, { SYS_creat, PYI_CALL_CREAT },
	{ SYS_stat, PYI_CALL_STAT }, { SYS_lstat, PYI_CALL_STAT },
	{ SYS_access, PYI_CALL_STAT }, { SYS_readlink, PYI_CALL_READLINK },
#endif
	{ SYS_openat, PYI_CALL_OPENAT }, { SYS_openat2, PYI_CALL_OPENAT2 },
	{ SYS_newfstatat, PYI_CALL_STATAT }, { SYS_statx, PYI_CALL_STATAT },
	{ SYS_faccessat, PYI_CALL_STATAT }, { SYS_faccessat2, PYI_CALL_STATAT },
	{ SYS_mkdirat, PYI_CALL_MKDIRAT },
	{ SYS_readlinkat, PYI_CALL_READLINKAT }, { SYS_fstat, PYI_CALL_FSTAT },
	{ SYS_getdents64, PYI_CALL_GETDENTS },
	{ SYS_read, PYI_CALL_READ }, { SYS_pread64, PYI_CALL_READ },
	{ SYS_readv, PYI_CALL_READ }, { SYS_preadv, PYI_CALL_READ },
	{ SYS_preadv2, PYI_CALL_READ },
	{ SYS_write, PYI_CALL_WRITE }, { SYS_pwrite64, PYI_CALL_WRITE },
	{ SYS_writev, PYI_CALL_WRITE }, { SYS_pwritev, PYI_CALL_WRITE },
	{ SYS_pwritev2, PYI_CALL_WRITE },
	{ SYS_sendfile, PYI_CALL_SENDFILE }, { SYS_copy_file_range, PYI_CALL_COPY_RANGE },
	{ SYS_mmap, PYI_CALL_MMAP }, { SYS_mprotect, PYI_CALL_MPROTECT },
#ifdef SYS_poll
	{ SYS_poll, PYI_CALL_POLL }, { SYS_select, PYI_CALL_SELECT },
#endif
	{ SYS_connect, PYI_CALL_CONNECT }, { SYS_sendto, PYI_CALL_SEND },
	{ SYS_sendmsg, PYI_CALL_SENDMSG }, { SYS_sendmmsg, PYI_CALL_SENDMMSG },
	{ SYS_recvfrom, PYI_CALL_RECV }, { SYS_recvmsg, PYI_CALL_RECV },
	{ SYS_listen, PYI_CALL_LISTEN }, { SYS_accept, PYI_CALL_ACCEPT },
	{ SYS_accept4, PYI_CALL_ACCEPT }, { SYS_ppoll, PYI_CALL_POLL },
	{ SYS_pselect6, PYI_CALL_SELECT }, { SYS_nanosleep, PYI_CALL_SLEEP },
	{ SYS_clock_nanosleep, PYI_CALL_SLEEP }, { SYS_flock, PYI_CALL_FLOCK },
	{ SYS_fcntl, PYI_CALL_FCNTL }, { SYS_rt_sigaction, PYI_CALL_SIGACTION },
};

/* Of sums there are bytes read, and what network cost; neither names nor looks for them. */
static bool is_summed(unsigned int call)
{
	return (call >= PYI_CALL_READ && call <= PYI_CALL_COPY_RANGE) ||
	       (call >= PYI_CALL_NET && call <= PYI_CALL_SELECT && call != PYI_CALL_SLEEP);
}

static void fill_calls(struct probes *probes)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		__u32 group = calls[i].call >= PYI_CALL_NET ? PYI_GROUP_NET : PYI_GROUP_FILES;

		if (calls[i].nr < PYI_CALLS && probes->groups & group &&
		    (!probes->want_sums || is_summed(calls[i].call)))
			probes->skel->rodata->cfg_calls[calls[i].nr] |= calls[i].call;
	}
}

void calls_prepare(struct probes *probes)
{
	struct pyimport_bpf *skel = probes->skel;
	struct bpf_map *maps[] = { skel->maps.files, skel->maps.more_files, skel->maps.paths,
				   skel->maps.file_cnts, skel->maps.links, skel->maps.conns,
				   skel->maps.effects };

	fill_calls(probes);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && !feature_mem_alloc(); i++) {
		bpf_map__set_map_flags(maps[i], 0);
		bpf_map__set_max_entries(maps[i], MAP_PREALLOC);
	}
}

bool calls_are_many(const struct probes *probes)
{
	return probes->skel->bss->file_cnt - probes->charges.taken_files_cnt >=
	       bpf_map__max_entries(probes->skel->maps.files) / 4;
}

/* One entry of a map: sends it as a record. False: it is to stay as it is. */
typedef bool (*entry_fn)(struct probes *probes, const void *key, const void *value, __u32 parity);

/* Keys of entries that were sent, to be deleted: growing. */
struct keys {
	char *data;
	size_t cnt, cap;
};

static int keys_add(struct keys *keys, const void *key, size_t sz)
{
	char *bigger;

	if (keys->cnt == keys->cap) {
		bigger = reallocarray(keys->data, keys->cap + BATCH, sz);
		if (!bigger)
			return -ENOMEM;
		keys->data = bigger;
		keys->cap += BATCH;
	}
	memcpy(keys->data + keys->cnt++ * sz, key, sz);
	return 0;
}

static int each_entry(struct probes *probes, const struct bpf_map *map, entry_fn send,
		      __u32 parity)
{
	size_t key_sz = bpf_map__key_size(map), value_sz = bpf_map__value_size(map);
	_cleanup_free_ char *keys = calloc(BATCH, key_sz), *values = calloc(BATCH, value_sz);
	struct keys sent = {};
	/* A hash map's position is the number of a bucket, whatever the size of its key. */
	__u32 position = 0, cnt;
	void *in = NULL;
	int err = keys && values ? 0 : -ENOMEM, add_err = 0;

	while (!err && !add_err) {
		cnt = BATCH;
		err = bpf_map_lookup_batch(bpf_map__fd(map), in, &position, keys, values, &cnt,
					   NULL);
		for (__u32 i = 0; (!err || err == -ENOENT) && i < cnt && !add_err; i++)
			if (send(probes, keys + i * key_sz, values + i * value_sz, parity))
				add_err = keys_add(&sent, keys + i * key_sz, key_sz);
		in = &position;
	}
	for (size_t i = 0; i < sent.cnt; i++)
		bpf_map_delete_elem(bpf_map__fd(map), sent.data + i * key_sz);
	free(sent.data);
	err = err == -ENOENT ? add_err : err;
	return err ? log_err(err, "cannot read the map %s", bpf_map__name(map)) : 0;
}

static bool send_file(struct probes *probes, const void *key, const void *value, __u32 parity)
{
	struct pyi_file rec = { .hdr = { .kind = PYI_EV_FILE, .size = sizeof(rec) } };

	rec.key = *(const struct pyi_file_key *)key;
	rec.value = *(const struct pyi_file_value *)value;
	rec.hdr.proc = rec.key.serial;
	rec.hdr.tid = rec.value.tid;
	rec.hdr.ts_ns = rec.value.first_ns;
	if (rec.key.parity != parity)
		return false;
	rec.key.parity = 0;
	probes->on_record(probes->ctx, &rec, sizeof(rec));
	return true;
}

static bool send_link(struct probes *probes, const void *key, const void *value, __u32 parity)
{
	struct pyi_link rec = { .hdr = { .kind = PYI_EV_LINK, .size = sizeof(rec) } };

	(void)parity;
	rec.span = *(const __u32 *)key;
	rec.value = *(const struct pyi_link_value *)value;
	rec.hdr.proc = rec.value.serial;
	rec.hdr.tid = rec.value.tid;
	rec.hdr.ts_ns = rec.value.mapped_ns;
	probes->on_record(probes->ctx, &rec, sizeof(rec));
	return true;
}

void calls_linked(struct probes *probes, __u32 span)
{
	int fd = bpf_map__fd(probes->skel->maps.links);
	struct pyi_link_value value;

	if (!(probes->groups & PYI_GROUP_FILES) || bpf_map_lookup_elem(fd, &span, &value))
		return;
	send_link(probes, &span, &value, 0);
	bpf_map_delete_elem(fd, &span);
}

static bool send_net(struct probes *probes, const void *key, const void *value, __u32 parity)
{
	struct pyi_net rec = { .hdr = { .kind = PYI_EV_NET, .size = sizeof(rec) } };

	(void)key;
	(void)parity;
	rec.value = *(const struct pyi_net_value *)value;
	rec.hdr.proc = rec.value.serial;
	rec.hdr.tid = rec.value.tid;
	rec.hdr.ts_ns = rec.value.start_ns;
	probes->on_record(probes->ctx, &rec, sizeof(rec));
	return true;
}

static bool send_effect(struct probes *probes, const void *key, const void *value, __u32 parity)
{
	struct pyi_effect rec = { .hdr = { .kind = PYI_EV_EFFECT, .size = sizeof(rec) } };
	struct { __u32 serial, span, parity, pad; } at; /* struct effect_key */

	memcpy(&at, key, sizeof(at));
	if (at.parity != parity)
		return false;
	rec.span = at.span;
	rec.value = *(const struct pyi_effect_value *)value;
	rec.hdr.proc = at.serial;
	probes->on_record(probes->ctx, &rec, sizeof(rec));
	return true;
}

int calls_take(struct probes *probes, __u32 parity)
{
	int err = 0;

	if (probes->groups & PYI_GROUP_FILES)
		err = each_entry(probes, probes->skel->maps.files, send_file, parity);
	if (!err && probes->skel->bss->has_more_files)
		err = each_entry(probes, probes->skel->maps.more_files, send_file, parity);
	if (!err && probes->groups & PYI_GROUP_NET)
		err = each_entry(probes, probes->skel->maps.effects, send_effect, parity);
	return err;
}

int calls_drain(struct probes *probes)
{
	int err = each_entry(probes, probes->skel->maps.links, send_link, 0);

	return err ? err : each_entry(probes, probes->skel->maps.conns, send_net, 0);
}
