// SPDX-License-Identifier: BSD-2-Clause
/*
 * Turning places in the code into probe sites. A call is bracketed by itself and by the first
 * instruction behind it that the kernel can emulate, as long as we know in which register the
 * result then is and where the stack pointer stands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/code/bracket.h"
#include "interpreters/code/callers.h"
#include "interpreters/code/code.h"
#include "interpreters/code/sites.h"
#include "interpreters/interp_notes.h"

#define BRACKET_MAX_INSNS 24
#define ENTRY_MAX_INSNS 24
#define RETS_MAX 64

/* Two halves at one address make one site, unless each wants the same half differently. */
static bool merge(struct pyi_site *into, const struct pyi_site *from)
{
	if (from->begin) {
		if (into->begin && into->begin != from->begin)
			return false;
		into->begin = from->begin;
	}
	if (from->end) {
		if (into->end && (into->end != from->end || into->sp_delta != from->sp_delta ||
				  into->result_reg != from->result_reg))
			return false;
		into->end = from->end;
		into->result_reg = from->result_reg;
		into->result_is_int = from->result_is_int;
		into->sp_delta = from->sp_delta;
	}
	return true;
}

static int add_site(struct finder *finder, const struct pyi_site *site, const char *reason)
{
	struct interp *interp = finder->interp;
	struct interp_site *sites, *new;
	const struct elf_sym *sym;
	struct insn insn;
	__u64 off;

	if (elf__addr_to_off(finder->elf, site->addr, &off) ||
	    !code_decode_text(finder, site->addr, &insn))
		return -ENOEXEC;
	for (size_t i = 0; i < interp->site_cnt; i++) {
		if (interp->sites[i].site.addr != site->addr)
			continue;
		if (merge(&interp->sites[i].site, site))
			return 0;
		interp__note(interp, "two probes need the instruction at offset 0x%llx: kept the first",
			     off);
		return -EEXIST;
	}
	if (interp->site_cnt >= SITES_MAX)
		return -E2BIG;
	sites = realloc(interp->sites, (interp->site_cnt + 1) * sizeof(*sites));
	if (!sites) {
		finder->is_out_of_memory = true;
		return -ENOMEM;
	}
	interp->sites = sites;
	new = &sites[interp->site_cnt++];
	*new = (struct interp_site){
		.site = *site, .file_off = off, .is_emulated = insn.is_emulated, .reason = reason,
	};
	memcpy(new->insn, insn.text, sizeof(new->insn));
	sym = elf__sym_at(finder->elf, site->addr);
	if (sym)
		snprintf(new->where, sizeof(new->where), "%.63s", sym->name);
	return 0;
}

/* Which registers hold the result now; full ones hold all 64 bits. */
struct result {
	__u64 full, low;
};

static void track_result(struct result *result, const struct insn *insn)
{
	__u64 from = 1ull << insn->copy_from, to = 1ull << insn->copy_to;
	bool is_full = insn->copy_from && result->full & from && !insn->is_copy_32;
	bool is_low = insn->copy_from && result->low & from;

	result->full &= ~insn->writes;
	result->low &= ~insn->writes;
	if (is_full)
		result->full |= to;
	if (is_low)
		result->low |= to;
}

static __u8 pick_reg(const struct finder *finder, const struct result *result, bool is_int)
{
	__u64 mask = (is_int ? result->low : result->full) & finder->arch->readable_regs;

	return mask ? __builtin_ctzll(mask) : PYI_REG_NONE;
}

/* Finds the end of a bracket. True: an emulated instruction; false: the one behind the call. */
static bool find_end(struct finder *finder, __u64 after, bool is_int, struct pyi_site *end)
{
	__u64 start = 1ull << finder->arch->result_reg;
	struct result result = { start, start };
	__s32 sp = 0;
	__u64 at = after;

	*end = (struct pyi_site){
		.addr = after, .result_reg = finder->arch->result_reg, .result_is_int = is_int,
	};
	for (int i = 0; i < BRACKET_MAX_INSNS; i++) {
		struct insn insn;

		if (!code_decode(finder, at, &insn))
			return false;
		if (insn.is_emulated) {
			__u8 reg = pick_reg(finder, &result, is_int);

			if (reg == PYI_REG_NONE) /* success unknown: rather dear but complete */
				return false;
			end->addr = at;
			end->result_reg = reg;
			end->sp_delta = sp;
			return true;
		}
		if (insn.is_sp_lost || (insn.kind != INSN_OTHER))
			return false;
		track_result(&result, &insn);
		sp += insn.sp_change;
		at += insn.size;
	}
	return false;
}

int bracket_call(struct finder *finder, __u64 call, enum pyi_site_kind kind, bool result_is_int,
		 const char *reason)
{
	struct pyi_site begin = { .addr = call, .begin = kind }, end;
	struct insn insn;
	bool is_cheap;
	int err;

	if (!code_decode(finder, call, &insn))
		return -ENOEXEC;
	is_cheap = find_end(finder, call + insn.size, result_is_int, &end);
	end.end = kind;
	err = add_site(finder, &end, is_cheap ? "first emulated instruction behind the call" :
		       "return address of the call; nothing emulated follows");
	/* Without its end a begin would open spans that only time closes. */
	return err ?: add_site(finder, &begin, reason);
}

