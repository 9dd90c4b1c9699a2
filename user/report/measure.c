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

/* False: null, which is what was not measured. */
static bool add_value(const json_t *obj, const char *key, long long *sum)
{
	const json_t *value = json_object_get(obj, key);

	*sum += json_integer_value(value);
	return json_is_integer(value);
}

static bool find_value(enum measure measure, const json_t *import, long long *out)
{
	const json_t *rss = json_object_get(import, "self_rss");

	switch (measure) {
	case MEASURE_CPU:
		return add_value(import, "self_cpu_ns", out);
	case MEASURE_MEMORY:
		return add_value(rss, "anon", out) && add_value(rss, "file", out);
	case MEASURE_BYTES:
		return add_value(json_object_get(import, "self_io"), "bytes_read", out);
	default:
		return false;
	}
}

bool measure_self(enum measure measure, const struct load *load, long long *out)
{
	struct json_out jo = {0};
	json_t *import;
	bool is_known;

	*out = 0;
	if (measure == MEASURE_TIME) {
		if (load->self_ns == NS_UNKNOWN)
			return false;
		*out = (long long)load->self_ns;
		return true;
	}
	import = json_new_import(&jo, load);
	is_known = find_value(measure, import, out);
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
