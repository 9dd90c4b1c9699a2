// SPDX-License-Identifier: BSD-2-Clause
/* The small functions that JSON is made with, and writing one value. */
#include "report/json/json_out.h"

#include <errno.h>

#include "base/cleanup.h"

void json_set(struct json_out *jo, json_t *obj, const char *key, json_t *value)
{
	if (!value || json_object_set_new(obj, key, value))
		jo->err = -ENOMEM;
}

json_t *json_new_str(struct json_out *jo, const char *text)
{
	struct text_buf buf = { 0 };
	json_t *value;

	if (!text)
		return json_null();
	if (text_is_harmless(text))
		return json_string(text);
	jo->needs_ascii = true;
	text_buf__repair(&buf, text);
	value = buf.err ? NULL : json_string(text_buf__str(&buf));
	text_buf__free(&buf);
	return value;
}

void json_set_str(struct json_out *jo, json_t *obj, const char *key, const char *text)
{
	json_set(jo, obj, key, json_new_str(jo, text));
}

void json_set_ns(struct json_out *jo, json_t *obj, const char *key, __u64 ns)
{
	/* JSON integers are signed here; a time that large is none. */
	json_set(jo, obj, key, ns > INT64_MAX ? json_null() : json_integer((json_int_t)ns));
}

void json_set_int(struct json_out *jo, json_t *obj, const char *key, long long value)
{
	json_set(jo, obj, key, json_integer(value));
}

void json_set_bool(struct json_out *jo, json_t *obj, const char *key, bool value)
{
	json_set(jo, obj, key, json_boolean(value));
}

void json_set_null(struct json_out *jo, json_t *obj, const char *key)
{
	json_set(jo, obj, key, json_null());
}

json_t *json_new_site(struct json_out *jo, const struct site *site)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", site->module);
	json_set_str(jo, obj, "file", site->file);
	if (site->line > 0)
		json_set_int(jo, obj, "line", site->line);
	else
		json_set_null(jo, obj, "line");
	return obj;
}

json_t *json_new_strs(struct json_out *jo, const char *const *strings, size_t cnt)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cnt; i++)
		if (json_array_append_new(array, json_new_str(jo, strings[i])))
			jo->err = -ENOMEM;
	return array;
}

/* ASCII only; DEL, which jansson leaves as it is, included. */
static void put_ascii(struct json_out *jo, json_t *obj, size_t flags)
{
	_cleanup_free_ char *text = json_dumps(obj, flags | JSON_ENSURE_ASCII);

	if (!text)
		jo->err = -ENOMEM;
	for (const char *at = text; at && *at; at++) {
		if (*at == '\177')
			fputs("\\u007F", jo->out);
		else
			fputc(*at, jo->out);
	}
}

void json_put(struct json_out *jo, json_t *obj, bool is_embedded)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (is_embedded ? JSON_EMBED : 0);

	if (!obj)
		jo->err = -ENOMEM;
	else if (jo->needs_ascii)
		put_ascii(jo, obj, flags);
	else if (json_dumpf(obj, jo->out, flags) && !ferror(jo->out))
		jo->err = -ENOMEM; /* an error of the stream is report_write's, which knows it */
	jo->needs_ascii = false;
	json_decref(obj);
}
