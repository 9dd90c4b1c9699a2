// SPDX-License-Identifier: BSD-2-Clause
/* Code objects, the places in them, and which of them a person would not call an importer. */
#include <errno.h>
#include <string.h>

#include "event/event.h"
#include "model/state/code.h"
#include "model/state/module_names.h"
#include "model/state/process_table.h"
#include "model/state/text.h"

struct code *code_find(struct model *model, __u32 id)
{
	return idmap__find(&model->codes, id);
}

static int read_names(struct model *model, struct code *code, const struct pyi_code *rec)
{
	code->is_module_cut = event_is_cut(&rec->module);
	code->is_package_cut = event_is_cut(&rec->package);
	return model_text(model, &rec->module, rec->module_text, &code->module) ?:
	       model_text(model, &rec->package, rec->package_text, &code->package) ?:
	       model_text(model, &rec->filename, rec->filename_text, &code->file) ?:
	       model_text(model, &rec->name, rec->name_text, &code->name);
}

static __u64 hash_text(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* All its texts are interned. */
static __u64 code_hash(const struct code *code)
{
	__u64 hash = hash_text(0, (size_t)code->module);

	hash = hash_text(hash, (size_t)code->file);
	hash = hash_text(hash, (size_t)code->name);
	hash = hash_text(hash, (size_t)code->table);
	return hash_text(hash, (__u32)code->firstlineno);
}

static bool is_same_code(const struct code *a, const struct code *b)
{
	return a->module == b->module && a->file == b->file && a->name == b->name &&
	       a->table == b->table && a->table_sz == b->table_sz &&
	       a->firstlineno == b->firstlineno;
}

/* A module that is loaded again has new code objects, which are the old ones to a reader. */
static int know_same(struct model *model, struct code *code)
{
	__u64 hash = code_hash(code);
	const struct code *first = keymap__find(&model->code_texts, hash);

	code->same = first && is_same_code(first, code) ? first->same : code->id;
	return first ? 0 : keymap__set(&model->code_texts, hash, code);
}

int code_add(struct model *model, const struct pyi_code *rec)
{
	struct process_state *process = process_find(model, rec->hdr.proc);
	struct code *code = code_find(model, rec->id);
	const char *table;
	const char *full;

	if (code)
		return 0;
	code = arena__alloc(&model->arena, sizeof(*code));
	if (!code || read_names(model, code, rec))
		return -ENOMEM;
	code->id = rec->id;
	code->firstlineno = rec->firstlineno;
	code->globals = rec->globals;
	code->lines = rec->lines;
	code->table_sz = rec->table_sz;
	code->is_table_cut = (rec->hdr.flags & PYI_F_TRUNC &&
			      rec->table_sz + 1 >= rec->hdr.size - sizeof(*rec)) ||
			     (rec->hdr.flags & PYI_F_UNREADABLE && !rec->table_sz);
	full = code->is_module_cut && process ? namespace_name(process, rec->globals) : NULL;
	if (full) {
		code->module = full;
		code->is_module_cut = false;
	}
	if (rec->table_sz) {
		/* The workers of a server, the runs of a command have the same files. */
		table = arena__intern(&model->arena, (const char *)rec->table, rec->table_sz);
		if (!table)
			return -ENOMEM;
		code->table = (const unsigned char *)table;
	}
	if (know_same(model, code))
		return -ENOMEM;
	return id_add(model, &model->codes, rec->id, code);
}

struct site code_site(struct model *model, const struct pyi_frame *frame)
{
	struct code *code = frame->code ? code_find(model, frame->code) : NULL;
	struct site site = {};

	if (!code)
		return site;
	site.module = code->module;
	site.file = code->file;
	site.function = code->name;
	site.code = code->same;
	site.lasti = frame->lasti;
	site.line = event_line(code->lines, code->firstlineno, code->table, code->table_sz,
			       code->is_table_cut, frame->lasti);
	return site;
}

static bool ends_with(const char *text, const char *tail)
{
	size_t len = strlen(text), tail_len = strlen(tail);

	return len >= tail_len && !strcmp(text + len - tail_len, tail);
}

static bool is_named(const struct code *code, const char *name)
{
	return code->name && !strcmp(code->name, name);
}

/*
 * What an import goes through before it reaches its module. What its other modules import at their
 * top level, they import like anybody.
 */
bool code_is_importlib(const struct code *code)
{
	if (!code || !code->file)
		return false;
	if (!strncmp(code->file, "<frozen importlib._bootstrap", 28) ||
	    ends_with(code->file, "/importlib/_bootstrap.py") ||
	    ends_with(code->file, "/importlib/_bootstrap_external.py"))
		return true; /* its top level, too: the interpreter runs it by itself */
	return (ends_with(code->file, "/importlib/__init__.py") ||
		!strcmp(code->file, "<frozen importlib>")) &&
	       (is_named(code, "import_module") || is_named(code, "reload"));
}

/* What runs a module's body by hand: the above, and LazyLoader, runpy, zipimport. */
bool code_is_machinery(const struct code *code)
{
	if (code_is_importlib(code))
		return true;
	if (!code || !code->file || is_named(code, "<module>"))
		return false;
	return !strncmp(code->file, "<frozen importlib", 17) ||
	       !strcmp(code->file, "<frozen runpy>") || !strcmp(code->file, "<frozen zipimport>") ||
	       ends_with(code->file, "/importlib/util.py") || ends_with(code->file, "/runpy.py");
}

static struct site first_site(struct model *model, const struct frames *frames,
			      bool (*is_skipped)(const struct code *code))
{
	for (__u32 i = 0; frames && i < frames->cnt; i++)
		if (!is_skipped(code_find(model, frames->at[i].code)))
			return code_site(model, &frames->at[i]);
	return (struct site){};
}

__u32 import_code(struct model *model, const struct frames *frames)
{
	for (__u32 i = 0; frames && i < frames->cnt; i++)
		if (!code_is_importlib(code_find(model, frames->at[i].code)))
			return frames->at[i].code;
	return 0;
}

struct site import_site(struct model *model, const struct frames *frames)
{
	return first_site(model, frames, code_is_importlib);
}

struct site body_site(struct model *model, const struct frames *frames)
{
	return first_site(model, frames, code_is_machinery);
}

struct frames *frames_of(struct model *model, const struct pyi_frames *rec)
{
	size_t sz = rec->cnt * sizeof(rec->frames[0]);
	struct frames *frames = arena__alloc(&model->arena, sizeof(*frames) + sz);

	if (!frames)
		return NULL;
	frames->cnt = rec->cnt;
	/* Older releases counted it, and did not say of which. */
	frames->is_cut = rec->hdr.flags & PYI_F_TRUNC || rec->cnt == PYI_MAX_FRAMES;
	memcpy(frames->at, rec->frames, sz);
	return frames;
}
