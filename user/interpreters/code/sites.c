// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which places of an interpreter are probed for what. Return probes are never used: they replace
 * return addresses, which kills programs that switch stacks and changes what dlopen finds.
 */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/code/bracket.h"
#include "interpreters/code/callers.h"
#include "interpreters/code/code.h"
#include "interpreters/code/import.h"
#include "interpreters/code/methods.h"
#include "interpreters/code/sites.h"
#include "interpreters/interp_notes.h"

#define DECODE_BUDGET 1500000 /* an interpreter takes a tenth; all of it a second */

/* A function measured from begin to end wherever it is called. */
struct span_row {
	const char *name;
	enum pyi_site_kind kind;
	unsigned int arg_cnt;
	bool result_is_int;
	enum interp_layer layer;
	const char *reason;
	const char *tail_reason; /* why a tail call may go unmeasured if there are calls; or NULL */
};

static const struct span_row span_rows[] = {
	{ "PyEval_EvalCode", PYI_SITE_BODY, 3, false, INTERP_LAYER_BODY, "runs a module's code",
	  "eval() of a code object: module code that is run that way is not seen" },
	{ "PyModule_ExecDef", PYI_SITE_EXECDEF, 2, true, INTERP_LAYER_EXECDEF,
	  "runs an extension module's body", NULL },
	{ "PyModule_Exec", PYI_SITE_EXECDEF, 1, true, INTERP_LAYER_EXECDEF,
	  "runs an extension module's body", NULL },
	{ "dlopen", PYI_SITE_DLOPEN, 2, false, INTERP_LAYER_DLOPEN, "opens a shared object", NULL },
};
#define SPAN_ROWS (sizeof(span_rows) / sizeof(span_rows[0]))

/* PyModule_Exec (3.15) ends by jumping to PyModule_ExecDef. */
static __u64 tail_of(const struct finder *finder, const struct span_row *row)
{
	const struct elf_sym *sym = NULL;

	if (!strcmp(row->name, "PyModule_Exec"))
		sym = elf__sym(finder->elf, "PyModule_ExecDef");
	return sym && sym->is_func ? sym->addr : 0;
}

/* The function that ends in a jump to the callee, measured where it is called. */
static int find_tail(struct finder *finder, const struct span_row *row, __u64 jump)
{
	struct callee caller = { .name = "" };
	struct elf_range func;
	int err;

	if (elf__func_range(finder->elf, jump, &func))
		return -ENOENT;
	caller.addr = func.start;
	err = callees__scan(finder, &caller, 1) ?:
	      bracket_tail(finder, jump, &caller, row->kind, row->result_is_int, row->reason);
	callee__done(&caller);
	return err;
}

static int find_span(struct finder *finder, const struct span_row *row,
		     const struct callee *callee)
{
	bool has_call = false;
	size_t jump_cnt = 0;
	int err = 0, added = 0;

	for (size_t i = 0; i < callee->ref_cnt; i++) {
		enum insn_kind kind = callee->refs[i].kind;

		has_call |= kind == INSN_CALL || kind == INSN_CALL_IND;
		jump_cnt += kind == INSN_JMP || kind == INSN_JCC || kind == INSN_JMP_IND;
	}
	if (callee->addr && (!has_call || (jump_cnt && !row->tail_reason))) {
		/*
		 * A tail call has no instruction behind it: measure inside the callee instead. That
		 * ends on a `ret`, 20 times as dear, so not where only a rare caller does it:
		 * exec(), which runs the bodies of modules, turns the result into None and cannot
		 * be a tail call, eval() is one in LTO builds.
		 */
		const struct bracket_opts opts = {
			.kind = row->kind, .arg_cnt = row->arg_cnt, .reason = row->reason,
			.result_is_int = row->result_is_int, .tail = tail_of(finder, row),
		};

		err = bracket_function(finder, callee->addr, &opts);
		added = !err;
	} else {
		for (size_t i = 0; i < callee->ref_cnt && !err; i++) {
			enum insn_kind kind = callee->refs[i].kind;

			if (kind != INSN_CALL && kind != INSN_CALL_IND)
				continue;
			err = bracket_call(finder, callee->refs[i].addr, row->kind,
					   row->result_is_int, row->reason);
			added += !err;
		}
		for (size_t i = 0; i < callee->ref_cnt && !err; i++)
			if (callee->refs[i].kind == INSN_JMP &&
			    !find_tail(finder, row, callee->refs[i].addr))
				jump_cnt--;
		/* One is known and harmless; more need not be. */
		if (jump_cnt > (row->tail_reason ? 1 : 0))
			interp__note(finder->interp, "%s: %zu tail calls cannot be measured: %s",
				     row->name, jump_cnt,
				     row->tail_reason ?: "some spans are missing");
	}
	if (added)
		finder->interp->layers |= row->layer;
	return err == -ENOMEM ? err : 0;
}

