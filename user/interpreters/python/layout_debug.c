// SPDX-License-Identifier: BSD-2-Clause
/*
 * _Py_DebugOffsets: CPython 3.13+ describes itself at the start of _PyRuntime, in the file as
 * well as in memory. Where a fact stands in that struct changes with every minor version, so each
 * has its own list; a version without a list is not read.
 */
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/python/layout.h"

#define COOKIE "xdebugpy"
#define DEBUG_MAX_SZ 1024

struct field {
	const char *name;
	__u16 pos[3]; /* 3.13, 3.14, 3.15; 0 = not there */
	__u16 off;    /* in struct pyi_layout */
	bool is_optional; /* value 0 means the build has no such field */
};

#define F(field) offsetof(struct pyi_layout, field)

static const struct field fields[] = {
	{ "interpreters_head", { 40, 40, 40 }, F(runtime_interp_head), false },
	{ "interpreter_state.id", { 56, 56, 56 }, F(interp_id), false },
	{ "interpreter_state.next", { 64, 64, 64 }, F(interp_next), false },
	{ "interpreter_state.threads_head", { 72, 72, 72 }, F(interp_threads_head), false },
	{ "interpreter_state.imports_modules", { 88, 96, 96 }, F(interp_modules), false },
	{ "thread_state.next", { 168, 192, 192 }, F(thread_next), false },
	{ "thread_state.interp", { 176, 200, 200 }, F(thread_interp), false },
	{ "thread_state.current_frame", { 184, 208, 208 }, F(thread_frame), false },
	{ "thread_state.thread_id", { 192, 216, 240 }, F(thread_id), false },
	{ "thread_state.current_exception", { 0, 0, 288 }, F(thread_exc), false },
	{ "interpreter_frame.previous", { 232, 256, 320 }, F(frame_back), false },
	{ "interpreter_frame.executable", { 240, 264, 328 }, F(frame_code), false },
	{ "interpreter_frame.instr_ptr", { 248, 272, 336 }, F(frame_lasti), false },
	{ "interpreter_frame.localsplus", { 256, 280, 344 }, F(frame_locals), false },
	{ "interpreter_frame.owner", { 264, 288, 352 }, F(frame_owner), false },
	{ "interpreter_frame.tlbc_index", { 0, 304, 368 }, F(frame_tlbc_index), true },
	{ "code_object.filename", { 280, 320, 384 }, F(code_filename), false },
	{ "code_object.name", { 288, 328, 392 }, F(code_name), false },
	{ "code_object.linetable", { 304, 344, 408 }, F(code_table), false },
	{ "code_object.firstlineno", { 312, 352, 416 }, F(code_firstlineno), false },
	{ "code_object.co_code_adaptive", { 344, 384, 448 }, F(code_code), false },
	{ "code_object.co_tlbc", { 0, 392, 456 }, F(code_tlbc), true },
	{ "pyobject.ob_type", { 360, 408, 472 }, F(ob_type), false },
	{ "tuple_object.ob_item", { 408, 456, 552 }, F(tuple_items), false },
	{ "dict_object.ma_keys", { 456, 536, 632 }, F(dict_keys), false },
	{ "bytes_object.ob_sval", { 528, 608, 704 }, F(bytes_data), false },
	{ "unicode_object.state", { 544, 624, 720 }, F(str_state), false },
	{ "unicode_object.length", { 552, 632, 728 }, F(str_length), false },
	{ "unicode_object.asciiobject_size", { 560, 640, 736 }, F(str_ascii_data), false },
	{ "unicode_object.compactunicodeobject_size", { 0, 0, 744 }, F(str_compact_data), false },
};

static bool get_u64(const struct layout_debug *debug, size_t pos, __u64 *out)
{
	if (pos + sizeof(*out) > debug->sz)
		return false;
	memcpy(out, debug->data + pos, sizeof(*out));
	return true;
}

int layout_debug_open(const struct elf *elf, struct layout_debug *out)
{
	const struct elf_sym *sym = elf__sym(elf, "_PyRuntime");
	const struct elf_seg *seg = sym ? elf__seg_at(elf, sym->addr) : NULL;
	__u64 version, is_free_threaded, left;

	if (!seg || !seg->data || sym->addr - seg->addr >= seg->file_sz)
		return -ENOENT;
	left = seg->file_sz - (sym->addr - seg->addr);
	out->data = seg->data + (sym->addr - seg->addr);
	out->sz = left < DEBUG_MAX_SZ ? left : DEBUG_MAX_SZ;
	if (out->sz < 24 || memcmp(out->data, COOKIE, 8) || !get_u64(out, 8, &version) ||
	    !get_u64(out, 16, &is_free_threaded))
		return -ENOENT;
	out->version = version >> 16 & 0xffff;
	out->is_free_threaded = is_free_threaded;
	return 0;
}

int layout_debug_apply(const struct layout_debug *debug, struct pyi_layout *layout,
		       const char **first)
{
	int column = (int)debug->version - 0x030d, differ = 0;

	*first = NULL;
	if (column < 0 || column > 2)
		return 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *field = &fields[i];
		__s32 *into = (__s32 *)((char *)layout + field->off);
		__u64 value;

		if (!field->pos[column] || !get_u64(debug, field->pos[column], &value) ||
		    value > 1 << 20)
			continue;
		if (field->is_optional && !value)
			continue;
		if (*into != (__s32)value) {
			if (!differ++)
				*first = field->name;
			*into = value;
		}
	}
	return differ;
}
