// SPDX-License-Identifier: BSD-2-Clause
/* Reading code: single instructions, instruction boundaries, control flow of a function. */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/code/code.h"
#include "interpreters/code/sites.h"

#define WALK_MAX_INSNS 60000 /* PyEval_EvalFrame is about 20,000 */
#define WALK_MAX_BLOCKS 8192
#define FUNC_MAX_SZ (1u << 20)
#define INSN_MAX_SZ 16
#define INSN_COST 256 /* decoding one takes as long as reading so many bytes */

static bool decode(struct finder *finder, __u64 addr, bool want_text, struct insn *out)
{
	const struct elf_seg *seg = elf__seg_at(finder->elf, addr);
	__u64 left;

	if (!seg || !seg->is_exec || !seg->data || addr - seg->addr >= seg->file_sz ||
	    !finder->decode_budget || !elf__may_search(finder->elf, INSN_COST))
		return false;
	finder->decode_budget--;
	left = seg->file_sz - (addr - seg->addr);
	return finder->arch->decode(finder->decoder, seg->data + (addr - seg->addr),
				    left < INSN_MAX_SZ ? left : INSN_MAX_SZ, addr, want_text, out);
}

bool code_decode(struct finder *finder, __u64 addr, struct insn *out)
{
	return decode(finder, addr, false, out);
}

bool code_decode_text(struct finder *finder, __u64 addr, struct insn *out)
{
	return decode(finder, addr, true, out);
}

bool code_is_boundary(struct finder *finder, __u64 addr, struct elf_range *func)
{
	struct insn insn;
	__u64 at;

	if (elf__func_range(finder->elf, addr, func) || func->end - func->start > FUNC_MAX_SZ)
		return false;
	for (at = func->start; at < addr; at += insn.size) {
		if (!code_decode(finder, at, &insn))
			return false;
	}
	return at == addr;
}

struct block {
	__u64 addr;
	unsigned int depth;
};

struct walk {
	struct finder *finder;
	struct block *blocks; /* to do, a stack */
	size_t block_cnt;
	__u64 *seen;          /* open addressing, 0 = free */
	size_t seen_cnt;
	unsigned int max_depth;
};

#define SEEN_SLOTS (1u << 17) /* over twice WALK_MAX_INSNS */

/* True the first time. */
static bool mark_seen(struct walk *walk, __u64 addr)
{
	size_t at = (addr * 0x9e3779b97f4a7c15ull) >> 47;

	if (walk->seen_cnt >= WALK_MAX_INSNS)
		return false;
	while (walk->seen[at & (SEEN_SLOTS - 1)]) {
		if (walk->seen[at & (SEEN_SLOTS - 1)] == addr)
			return false;
		at++;
	}
	walk->seen[at & (SEEN_SLOTS - 1)] = addr;
	walk->seen_cnt++;
	return true;
}

/* An exported function is somebody else's business: its other callers would share our sites. */
static bool is_exported(const struct elf *elf, __u64 addr)
{
	const struct elf_sym *sym = elf__sym_at(elf, addr);

	return sym && sym->is_export && sym->addr == addr;
}

static void add_block(struct walk *walk, __u64 addr, unsigned int depth)
{
	if (walk->block_cnt < WALK_MAX_BLOCKS && elf__is_exec(walk->finder->elf, addr) &&
	    !is_exported(walk->finder->elf, addr))
		walk->blocks[walk->block_cnt++] = (struct block){ addr, depth };
}

static void walk_block(struct walk *walk, struct block block, code_fn fn, void *ctx)
{
	struct elf_range func = { 0, ~0ull };
	struct insn insn;

	/* Behind a call that does not return lies the next function: do not run into it. */
	elf__func_range(walk->finder->elf, block.addr, &func);
	for (__u64 at = block.addr; at < func.end; at += insn.size) {
		if (!mark_seen(walk, at) || !code_decode(walk->finder, at, &insn))
			return;
		fn(ctx, &insn, block.depth);
		switch (insn.kind) {
		case INSN_CALL:
			if (block.depth < walk->max_depth)
				add_block(walk, insn.target, block.depth + 1);
			break;
		case INSN_JCC:
			add_block(walk, insn.target, block.depth);
			break;
		case INSN_JMP:
			add_block(walk, insn.target, block.depth);
			return;
		case INSN_RET:
		case INSN_JMP_IND:
		case INSN_TRAP:
			return;
		default:
			break;
		}
	}
}

int code_walk(struct finder *finder, __u64 entry, unsigned int max_depth, code_fn fn, void *ctx)
{
	_cleanup_free_ struct block *blocks = calloc(WALK_MAX_BLOCKS, sizeof(*blocks));
	_cleanup_free_ __u64 *seen = calloc(SEEN_SLOTS, sizeof(*seen));
	struct walk walk = {
		.finder = finder, .blocks = blocks, .seen = seen, .max_depth = max_depth,
	};

	if (!blocks || !seen) {
		finder->is_out_of_memory = true;
		return -ENOMEM;
	}
	blocks[walk.block_cnt++] = (struct block){ entry, 0 };
	while (walk.block_cnt) {
		/* Shallow ones first, so that shared code counts for the function itself. */
		size_t best = walk.block_cnt - 1;

		for (size_t i = 0; i < walk.block_cnt && walk.blocks[best].depth; i++) {
			if (walk.blocks[i].depth < walk.blocks[best].depth)
				best = i;
		}
		struct block block = walk.blocks[best];

		walk.blocks[best] = walk.blocks[--walk.block_cnt];
		walk_block(&walk, block, fn, ctx);
	}
	return 0;
}
