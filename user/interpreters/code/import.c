// SPDX-License-Identifier: BSD-2-Clause
/*
 * The import function and the places where it calls into importlib. One callee serves several
 * methods; which one a call site means is an argument. Sites that certainly mean another method
 * than _find_and_load are left alone: they are hit by cached imports, which must stay cheap.
 */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/code/bracket.h"
#include "interpreters/code/callers.h"
#include "interpreters/code/code.h"
#include "interpreters/code/import.h"
#include "interpreters/code/sites.h"

/* Called as (object, method name, arguments…). */
static const char *const method_callees[] = {
	"PyObject_CallMethodObjArgs",
	"_PyObject_CallMethodIdObjArgs",
};
#define METHOD_CALLEES 2
#define METHOD_ARG 1 /* which argument is the name */

/* What else the import function calls in importlib. */
static const char *const other_methods[] = { "_handle_fromlist", "_lock_unlock_module" };

#define CALLS_MAX 64
#define TARGETS_MAX 4096
#define NAME_MAX_SZ 64

/* Addresses known to be in registers, along straight-line code. */
struct values {
	__u64 of[64];
	__u64 set_at[64]; /* instruction that made it known */
	__u64 known;
	__u64 next;       /* where straight-line code goes on */
};

struct call {
	__u64 addr;
	__u64 name;       /* address of the name object, 0 = not known */
	__u64 name_since; /* from this instruction on, if nothing jumps in between */
};

struct search {
	struct finder *finder;
	struct callee callees[METHOD_CALLEES];
	struct values values;
	struct call calls[CALLS_MAX];
	size_t call_cnt;
	__u64 targets[TARGETS_MAX]; /* of jumps */
	size_t target_cnt;
	bool is_cut;
};

/* A register's value from ref and base; the instruction that began it moves along. */
static void step_values(struct search *search, const struct insn *insn)
{
	struct values *values = &search->values;
	__u64 base = 1ull << insn->ref_base;
	__u64 value = insn->ref, since = insn->addr;
	bool is_known = insn->ref_reg && (!insn->ref_base || values->known & base);

	if (is_known && insn->ref_base) {
		value += values->of[insn->ref_base];
		since = values->set_at[insn->ref_base];
	}
	if (is_known && insn->is_load) {
		value = elf__ptr_at(search->finder->elf, value);
		is_known = value != 0;
	}
	if (insn->copy_from && !insn->is_copy_32 && values->known & 1ull << insn->copy_from) {
		values->of[insn->copy_to] = values->of[insn->copy_from];
		values->set_at[insn->copy_to] = values->set_at[insn->copy_from];
		values->known &= ~insn->writes;
		values->known |= 1ull << insn->copy_to;
		return;
	}
	values->known &= ~insn->writes;
	if (insn->kind == INSN_CALL || insn->kind == INSN_CALL_IND)
		values->known &= search->finder->arch->saved_regs;
	if (is_known) {
		values->of[insn->ref_reg] = value;
		values->set_at[insn->ref_reg] = since;
		values->known |= 1ull << insn->ref_reg;
	}
}

static void add_call(struct search *search, const struct insn *insn)
{
	__u8 reg = search->finder->arch->arg_regs[METHOD_ARG];
	const struct values *values = &search->values;
	struct call *call;

	if (search->call_cnt >= CALLS_MAX)
		return;
	call = &search->calls[search->call_cnt++];
	*call = (struct call){ .addr = insn->addr };
	if (values->known & 1ull << reg) {
		call->name = values->of[reg];
		call->name_since = values->set_at[reg];
	}
}

static void on_insn(void *ctx, const struct insn *insn, unsigned int depth)
{
	struct search *search = ctx;

	(void)depth;
	if (insn->addr != search->values.next)
		search->values.known = 0;
	search->values.next = insn->addr + insn->size;
	for (size_t i = 0; i < METHOD_CALLEES; i++) {
		if ((insn->kind == INSN_CALL || insn->kind == INSN_CALL_IND) &&
		    callee__is_target(&search->callees[i], insn))
			add_call(search, insn);
	}
	if (insn->kind == INSN_JMP || insn->kind == INSN_JCC) {
		if (search->target_cnt < TARGETS_MAX)
			search->targets[search->target_cnt++] = insn->target;
		else
			search->is_cut = true;
	}
	step_values(search, insn);
}

/* The text of a method name object in the file: a static str, or up to 3.10 a _Py_Identifier. */
static const char *method_name(const struct search *search, __u64 name)
{
	const struct elf *elf = search->finder->elf;
	const struct pyi_layout *layout = &search->finder->interp->layout;

	if (layout->find_name_is_identifier)
		name = elf__ptr_at(elf, name + layout->identifier_string);
	else if (layout->str_ascii_data >= 0)
		name += layout->str_ascii_data;
	else
		return NULL;
	return elf__str_at(elf, name, NAME_MAX_SZ);
}

static bool is_other_method(const struct search *search, const struct call *call)
{
	const char *name = call->name ? method_name(search, call->name) : NULL;

	if (!name || search->is_cut || call->name_since > call->addr)
		return false;
	/* Code that jumps in between may have put another name into the register. */
	for (size_t i = 0; i < search->target_cnt; i++) {
		if (search->targets[i] > call->name_since && search->targets[i] <= call->addr)
			return false;
	}
	for (size_t i = 0; i < sizeof(other_methods) / sizeof(other_methods[0]); i++) {
		if (!strcmp(name, other_methods[i]))
			return true;
	}
	return false;
}

static int add_finds(struct search *search)
{
	size_t cnt = 0;

	for (size_t i = 0; i < search->call_cnt; i++) {
		int err;

		if (is_other_method(search, &search->calls[i]))
			continue;
		err = bracket_call(search->finder, search->calls[i].addr, PYI_SITE_FIND, false,
				   "the import function's call into importlib");
		if (err == -ENOMEM)
			return err;
		cnt += !err;
	}
	if (cnt)
		search->finder->interp->layers |= INTERP_LAYER_FIND;
	return 0;
}

int import_find_sites(struct finder *finder)
{
	const struct elf_sym *sym = elf__sym(finder->elf, "PyImport_ImportModuleLevelObject");
	_cleanup_free_ struct search *search = calloc(1, sizeof(*search));
	int err;

	if (!search)
		return -ENOMEM;
	search->finder = finder;
	for (size_t i = 0; i < METHOD_CALLEES; i++)
		callee__init(&search->callees[i], finder->elf, method_callees[i]);
	/* For the stubs of the callees: some builds call themselves through the PLT. */
	err = callees__scan(finder, search->callees, METHOD_CALLEES);
	if (!err)
		err = bracket_entry(finder, sym->addr, PYI_SITE_IMPORT, 5,
				    "every import statement");
	if (!err) {
		finder->interp->layers |= INTERP_LAYER_IMPORT;
		/* Builds with link-time optimisation have the slow path in its own function. */
		err = code_walk(finder, sym->addr, 2, on_insn, search);
	}
	if (!err)
		err = add_finds(search);
	for (size_t i = 0; i < METHOD_CALLEES; i++)
		callee__done(&search->callees[i]);
	return err;
}
