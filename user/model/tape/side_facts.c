// SPDX-License-Identifier: BSD-2-Clause
/*
 * One table per struct serves both directions: a new field is one line here, and the assertions on
 * sizes make sure that it is not forgotten. Text that is not UTF-8 (a path may be anything) is kept byte by byte, as {"latin1": "…"}.
 */
#include "model/tape/side_facts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/unexamined.h"

enum field_type { TEXT = 1, TEXTS, FLAG, U32, U64 };

struct field {
	const char *key;
	enum field_type type;
	size_t off;
	size_t cnt_off; /* TEXTS: of the size_t that counts them */
};

#define FIELD(type_, struct_, name_) { #name_, type_, offsetof(struct struct_, name_), 0 }
#define ARRAY(struct_, name_, cnt_) \
	{ #name_, TEXTS, offsetof(struct struct_, name_), offsetof(struct struct_, cnt_) }
#define STAT(name_) FIELD(U64, pyi_stats, name_)

static const struct field host_fields[] = {
	FIELD(TEXT, host_info, kernel), FIELD(TEXT, host_info, arch),
	FIELD(TEXT, host_info, hostname), FIELD(TEXT, host_info, tool_version),
	FIELD(U64, host_info, trace_start_ns), FIELD(U64, host_info, trace_end_ns),
	FIELD(U64, host_info, realtime_ns), FIELD(U32, host_info, cpu_cnt),
	FIELD(U32, host_info, file_nr), {},
};
static const struct field python_fields[] = {
	FIELD(TEXT, python_info, version), FIELD(TEXT, python_info, implementation),
	FIELD(TEXT, python_info, binary), FIELD(FLAG, python_info, free_threaded),
	FIELD(U32, python_info, layers), ARRAY(python_info, notes, note_cnt), {},
};
static const struct field process_fields[] = {
	FIELD(TEXT, process_info, exe), FIELD(TEXT, process_info, cwd),
	FIELD(TEXT, process_info, cgroup), ARRAY(process_info, argv, argc),
	FIELD(TEXT, process_info, unit), FIELD(TEXT, process_info, container.id),
	FIELD(TEXT, process_info, container.name), FIELD(TEXT, process_info, container.runtime),
	FIELD(TEXT, process_info, container.image),
	FIELD(U32, process_info, nspid), FIELD(U32, process_info, ppid), {},
};
static const struct field lib_fields[] = {
	FIELD(TEXT, lib_info, path), FIELD(U64, lib_info, size), FIELD(U64, lib_info, ino),
	ARRAY(lib_info, needed, needed_cnt), {},
};
static const struct field stats_fields[] = {
	STAT(ring_full), STAT(thread_state), STAT(proc_full), STAT(edges_full), STAT(codes_full),
	STAT(depth_overflow), STAT(names_truncated), STAT(tables_truncated), STAT(unreadable),
	STAT(ends_unobserved), STAT(frames_cut), STAT(no_thread), STAT(charges_full), STAT(hits),
	STAT(bystander_hits), STAT(ends_unmatched), STAT(files_full), STAT(net_full),
	STAT(paths_full),
	{},
};
static const struct field late_fields[] = { { "count", U64, 0, 0 }, {} };
static const struct field hold_fields[] = {
	FIELD(U32, hold_info, tgid), FIELD(TEXT, hold_info, path),
	FIELD(FLAG, hold_info, is_exec), FIELD(U64, hold_info, start_ns),
	FIELD(U64, hold_info, wall_ns), {},
};
static const struct field held_fields[] = {
	FIELD(U64, held_info, cnt), FIELD(U64, held_info, total_ns),
	FIELD(U64, held_info, exec_max_ns), FIELD(U64, held_info, stop_max_ns),
	FIELD(U64, held_info, refused_cnt), {},
};
static const struct field unexamined_fields[] = {
	FIELD(U64, unexamined_info, cnt), ARRAY(unexamined_info, paths, path_cnt), {},
};
static const struct field price_fields[] = {
	FIELD(U64, price_info, trap_ns), FIELD(U64, price_info, step_ns),
	FIELD(U64, price_info, end_trap_ns), FIELD(U64, price_info, end_step_ns),
	FIELD(U64, price_info, call_ns), {},
};
static const struct field throttle_fields[] = {
	FIELD(TEXT, throttle_info, cgroup), FIELD(U64, throttle_info, quota_us),
	FIELD(U64, throttle_info, period_us), FIELD(U64, throttle_info, ts_ns),
	FIELD(U64, throttle_info, cnt), FIELD(U64, throttle_info, wall_ns), {},
};
static const struct field same_fields[] = {
	FIELD(TEXT, same_info, path), FIELD(TEXT, same_info, other),
	FIELD(U64, same_info, size), FIELD(U64, same_info, compared),
	FIELD(U32, same_info, other_serial), {},
};

_Static_assert(sizeof(struct host_info) == 64, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct python_info) == 48, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct process_info) == 88, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct hold_info) == 40, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct held_info) == 40, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct price_info) == 40, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct throttle_info) == 48, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct same_info) == 40, "a new field: captures must keep it, add it above");
_Static_assert(sizeof(struct pyi_stats) / 8 + 1 == sizeof(stats_fields) / sizeof(stats_fields[0]),
	       "a new counter: captures must keep it, add it above");

