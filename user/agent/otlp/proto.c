// SPDX-License-Identifier: BSD-2-Clause
/*
 * See proto.h. The tables have the fields that we send, with the numbers and types of
 * OpenTelemetry's definitions (opentelemetry-proto 1.x): generated code for all of them, and its
 * library, would be ten times as much. A test decodes what is sent by the definitions themselves.
 */
#include "agent/otlp/proto.h"

#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum kind { STRING, HEX, FIXED64, DOUBLE, VARINT, MESSAGE };
enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_SIZED = 2 };

struct field {
	const char *name; /* NULL: the table ends */
	unsigned int number;
	enum kind kind;
	const struct field *of; /* a message's */
};

static const struct field any_value[4];
static const struct field array_value[] = { { "values", 1, MESSAGE, any_value }, {} };
static const struct field any_value[4] = {
	{ "stringValue", 1, STRING, NULL }, { "intValue", 3, VARINT, NULL },
	{ "arrayValue", 5, MESSAGE, array_value }, {},
};
static const struct field key_value[] = {
	{ "key", 1, STRING, NULL }, { "value", 2, MESSAGE, any_value }, {},
};
static const struct field scope[] = {
	{ "name", 1, STRING, NULL }, { "version", 2, STRING, NULL }, {},
};
static const struct field resource[] = { { "attributes", 1, MESSAGE, key_value }, {} };

static const struct field number_point[] = {
	{ "startTimeUnixNano", 2, FIXED64, NULL }, { "timeUnixNano", 3, FIXED64, NULL },
	{ "asDouble", 4, DOUBLE, NULL }, { "asInt", 6, FIXED64, NULL },
	{ "attributes", 7, MESSAGE, key_value }, {},
};
static const struct field histogram_point[] = {
	{ "startTimeUnixNano", 2, FIXED64, NULL }, { "timeUnixNano", 3, FIXED64, NULL },
	{ "count", 4, FIXED64, NULL }, { "sum", 5, DOUBLE, NULL },
	{ "bucketCounts", 6, FIXED64, NULL }, { "explicitBounds", 7, DOUBLE, NULL },
	{ "attributes", 9, MESSAGE, key_value }, {},
};
static const struct field sum[] = {
	{ "dataPoints", 1, MESSAGE, number_point }, { "aggregationTemporality", 2, VARINT, NULL },
	{ "isMonotonic", 3, VARINT, NULL }, {},
};
static const struct field histogram[] = {
	{ "dataPoints", 1, MESSAGE, histogram_point },
	{ "aggregationTemporality", 2, VARINT, NULL }, {},
};
static const struct field metric[] = {
	{ "name", 1, STRING, NULL }, { "unit", 3, STRING, NULL }, { "sum", 7, MESSAGE, sum },
	{ "histogram", 9, MESSAGE, histogram }, {},
};
static const struct field scope_metrics[] = {
	{ "scope", 1, MESSAGE, scope }, { "metrics", 2, MESSAGE, metric }, {},
};
static const struct field resource_metrics[] = {
	{ "resource", 1, MESSAGE, resource }, { "scopeMetrics", 2, MESSAGE, scope_metrics }, {},
};

static const struct field status[] = {
	{ "message", 2, STRING, NULL }, { "code", 3, VARINT, NULL }, {},
};
static const struct field span[] = {
	{ "traceId", 1, HEX, NULL }, { "spanId", 2, HEX, NULL }, { "parentSpanId", 4, HEX, NULL },
	{ "name", 5, STRING, NULL }, { "kind", 6, VARINT, NULL },
	{ "startTimeUnixNano", 7, FIXED64, NULL }, { "endTimeUnixNano", 8, FIXED64, NULL },
	{ "attributes", 9, MESSAGE, key_value }, { "status", 15, MESSAGE, status }, {},
};
static const struct field scope_spans[] = {
	{ "scope", 1, MESSAGE, scope }, { "spans", 2, MESSAGE, span }, {},
};
static const struct field resource_spans[] = {
	{ "resource", 1, MESSAGE, resource }, { "scopeSpans", 2, MESSAGE, scope_spans }, {},
};

/* Either request: both have one field, under the same number. */
static const struct field request_fields[] = {
	{ "resourceMetrics", 1, MESSAGE, resource_metrics },
	{ "resourceSpans", 1, MESSAGE, resource_spans }, {},
};