static int find_spans(struct finder *finder)
{
	struct callee callees[SPAN_ROWS];
	int err;

	for (size_t i = 0; i < SPAN_ROWS; i++)
		callee__init(&callees[i], finder->elf, span_rows[i].name);
	err = callees__scan(finder, callees, SPAN_ROWS);
	for (size_t i = 0; i < SPAN_ROWS && !err; i++) {
		/* From 3.15 it is only a part of PyModule_Exec. */
		if (!strcmp(span_rows[i].name, "PyModule_ExecDef") &&
		    elf__sym(finder->elf, "PyModule_Exec"))
			continue;
		err = find_span(finder, &span_rows[i], &callees[i]);
	}
	for (size_t i = 0; i < SPAN_ROWS; i++)
		callee__done(&callees[i]);
	return err;
}

/*
 * From tp_name to tp_init in a PyTypeObject (Include/cpython/object.h): 34 words in every version
 * from 3.6 on. What stands before tp_name, the object's head, differs by build.
 */
#define TP_NAME_TO_INIT (34 * 8)

static void find_type_init(struct finder *finder, __u64 type, enum pyi_site_kind kind,
			   const char *reason)
{
	const struct pyi_layout *layout = &finder->interp->layout;
	struct elf_range range;
	__u64 init;

	if (!type || layout->type_name <= 0)
		return;
	init = elf__ptr_at(finder->elf, type + layout->type_name + TP_NAME_TO_INIT);
	if (init && elf__is_exec(finder->elf, init) &&
	    !elf__func_range(finder->elf, init, &range) && range.start == init)
		bracket_entry(finder, init, kind, 1, reason);
}

/* The one of them that importlib calls for each module it looks for, unless it is a builtin. */
static bool find_search(struct finder *finder, const struct imp_methods *imp)
{
	static const char reason[] = "importlib looks for a module";

	if (imp->find_frozen)
		return !bracket_entry(finder, imp->find_frozen, PYI_SITE_SEARCH_FAST, 2, reason);
	return imp->is_frozen &&
	       !bracket_entry(finder, imp->is_frozen, PYI_SITE_SEARCH, 2, reason);
}

/* Static functions of _imp and the type slots of ImportError. */
static int find_hidden(struct finder *finder)
{
	struct interp *interp = finder->interp;
	const struct bracket_opts dynamic = {
		.kind = PYI_SITE_DYNAMIC, .arg_cnt = 3, .is_outer = true,
		.reason = "_imp.create_dynamic: loads an extension module",
	};
	const struct elf_sym *error = elf__sym(finder->elf, "PyExc_ImportError");
	struct imp_methods imp;

	methods_find_imp(finder->elf, &imp);
	if (imp.create_dynamic && !bracket_function(finder, imp.create_dynamic, &dynamic))
		interp->layers |= INTERP_LAYER_DYNAMIC;
	if (imp.create_builtin)
		bracket_entry(finder, imp.create_builtin, PYI_SITE_BUILTIN, 2,
			      "_imp.create_builtin: makes a builtin module");
	if (find_search(finder, &imp))
		interp->layers |= INTERP_LAYER_SEARCH;
	if (error)
		find_type_init(finder, elf__ptr_at(finder->elf, error->addr),
			       PYI_SITE_IMPORT_ERROR, "an ImportError is made");
	return 0;
}

struct entry_row {
	const char *name;
	enum pyi_site_kind kind;
	unsigned int arg_cnt;
	__u32 from, until; /* versions, hex as in pyi_layout.version; until 0 = no end */
	const char *reason;
};

