// SPDX-License-Identifier: BSD-2-Clause
/*
 * Telling a Python from other files, and one Python from another. Names of files are hints of
 * last resort: an executable called python may hold none, and one called anything may.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/python/identify.h"

#define CHUNK_SZ (1u << 20)
#define SEARCH_MAX_SZ (64ull << 20) /* strings of a program beyond it are not looked at */
#define NEEDLE_MAX 64

/*
 * NUL-terminated strings of CPython's own C code, all of which an interpreter has. The first
 * character is kept back so that this very program does not look like one.
 */
static const char *const needles[] = {
	"_" "\0" "frozen_importlib_external",
	"P" "\0" "YTHONDONTWRITEBYTECODE",
};
#define NEEDLES (sizeof(needles) / sizeof(needles[0]))

static size_t make_needle(size_t i, char out[NEEDLE_MAX])
{
	int n = snprintf(out, NEEDLE_MAX, "%c%s", needles[i][0], needles[i] + 2);

	return n + 1; /* the NUL belongs to it */
}

/* One bit per needle found in a range of the file. */
static unsigned int search_range(const struct elf *elf, __u64 off, __u64 sz, char *buf)
{
	unsigned int found = 0;

	for (__u64 pos = 0; pos < sz;) {
		size_t want = sz - pos < CHUNK_SZ ? sz - pos : CHUNK_SZ;

		if (elf__pread(elf, buf, want, off + pos) || !elf__may_search(elf, want))
			break;
		for (size_t i = 0; i < NEEDLES; i++) {
			char needle[NEEDLE_MAX];

			if (memmem(buf, want, needle, make_needle(i, needle)))
				found |= 1u << i;
		}
		if (want < CHUNK_SZ)
			break;
		pos += want - NEEDLE_MAX; /* a needle may lie across the border */
	}
	return found;
}

static bool has_needles(const struct elf *elf)
{
	_cleanup_free_ char *buf = malloc(CHUNK_SZ);
	__u64 left = SEARCH_MAX_SZ;
	unsigned int found = 0;

	for (size_t i = 0; buf && i < elf->seg_cnt && left; i++) {
		const struct elf_seg *seg = &elf->segs[i];
		__u64 sz = seg->file_sz < left ? seg->file_sz : left;

		/* Old linkers put the strings beside the code: no segment is left out. */
		found |= search_range(elf, seg->off, sz, buf);
		left -= sz;
	}
	return found == (1u << NEEDLES) - 1;
}

const char *const identify_names[] = {
	"PyImport_ImportModuleLevelObject", "PyImport_ImportModuleLevel", "pypy_main_startup",
	"rpython_startup_code", NULL,
};

enum identity identify(const struct elf *elf)
{
	const struct elf_sym *sym;

	if (elf__sym(elf, "pypy_main_startup") || elf__sym(elf, "rpython_startup_code"))
		return IDENTITY_PYPY;
	sym = elf__sym(elf, "PyImport_ImportModuleLevelObject");
	if (sym && sym->is_func)
		return IDENTITY_CPYTHON;
	sym = elf__sym(elf, "PyImport_ImportModuleLevel");
	if (sym && sym->is_func && elf__sym(elf, "PyString_FromString"))
		return IDENTITY_PYTHON2;
	/* Libraries are not searched: to embed Python unseen is a thing programs do. */
	return elf->has_interp && has_needles(elf) ? IDENTITY_HIDDEN : IDENTITY_NONE;
}

static bool version_by_symbol(const struct elf *elf, struct interp *interp)
{
	static const struct { unsigned int level; const char *mark; } levels[] = {
		{ 0xa, "a" }, { 0xb, "b" }, { 0xc, "rc" },
	};
	const struct elf_sym *sym = elf__sym(elf, "Py_Version");
	const void *at = sym ? elf__at(elf, sym->addr, sizeof(__u64)) : NULL;
	__u64 hex;
	int n;

	if (!at)
		return false;
	memcpy(&hex, at, sizeof(hex));
	if (hex >> 32 || (hex >> 24) != 3)
		return false;
	interp->layout.version = hex >> 16;
	n = snprintf(interp->version, sizeof(interp->version), "%llu.%llu.%llu", hex >> 24,
		     hex >> 16 & 0xff, hex >> 8 & 0xff);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if ((hex >> 4 & 0xf) == levels[i].level)
			snprintf(interp->version + n, sizeof(interp->version) - n, "%s%llu",
				 levels[i].mark, hex & 0xf);
	}
	return true;
}

