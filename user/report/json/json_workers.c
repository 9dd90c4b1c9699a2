// SPDX-License-Identifier: BSD-2-Clause
/* Groups of processes that did the same, in JSON. The processes themselves are all there too. */
#include "report/head/groups.h"
#include "report/json/json_out.h"

#include <errno.h>

static json_t *new_serials(struct json_out *jo, const struct group *group)
{
	json_t *array = json_array();

	for (size_t i = 0; i < group->member_cnt; i++)
		if (json_array_append_new(array, json_integer(group->members[i]->serial)))
			jo->err = -ENOMEM;
	return array;
}

static json_t *new_spread(struct json_out *jo, const struct group *group)
{
	struct spread spread = spread_of(group, true);
	json_t *obj = json_object();

	json_set_ns(jo, obj, "min", spread.min_ns);
	json_set_ns(jo, obj, "median", spread.median_ns);
	json_set_ns(jo, obj, "max", spread.max_ns);
	return obj;
}

json_t *json_new_groups(struct json_out *jo, const struct model *model)
{
	json_t *array = json_array();

	for (size_t i = 0; i < model__group_cnt(model); i++) {
		const struct group *group = model__group(model, i);
		json_t *obj = json_object();

		json_set_int(jo, obj, "id", group->id);
		json_set(jo, obj, "parent",
			 group->parent ? json_integer(group->parent->id) : json_null());
		json_set_int(jo, obj, "count", (long long)group->member_cnt);
		json_set_int(jo, obj, "typical", group->typical->serial);
		json_set(jo, obj, "serials", new_serials(jo, group));
		json_set(jo, obj, "own_import_ns", new_spread(jo, group));
		if (json_array_append_new(array, obj))
			jo->err = -ENOMEM;
	}
	return array;
}