static size_t varint(char out[10], __u64 value)
{
	size_t sz = 0;

	do {
		out[sz++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	return sz;
}

static void put_varint(struct text_buf *out, __u64 value)
{
	char bytes[10];

	text_buf__add_sz(out, bytes, varint(bytes, value));
}

static void put_tag(struct text_buf *out, const struct field *field, enum wire wire)
{
	put_varint(out, field->number << 3 | wire);
}

/* What stands from @at on gets its size in front of it. */
static void put_size_at(struct text_buf *out, size_t at)
{
	size_t sz = out->sz - at, size_sz;
	char bytes[10];

	size_sz = varint(bytes, sz);
	text_buf__add_sz(out, bytes, size_sz);
	if (out->err)
		return;
	memmove(out->data + at + size_sz, out->data + at, sz);
	memcpy(out->data + at, bytes, size_sz);
}

/* 64-bit integers are strings in protobuf's JSON; a negative one is its two's complement. */
static int number_of(const json_t *value, __u64 *out)
{
	const char *text = json_string_value(value);
	char *end = NULL;

	if (!text) {
		*out = json_is_integer(value) ? (__u64)json_integer_value(value) :
						json_is_true(value);
		return json_is_integer(value) || json_is_boolean(value) ? 0 : -EINVAL;
	}
	errno = 0;
	*out = *text == '-' ? (__u64)strtoll(text, &end, 10) : strtoull(text, &end, 10);
	return errno || end == text || *end ? -EINVAL : 0;
}

static int put_hex(struct text_buf *out, const json_t *value)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = json_string_value(value);

	for (; text && text[0] && text[1]; text += 2) {
		const char *high = strchr(digits, text[0]), *low = strchr(digits, text[1]);
		char byte;

		if (!high || !low)
			return -EINVAL;
		byte = (char)((high - digits) << 4 | (low - digits));
		text_buf__add_sz(out, &byte, 1);
	}
	return text && !*text ? 0 : -EINVAL;
}

/* A number without its tag. */
static int put_number(struct text_buf *out, enum kind kind, const json_t *value)
{
	double real = json_number_value(value);
	__u64 number = 0;

	if (kind != DOUBLE && number_of(value, &number))
		return -EINVAL;
	if (kind == DOUBLE && !json_is_number(value))
		return -EINVAL;
	if (kind == DOUBLE)
		memcpy(&number, &real, sizeof(number));
	if (kind == VARINT) {
		put_varint(out, number);
		return 0;
	}
	number = htole64(number);
	text_buf__add_sz(out, (const char *)&number, sizeof(number));
	return 0;
}

static int put_message(struct text_buf *out, const struct field *fields, const json_t *object);

/* What has a size of its own, numbers in a row too. */
static int put_sized(struct text_buf *out, const struct field *field, const json_t *value)
{
	const json_t *item;
	size_t at, i;
	int err = 0;

	put_tag(out, field, WIRE_SIZED);
	at = out->sz;
	if (field->kind == MESSAGE) {
		err = put_message(out, field->of, value);
	} else if (field->kind == HEX) {
		err = put_hex(out, value);
	} else if (field->kind == STRING) {
		if (!json_is_string(value))
			return -EINVAL;
		text_buf__add_sz(out, json_string_value(value), json_string_length(value));
	} else {
		json_array_foreach(value, i, item)
			if (!err)
				err = put_number(out, field->kind, item);
	}
	if (!err)
		put_size_at(out, at);
	return err;
}

static int put_field(struct text_buf *out, const struct field *field, const json_t *value)
{
	bool is_number = field->kind == FIXED64 || field->kind == DOUBLE || field->kind == VARINT;
	const json_t *item;
	size_t i;
	int err = 0;

	if (field->kind == MESSAGE && json_is_array(value)) {
		json_array_foreach(value, i, item)
			if (!err)
				err = put_sized(out, field, item);
		return err;
	}
	if (!is_number || json_is_array(value))
		return put_sized(out, field, value);
	put_tag(out, field, field->kind == VARINT ? WIRE_VARINT : WIRE_64);
	return put_number(out, field->kind, value);
}

static int put_message(struct text_buf *out, const struct field *fields, const json_t *object)
{
	const char *name;
	json_t *value;
	int err = json_is_object(object) ? 0 : -EINVAL;

	json_object_foreach((json_t *)object, name, value) {
		const struct field *field = fields;

		while (field->name && strcmp(field->name, name) != 0)
			field++;
		if (!err)
			err = field->name ? put_field(out, field, value) : -EINVAL;
	}
	return err;
}

int proto_encode(const json_t *request, struct text_buf *out)
{
	int err = put_message(out, request_fields, request);

	return err ? err : out->err;
}
