// SPDX-License-Identifier: BSD-2-Clause
/* What a module itself cost, by several measures; see measure.h. */
#include "report/text/measure.h"

#include <errno.h>
#include <string.h>

#include "report/uses.h"

const char *const report_measures[] = {
	[MEASURE_TIME] = "time", [MEASURE_CPU] = "cpu", [MEASURE_MEMORY] = "memory",
	[MEASURE_BYTES] = "bytes", [MEASURE_MAX] = NULL,
};

const char *measure_name(enum measure measure)
{
	return report_measures[measure];
}

const char *measure_unit(enum measure measure)
{
	return measure == MEASURE_TIME || measure == MEASURE_CPU ? "nanoseconds" : "bytes";
}

int measure_find(const char *name, enum measure *out)
{
	*out = MEASURE_TIME;
	for (unsigned int i = 0; name && i < MEASURE_MAX; i++) {
		*out = i;
		if (!strcmp(report_measures[i], name))
			return 0;
	}
	return name ? -EINVAL : 0;
}

unsigned int measure_uses(const char *name)
{
	static const unsigned int uses[MEASURE_MAX] = {
		[MEASURE_TIME] = USES_LOADS, [MEASURE_CPU] = USES_CPU,
		[MEASURE_MEMORY] = USES_MEMORY, [MEASURE_BYTES] = USES_FILES,
	};
	enum measure measure;

	return measure_find(name, &measure) ? USES_CAUSES : uses[measure];
}

bool measure_self(enum measure measure, const struct load *load, long long *out)
{
	const struct pyi_charge *charge = load->charge;
	__u32 measured = load->process->measured;

	*out = 0;
	switch (measure) {
	case MEASURE_TIME:
		*out = (long long)load->self_ns;
		return load->self_ns != NS_UNKNOWN;
	case MEASURE_CPU:
		*out = (long long)load->self_cpu_ns;
		return load->self_cpu_ns != NS_UNKNOWN;
	case MEASURE_MEMORY:
		*out = (__s64)(charge->rss_anon + charge->rss_file);
		return measured & PYI_GROUP_MEMORY;
	case MEASURE_BYTES:
		*out = (long long)charge->bytes_read;
		return measured & PYI_GROUP_FILES;
	default:
		return false;
	}
}

bool measure_has(enum measure measure, const struct process *process)
{
	long long value;

	for (size_t i = 0; i < process->load_cnt; i++)
		if (measure_self(measure, process->loads[i], &value))
			return true;
	return false;
}
