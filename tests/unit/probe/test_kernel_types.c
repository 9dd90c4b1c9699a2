// SPDX-License-Identifier: BSD-2-Clause
/* What libbpf is shown of the kernel's types: all that lies inside those that are asked for. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "probe/kernel_types.h"
#include "unit.h"

static struct btf *kernel, *wanted;
static int int_id, inner_id;

/* struct inner { int a; }; struct outer { struct inner *up; const inner_t in[3]; }; and others. */
static void make_types(void)
{
	int array, type, other;

	kernel = btf__new_empty();
	wanted = btf__new_empty();
	int_id = btf__add_int(kernel, "int", 4, BTF_INT_SIGNED);
	other = btf__add_struct(kernel, "other", 4);
	btf__add_field(kernel, "x", int_id, 0, 0);
	inner_id = btf__add_struct(kernel, "inner", 4);
	btf__add_field(kernel, "a", int_id, 0, 0);
	type = btf__add_const(kernel, btf__add_typedef(kernel, "inner_t", inner_id));
	array = btf__add_array(kernel, int_id, type, 3);
	type = btf__add_ptr(kernel, other);
	btf__add_struct(kernel, "outer", 24);
	btf__add_field(kernel, "up", type, 0, 0);
	btf__add_field(kernel, "in", array, 64, 0);
	btf__add_enum(kernel, "color", 4);
	btf__add_enum_value(kernel, "RED", 7);
	btf__add_struct(wanted, "outer___old", 8);
	btf__add_struct(wanted, "missing", 8);
	btf__add_enum(wanted, "color", 4);
	btf__add_enum_value(wanted, "RED", 0);
}

static struct kernel_types *parse(const struct btf *btf)
{
	struct kernel_types *types = NULL;
	__u32 sz;
	const void *data = btf__raw_data(btf, &sz);
	int err = kernel_types__parse(data, sz, &types);

	if (err)
		FAIL("parse: %d", err);
	return types;
}

static struct btf *cut(const struct kernel_types *types)
{
	_cleanup_close_ int fd = memfd_create("cut", 0);
	char path[64];
	int err = kernel_types__cut(types, wanted, fd);

	if (err)
		FAIL("cut: %d", err);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return btf__parse(path, NULL);
}

static void test_finds_what_libbpf_finds(void)
{
	static const struct { const char *name; __u32 kind; } asked[] = {
		{ "inner", BTF_KIND_STRUCT }, { "outer", BTF_KIND_STRUCT },
		{ "inner_t", BTF_KIND_TYPEDEF }, { "color", BTF_KIND_ENUM },
	};
	struct kernel_types *types;

	make_types();
	types = parse(kernel);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		CHECK((int)kernel_types__find(types, asked[i].name, asked[i].kind) ==
		      btf__find_by_name_kind(kernel, asked[i].name, asked[i].kind));
	CHECK(!kernel_types__find(types, "inner", BTF_KIND_UNION));
	CHECK(!kernel_types__find(types, "", BTF_KIND_STRUCT));
	CHECK(!kernel_types__get(types, btf__type_cnt(kernel)));
	kernel_types__free(types);
}

static void test_keeps_what_lies_inside(void)
{
	const struct btf_type *outer, *type;
	struct kernel_types *types;
	struct btf *btf;
	int id;

	make_types();
	types = parse(kernel);
	btf = cut(types);
	id = btf__find_by_name_kind(btf, "outer", BTF_KIND_STRUCT);
	CHECK(id > 0);
	outer = btf__type_by_id(btf, id);
	CHECK(btf_vlen(outer) == 2 && outer->size == 24);
	CHECK(!strcmp(btf__name_by_offset(btf, btf_members(outer)[1].name_off), "in"));
	CHECK(btf_members(outer)[1].offset == 64);
	CHECK(btf__resolve_size(btf, btf_members(outer)[1].type) == 12);
	type = btf__type_by_id(btf, btf_members(outer)[0].type);
	CHECK(btf_is_ptr(type) && type->type == 0);
	CHECK(btf__find_by_name_kind(btf, "inner", BTF_KIND_STRUCT) > 0);
	CHECK(btf__find_by_name_kind(btf, "other", BTF_KIND_STRUCT) < 0);
	id = btf__find_by_name_kind(btf, "color", BTF_KIND_ENUM);
	CHECK(id > 0 && btf_enum(btf__type_by_id(btf, id))[0].val == 7);
	btf__free(btf);
	kernel_types__free(types);
}

/* Of the other byte order: libbpf can, and it is shown everything. */
static void test_what_only_libbpf_reads(void)
{
	struct kernel_types *types;
	struct btf *btf;

	make_types();
	btf__set_endianness(kernel, btf__endianness(kernel) == BTF_LITTLE_ENDIAN ?
				    BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN);
	types = parse(kernel);
	CHECK(types->btf);
	CHECK((int)kernel_types__find(types, "inner", BTF_KIND_STRUCT) == inner_id);
	btf = cut(types);
	CHECK(btf__find_by_name_kind(btf, "other", BTF_KIND_STRUCT) > 0);
	btf__free(btf);
	kernel_types__free(types);
}

static void test_damaged(void)
{
	struct kernel_types *types;
	const char *data;
	__u32 sz;

	make_types();
	data = btf__raw_data(kernel, &sz);
	for (__u32 len = 0; len < sz; len++) {
		types = NULL;
		CHECK(kernel_types__parse(data, len, &types) == -EINVAL && !types);
	}
}

int main(void)
{
	RUN(test_finds_what_libbpf_finds);
	RUN(test_keeps_what_lies_inside);
	RUN(test_what_only_libbpf_reads);
	RUN(test_damaged);
	return unit_result();
}
