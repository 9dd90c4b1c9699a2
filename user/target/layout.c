// SPDX-License-Identifier: BSD-2-Clause
/* One interpreter's layout: the table's row, corrected by the file, completed by addresses. */
#include <string.h>
#include "base/cleanup.h"
#include "target/layout.h"
#include "target/sites.h"

static __u64 data_addr(const struct elf *elf, const char *name)
{
	const struct elf_sym *sym = elf__sym(elf, name);

	return sym ? sym->addr : 0;
}

/* Every offset "not there". */
static void set_unknown(struct pyi_layout *layout, __u32 version)
{
	memset(layout, 0xff, sizeof(*layout)); /* -1 in every offset */
	layout->version = version;
	layout->has = 0;
	layout->str_kind_shift = layout->str_compact_shift = layout->str_ascii_shift = 0;
	layout->lines = PYI_LINES_NONE;
	layout->lasti_is_ptr = 0;
	layout->code_mask = ~0ull;
	layout->owner_skip_min = 0;
	layout->find_name_is_identifier = 0;
	layout->imports_fastcall = 0;
}

/*
 * A version younger than this program: str objects have kept their shape since 3.12, so names
 * are worth a try (the first hit checks them); anything else would be a guess.
 */
static void fill_future(struct interp *interp, __u32 version)
{
	struct pyi_layout *layout = &interp->layout, newest;

	set_unknown(layout, version);
	if (version <= LAYOUT_NEWEST ||
	    !layout_from_table(LAYOUT_NEWEST, interp->is_free_threaded, &newest)) {
		interp__note(interp, "the version of CPython is not known: module names and importers cannot be read");
		return;
	}
	layout->has = PYI_CHECK_NAME;
	layout->ob_type = newest.ob_type;
	layout->str_length = newest.str_length;
	layout->str_state = newest.str_state;
	layout->str_ascii_data = newest.str_ascii_data;
	layout->str_compact_data = newest.str_compact_data;
	layout->str_kind_shift = newest.str_kind_shift;
	layout->str_compact_shift = newest.str_compact_shift;
	layout->str_ascii_shift = newest.str_ascii_shift;
	layout->type_name = newest.type_name;
	interp__note(interp, "CPython %u.%u is newer than this program: module names only, read as in 3.15 and checked at the first import",
		     version >> 8, version & 0xff);
}

/* Without a list of threads there are no frames: importers and lines stay unknown. */
static void drop_frames(struct pyi_layout *layout)
{
	layout->runtime_addr = 0;
	layout->has &= ~(PYI_CHECK_THREAD | PYI_CHECK_FRAME);
	layout->thread_id = -1;
}

static void fill_addresses(const struct elf *elf, struct interp *interp)
{
	struct pyi_layout *layout = &interp->layout;

	layout->unicode_type_addr = data_addr(elf, "PyUnicode_Type");
	layout->dict_type_addr = data_addr(elf, "PyDict_Type");
	layout->code_type_addr = data_addr(elf, "PyCode_Type");
	layout->runtime_addr = data_addr(elf, "_PyRuntime");
	if (layout->version == 0x0306) /* a static variable: stripped builds hide it */
		layout->runtime_addr = data_addr(elf, "interp_head");
	if (layout->has & PYI_CHECK_THREAD && !layout->runtime_addr) {
		drop_frames(layout);
		interp__note(interp, "the list of interpreters cannot be found in this build: importers and lines are unknown");
	}
}

void layout_fill(const struct elf *elf, struct interp *interp)
{
	struct pyi_layout *layout = &interp->layout;
	__u32 version = layout->version;
	struct layout_debug debug;
	const char *first;
	bool has_debug = !layout_debug_open(elf, &debug);
	int differ;

	if (has_debug) {
		interp->is_free_threaded = debug.is_free_threaded;
		if (!version)
			version = debug.version;
	}
	if (!layout_from_table(version, interp->is_free_threaded, layout))
		fill_future(interp, version);
	else if (has_debug && debug.version == version) {
		differ = layout_debug_apply(&debug, layout, &first);
		if (differ)
			interp__note(interp, "the file describes %d fields otherwise than known of this version (%s first): the file is believed",
				     differ, first);
	} else if (interp->is_debug && version < 0x0308) {
		/* Py_DEBUG implied Py_TRACE_REFS: two more pointers before every object. */
		layout_shift_objects(layout, 16);
	}
	fill_addresses(elf, interp);
}
