// SPDX-License-Identifier: BSD-2-Clause
/* Records of older and newer builds: the fixed part of a record only ever grows at its end. */
#include <string.h>

#include "event/event.h"

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
	struct pyi_hdr *hdr = out;

	if (!ours) {
		memcpy(out, record, size);
		return;
	}
	both = ours < theirs ? ours : theirs;
	memcpy(out, record, both);
	memset((char *)out + both, 0, ours - both);
	memcpy((char *)out + ours, (const char *)record + theirs, size - theirs);
	hdr->size = size - theirs + ours;
}
