// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the map of charges to records in the stream. While tracing goes on it is emptied when it
 * fills, and every few seconds: charges of one parity are made while those of the other, which
 * nobody touches any more, are read and deleted. So a charge is never read half and no addition
 * to a deleted one is lost, and neither the map nor what the model must remember grows with time.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "probe/calls.h"
#include "probe/private.h"

#define BATCH 1024
#define FULL_CNT 4096               /* entries, of 16384 */
#define GAP_NS 2000000000ULL
#define QUIET_NS 20000000ULL        /* longer than any BPF program takes to finish */

struct batch {
	struct pyi_charge_key keys[BATCH];
	struct pyi_charge values[BATCH];
};

static void send_charge(struct probes *probes, const struct pyi_charge_key *key,
			const struct pyi_charge *charge)
{
	struct pyi_charge_record rec = {
		.hdr = { .kind = PYI_EV_CHARGE, .size = sizeof(rec), .proc = key->proc },
		.span = key->span, .below = key->below, .charge = *charge,
	};

	probes->on_record(probes->ctx, &rec, sizeof(rec));
}

static void send_charged(struct probes *probes, __u64 ts_ns)
{
	struct pyi_charged rec = {
		.hdr = { .kind = PYI_EV_CHARGED, .size = sizeof(rec), .proc = ~0u, .ts_ns = ts_ns },
		.groups = probes->groups | (probes->want_no_edges ? PYI_GROUP_STATEMENTS : 0),
	};

	probes->on_record(probes->ctx, &rec, sizeof(rec));
}

/* Sends all charges of @parity. Their keys, to be deleted, to @doomed. */
static int send_parity(struct probes *probes, struct batch *batch, __u32 parity,
		       struct pyi_charge_key **doomed, size_t *doomed_cnt)
{
	int fd = bpf_map__fd(probes->skel->maps.charges), err;
	struct pyi_charge_key *bigger;
	__u32 at = 0, cnt;
	void *in = NULL;

	do {
		cnt = BATCH;
		err = bpf_map_lookup_batch(fd, in, &at, batch->keys, batch->values, &cnt, NULL);
		if (err && err != -ENOENT)
			return log_err(err, "cannot read what imports were charged");
		bigger = reallocarray(*doomed, *doomed_cnt + cnt + 1, sizeof(**doomed));
		if (!bigger)
			return -ENOMEM;
		*doomed = bigger;
		for (__u32 i = 0; i < cnt; i++) {
			if (batch->keys[i].parity != parity)
				continue;
			send_charge(probes, &batch->keys[i], &batch->values[i]);
			bigger[(*doomed_cnt)++] = batch->keys[i];
		}
		in = &at;
	} while (!err);
	return 0;
}

static int take_parity(struct probes *probes, __u32 parity)
{
	_cleanup_free_ struct batch *batch = malloc(sizeof(*batch));
	_cleanup_free_ struct pyi_charge_key *doomed = NULL;
	int fd = bpf_map__fd(probes->skel->maps.charges), err;
	size_t cnt = 0;

	if (!batch)
		return -ENOMEM;
	err = send_parity(probes, batch, parity, &doomed, &cnt);
	for (size_t i = 0; i < cnt; i++)
		bpf_map_delete_elem(fd, &doomed[i]);
	return err ? err : calls_take(probes, parity);
}

int charges_poll(struct probes *probes)
{
	struct charges *charges = &probes->charges;
	__u64 now = clock_ns(), made = probes->skel->bss->charge_cnt;
	int err = 0;

	if (charges->is_turned) { /* the ring has been read since: what is charged was begun */
		if (now - charges->turned_ns < QUIET_NS)
			return 0;
		charges->is_turned = false;
		err = take_parity(probes, !probes->skel->bss->charge_parity);
		if (!err) {
			send_charged(probes, charges->turned_ns);
			charges->settled_ns = charges->turned_ns;
		}
	} else if (charges->is_wanted || made - charges->taken_cnt >= FULL_CNT ||
		   calls_are_many(probes) || now - charges->turned_ns >= GAP_NS) {
		charges->is_turned = true;
		charges->is_wanted = false;
		charges->turned_ns = now;
		charges->taken_cnt = made;
		charges->taken_files_cnt = probes->skel->bss->file_cnt;
		probes->skel->bss->charge_parity ^= 1;
	}
	return err;
}

void probes__settle(struct probes *probes)
{
	probes->charges.is_wanted = true;
}

__u64 probes__settled_ns(const struct probes *probes)
{
	return probes->charges.settled_ns;
}

int charges_drain(struct probes *probes)
{
	int err = take_parity(probes, 0);

	if (!err)
		err = take_parity(probes, 1);
	if (!err)
		send_charged(probes, clock_ns());
	return err;
}