int bracket_tail(struct finder *finder, __u64 jump, const struct callee *caller,
		 enum pyi_site_kind kind, bool result_is_int, const char *reason)
{
	struct pyi_site begin = { .addr = jump, .begin = kind }, end;
	struct insn insn;
	int err = 0, added = 0;

	for (size_t i = 0; i < caller->ref_cnt && !err; i++) {
		const struct ref *ref = &caller->refs[i];

		if (ref->kind != INSN_CALL || !code_decode(finder, ref->addr, &insn))
			continue;
		find_end(finder, ref->addr + insn.size, result_is_int, &end);
		end.end = kind;
		end.sp_delta += finder->arch->return_sz; /* still on the stack at the jump */
		err = add_site(finder, &end, "behind the call of a function that jumped there");
		added += !err;
	}
	if (err || !added)
		return err ?: -ENOENT;
	return add_site(finder, &begin, reason);
}

/* First emulated instruction at which the arguments are still in their registers. */
static int entry_site(struct finder *finder, __u64 entry, unsigned int arg_cnt, bool is_outer,
		      __u64 *addr, __s32 *sp)
{
	__u64 args = 0;
	__u64 at = entry;
	struct insn insn;
	bool is_call;

	for (unsigned int i = 0; i < arg_cnt; i++)
		args |= 1ull << finder->arch->arg_regs[i];
	*sp = 0;
	for (int i = 0; i < ENTRY_MAX_INSNS && code_decode(finder, at, &insn); i++) {
		if (insn.is_emulated && (!is_outer || !*sp)) {
			*addr = at;
			return 0;
		}
		/* Where no argument matters a call may be passed: __tls_get_addr, typically. */
		is_call = insn.kind == INSN_CALL || insn.kind == INSN_CALL_IND;
		if ((insn.kind != INSN_OTHER && (!is_call || arg_cnt)) || insn.is_sp_lost ||
		    insn.writes & args)
			break;
		at += insn.size;
		*sp += insn.sp_change;
	}
	/* Single-stepped, so any will do: past the landing pad nothing is different yet. */
	*sp = 0;
	if (!code_decode(finder, entry, &insn))
		return -ENOEXEC;
	*addr = insn.is_landing ? entry + insn.size : entry;
	return 0;
}

int bracket_entry(struct finder *finder, __u64 entry, enum pyi_site_kind kind,
		  unsigned int arg_cnt, const char *reason)
{
	struct pyi_site site = { .begin = kind };
	__s32 sp;
	int err = entry_site(finder, entry, arg_cnt, false, &site.addr, &sp);

	return err ?: add_site(finder, &site, reason);
}

struct exits {
	__u64 rets[RETS_MAX];
	size_t cnt;
	bool is_open; /* leaves by something other than a return we know */
	const struct elf *elf;
};

static void on_insn(void *ctx, const struct insn *insn, unsigned int depth)
{
	struct exits *exits = ctx;
	const struct elf_sym *sym;

	if (depth)
		return;
	if (insn->kind == INSN_RET) {
		if (exits->cnt < RETS_MAX)
			exits->rets[exits->cnt++] = insn->addr;
		else
			exits->is_open = true;
	}
	if (insn->kind != INSN_JMP && insn->kind != INSN_JCC)
		return;
	/* code_walk does not follow jumps to exported functions: they return in our place. */
	sym = elf__sym_at(exits->elf, insn->target);
	if (sym && sym->is_export && sym->addr == insn->target)
		exits->is_open = true;
}

int bracket_function(struct finder *finder, __u64 entry, const struct bracket_opts *opts)
{
	struct exits exits = { .elf = finder->elf };
	struct pyi_site begin = { .begin = opts->kind };
	struct pyi_site end = {
		.end = opts->kind, .result_reg = finder->arch->result_reg,
		.result_is_int = opts->result_is_int,
	};
	__s32 sp;
	int err = entry_site(finder, entry, opts->arg_cnt, opts->is_outer, &begin.addr, &sp) ?:
		code_walk(finder, entry, 0, on_insn, &exits);

	if (!err && opts->tail)
		err = code_walk(finder, opts->tail, 0, on_insn, &exits);
	if (err)
		return err;
	if (!exits.cnt)
		return -ENOENT;
	if (exits.is_open && !opts->tail)
		interp__note(finder->interp,
			     "a function at 0x%llx also leaves by a tail call: some of its spans end late",
			     entry);
	end.sp_delta = -sp;
	for (size_t i = 0; i < exits.cnt && !err; i++) {
		end.addr = exits.rets[i];
		err = add_site(finder, &end, "return of the function");
	}
	return err ?: add_site(finder, &begin, opts->reason);
}
