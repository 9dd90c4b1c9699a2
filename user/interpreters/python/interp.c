// SPDX-License-Identifier: BSD-2-Clause
/* One interpreter file from descriptor to struct interp: identity, layout, sites, notes. */
#include <stdarg.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/python/identify.h"
#include "interpreters/python/layout.h"
#include "interpreters/code/sites.h"
#include "interpreters/interp_notes.h"

void interp__free(struct interp *interp)
{
	if (!interp)
		return;
	for (size_t i = 0; i < interp->note_cnt; i++)
		free(interp->notes[i]);
	free(interp->notes);
	free(interp->sites);
	free(interp->path);
	free(interp);
}

static void cleanup_interp(struct interp **interp)
{
	interp__free(*interp);
}

/*
 * What one file may take. Debian's Pythons take 2 MB to be found and 200 MB to be read, the
 * processor's time is for slow machines: 1 to 20 ms and 60 to 220 ms here.
 */
static const struct {
	__u64 bytes, cpu_ns;
} limits[] = {
	[LIMIT_GLANCE] = { 4ull << 20, 5000000 },
	[LIMIT_PROBE] = { 256ull << 20, 150000000 },
	[LIMIT_OPEN] = { 1ull << 30, 2000000000 },
};

void interp_budget(struct elf_budget *budget, enum interp_limit limit)
{
	elf_budget__init(budget, limits[limit].bytes, limits[limit].cpu_ns);
}

int interp_probe_within(int fd, struct elf_budget *budget)
{
	_cleanup_(elf__freep) struct elf *elf = NULL;
	enum elf_glance seen = elf_glance(fd, budget, identify_names);
	enum identity identity;
	int err;

	if (seen != ELF_GLANCE_MAYBE)
		return seen == ELF_GLANCE_FIRST;
	err = elf__open(fd, budget, &elf);
	if (err)
		return err == -ENOEXEC ? 0 : err;
	identity = identify(elf);
	return identity != IDENTITY_NONE ? 1 : budget->is_spent ? -EFBIG : 0;
}

static int probe(int fd, enum interp_limit limit)
{
	struct elf_budget budget;

	interp_budget(&budget, limit);
	return interp_probe_within(fd, &budget);
}

int interp_probe(int fd)
{
	return probe(fd, LIMIT_PROBE);
}

int interp_glance(int fd)
{
	return probe(fd, LIMIT_GLANCE);
}

static int refuse(struct interp *interp, enum identity identity)
{
	switch (identity) {
	case IDENTITY_NONE:
		return -ENOENT;
	case IDENTITY_PYPY:
		snprintf(interp->implementation, sizeof(interp->implementation), "pypy");
		interp__note(interp, "this is PyPy: it does not use CPython's import functions, so its imports cannot be traced");
		return -ENOTSUP;
	case IDENTITY_PYTHON2:
		interp__note(interp, "this is Python 2, whose import system cannot be traced");
		return -ENOTSUP;
	case IDENTITY_HIDDEN:
		interp__note(interp, "this program contains CPython but hides its symbols: there is nothing to attach to (link it with -rdynamic, or do not strip it)");
		return -ENOTSUP;
	case IDENTITY_CPYTHON:
		break;
	}
	return 0;
}

static int fill(const struct elf *elf, const char *path, struct interp *interp)
{
	const struct insn_arch *arch = insn_arch_host();
	int err;

	identify_version(elf, path, interp);
	layout_fill(elf, interp);
	identify_finish(interp);
	if (interp->layout.has & PYI_CHECK_NAME)
		interp->layers |= INTERP_LAYER_NAMES;
	if (interp->layout.has & PYI_CHECK_FRAME)
		interp->layers |= INTERP_LAYER_FRAMES;
	if (!arch) {
		interp__note(interp, "probe sites are not known for this machine's instruction set");
		return -ENOTSUP;
	}
	err = sites_find(elf, arch, interp);
	if (!err && !interp->site_cnt) {
		interp__note(interp, "no instruction to probe was found");
		err = -ENOTSUP;
	}
	return err;
}

