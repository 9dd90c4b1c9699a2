// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which container a path of a cgroup belongs to. Runtimes put the id into the directory's name,
 * each in its way; systemd's driver adds a prefix and ".scope". Pure text, no file is read.
 */
#include "interpreters/containers/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_HEX 64

/* What stands before the id in a directory's name. */
static const struct {
	const char *prefix, *runtime;
} forms[] = {
	{ "libpod-payload-", "podman" }, { "libpod-", "podman" },  { "docker-", "docker" },
	{ "cri-containerd-", "containerd" }, { "nerdctl-", "containerd" },
	{ "containerd-", "containerd" }, { "crio-", "cri-o" },
};

/* The directory around a bare id. */
static const struct {
	const char *dir, *runtime;
} around[] = {
	{ "docker", "docker" }, { "libpod_parent", "podman" }, { "default", "containerd" },
	{ "k8s.io", "containerd" }, { "crio", "cri-o" },
};

static size_t hex_sz(const char *text, size_t sz)
{
	size_t i = 0;

	while (i < sz && ((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
		i++;
	return i;
}

static bool set_id(struct container *out, const char *id, size_t sz, const char *runtime)
{
	if (!sz || sz >= sizeof(out->id))
		return false;
	memcpy(out->id, id, sz);
	out->id[sz] = '\0';
	out->runtime = runtime;
	return true;
}

static bool is_word(const char *text, size_t sz, const char *word)
{
	return sz == strlen(word) && !memcmp(text, word, sz);
}

static bool has_prefix(const char *text, size_t sz, const char *prefix)
{
	return sz > strlen(prefix) && !memcmp(text, prefix, strlen(prefix));
}

static bool has_suffix(const char *text, size_t sz, const char *suffix)
{
	size_t suffix_sz = strlen(suffix);

	return sz > suffix_sz && !memcmp(text + sz - suffix_sz, suffix, suffix_sz);
}

/* lxc.payload.NAME, machine-NAME.scope, systemd-nspawn@NAME.service: the name is the id. */
static bool parse_named(const char *name, size_t sz, struct container *out)
{
	if (has_prefix(name, sz, "lxc.payload."))
		return set_id(out, name + 12, sz - 12, "lxc");
	if (has_prefix(name, sz, "machine-") && has_suffix(name, sz, ".scope"))
		return set_id(out, name + 8, sz - 8 - 6, "nspawn");
	if (has_prefix(name, sz, "systemd-nspawn@") && has_suffix(name, sz, ".service"))
		return set_id(out, name + 15, sz - 15 - 8, "nspawn");
	return false;
}

/* One directory; @parent is the name of the one around it. */
static bool parse_dir(const char *name, size_t sz, const char *parent, size_t parent_sz,
		      struct container *out)
{
	const char *colon = memrchr(name, ':', sz), *runtime = NULL;
	size_t bare_sz = has_suffix(name, sz, ".scope") ? sz - 6 : sz;

	if (bare_sz < ID_HEX)
		return parse_named(name, sz, out);
	if (hex_sz(name, bare_sz) == ID_HEX && bare_sz == ID_HEX) {
		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
			if (is_word(parent, parent_sz, around[i].dir))
				runtime = around[i].runtime;
		return set_id(out, name, ID_HEX, runtime);
	}
	/* containerd without systemd: "NAMESPACE:cri-containerd:ID" */
	if (colon && name + bare_sz - colon - 1 == ID_HEX && hex_sz(colon + 1, ID_HEX) == ID_HEX)
		return set_id(out, colon + 1, ID_HEX, "containerd");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t prefix_sz = strlen(forms[i].prefix);

		if (bare_sz == prefix_sz + ID_HEX && has_prefix(name, sz, forms[i].prefix) &&
		    hex_sz(name + prefix_sz, ID_HEX) == ID_HEX)
			return set_id(out, name + prefix_sz, ID_HEX, forms[i].runtime);
	}
	return parse_named(name, sz, out);
}

bool container_parse_sz(const char *path, size_t sz, struct container *out)
{
	while (sz) {
		size_t start = sz, parent;

		while (start && path[start - 1] != '/')
			start--;
		parent = start ? start - 1 : 0;
		while (parent && path[parent - 1] != '/')
			parent--;
		if (parse_dir(path + start, sz - start, path + parent,
			      start ? start - 1 - parent : 0, out)) {
			out->path_sz = sz;
			return true;
		}
		sz = start ? start - 1 : 0;
	}
	return false;
}

bool container_parse(const char *path, struct container *out)
{
	return container_parse_sz(path, strlen(path), out);
}

int container_find_line(const char *text, struct container *out, char **path)
{
	*path = NULL;
	while (*text) {
		const char *end = strchrnul(text, '\n'), *colon = memchr(text, ':', end - text);

		colon = colon ? memchr(colon + 1, ':', end - colon - 1) : NULL;
		if (colon && container_parse_sz(colon + 1, end - colon - 1, out)) {
			*path = strndup(colon + 1, end - colon - 1);
			return *path ? 0 : -ENOMEM;
		}
		text = *end ? end + 1 : end;
	}
	return -ENOENT;
}
