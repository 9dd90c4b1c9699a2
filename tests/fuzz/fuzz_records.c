// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records, as a hostile target may have made them: per record {kind, flags, process and thread,
 * length of what follows}. A record that is too short is filled up with zeros, so that lengths and
 * ids inside it are what is tried out, not only its size.
 */
#include "event/event.h"
#include "fuzz.h"

struct cut {
	uint8_t kind, flags, who, time, length[2];
};

static void apply(struct model *model, const struct cut *cut, const uint8_t *body, size_t body_sz)
{
	size_t fixed_sz = event_fixed_sz(cut->kind), size = sizeof(struct pyi_hdr) + body_sz;
	struct pyi_hdr hdr = { .kind = cut->kind, .flags = cut->flags & 0x7f,
			       .proc = 1 + (cut->who & 3), .tgid = 100 + (cut->who >> 2 & 1),
			       .tid = 100 + (cut->who >> 3 & 3), .ts_ns = cut->time * 1000ULL };
	uint8_t *record;

	/* One in two is left too short. */
	if (size < fixed_sz && !(cut->flags & 0x80))
		size = fixed_sz;
	record = calloc(1, size);
	if (!record)
		abort();
	hdr.size = size;
	memcpy(record, &hdr, sizeof(hdr));
	memcpy(record + sizeof(hdr), body, body_sz);
	if (model__apply(model, record, size))
		abort(); /* there is memory enough for this */
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pyi_stats stats = {};
	struct model *model;
	size_t at = 0;

	if (model__new(&model))
		abort();
	while (size - at >= sizeof(struct cut)) {
		struct cut cut;
		size_t body_sz;

		memcpy(&cut, data + at, sizeof(cut));
		at += sizeof(cut);
		body_sz = cut.length[0] | (cut.length[1] & 0x1f) << 8;
		if (body_sz > size - at)
			body_sz = size - at;
		apply(model, &cut, data + at, body_sz);
		at += body_sz;
	}
	model__set_stats(model, &stats);
	if (!model__finish(model, 300000)) {
		fuzz_check(model);
		fuzz_report(model);
	}
	model__free(model);
	return 0;
}
