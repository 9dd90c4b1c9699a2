// SPDX-License-Identifier: BSD-2-Clause
/* See kernel_types.h; the format is Documentation/bpf/btf.rst of the kernel. */
#include "probe/kernel_types.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATH "/sys/kernel/btf/vmlinux"
#define READ_SZ (8u << 20) /* most kernels have 4 to 7 MB */
#define SZ_MAX (256u << 20)

void kernel_types__free(struct kernel_types *types)
{
	if (!types)
		return;
	btf__free(types->btf);
	free(types->data);
	free(types->offsets);
	free(types->next);
	free(types);
}

static void freep(struct kernel_types **types)
{
	kernel_types__free(*types);
}

long kernel_types_size(const struct btf_type *type)
{
	long cnt = btf_vlen(type), sz = sizeof(*type);

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sz + (long)sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sz + (long)sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return sz + cnt * (long)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return sz + cnt * (long)sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return sz + cnt * (long)sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return sz + cnt * (long)sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return sz + cnt * (long)sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return sz;
	default:
		return -EINVAL;
	}
}

static bool is_looked_up(unsigned int kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
	       kind == BTF_KIND_ENUM64 || kind == BTF_KIND_TYPEDEF;
}

static __u32 bucket_of(const char *name, size_t len)
{
	__u32 hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return hash % KERNEL_TYPES_BUCKETS;
}

const struct btf_type *kernel_types__get(const struct kernel_types *types, __u32 id)
{
	if (types->btf)
		return btf__type_by_id(types->btf, id);
	return id && id < types->cnt ? (const void *)(types->types + types->offsets[id]) : NULL;
}

const char *kernel_types__name(const struct kernel_types *types, __u32 offset)
{
	if (types->btf)
		return btf__name_by_offset(types->btf, offset) ?: "";
	return offset < types->strings_sz ? types->strings + offset : "";
}

static int grow(struct kernel_types *types)
{
	__u32 cap = types->cap ? 2 * types->cap : types->types_sz / 32 + 16;
	__u32 *offsets = reallocarray(types->offsets, cap, sizeof(*offsets)), *next;

	if (!offsets)
		return -ENOMEM;
	types->offsets = offsets;
	next = reallocarray(types->next, cap, sizeof(*next));
	if (!next)
		return -ENOMEM;
	types->next = next;
	types->cap = cap;
	return 0;
}

static int add(struct kernel_types *types, __u32 offset)
{
	const struct btf_type *type = (const void *)(types->types + offset);
	const char *name = kernel_types__name(types, type->name_off);
	int err = types->cnt >= types->cap ? grow(types) : 0;
	__u32 *head;

	if (err)
		return err;
	types->offsets[types->cnt] = offset;
	types->next[types->cnt] = 0;
	if (*name && is_looked_up(btf_kind(type))) {
		head = &types->heads[bucket_of(name, strlen(name))];
		types->next[types->cnt] = *head;
		*head = types->cnt;
	}
	types->cnt++;
	return 0;
}

static bool has_header(const struct kernel_types *types, const struct btf_header *header)
{
	return types->sz >= sizeof(*header) && header->magic == BTF_MAGIC &&
	       header->hdr_len >= sizeof(*header) && header->hdr_len <= types->sz &&
	       (size_t)header->type_off + header->type_len <= types->sz - header->hdr_len &&
	       (size_t)header->str_off + header->str_len <= types->sz - header->hdr_len &&
	       header->str_len && (header->hdr_len | header->type_off) % sizeof(__u32) == 0;
}

static int index_types(struct kernel_types *types)
{
	const struct btf_header *header = (const void *)types->data;
	int err = 0;
	long sz;

	if (!has_header(types, header))
		return -EINVAL;
	types->types = types->data + header->hdr_len + header->type_off;
	types->strings = types->data + header->hdr_len + header->str_off;
	types->types_sz = header->type_len;
	types->strings_sz = header->str_len;
	if (types->strings[types->strings_sz - 1])
		return -EINVAL;
	types->cnt = 1; /* 0 is void */
	for (size_t at = 0; at < types->types_sz && !err; at += (size_t)sz) {
		const struct btf_type *type = (const void *)(types->types + at);

		sz = at + sizeof(*type) <= types->types_sz ? kernel_types_size(type) : -EINVAL;
		if (sz < 0 || at + (size_t)sz > types->types_sz)
			return -EINVAL;
		err = add(types, (__u32)at);
	}
	return err;
}

/* Takes @data. */
static int parse(char *data, size_t sz, struct kernel_types **out)
{
	_cleanup_(freep) struct kernel_types *types = calloc(1, sizeof(*types));
	int err;

	if (!types) {
		free(data);
		return -ENOMEM;
	}
	types->data = data;
	types->sz = sz;
	err = index_types(types);
	if (err == -EINVAL) {
		types->btf = btf__new(data, (__u32)sz);
		err = types->btf ? 0 : -EINVAL;
	}
	if (!err)
		*out = TAKE_PTR(types);
	return err;
}

int kernel_types__parse(const void *data, size_t sz, struct kernel_types **out)
{
	char *copy = malloc(sz ? sz : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, sz);
	return parse(copy, sz, out);
}

static int read_all(int fd, char **data, size_t *sz)
{
	_cleanup_free_ char *text = NULL;
	size_t cap = 0, len = 0;
	ssize_t got = 1;

	while (got > 0) {
		if (len == cap) {
			char *bigger = cap < SZ_MAX ? realloc(text, cap += READ_SZ) : NULL;

			if (!bigger)
				return -ENOMEM;
			text = bigger;
		}
		got = read(fd, text + len, cap - len);
		len += got > 0 ? (size_t)got : 0;
	}
	*data = TAKE_PTR(text);
	*sz = len;
	return got < 0 ? -errno : 0;
}

/* It knows other places. */
static int ask_libbpf(struct kernel_types **out)
{
	_cleanup_(freep) struct kernel_types *types = calloc(1, sizeof(*types));

	if (!types)
		return -ENOMEM;
	types->btf = btf__load_vmlinux_btf();
	if (!types->btf)
		return -ENOENT;
	*out = TAKE_PTR(types);
	return 0;
}

int kernel_types__new(struct kernel_types **out)
{
	_cleanup_close_ int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	char *data;
	size_t sz;

	if (fd < 0 || read_all(fd, &data, &sz))
		return ask_libbpf(out);
	return parse(data, sz, out);
}

__u32 kernel_types__next(const struct kernel_types *types, const char *name, size_t len,
			 __u32 before)
{
	return before ? types->next[before] : types->heads[bucket_of(name, len)];
}

__u32 kernel_types__find(const struct kernel_types *types, const char *name, unsigned int kind)
{
	size_t len = strlen(name);
	__u32 id = 0;
	int got;

	if (types->btf) {
		got = btf__find_by_name_kind(types->btf, name, kind);
		return got > 0 ? (__u32)got : 0;
	}
	while ((id = kernel_types__next(types, name, len, id))) {
		const struct btf_type *type = kernel_types__get(types, id);
		const char *its = kernel_types__name(types, type->name_off);

		if (btf_kind(type) == kind && !strcmp(its, name))
			break;
	}
	return id;
}
