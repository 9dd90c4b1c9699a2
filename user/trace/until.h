/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --until-ready and --until-idle: when the stream says that there is nothing more to wait for.
 * Looks at raw records; times are those of the records and of the caller's clock.
 */
#ifndef TRACE_UNTIL_H
#define TRACE_UNTIL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct pyi_hdr;
struct until;

/*
 * @idle_ns 0 = not by idleness. @start_ns: idleness counts from here; 0 = from the first record.
 * @service_cnt: containers or cgroups that were named; each of them must get ready, or have ended.
 */
int until__new(bool want_ready, __u64 idle_ns, __u64 start_ns, unsigned int service_cnt,
	       struct until **out);
void until__free(struct until *until);

/* Looks at one raw record; cheap. */
void until__note(struct until *until, const struct pyi_hdr *hdr);

/*
 * To be called before until__note: where the process runs, and the named service around that.
 * SERVICE_NONE = in none.
 */
#define SERVICES_MAX 1024
#define SERVICE_NONE (~0U)
void until__note_service(struct until *until, const struct pyi_hdr *hdr, unsigned int service,
			 unsigned int around);

/* Is it over? *why is then half a sentence about it. */
bool until__is_over(struct until *until, __u64 now_ns, const char **why);

#endif