static const struct shape {
	const char *name;
	enum model_fact fact;
	const struct field *fields;
} shapes[] = {
	{ "host", FACT_HOST, host_fields },
	{ "python", FACT_PYTHON, python_fields },
	{ "process", FACT_PROCESS, process_fields },
	{ "stats", FACT_STATS, stats_fields },
	{ "unprobed", FACT_UNPROBED, python_fields },
	{ "late_starts", FACT_LATE_STARTS, late_fields },
	{ "lib", FACT_LIB, lib_fields },
	{ "unknown_starts", FACT_UNKNOWN_STARTS, late_fields },
	{ "hold", FACT_HOLD, hold_fields },
	{ "held", FACT_HELD, held_fields },
	{ "unexamined", FACT_UNEXAMINED, unexamined_fields },
	{ "price", FACT_PRICE, price_fields },
	{ "throttle", FACT_THROTTLE, throttle_fields },
	{ "same", FACT_SAME, same_fields },
};

union any_info {
	struct host_info host;
	struct python_info python;
	struct process_info process;
	struct pyi_stats stats;
	__u64 late_starts;
	struct lib_info lib;
	struct hold_info hold;
	struct held_info held;
	struct unexamined_info unexamined;
	struct price_info price;
	struct throttle_info throttle;
	struct same_info same;
};

/* ---- struct to JSON: jansson's functions take a NULL value for "out of memory earlier" */

