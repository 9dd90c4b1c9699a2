/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process images were met, as far as can be remembered in little memory: serials count
 * upwards, so that an old one makes room for a new one. A forgotten image is looked at once more.
 */
#ifndef TRACE_FACTS_RECENT_IMAGES_H
#define TRACE_FACTS_RECENT_IMAGES_H

#include <linux/types.h>
#include <stdbool.h>

#define RECENT_CNT 32768u

struct recent {
	__u32 serials[RECENT_CNT];
};

static inline bool recent_has(const struct recent *recent, __u32 serial)
{
	return recent->serials[serial % RECENT_CNT] == serial;
}

static inline void recent_add(struct recent *recent, __u32 serial)
{
	recent->serials[serial % RECENT_CNT] = serial;
}

#endif
