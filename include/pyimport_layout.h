/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user space tells the BPF programs of one interpreter file: where its probe sites are, which
 * register has what there, and where its objects keep their fields.
 */
#ifndef PYIMPORT_LAYOUT_H
#define PYIMPORT_LAYOUT_H

#include "pyimport_event.h"

/* What a probe site stands for. A site may end one thing and begin the next. */
enum pyi_site_kind {
	PYI_SITE_NONE = 0,
	PYI_SITE_IMPORT = 1,       /* PyImport_ImportModuleLevelObject entered */
	PYI_SITE_FIND = 2,         /* call …CallMethod…ObjArgs(importlib, "_find_and_load", abs_name…) */
	PYI_SITE_BODY = 3,         /* call PyEval_EvalCode(co, globals, locals) */
	PYI_SITE_EXECDEF = 4,      /* call PyModule_ExecDef(module, def) */
	PYI_SITE_DLOPEN = 5,       /* call dlopen(path, flags) inside the interpreter */
	PYI_SITE_DYNAMIC = 6,      /* _imp.create_dynamic(spec, file) */
	PYI_SITE_BUILTIN = 7,      /* _imp.create_builtin(spec) entered */
	PYI_SITE_SEARCH = 8,       /* _imp.is_frozen(name) entered, up to 3.10 */
	PYI_SITE_SEARCH_FAST = 9,  /* _imp.find_frozen(name, …): the first of an array */
	PYI_SITE_COMPILE = 10,     /* source is being compiled */
	PYI_SITE_RUN_MAIN = 11,    /* Py_RunMain entered */
	PYI_SITE_FINALIZE = 12,    /* Py_FinalizeEx entered */
	PYI_SITE_LAZY = 13,        /* 3.15: _PyImport_LoadLazyImportTstate / _PyLazyImport_Reify */
	PYI_SITE_IMPORT_ERROR = 14, /* tp_init of ImportError entered: self */
	PYI_SITE_LAZY_NEW = 15,    /* 3.15: _PyLazyImport_New(frame, builtins, name, …) entered */
	PYI_SITE_MAX,
};

/* Where a value stands at a site: index of a general register. */
enum pyi_reg {
	PYI_REG_NONE = 0,
	PYI_REG_AX = 1, PYI_REG_BX, PYI_REG_CX, PYI_REG_DX, PYI_REG_SI, PYI_REG_DI, PYI_REG_BP,
	PYI_REG_R8, PYI_REG_R9, PYI_REG_R10, PYI_REG_R11, PYI_REG_R12, PYI_REG_R13, PYI_REG_R14,
	PYI_REG_R15,
	/* arm64: x0 … x30 are PYI_REG_X0 + n */
	PYI_REG_X0 = 32,
};

/* Map `sites`: index = attach cookie. One probed instruction. */
struct pyi_site {
	__u64 addr;      /* address in the file's own address space: load bias = ip - addr */
	__u32 layout;    /* index into map `layouts` */
	__u8 end;        /* enum pyi_site_kind that ends here, 0 = none */
	__u8 begin;      /* enum pyi_site_kind that begins here, 0 = none */
	__u8 result_reg; /* enum pyi_reg: result of what ended; NONE = unknown */
	__u8 result_is_int; /* an int: failed when < 0; else a pointer: failed when NULL */
	__s32 sp_delta;  /* sp here minus sp at the begin site of what ends */
	__u32 is_stepped; /* the kernel does not emulate the instruction */
};

/* Map `layouts`: what BPF must know of one interpreter file. Offset -1 = not there. */
struct pyi_layout {
	__u32 version;      /* PY_VERSION_HEX >> 16: 0x030b for 3.11; 0 = unknown */
	__u32 has;          /* enum pyi_check bits worth trying */
	__u64 runtime_addr; /* _PyRuntime; up to 3.6 _PyThreadState_Current; 0 = unknown */
	__u64 unicode_type_addr, dict_type_addr, code_type_addr; /* 0 = unknown */
	__s32 ob_type;
	__s32 str_length, str_state, str_ascii_data, str_compact_data;
	__u32 str_kind_shift, str_compact_shift, str_ascii_shift; /* in the 32-bit state */
	__s32 bytes_size, bytes_data;
	__s32 tuple_size, tuple_items;
	__s32 dict_keys;
	__s32 keys_log2_size; /* u8; up to 3.10 -1 and keys_size is the Py_ssize_t */
	__s32 keys_size, keys_log2_index_bytes, keys_kind, keys_indices;
	__s32 code_filename, code_name, code_firstlineno, code_table;
	__u32 code_read_sz;   /* end of the last of these in the object */
	__s32 code_code;      /* first instruction (3.11+), else -1 */
	__s32 code_tlbc;      /* free-threaded 3.14+, else -1 */
	__u32 lines;          /* enum pyi_lines */
	__s32 runtime_interp_head, interp_next, interp_id, interp_threads_head;
	__s32 thread_next, thread_interp, thread_id;
	__s32 thread_frame;   /* PyFrameObject* or _PyInterpreterFrame* */
	__s32 thread_cframe, cframe_frame; /* 3.11-3.12: two steps; else -1 */
	__s32 thread_exc_type; /* 3.6-3.11: curexc_type (a type) */
	__s32 thread_exc;     /* 3.12+: current_exception (an instance) */
	__s32 type_name;      /* PyTypeObject.tp_name */
	__s32 frame_back, frame_code, frame_globals, frame_lasti, frame_owner, frame_tlbc_index;
	__s32 frame_locals;   /* f_localsplus */
	__u32 lasti_is_ptr;   /* frame_lasti holds an instruction pointer */
	__s32 lasti_scale;    /* else bytes per unit of f_lasti: 1 (3.6-3.9) or 2 (3.10) */
	__u64 code_mask;      /* AND mask for the frame's code reference (3.14+ stack refs) */
	__u32 owner_skip_min; /* frames whose owner is >= this are not Python frames; 0 = none */
	__u32 find_name_is_identifier; /* up to 3.10: method argument is a _Py_Identifier */
	__s32 identifier_string; /* where its char* stands: 8 up to 3.9, 0 in 3.10 */
	__s32 module_name_dict; /* PyModuleObject.md_dict */
	__s32 module_name;      /* PyModuleObject.md_name */
	__s32 lazy_from, lazy_attr, lazy_code, lazy_instr; /* PyLazyImportObject, 3.15 */
	__s32 interp_modules; /* sys.modules */
	__s32 code_names;     /* co_names; -1 = the numbers below are not known */
	__u8 op_import_name, op_import_from, op_store_name; /* of instructions */
	__u8 pad;
};

_Static_assert(sizeof(struct pyi_site) == 24, "pyi_site");

#endif
