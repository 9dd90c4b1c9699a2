// SPDX-License-Identifier: BSD-2-Clause
/* What a module itself cost, by several measures; see measure.h. */
#include "report/measure.h"

#include <errno.h>
#include <string.h>

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

static const json_t *find_value(enum measure measure, const json_t *import)
{
	switch (measure) {
	case MEASURE_CPU:
		return json_object_get(import, "self_cpu_ns");
	case MEASURE_MEMORY:
		return json_object_get(import, "rss_delta");
	case MEASURE_BYTES:
		return json_object_get(json_object_get(import, "io"), "bytes_read");
	default:
		return NULL;
	}
}

bool measure_self(enum measure measure, const struct load *load, long long *out)
{
	struct json_out jo = {0};
	const json_t *value;
	bool is_known;
	json_t *import;

	*out = 0;
	if (measure == MEASURE_TIME) {
		if (load->self_ns == NS_UNKNOWN)
			return false;
		*out = (long long)load->self_ns;
		return true;
	}
	import = json_new_import(&jo, load);
	value = find_value(measure, import);
	is_known = json_is_integer(value);
	if (is_known)
		*out = json_integer_value(value);
	json_decref(import);
	return is_known;
}

bool measure_has(enum measure measure, const struct process *process)
{
	long long value;

	for (size_t i = 0; i < process->load_cnt; i++)
		if (measure_self(measure, process->loads[i], &value))
			return true;
	return false;
}
