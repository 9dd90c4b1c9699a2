/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's types (BTF): 126,000 of them, of which libbpf is shown the few hundred that our
 * programs read. It compares each type that a program reads with every type it is given.
 */
#ifndef PROBE_KERNEL_TYPES_H
#define PROBE_KERNEL_TYPES_H

#include <bpf/btf.h>
#include <linux/types.h>
#include <stddef.h>

#define KERNEL_TYPES_BUCKETS 16384u

struct kernel_types {
	struct btf *btf;   /* libbpf's view: it knows what we do not, and then there is no other */
	char *data;        /* all of it, as the kernel has it */
	size_t sz;
	const char *types, *strings;
	__u32 types_sz, strings_sz;
	__u32 *offsets;    /* of each type in types, by id */
	__u32 *next;       /* with the same hash of its name, by id; 0 = none */
	__u32 heads[KERNEL_TYPES_BUCKETS];
	__u32 cnt, cap;
};

/* Of the running kernel. -ENOENT: it has none; -ENOMEM. */
int kernel_types__new(struct kernel_types **out);
/* Of raw BTF, which is copied. -EINVAL: it is none. */
int kernel_types__parse(const void *data, size_t sz, struct kernel_types **out);
void kernel_types__free(struct kernel_types *types); /* NULL-safe */

/* The id of a struct, union, enum or typedef; 0 = there is none of that name. */
__u32 kernel_types__find(const struct kernel_types *types, const char *name, unsigned int kind);
/* The next with a name of the same hash after @before, or the first; not with @btf. 0 = none. */
__u32 kernel_types__next(const struct kernel_types *types, const char *name, size_t len,
			 __u32 before);
/* NULL: no such id. */
const struct btf_type *kernel_types__get(const struct kernel_types *types, __u32 id);
const char *kernel_types__name(const struct kernel_types *types, __u32 offset);
/* Bytes of a type with what follows it; -EINVAL for a kind that is newer than this. */
long kernel_types_size(const struct btf_type *type);

/*
 * kernel_types_cut.c: writes BTF to @fd that has the types that @wanted names (all structs, unions
 * and enums in it), and what lies inside them. Pointers lead nowhere, ids are others. 0 or -errno.
 */
int kernel_types__cut(const struct kernel_types *types, const struct btf *wanted, int fd);

#endif
