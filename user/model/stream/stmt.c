// SPDX-License-Identifier: BSD-2-Clause
/* Import statements: what a name as written stands for, and which of them close a cycle. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "model/state/code.h"
#include "model/state/process_table.h"
#include "model/state/span_table.h"
#include "model/state/text.h"
#include "model/stream/stmt.h"

struct stmt *stmt_find(struct model *model, __u32 id)
{
	return idmap__find(&model->stmts, id);
}

static bool is_package_file(const char *file)
{
	const char *base = file ? strrchr(file, '/') : NULL;

	return base && !strncmp(base, "/__init__.", 10);
}

static size_t drop_last(const char *text, size_t len)
{
	while (len && text[len - 1] != '.')
		len--;
	return len ? len - 1 : 0;
}

/* As importlib does it: drop level - 1 components of the package, append the name. */
static int resolve(struct model *model, const struct code *code, const char *raw, __s32 level,
		   const char **out)
{
	const char *package = code->package;
	size_t len = package ? strlen(package) : 0, raw_len = raw ? strlen(raw) : 0;
	char *name;

	*out = NULL;
	if (level <= 0) {
		*out = raw;
		return 0;
	}
	if (!len || code->is_package_cut) { /* then the module's own name tells */
		package = code->is_module_cut ? NULL : code->module;
		len = package ? strlen(package) : 0;
		if (len && !is_package_file(code->file))
			len = drop_last(package, len);
	}
	for (__s32 i = 1; i < level && len; i++)
		len = drop_last(package, len);
	if (!len)
		return 0;
	name = malloc(len + raw_len + 2);
	if (!name)
		return -ENOMEM;
	memcpy(name, package, len);
	if (raw_len) {
		name[len++] = '.';
		/* Its size goes with it. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
		memcpy(name + len, raw, raw_len);
	}
	*out = arena__intern(&model->arena, name, len + raw_len);
	free(name);
	return *out ? 0 : -ENOMEM;
}

/* Is the module the package that the importer lives in, or the importer itself? */
static bool is_around(const char *module, size_t len, const char *importer)
{
	return !strncmp(importer, module, len) && (!importer[len] || importer[len] == '.');
}

void stmt_led_to(struct stmt *stmt, const char *module)
{
	/* `import a.b` that finds a.b, and loads a to return it. */
	if (stmt->module && stmt->module != module &&
	    is_around(module, strlen(module), stmt->module))
		stmt->found++;
	else
		stmt->module = module; /* what importlib was told beats our guess */
}

/*
 * `import p.q` loads p first, and p may import p.q itself: nothing of p.q has run by then, and the
 * import inside p simply is the one that loads it.
 */
static bool is_begun(const struct load_state *state)
{
	return state->evidence & (SEEN_WORK | SEEN_COMPILE);
}

/*
 * Does this statement ask for a module that is still being loaded below it? `from . import x` and
 * the like name the package they live in: that is how packages work, not a cycle.
 */
static bool closes_cycle(const struct stmt *stmt, const struct code *code)
{
	const struct load *load;

	if (!stmt->around || !stmt->module || !code->module ||
	    is_around(stmt->module, strlen(stmt->module), code->module))
		return false;
	for (load = &stmt->around->load; load; load = load->parent)
		if (load->module == stmt->module) /* both interned */
			return is_begun((const struct load_state *)load);
	return false;
}

/* @raw: the name as written. */
static int stmt_resolve(struct model *model, struct stmt *stmt, const struct code *code,
			const char *raw, __s32 level)
{
	int err;

	const struct code body = { .module = stmt->around ? stmt->around->load.module : NULL };

	if (!code) /* an extension's own body asks */
		return resolve(model, &body, raw, level, &stmt->module);
	err = resolve(model, code, raw, level, &stmt->module);
	if (!err)
		stmt->is_circular = closes_cycle(stmt, code);
	return err;
}

int stmt_first(struct model *model, const struct pyi_edge *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	struct span *span = rec->span ? span_find(model, rec->hdr.proc, rec->span) : NULL;
	struct stmt *stmt;
	const char *raw;
	int err;

	if (!process)
		return -ENOMEM;
	if (stmt_find(model, rec->id)) {
		model->malformed++;
		return 0;
	}
	stmt = arena__alloc(&model->arena, sizeof(*stmt));
	if (!stmt || model_text(model, &rec->name, rec->text, &raw))
		return -ENOMEM;
	stmt->frame = rec->frame;
	stmt->has_from = rec->has_from;
	stmt->count = !(rec->hdr.flags & PYI_F_CARRIED);
	stmt->is_carried = !stmt->count;
	stmt->first_ns = rec->hdr.ts_ns;
	stmt->around = span ? span->load : NULL;
	process->has_frames |= rec->frame.code != 0;
	err = id_add(model, &model->stmts, rec->id, stmt);
	if (err || !stmt_find(model, rec->id))
		return err;
	*process->stmts_end = stmt;
	process->stmts_end = &stmt->next;
	return stmt_resolve(model, stmt, code_find(model, rec->frame.code), raw, rec->level);
}

/* Which of the names are modules that are being loaded around the statement? */
static void mark_cycles(struct model *model, struct stmt *stmt)
{
	const struct code *code = code_find(model, stmt->frame.code);
	const struct load *load = stmt->around ? &stmt->around->load : NULL;
	size_t len = stmt->module ? strlen(stmt->module) : 0;

	for (; len && code && code->module && load; load = load->parent) {
		if (!load->module || strncmp(load->module, stmt->module, len) ||
		    load->module[len] != '.' ||
		    is_around(load->module, strlen(load->module), code->module) ||
		    !is_begun((const struct load_state *)load))
			continue;
		for (int i = 0; i < stmt->from_cnt; i++)
			if (!strcmp(load->module + len + 1, stmt->from[i]))
				stmt->from_circular |= 1 << i;
	}
}

int stmt_from(struct model *model, const struct pyi_from *rec)
{
	struct stmt *stmt = stmt_find(model, rec->edge);

	if (!stmt || stmt->from || !rec->cnt)
		return 0;
	stmt->from = arena__alloc(&model->arena, rec->cnt * sizeof(*stmt->from));
	if (!stmt->from)
		return -ENOMEM;
	stmt->is_from_cut = rec->all > rec->cnt;
	for (int i = 0; i < rec->cnt; i++) {
		const char *name = rec->names[i];

		if (!name[0])
			stmt->is_from_cut = true;
		if (!name[0] || (name[0] == '*' && !name[1]))
			continue;
		stmt->from[stmt->from_cnt] = model_bytes(model, name, PYI_FROM_SZ);
		if (!stmt->from[stmt->from_cnt++])
			return -ENOMEM;
	}
	mark_cycles(model, stmt);
	return 0;
}

int stmt_bound(struct model *model, const struct pyi_from *rec)
{
	struct stmt *stmt = stmt_find(model, rec->edge);
	const char **bound;

	if (!stmt || stmt->bound)
		return 0;
	for (int i = 0; i < rec->cnt; i++)
		if (!rec->names[i][0])
			return 0; /* too long, or not ASCII */
	bound = arena__alloc(&model->arena, (rec->cnt + 1) * sizeof(*bound));
	if (!bound)
		return -ENOMEM;
	for (int i = 0; i < rec->cnt; i++) {
		bound[i] = model_bytes(model, rec->names[i], PYI_FROM_SZ);
		if (!bound[i])
			return -ENOMEM;
	}
	stmt->bound = bound;
	stmt->bound_cnt = rec->cnt;
	return 0;
}

/* Sent right behind the statement, innermost first. */
int stmt_callers(struct model *model, const struct pyi_frames *rec)
{
	struct stmt *stmt = stmt_find(model, rec->edge);

	if (!stmt || stmt->callers)
		return 0;
	stmt->callers = frames_of(model, rec);
	return stmt->callers ? 0 : -ENOMEM;
}

int stmt_count(struct model *model, const struct pyi_edge_count *rec)
{
	struct stmt *stmt = stmt_find(model, rec->id);

	if (!stmt)
		return 0; /* its first record was lost, and that is counted */
	stmt->count = rec->count ?: !stmt->is_carried;
	stmt->loads = rec->loads;
	stmt->is_inside = rec->is_inside;
	return 0;
}
