// SPDX-License-Identifier: BSD-2-Clause
/*
 * Offsets per CPython version, x86-64 and every other LP64 machine. Taken from debug information
 * and from compiling the shipped headers; checked against live objects. Free-threaded builds have
 * a header 16 bytes longer, so their rows are made from the others.
 */
#include <string.h>
#include "interpreters/python/layout.h"

/* Names of rows shared by many versions, so that a change between two versions stands out. */
#define STR_COMMON .ob_type = 8, .str_length = 16, .str_state = 32, .str_kind_shift = 2, \
	.str_compact_shift = 5, .str_ascii_shift = 6, .bytes_size = 16, .bytes_data = 32, \
	.tuple_size = 16, .dict_keys = 32, .module_name_dict = 16, .type_name = 24
#define STR_36 .str_ascii_data = 48, .str_compact_data = 72
#define STR_312 .str_ascii_data = 40, .str_compact_data = 56
#define KEYS_36 .keys_log2_size = -1, .keys_size = 8, .keys_log2_index_bytes = -1, \
	.keys_kind = -1, .keys_indices = 40
#define KEYS_311 .keys_log2_size = 8, .keys_size = -1, .keys_log2_index_bytes = 9, \
	.keys_kind = 10, .keys_indices = 32
#define NO_TLBC .code_tlbc = -1, .frame_tlbc_index = -1
#define NO_CFRAME .thread_cframe = -1, .cframe_frame = -1
#define NO_LAZY .lazy_from = -1, .lazy_attr = -1, .lazy_code = -1, .lazy_instr = -1, \
	.code_names = -1
#define THREAD_COMMON .thread_next = 8, .thread_interp = 16
#define FRAME_36 .frame_back = 24, .frame_code = 32, .frame_globals = 48, .frame_owner = -1, \
	.thread_frame = 24, .code_mask = ~0ull, .code_code = -1, NO_CFRAME, NO_TLBC, NO_LAZY
#define IDENTIFIER(off) .find_name_is_identifier = 1, .identifier_string = (off)
#define NO_IDENTIFIER .identifier_string = (-1)
#define CODE_312 .code_filename = 112, .code_name = 120, .code_firstlineno = 68, \
	.code_table = 136, .lines = PYI_LINES_LOCATIONS
#define FRAME_312 .frame_code = 0, .frame_back = 8, .frame_globals = 24, .frame_lasti = 56, \
	.lasti_is_ptr = 1, .owner_skip_min = 3
#define HAS_ALL \
	.has = (PYI_CHECK_NAME | PYI_CHECK_THREAD | PYI_CHECK_FRAME | PYI_CHECK_GLOBALS)

