// SPDX-License-Identifier: BSD-2-Clause
/* What a process had before tracing began, in JSON. */
#include "report/json/json_out.h"

#include <errno.h>

static json_t *new_modules(struct json_out *jo, const struct inventory *inventory)
{
	json_t *array = json_array();

	for (size_t i = 0; i < inventory->module_cnt; i++) {
		json_t *obj = json_object();

		json_set_str(jo, obj, "module", inventory->modules[i]->name);
		json_set_str(jo, obj, "file", inventory->modules[i]->file);
		if (json_array_append_new(array, obj))
			jo->err = -ENOMEM;
	}
	return array;
}

static json_t *new_libs(struct json_out *jo, const struct inventory *inventory)
{
	json_t *array = json_array();

	for (size_t i = 0; i < inventory->lib_cnt; i++) {
		json_t *obj = json_object();

		json_set_str(jo, obj, "path", inventory->libs[i]->name);
		json_set_ns(jo, obj, "bytes", inventory->libs[i]->bytes);
		if (json_array_append_new(array, obj))
			jo->err = -ENOMEM;
	}
	return array;
}

json_t *json_new_inventory(struct json_out *jo, const struct inventory *inventory)
{
	json_t *obj;

	if (!inventory)
		return json_null();
	obj = json_object();
	json_set_ns(jo, obj, "taken_ns", inventory->taken_ns);
	json_set(jo, obj, "modules",
		 inventory->has_modules ? new_modules(jo, inventory) : json_null());
	json_set(jo, obj, "all_modules",
		 inventory->has_modules ? json_boolean(!inventory->is_cut) : json_null());
	json_set(jo, obj, "libs", new_libs(jo, inventory));
	return obj;
}
