// SPDX-License-Identifier: BSD-2-Clause
/* Import statements and the code objects they stand in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "model/state.h"

#define NAME_MAX_SZ (3 * PYI_STR_LARGE + 64)

static const char *text_of(struct model *model, const struct pyi_str *str, const char *text)
{
	char buf[3 * PYI_CODE_NAME_SZ + 64];

	return str->sz ? arena__intern(&model->arena, buf, event_utf8(str, text, buf)) : NULL;
}

/* A module name too long for a code record stands in the record of the module's body. */
static void name_whole(struct model *model, __u32 serial, struct code *code)
{
	struct process_state *process;
	struct long_name *known;

	if (!code->is_module_cut)
		return;
	HASH_FIND(hh, model->by_serial, &serial, sizeof(serial), process);
	for (known = process ? process->long_names : NULL; known; known = known->next)
		if (known->globals == code->globals)
			code->module = known->name;
}

int code_learn_name(struct model *model, struct process_state *process, struct code *code,
		    const char *name)
{
	struct long_name *known;

	if (!code || !code->is_module_cut || !name)
		return 0;
	known = arena__alloc(&model->arena, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->globals = code->globals;
	known->name = name;
	known->next = process->long_names;
	process->long_names = known;
	code->module = name;
	return 0;
}

int code_add(struct model *model, const struct pyi_code *rec)
{
	struct code *code = code_find(model, rec->id);
	unsigned char *table;

	if (code)
		return 0;
	code = arena__alloc(&model->arena, sizeof(*code));
	if (!code)
		return -ENOMEM;
	code->id = rec->id;
	code->firstlineno = rec->firstlineno;
	code->globals = rec->globals;
	code->lines = rec->lines;
	code->table_sz = rec->table_sz;
	code->is_table_cut = rec->hdr.flags & PYI_F_TRUNC &&
			     rec->table_sz == rec->hdr.size - sizeof(*rec);
	code->module = text_of(model, &rec->module, rec->module_text);
	code->package = text_of(model, &rec->package, rec->package_text);
	code->file = text_of(model, &rec->filename, rec->filename_text);
	code->name = text_of(model, &rec->name, rec->name_text);
	if (rec->table_sz) {
		table = arena__alloc(&model->arena, rec->table_sz);
		if (!table)
			return -ENOMEM;
		memcpy(table, rec->table, rec->table_sz);
		code->table = table;
	}
	code->is_module_cut = (size_t)rec->module.full_chars * rec->module.kind > rec->module.sz;
	HASH_ADD(hh, model->codes, id, sizeof(code->id), code);
	name_whole(model, rec->hdr.proc, code);
	return 0;
}

struct code *code_find(struct model *model, __u32 id)
{
	struct code *code;

	HASH_FIND(hh, model->codes, &id, sizeof(id), code);
	return code;
}

struct site code_site(struct model *model, const struct pyi_frame *frame)
{
	struct code *code = frame->code ? code_find(model, frame->code) : NULL;
	struct site site = {};

	if (!code)
		return site;
	site.module = code->module;
	site.file = code->file;
	site.line = event_line(code->lines, code->firstlineno, code->table, code->table_sz,
			       code->is_table_cut, frame->lasti);
	return site;
}

static bool ends_with(const char *text, const char *tail)
{
	size_t len = strlen(text), tail_len = strlen(tail);

	return len >= tail_len && !strcmp(text + len - tail_len, tail);
}

/* The machinery, not an importer a person would look for. */
bool is_importlib_file(const char *file)
{
	return !strncmp(file, "<frozen importlib", 17) || !strcmp(file, "<frozen runpy>") ||
	       !strcmp(file, "<frozen zipimport>") || ends_with(file, "/importlib/__init__.py") ||
	       ends_with(file, "/importlib/util.py") || ends_with(file, "/runpy.py");
}

/* What importlib's own top level imports, it imports like anybody. */
static bool is_machinery(const struct code *code)
{
	return is_importlib_file(code->file) && (!code->name || strcmp(code->name, "<module>") != 0);
}

struct site frames_site(struct model *model, const struct frames *frames)
{
	struct site site = {};

	for (__u32 i = 0; frames && i < frames->cnt; i++) {
		site = code_site(model, &frames->at[i]);
		if (site.file && !is_machinery(code_find(model, frames->at[i].code)))
			return site;
	}
	return (struct site){};
}

/* importlib._bootstrap._resolve_name: drop level - 1 components of the package, append the name. */
static const char *resolve(struct model *model, const struct code *code, const char *raw,
			   __s32 level)
{
	const char *package = code->package;
	char name[NAME_MAX_SZ];
	size_t len;

	if (level <= 0)
		return raw;
	if (!package)
		return NULL;
	len = strlen(package);
	for (__s32 i = 1; i < level; i++) {
		while (len && package[len - 1] != '.')
			len--;
		if (!len)
			return NULL;
		len--;
	}
	len = snprintf(name, sizeof(name), "%.*s%s%s", (int)len, package,
		       raw && raw[0] ? "." : "", raw ?: "");
	return len < sizeof(name) ? arena__intern(&model->arena, name, len) : NULL;
}

/*
 * Does this statement ask for a module that is still being loaded below it? `from . import x` and
 * the like name the package they live in: that is how packages work, not a cycle.
 */
static bool closes_cycle(struct model *model, const struct stmt *stmt, const struct code *code,
			 __u32 span_id)
{
	struct load *load = NULL;
	struct span *span;
	size_t len;

	HASH_FIND(hh, model->spans, &span_id, sizeof(span_id), span);
	if (!span || !span->load || !stmt->module || !code->module)
		return false;
	len = strlen(stmt->module);
	if (!strncmp(code->module, stmt->module, len) &&
	    (!code->module[len] || code->module[len] == '.'))
		return false;
	for (load = &span->load->load; load; load = load->parent)
		if (load->module && !strcmp(load->module, stmt->module))
			return !load->is_inherited;
	return false;
}

int stmt_first(struct model *model, const struct pyi_edge *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	struct code *code = code_find(model, rec->frame.code);
	size_t max = event_utf8_max(&rec->name);
	struct stmt *stmt;
	char *text;

	if (!process)
		return -ENOMEM;
	HASH_FIND(hh, model->stmts, &rec->id, sizeof(rec->id), stmt);
	if (stmt) {
		model->malformed++;
		return 0;
	}
	stmt = arena__alloc(&model->arena, sizeof(*stmt));
	text = malloc(max);
	if (!stmt || !text) {
		free(text);
		return -ENOMEM;
	}
	stmt->id = rec->id;
	stmt->tid = rec->hdr.tid;
	stmt->process = process;
	stmt->frame = rec->frame;
	stmt->level = rec->level;
	stmt->has_from = rec->has_from;
	stmt->count = 1;
	stmt->first_ns = rec->hdr.ts_ns;
	stmt->raw = arena__intern(&model->arena, text, event_utf8(&rec->name, rec->text, text));
	free(text);
	if (code) {
		stmt->module = resolve(model, code, stmt->raw, rec->level);
		stmt->is_circular = closes_cycle(model, stmt, code, rec->span);
	} else if (rec->level <= 0) {
		stmt->module = stmt->raw;
	}
	HASH_ADD(hh, model->stmts, id, sizeof(stmt->id), stmt);
	return 0;
}

int stmt_from(struct model *model, const struct pyi_from *rec)
{
	struct stmt *stmt;

	HASH_FIND(hh, model->stmts, &rec->edge, sizeof(rec->edge), stmt);
	if (!stmt || stmt->from_cnt || !rec->cnt)
		return 0;
	stmt->from = arena__alloc(&model->arena, rec->cnt * sizeof(*stmt->from));
	if (!stmt->from)
		return -ENOMEM;
	for (int i = 0; i < rec->cnt; i++) {
		const char *name = rec->names[i];

		if (name[0])
			stmt->from[stmt->from_cnt++] =
				arena__intern(&model->arena, name, strlen(name));
	}
	return 0;
}

int stmt_count(struct model *model, const struct pyi_edge_count *rec)
{
	struct stmt *stmt;

	HASH_FIND(hh, model->stmts, &rec->id, sizeof(rec->id), stmt);
	if (!stmt)
		return 0; /* its first record was lost, and that is counted */
	stmt->count = rec->count;
	stmt->loads = rec->loads;
	return 0;
}
