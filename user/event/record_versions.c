// SPDX-License-Identifier: BSD-2-Clause
/* Records of older and newer builds: the fixed part of a record only grows at its end. */
#include <string.h>

#include "event/event.h"
#include "pyimport_charge.h"

/*
 * Fields that once came in the middle, before there were releases: records with a fixed part of
 * @theirs bytes lack @sz of them at @at. New fields come last; nothing is to be added here.
 */
static const struct inserted {
	size_t kind, theirs, at, sz;
} inserted[] = {
	{ PYI_EV_CHARGE, 216, offsetof(struct pyi_charge_record, charge.rss_peak), 8 },
};

static const struct inserted *inserted_of(unsigned int kind, size_t theirs)
{
	for (size_t i = 0; i < sizeof(inserted) / sizeof(inserted[0]); i++)
		if (inserted[i].kind == kind && inserted[i].theirs == theirs)
			return &inserted[i];
	return NULL;
}

/* Fixed part in this build, or 0: leave the record as it is. */
static size_t ours_of(const struct pyi_hdr *hdr, size_t size, size_t theirs)
{
	size_t ours = event_fixed_sz(hdr->kind);

	if (!ours || theirs == ours || theirs < sizeof(*hdr) || hdr->size != size || size < theirs)
		return 0;
	return ours;
}

size_t event_refit_sz(const void *record, size_t size, size_t theirs)
{
	size_t ours = ours_of(record, size, theirs);

	return ours ? size - theirs + ours : size;
}

void event_refit(const void *record, size_t size, size_t theirs, void *out)
{
	size_t ours = ours_of(record, size, theirs), both;
	const struct inserted *gap;
	struct pyi_hdr *hdr = out;

	if (!ours) {
		memcpy(out, record, size);
		return;
	}
	both = ours < theirs ? ours : theirs;
	memcpy(out, record, both);
	memset((char *)out + both, 0, ours - both);
	gap = inserted_of(hdr->kind, theirs);
	if (gap) {
		memset((char *)out + gap->at, 0, gap->sz);
		memcpy((char *)out + gap->at + gap->sz, (const char *)record + gap->at,
		       theirs - gap->at);
	}
	memcpy((char *)out + ours, (const char *)record + theirs, size - theirs);
	hdr->size = size - theirs + ours;
}