/* clang-format off */
static const struct pyi_layout table[] = {
	{ .version = 0x0306, HAS_ALL, STR_COMMON, STR_36, KEYS_36, THREAD_COMMON, FRAME_36,
	  IDENTIFIER(8), .tuple_items = 24, .module_name = 48,
	  .code_filename = 96, .code_name = 104, .code_firstlineno = 36, .code_table = 112,
	  .lines = PYI_LINES_LNOTAB,
	  .runtime_interp_head = 0, .interp_next = 0, .interp_id = -1, .interp_threads_head = 8,
	  .interp_modules = 16,
	  .thread_id = 152, .thread_exc_type = 80, .thread_exc = -1,
	  .frame_lasti = 120, .lasti_scale = 1, .frame_locals = 376 },
	{ .version = 0x0307, HAS_ALL, STR_COMMON, STR_36, KEYS_36, THREAD_COMMON, FRAME_36,
	  IDENTIFIER(8), .tuple_items = 24, .module_name = 48,
	  .code_filename = 96, .code_name = 104, .code_firstlineno = 36, .code_table = 112,
	  .lines = PYI_LINES_LNOTAB,
	  .runtime_interp_head = 24, .interp_next = 0, .interp_id = 16, .interp_threads_head = 8,
	  .interp_modules = 40,
	  .thread_id = 176, .thread_exc_type = 88, .thread_exc = -1,
	  .frame_lasti = 104, .lasti_scale = 1, .frame_locals = 360 },
	{ .version = 0x0308, HAS_ALL, STR_COMMON, STR_36, KEYS_36, THREAD_COMMON, FRAME_36,
	  IDENTIFIER(8), .tuple_items = 24, .module_name = 48,
	  .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_table = 120,
	  .lines = PYI_LINES_LNOTAB,
	  .runtime_interp_head = 32, .interp_next = 0, .interp_id = 16, .interp_threads_head = 8,
	  .interp_modules = 56,
	  .thread_id = 176, .thread_exc_type = 88, .thread_exc = -1,
	  .frame_lasti = 104, .lasti_scale = 1, .frame_locals = 360 },
	{ .version = 0x0309, HAS_ALL, STR_COMMON, STR_36, KEYS_36, THREAD_COMMON, FRAME_36,
	  IDENTIFIER(8), .tuple_items = 24, .module_name = 48,
	  .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_table = 120,
	  .lines = PYI_LINES_LNOTAB,
	  .runtime_interp_head = 32, .interp_next = 0, .interp_id = 24, .interp_threads_head = 8,
	  .interp_modules = 856,
	  .thread_id = 176, .thread_exc_type = 88, .thread_exc = -1,
	  .frame_lasti = 104, .lasti_scale = 1, .frame_locals = 360 },
	/* f_lasti counts instructions from here on; _Py_Identifier lost its `next`. */
	{ .version = 0x030a, HAS_ALL, STR_COMMON, STR_36, KEYS_36, THREAD_COMMON, FRAME_36,
	  IDENTIFIER(0), .tuple_items = 24, .module_name = 48,
	  .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_table = 120,
	  .lines = PYI_LINES_RANGES,
	  .runtime_interp_head = 32, .interp_next = 0, .interp_id = 24, .interp_threads_head = 8,
	  .interp_modules = 856,
	  .thread_id = 176, .thread_exc_type = 88, .thread_exc = -1,
	  .frame_lasti = 96, .lasti_scale = 2, .frame_locals = 352 },
	/* Frames are no objects any more; identifiers are strings. */
	{ .version = 0x030b, HAS_ALL, STR_COMMON, STR_36, KEYS_311, THREAD_COMMON, NO_IDENTIFIER,
	  NO_TLBC, NO_LAZY, .tuple_items = 24, .module_name = 48,
	  .code_filename = 112, .code_name = 120, .code_firstlineno = 72, .code_table = 136,
	  .code_code = 184, .lines = PYI_LINES_LOCATIONS,
	  .runtime_interp_head = 40, .interp_next = 0, .interp_id = 48, .interp_threads_head = 16,
	  .interp_modules = 888,
	  .thread_id = 152, .thread_frame = -1, .thread_cframe = 56, .cframe_frame = 8,
	  .thread_exc_type = 96, .thread_exc = -1,
	  .frame_code = 32, .frame_back = 48, .frame_globals = 8, .frame_lasti = 56,
	  .lasti_is_ptr = 1, .frame_owner = 69, .frame_locals = 72, .code_mask = ~0ull },
	{ .version = 0x030c, HAS_ALL, STR_COMMON, STR_312, KEYS_311, THREAD_COMMON, NO_IDENTIFIER,
	  NO_TLBC, NO_LAZY, CODE_312, FRAME_312, .tuple_items = 24, .module_name = 48,
	  .code_code = 192,
	  .runtime_interp_head = 40, .interp_next = 0, .interp_id = 8, .interp_threads_head = 72,
	  .interp_modules = 944,
	  .thread_id = 136, .thread_frame = -1, .thread_cframe = 56, .cframe_frame = 0,
	  .thread_exc_type = -1, .thread_exc = 96,
	  .frame_owner = 70, .frame_locals = 72, .code_mask = ~0ull },
	{ .version = 0x030d, HAS_ALL, STR_COMMON, STR_312, KEYS_311, THREAD_COMMON, NO_IDENTIFIER,
	  NO_CFRAME, NO_TLBC, NO_LAZY, CODE_312, FRAME_312, .tuple_items = 24, .module_name = 48,
	  .code_code = 200,
	  .runtime_interp_head = 632, .interp_next = 7264, .interp_id = 7272,
	  .interp_threads_head = 7344,
	  .interp_modules = 7656,
	  .thread_id = 152, .thread_frame = 72, .thread_exc_type = -1, .thread_exc = 112,
	  .frame_owner = 70, .frame_locals = 72, .code_mask = ~0ull },
	/* The frame's code is a tagged reference from here on. */
	{ .version = 0x030e, HAS_ALL, STR_COMMON, STR_312, KEYS_311, THREAD_COMMON, NO_IDENTIFIER,
	  NO_CFRAME, NO_TLBC, NO_LAZY, CODE_312, FRAME_312, .tuple_items = 32, .module_name = 48,
	  .code_code = 208,
	  .runtime_interp_head = 808, .interp_next = 7272, .interp_id = 7280,
	  .interp_threads_head = 7344,
	  .interp_modules = 7688,
	  .thread_id = 152, .thread_frame = 72, .thread_exc_type = -1, .thread_exc = 112,
	  .frame_owner = 74, .frame_locals = 80, .code_mask = ~7ull },
	{ .version = 0x030f, HAS_ALL, STR_COMMON, STR_312, KEYS_311, THREAD_COMMON, NO_IDENTIFIER,
	  NO_CFRAME, NO_TLBC, CODE_312, FRAME_312, .tuple_items = 32, .module_name = 40,
	  .code_code = 208,
	  .runtime_interp_head = 936, .interp_next = 7264, .interp_id = 7272,
	  .interp_threads_head = 7336,
	  .interp_modules = 7592,
	  .thread_id = 176, .thread_frame = 72, .thread_exc_type = -1, .thread_exc = 136,
	  .frame_owner = 74, .frame_locals = 80, .code_mask = ~7ull,
	  .lazy_from = 24, .lazy_attr = 32, .lazy_code = 40, .lazy_instr = 48,
	  .code_names = 32, .op_import_name = 72, .op_import_from = 71, .op_store_name = 115 },
};
/* clang-format on */