/* "libpython3.7dm.so.1.0", "python3.12-dbg": minor version and flags behind the name. */
static bool parse_name(const char *name, unsigned int *minor, bool *is_debug)
{
	const char *at = strstr(name, "python3.");
	char *end;
	unsigned long value;

	if (!at || !isdigit((unsigned char)at[8]))
		return false;
	value = strtoul(at + 8, &end, 10);
	if (value > 255)
		return false;
	*minor = value;
	*is_debug = !strncmp(end, "-dbg", 4);
	for (; *end == 'd' || *end == 'm' || *end == 't' || *end == 'u'; end++)
		*is_debug |= *end == 'd';
	return true;
}

/* "3.9.2" or "3.9.2+", "3.9.0rc1" with a NUL behind it; the length, 0 = something else. */
static size_t version_str(const char *at, size_t sz, unsigned int *minor)
{
	size_t pos = 2, digits = 0;
	unsigned int value = 0;

	for (; pos < sz && isdigit((unsigned char)at[pos]) && digits < 3; pos++, digits++)
		value = value * 10 + (at[pos] - '0');
	if (!digits || pos >= sz || at[pos] != '.')
		return 0;
	*minor = value;
	for (digits = 0, pos++; pos < sz && isdigit((unsigned char)at[pos]) && digits < 3; pos++)
		digits++;
	while (pos < sz && at[pos] && pos < 16 && strchr("abrc+0123456789", at[pos]))
		pos++;
	return digits && pos < sz && !at[pos] ? pos : 0;
}

static bool has_string(const struct elf *elf, const char *str)
{
	for (size_t i = 0; i < elf->seg_cnt; i++) {
		if (elf->segs[i].data && elf__may_search(elf, elf->segs[i].file_sz) &&
		    memmem(elf->segs[i].data, elf->segs[i].file_sz, str, strlen(str)))
			return true;
	}
	return false;
}

/* The text behind sys.version. want_minor < 0: any whose "python3.X" is in the file too. */
static bool version_by_string(const struct elf *elf, int want_minor, struct interp *interp)
{
	int tries = 16; /* each may search the whole file */

	for (size_t i = 0; i < elf->seg_cnt; i++) {
		const struct elf_seg *seg = &elf->segs[i];
		const char *at = (const char *)seg->data, *end = at ? at + seg->file_sz : NULL;

		if (at && !elf__may_search(elf, seg->file_sz))
			return false;
		for (; at && tries > 0 && (at = memmem(at, end - at, "\0003.", 3)); at++) {
			unsigned int minor;
			char name[24];
			size_t sz = version_str(at + 1, end - at - 1, &minor);

			if (!sz || (want_minor >= 0 && minor != (unsigned int)want_minor))
				continue;
			tries--;
			snprintf(name, sizeof(name), "python3.%u", minor);
			if (want_minor < 0 && !has_string(elf, name))
				continue;
			snprintf(interp->version, sizeof(interp->version), "%.*s", (int)sz, at + 1);
			interp->layout.version = 0x0300 | minor;
			return true;
		}
	}
	return false;
}

void identify_version(const struct elf *elf, const char *path, struct interp *interp)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *base = slash ? slash + 1 : path ? path : "";
	unsigned int minor = 0;
	bool is_debug = false;

	interp->is_shared = elf->soname && strstr(elf->soname, "libpython");
	if ((elf->soname && parse_name(elf->soname, &minor, &is_debug)) ||
	    parse_name(base, &minor, &is_debug)) {
		interp->layout.version = 0x0300 | minor;
		interp->is_debug = is_debug;
		snprintf(interp->version, sizeof(interp->version), "3.%u", minor);
	}
	if (version_by_symbol(elf, interp))
		return;
	/* A file's name can be anything; the soname was given by CPython's own build. */
	if (interp->is_shared && minor)
		version_by_string(elf, minor, interp);
	else
		version_by_string(elf, -1, interp);
}

void identify_finish(struct interp *interp)
{
	size_t len = strlen(interp->version);

	if (interp->is_free_threaded && len && len + 1 < sizeof(interp->version))
		memcpy(interp->version + len, "t", 2);
}