static json_t *new_text(const char *text)
{
	_cleanup_free_ char *utf8 = NULL;
	size_t sz = strlen(text), at = 0;
	json_t *value = json_string(text);

	if (value)
		return value;
	utf8 = malloc(2 * sz + 1);
	if (!utf8)
		return NULL;
	for (size_t i = 0; i < sz; i++) {
		unsigned char c = text[i];

		if (c >= 0x80)
			utf8[at++] = (char)(0xc0 | c >> 6);
		utf8[at++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	return json_pack("{s:s%}", "latin1", utf8, at);
}

static json_t *new_texts(const char *const *texts, size_t cnt)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < cnt; i++) {
		if (json_array_append_new(array, texts[i] ? new_text(texts[i]) : json_null())) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* NULL for what is unknown, as for no memory: the caller asks has_value first. */
static json_t *new_value(const struct field *field, const char *info)
{
	const void *at = info + field->off;

	switch (field->type) {
	case TEXT: return new_text(*(const char *const *)at);
	case TEXTS: return new_texts(*(const char *const *const *)at,
				     *(const size_t *)(const void *)(info + field->cnt_off));
	case FLAG: return json_boolean(*(const bool *)at);
	case U32: return json_integer(*(const __u32 *)at);
	case U64: return json_integer((json_int_t)*(const __u64 *)at);
	}
	return NULL;
}

static bool has_value(const struct field *field, const char *info)
{
	const void *at = info + field->off;

	return (field->type != TEXT && field->type != TEXTS) || *(const void *const *)at;
}

char *side_encode(enum model_fact fact, __u32 id, const void *info, size_t *size)
{
	const struct shape *shape = &shapes[0];
	json_t *obj;
	char *text;
	int err;

	while (shape->fact != fact)
		shape++;
	obj = json_pack("{s:s, s:I}", "fact", shape->name, "id", (json_int_t)id);
	err = obj ? 0 : -ENOMEM;
	for (const struct field *field = shape->fields; !err && field->key; field++) {
		if (has_value(field, info))
			err = json_object_set_new(obj, field->key, new_value(field, info));
	}
	text = err ? NULL : json_dumps(obj, JSON_COMPACT);
	json_decref(obj);
	*size = text ? strlen(text) : 0;
	return text;
}

/* ---- JSON to struct: strings stay the JSON's, arrays of them are freed by clear_info */

/* Bytes again; written over the text in place, they are fewer. NULL: not what new_text makes. */
static const char *latin1_of(json_t *obj)
{
	json_t *value = json_object_get(obj, "latin1"), *bytes;
	const unsigned char *text = (const unsigned char *)json_string_value(value);
	size_t sz = json_string_length(value), at = 0;
	_cleanup_free_ char *out = text ? malloc(sz + 1) : NULL;

	if (!out)
		return NULL;
	for (size_t i = 0; i < sz; i++) {
		if (text[i] >= 0x80 && i + 1 < sz) {
			out[at++] = (char)(text[i] << 6 | (text[i + 1] & 0x3f));
			i++;
		} else {
			out[at++] = (char)text[i];
		}
	}
	bytes = json_stringn_nocheck(out, at);
	if (json_object_set_new(obj, "latin1", bytes))
		return NULL;
	return json_string_value(bytes);
}

static const char *text_of(json_t *value)
{
	return json_is_object(value) ? latin1_of(value) : json_string_value(value);
}

static int set_texts(const struct field *field, char *info, json_t *array)
{
	size_t cnt = json_array_size(array);
	const char **texts;

	if (!json_is_array(array))
		return 0;
	texts = calloc(cnt + 1, sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		texts[i] = text_of(json_array_get(array, i));
		if (!texts[i])
			texts[i] = "";
	}
	memcpy(info + field->off, &texts, sizeof(texts));
	memcpy(info + field->cnt_off, &cnt, sizeof(cnt));
	return 0;
}

static int set_value(const struct field *field, char *info, json_t *value)
{
	__u64 number = (__u64)json_integer_value(value);
	__u32 small = number;
	bool flag = json_is_true(value);
	const char *text;

	switch (field->type) {
	case TEXT:
		text = text_of(value);
		memcpy(info + field->off, &text, sizeof(text));
		return 0;
	case TEXTS: return set_texts(field, info, value);
	case FLAG:
		memcpy(info + field->off, &flag, sizeof(flag));
		return 0;
	case U32:
		memcpy(info + field->off, &small, sizeof(small));
		return 0;
	case U64:
		memcpy(info + field->off, &number, sizeof(number));
		return 0;
	}
	return 0;
}

static void clear_info(const struct field *fields, char *info)
{
	for (; fields->key; fields++) {
		void *texts;

		if (fields->type != TEXTS)
			continue;
		memcpy(&texts, info + fields->off, sizeof(texts));
		free(texts);
	}
}

static int apply_fact(struct model *model, const struct shape *shape, json_t *obj)
{
	union any_info info = {};
	json_t *id = json_object_get(obj, "id");
	int err = 0;

	for (const struct field *field = shape->fields; !err && field->key; field++) {
		json_t *value = json_object_get(obj, field->key);

		if (value)
			err = set_value(field, (char *)&info, value);
	}
	if (!err)
		err = model__set_fact(model, shape->fact, (__u32)json_integer_value(id), &info);
	clear_info(shape->fields, (char *)&info);
	return err;
}

int side_apply(struct model *model, const char *text, size_t size)
{
	json_t *obj = json_loadb(text, size, 0, NULL);
	const char *name = json_string_value(json_object_get(obj, "fact"));
	int err = json_is_object(obj) ? 0 : -EBADMSG;

	for (size_t i = 0; name && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (!strcmp(shapes[i].name, name))
			err = apply_fact(model, &shapes[i], obj);
	}
	json_decref(obj);
	return err;
}