/* A longer object header moves every field of an object, and nothing else. */
void layout_shift_objects(struct pyi_layout *layout, __s32 by)
{
	__s32 *const fields[] = {
		&layout->ob_type, &layout->str_length, &layout->str_state, &layout->str_ascii_data,
		&layout->str_compact_data, &layout->bytes_size, &layout->bytes_data,
		&layout->tuple_size, &layout->tuple_items, &layout->dict_keys,
		&layout->code_filename, &layout->code_name, &layout->code_firstlineno,
		&layout->code_table, &layout->code_code, &layout->type_name,
		&layout->module_name_dict, &layout->module_name, &layout->lazy_from,
		&layout->lazy_attr, &layout->lazy_code, &layout->lazy_instr,
		&layout->code_names,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (*fields[i] >= 0)
			*fields[i] += by;
	}
	/* Up to 3.10 frames are objects too. */
	if (layout->version <= 0x030a) {
		layout->frame_back += by;
		layout->frame_code += by;
		layout->frame_globals += by;
		layout->frame_lasti += by;
		layout->frame_locals += by;
	}
}

static void make_free_threaded(struct pyi_layout *layout)
{
	layout_shift_objects(layout, 16);
	layout->interp_modules += layout->version == 0x030d ? 8 :
				  layout->version == 0x030e ? 24 : 0;
	if (layout->version < 0x030e)
		return;
	/* `interned` became a byte of its own, and every thread runs its own bytecode. */
	layout->str_kind_shift = 8;
	layout->str_compact_shift = 11;
	layout->str_ascii_shift = 12;
	layout->code_tlbc = 224;
	layout->code_code = 232;
	layout->frame_tlbc_index = 72;
	layout->frame_owner = 78;
}

bool layout_from_table(__u32 version, bool is_free_threaded, struct pyi_layout *out)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].version != version)
			continue;
		if (is_free_threaded && version < 0x030d)
			return false;
		*out = table[i];
		if (is_free_threaded)
			make_free_threaded(out);
		return true;
	}
	return false;
}