int interp__open_within(int fd, const char *path, struct elf_budget *budget, struct interp **out)
{
	_cleanup_(cleanup_interp) struct interp *interp = calloc(1, sizeof(*interp));
	_cleanup_(elf__freep) struct elf *elf = NULL;
	int err;

	if (!interp)
		return -ENOMEM;
	interp->path = strdup(path ? path : "?");
	if (!interp->path)
		return -ENOMEM;
	snprintf(interp->implementation, sizeof(interp->implementation), "cpython");
	err = elf__open(fd, budget, &elf);
	if (err && err != -EFBIG)
		return err;
	if (!err)
		err = refuse(interp, identify(elf));
	if (!err)
		err = elf__load(elf);
	if (!err)
		err = fill(elf, path, interp);
	if (budget->is_spent || err == -EFBIG) {
		interp__note(interp, "not examined: reading this file takes more than reading any Python does");
		err = -ENOTSUP;
	}
	if (!err || err == -ENOTSUP)
		*out = TAKE_PTR(interp);
	return err;
}

int interp__open(int fd, const char *path, struct interp **out)
{
	struct elf_budget budget;

	interp_budget(&budget, LIMIT_OPEN);
	return interp__open_within(fd, path, &budget, out);
}

int interp__unreadable(const char *path, int err, struct interp **out)
{
	struct interp *interp = calloc(1, sizeof(*interp));

	if (!interp)
		return -ENOMEM;
	interp->path = strdup(path);
	if (!interp->path) {
		free(interp);
		return -ENOMEM;
	}
	interp__note(interp, "the file cannot be read: %s", strerror(-err));
	*out = interp;
	return 0;
}

void interp__note_unprobed(struct interp *interp, int err)
{
	interp__note(interp, "its probes were refused: %s", strerror(-err));
}

static const char *const kind_names[PYI_SITE_MAX] = {
	[PYI_SITE_IMPORT] = "import", [PYI_SITE_FIND] = "find", [PYI_SITE_BODY] = "body",
	[PYI_SITE_EXECDEF] = "execdef", [PYI_SITE_DLOPEN] = "dlopen",
	[PYI_SITE_DYNAMIC] = "dynamic", [PYI_SITE_BUILTIN] = "builtin",
	[PYI_SITE_SEARCH] = "search", [PYI_SITE_SEARCH_FAST] = "search",
	[PYI_SITE_COMPILE] = "compile", [PYI_SITE_RUN_MAIN] = "main",
	[PYI_SITE_FINALIZE] = "finalize", [PYI_SITE_LAZY] = "lazy", [PYI_SITE_LAZY_NEW] = "lazy_new",
	[PYI_SITE_IMPORT_ERROR] = "error",
};

static const char *kind_name(__u8 kind)
{
	return kind < PYI_SITE_MAX && kind_names[kind] ? kind_names[kind] : "?";
}

/* Symbol names come from a hostile file and go to a terminal. */
static void print_clean(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc(*text >= ' ' && *text <= '~' ? *text : '?', out);
}

void interp__print(const struct interp *interp, FILE *out)
{
	print_clean(interp->path, out);
	fprintf(out, ": %s %s%s%s\n", interp->implementation,
		interp->version[0] ? interp->version : "of unknown version",
		interp->is_debug ? " debug" : "", interp->is_shared ? " shared library" : "");
	for (size_t i = 0; i < interp->site_cnt; i++) {
		const struct interp_site *site = &interp->sites[i];
		char what[32];

		snprintf(what, sizeof(what), "%s%s%s%s", site->site.end ? "end " : "",
			 site->site.end ? kind_name(site->site.end) : "",
			 site->site.end && site->site.begin ? ", " : "",
			 site->site.begin ? kind_name(site->site.begin) : "");
		fprintf(out, "  %-16s 0x%-8llx %-8s %-34s ", what, site->file_off,
			site->is_emulated ? "emulated" : "stepped", site->insn);
		print_clean(site->where[0] ? site->where : "-", out);
		fprintf(out, ": %s\n", site->reason);
	}
	for (size_t i = 0; i < interp->note_cnt; i++) {
		fputs("  note: ", out);
		print_clean(interp->notes[i], out);
		fputc('\n', out);
	}
}
