// SPDX-License-Identifier: BSD-2-Clause
/* One interpreter's layout: the table's row, corrected by the file, completed by addresses. */
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/python/layout.h"
#include "interpreters/code/sites.h"
#include "interpreters/interp_notes.h"

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

/*
 * Builds with Py_TRACE_REFS (up to 3.7 every debug build) put two pointers before every object.
 * They alone have this function; hidden from 3.13 on, but then the file describes itself.
 */
static bool has_trace_refs(const struct elf *elf, const struct interp *interp,
			   const struct layout_debug *debug)
{
	struct pyi_layout described = interp->layout;
	const char *first;

	if (debug) {
		layout_debug_apply(debug, &described, &first);
		return described.ob_type == interp->layout.ob_type + 16;
	}
	return (interp->is_debug && interp->layout.version < 0x0308) ||
		elf__sym(elf, "_Py_PrintReferences");
}

static void fill_known(const struct elf *elf, struct interp *interp,
		       const struct layout_debug *debug)
{
	struct pyi_layout *layout = &interp->layout;
	const char *first;
	int differ;

	if (has_trace_refs(elf, interp, debug)) {
		interp->is_debug = true;
		layout_shift_objects(layout, 16);
	}
	differ = debug ? layout_debug_apply(debug, layout, &first) : 0;
	if (differ)
		interp__note(interp, "the file describes %d fields differently from what is known of this version (first: %s); its values are used",
			     differ, first);
}

/* One read takes what is wanted of a code object, and nothing behind its end. */
static void fill_code_read_sz(struct pyi_layout *layout)
{
	const __s32 ends[] = { layout->code_filename + 8, layout->code_name + 8,
			       layout->code_firstlineno + 4, layout->code_table + 8 };

	layout->code_read_sz = 0;
	if (layout->code_filename < 0)
		return;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i] > 0 && layout->code_read_sz < (__u32)ends[i])
			layout->code_read_sz = ends[i];
	}
}

void layout_fill(const struct elf *elf, struct interp *interp)
{
	__u32 version = interp->layout.version;
	struct layout_debug debug;
	bool has_debug = !layout_debug_open(elf, &debug);

	if (has_debug) {
		interp->is_free_threaded = debug.is_free_threaded;
		if (!version)
			version = debug.version;
	}
	if (layout_from_table(version, interp->is_free_threaded, &interp->layout))
		fill_known(elf, interp, has_debug && debug.version == version ? &debug : NULL);
	else
		fill_future(interp, version);
	fill_code_read_sz(&interp->layout);
	fill_addresses(elf, interp);
}
