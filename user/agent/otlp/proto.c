// SPDX-License-Identifier: BSD-2-Clause
/*
 * See proto.h. Fields of the JSON are looked up by name among those that protobuf-c made of
 * otlp.proto; what it cannot name is refused, so that nothing is left out in silence. A test
 * decodes what is sent by OpenTelemetry's definitions themselves.
 */
#include "agent/otlp/proto.h"

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "otlp.pb-c.h"

/* Of the numbers that otlp.proto has. */
static size_t size_of(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_BOOL ? sizeof(protobuf_c_boolean) :
	       type == PROTOBUF_C_TYPE_INT32 ? sizeof(int32_t) : sizeof(__u64);
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

static int set_number(void *at, ProtobufCType type, const json_t *value)
{
	double real = json_number_value(value);
	protobuf_c_boolean truth;
	__u64 number = 0;
	__s32 small;

	if (type == PROTOBUF_C_TYPE_DOUBLE) {
		memcpy(at, &real, sizeof(real));
		return json_is_number(value) ? 0 : -EINVAL;
	}
	if (number_of(value, &number))
		return -EINVAL;
	truth = number != 0;
	small = (__s32)number;
	memcpy(at, type == PROTOBUF_C_TYPE_BOOL ? (void *)&truth :
		   type == PROTOBUF_C_TYPE_INT32 ? (void *)&small : (void *)&number, size_of(type));
	return 0;
}

static int set_hex(ProtobufCBinaryData *at, const json_t *value)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = json_string_value(value);

	if (!text || strlen(text) % 2 || strspn(text, digits) != strlen(text))
		return -EINVAL;
	at->data = malloc(strlen(text) / 2 + 1);
	if (!at->data)
		return -ENOMEM;
	for (; *text; text += 2)
		at->data[at->len++] = (uint8_t)((strchr(digits, text[0]) - digits) << 4 |
						(strchr(digits, text[1]) - digits));
	return 0;
}

static int set_text(char **at, const json_t *value)
{
	if (!json_is_string(value))
		return -EINVAL;
	*at = strdup(json_string_value(value));
	return *at ? 0 : -ENOMEM;
}

static int build(const ProtobufCMessageDescriptor *kind, const json_t *object,
		 ProtobufCMessage **out);

static int set_one(void *at, const ProtobufCFieldDescriptor *field, const json_t *value)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return build(field->descriptor, value, at);
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return set_text(at, value);
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return set_hex(at, value);
	return set_number(at, field->type, value);
}

/* Of messages and of numbers alone. What is there when one fails is freed with the message. */
static int set_many(char *message, const ProtobufCFieldDescriptor *field, const json_t *list)
{
	bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
	size_t sz = is_message ? sizeof(void *) : size_of(field->type);
	size_t cnt = json_array_size(list), i;
	char *items = cnt ? calloc(cnt, sz) : NULL;
	const json_t *item;
	int err = 0;

	if (!json_is_array(list))
		return -EINVAL;
	if (cnt && !items)
		return -ENOMEM;
	memcpy(message + field->offset, &items, sizeof(items));
	memcpy(message + field->quantifier_offset, &cnt, sizeof(cnt));
	json_array_foreach(list, i, item)
		if (!err)
			err = set_one(items + i * sz, field, item);
	return err;
}

static int set_field(char *message, const ProtobufCFieldDescriptor *field, const json_t *value)
{
	const protobuf_c_boolean has = 1;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return set_many(message, field, value);
	/* A pointer tells by itself whether there is something. */
	if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING)
		memcpy(message + field->quantifier_offset, &has, sizeof(has));
	return set_one(message + field->offset, field, value);
}

/* *out is to be freed even if this fails. */
static int build(const ProtobufCMessageDescriptor *kind, const json_t *object,
		 ProtobufCMessage **out)
{
	const char *name;
	json_t *value;
	int err = 0;

	if (!json_is_object(object))
		return -EINVAL;
	*out = malloc(kind->sizeof_message);
	if (!*out)
		return -ENOMEM;
	protobuf_c_message_init(kind, *out);
	json_object_foreach((json_t *)object, name, value) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(kind, name);

		if (!err)
			err = field ? set_field((char *)*out, field, value) : -EINVAL;
	}
	return err;
}

int proto_encode(const json_t *request, char **out, size_t *sz)
{
	const ProtobufCMessageDescriptor *kind = json_object_get(request, "resourceMetrics") ?
		&pyi_otlp__metrics_request__descriptor : &pyi_otlp__traces_request__descriptor;
	ProtobufCMessage *message = NULL;
	uint8_t *bytes = NULL;
	int err = build(kind, request, &message);

	if (!err) {
		bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);
		err = bytes ? 0 : -ENOMEM;
	}
	if (!err) {
		*sz = protobuf_c_message_pack(message, bytes);
		*out = (char *)bytes;
	}
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	return err;
}
