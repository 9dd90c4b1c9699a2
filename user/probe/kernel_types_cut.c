// SPDX-License-Identifier: BSD-2-Clause
/* See kernel_types.h. Fields are looked up by name and size, and none behind a pointer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "probe/kernel_types.h"

#define FLAVOR "___" /* what follows tells versions of a type apart; on our side only */

/* What is kept of them, in the order of its ids. */
struct cut {
	const struct kernel_types *types;
	__u32 *ids;      /* old one by new one; 0 is void */
	__u32 *new_ids;  /* new one by old one; 0 = not kept */
	__u32 cnt;
};

static __u32 keep(struct cut *cut, __u32 id)
{
	if (!kernel_types__get(cut->types, id))
		return 0;
	if (!cut->new_ids[id]) {
		cut->ids[cut->cnt] = id;
		cut->new_ids[id] = cut->cnt++;
	}
	return cut->new_ids[id];
}

static void keep_named(struct cut *cut, const char *name)
{
	const char *flavor = strstr(name, FLAVOR);
	size_t len = flavor ? (size_t)(flavor - name) : strlen(name);
	__u32 id = 0;

	while (len && (id = kernel_types__next(cut->types, name, len, id))) {
		const struct btf_type *type = kernel_types__get(cut->types, id);
		const char *its = kernel_types__name(cut->types, type->name_off);

		if (!strncmp(its, name, len) && !its[len])
			keep(cut, id);
	}
}

/* Copies one type; what it consists of is kept, too. */
static void copy_type(struct cut *cut, const struct btf_type *from, struct btf_type *to)
{
	memcpy(to, from, (size_t)kernel_types_size(from));
	switch (btf_kind(from)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (int i = 0; i < btf_vlen(from); i++)
			btf_members(to)[i].type = keep(cut, btf_members(from)[i].type);
		break;
	case BTF_KIND_ARRAY:
		btf_array(to)->type = keep(cut, btf_array(from)->type);
		btf_array(to)->index_type = keep(cut, btf_array(from)->index_type);
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		to->type = keep(cut, from->type);
		break;
	case BTF_KIND_PTR:
		to->type = 0;
		break;
	default:
		break;
	}
}

static int write_all(int fd, const char *data, size_t sz)
{
	ssize_t put;

	for (; sz; data += put, sz -= (size_t)put) {
		put = write(fd, data, sz);
		if (put <= 0)
			return put ? -errno : -EIO;
	}
	return 0;
}

static int write_cut(struct cut *cut, int fd)
{
	const struct kernel_types *types = cut->types;
	_cleanup_free_ char *data = malloc(types->types_sz + 1);
	struct btf_header header = { .magic = BTF_MAGIC, .version = BTF_VERSION,
				     .hdr_len = sizeof(header), .str_len = types->strings_sz };
	int err;

	if (!data)
		return -ENOMEM;
	for (__u32 i = 1; i < cut->cnt; i++) { /* it grows meanwhile */
		const struct btf_type *type = kernel_types__get(types, cut->ids[i]);

		copy_type(cut, type, (void *)(data + header.type_len));
		header.type_len += (__u32)kernel_types_size(type);
	}
	header.str_off = header.type_len;
	err = write_all(fd, (const char *)&header, sizeof(header));
	if (!err)
		err = write_all(fd, data, header.type_len);
	return err ? err : write_all(fd, types->strings, types->strings_sz);
}

int kernel_types__cut(const struct kernel_types *types, const struct btf *wanted, int fd)
{
	_cleanup_free_ __u32 *ids = NULL, *new_ids = NULL;
	struct cut cut = { .types = types, .cnt = 1 };
	const void *whole;
	__u32 sz;

	if (types->btf) {
		whole = btf__raw_data(types->btf, &sz);
		return whole ? write_all(fd, whole, sz) : -ENOMEM;
	}
	cut.ids = ids = calloc(types->cnt, sizeof(*ids));
	cut.new_ids = new_ids = calloc(types->cnt, sizeof(*new_ids));
	if (!ids || !new_ids)
		return -ENOMEM;
	for (__u32 id = 1; id < btf__type_cnt(wanted); id++) {
		const struct btf_type *type = btf__type_by_id(wanted, id);

		if (btf_is_composite(type) || btf_is_any_enum(type))
			keep_named(&cut, btf__name_by_offset(wanted, type->name_off));
	}
	return write_cut(&cut, fd);
}