static const struct entry_row entry_rows[] = {
	{ "Py_CompileStringObject", PYI_SITE_COMPILE, 2, 0x0300, 0x030e,
	  "source is compiled: no usable .pyc" },
	{ "_PyAST_Compile", PYI_SITE_COMPILE, 2, 0x030f, 0, "source is compiled: no usable .pyc" },
	{ "Py_RunMain", PYI_SITE_RUN_MAIN, 0, 0, 0, "the interpreter is initialised" },
	{ "Py_FinalizeEx", PYI_SITE_FINALIZE, 0, 0, 0, "the interpreter shuts down" },
};

static void find_entries(struct finder *finder)
{
	__u32 version = finder->interp->layout.version;

	for (size_t i = 0; i < sizeof(entry_rows) / sizeof(entry_rows[0]); i++) {
		const struct entry_row *row = &entry_rows[i];
		const struct elf_sym *sym = elf__sym(finder->elf, row->name);

		if (!sym || !sym->is_func || version < row->from ||
		    (row->until && version > row->until))
			continue;
		bracket_entry(finder, sym->addr, row->kind, row->arg_cnt, row->reason);
	}
}

/*
 * The function all lazy loads pass. Link-time optimisation may have put copies of it into its
 * callers; then the outer one, which has most of them, must do.
 */
static int find_lazy(struct finder *finder)
{
	const struct elf_sym *sym = elf__sym(finder->elf, "_PyLazyImport_Reify");
	struct callee callee;
	int err;

	if (!sym) /* before 3.15 */
		return 0;
	callee__init(&callee, finder->elf, "_PyImport_LoadLazyImportTstate");
	err = callees__scan(finder, &callee, 1);
	if (callee.ref_cnt)
		sym = elf__sym(finder->elf, callee.name);
	if (!err && sym && sym->is_func)
		bracket_entry(finder, sym->addr, PYI_SITE_LAZY, 2, "a lazy import is loaded");
	callee__done(&callee);
	sym = elf__sym(finder->elf, "_PyLazyImport_New");
	if (!err && sym && sym->is_func)
		bracket_entry(finder, sym->addr, PYI_SITE_LAZY_NEW, 3, "a lazy import is declared");
	return err;
}

static int cmp_sites(const void *a, const void *b)
{
	const struct interp_site *x = a, *y = b;

	return x->site.addr < y->site.addr ? -1 : x->site.addr > y->site.addr;
}

static void note_missing(struct interp *interp)
{
	static const struct {
		enum interp_layer layer;
		const char *text;
	} rows[] = {
		{ INTERP_LAYER_FIND, "no call into importlib was found in the import function: loads are only known by their bodies" },
		{ INTERP_LAYER_BODY, "no call of PyEval_EvalCode was found: module bodies are not timed" },
		{ INTERP_LAYER_EXECDEF, "PyModule_ExecDef was not found: bodies of extension modules are not timed" },
		{ INTERP_LAYER_DLOPEN, "no call of dlopen was found: opening of extension modules is not timed" },
		{ INTERP_LAYER_DYNAMIC, "_imp.create_dynamic was not found: extension modules are not told from others" },
		{ INTERP_LAYER_SEARCH, "_imp.find_frozen was not found: import_module and reload are only known by their bodies" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(interp->layers & rows[i].layer))
			interp__note(interp, "%s", rows[i].text);
	}
}

int sites_find(const struct elf *elf, const struct insn_arch *arch, struct interp *interp)
{
	struct finder finder = {
		.elf = elf, .arch = arch, .interp = interp, .decode_budget = DECODE_BUDGET,
	};
	int err = arch->open(&finder.decoder);

	if (err)
		return err;
	err = import_find_sites(&finder) ?: find_spans(&finder) ?: find_hidden(&finder);
	if (!err)
		find_entries(&finder);
	err = err ?: find_lazy(&finder);
	if (finder.is_out_of_memory)
		err = -ENOMEM;
	arch->close(finder.decoder);
	if (err)
		return err;
	if (!finder.decode_budget)
		interp__note(interp, "the control flow is too complex to follow to its end");
	if (interp->site_cnt)
		qsort(interp->sites, interp->site_cnt, sizeof(*interp->sites), cmp_sites);
	note_missing(interp);
	return 0;
}
