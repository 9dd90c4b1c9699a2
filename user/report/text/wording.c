// SPDX-License-Identifier: BSD-2-Clause
/*
 * Phrases about loads, places and processes. All text of the target enters a text report here
 * or in head.c, and always through text_buf__escape.
 */
#include "model/program.h"
#include "report/view.h"
#include "report/text/wording.h"
#include "report/enum_words.h"

#include <ctype.h>
#include <string.h>

char *view_bytes(char buf[TEXT_NUM_SZ], __u64 bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(buf, TEXT_NUM_SZ, "%llu B", bytes);
		return buf;
	}
	while (value >= 999.5 && unit < 5) {
		value /= 1000;
		unit++;
	}
	snprintf(buf, TEXT_NUM_SZ, value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
	return buf;
}

unsigned int view_escape_flags(const struct view *view)
{
	return view->opts.use_ascii ? TEXT_ASCII : 0;
}

/* Behind the last occurrence of @dir ("/site-packages/") in @path, or NULL. */
static const char *behind(const char *path, const char *dir)
{
	const char *found = NULL;

	for (const char *at = strstr(path, dir); at; at = strstr(at + 1, dir))
		found = at + strlen(dir);
	return found;
}

/* Behind "/lib/python3.11/" of the standard library, or NULL. */
static const char *behind_stdlib(const char *path)
{
	const char *at = behind(path, "/lib/python");

	if (!at)
		return NULL;
	at += strspn(at, "0123456789.t");
	return *at == '/' && at[1] ? at + 1 : NULL;
}

/* The part of a file's path that tells one from another. */
static const char *short_path(const struct process *process, const char *path)
{
	const char *found = behind(path, "/site-packages/");
	size_t cwd_sz = process->cwd ? strlen(process->cwd) : 0;

	if (!found)
		found = behind(path, "/dist-packages/");
	if (!found)
		found = behind_stdlib(path);
	if (!found && cwd_sz > 1 && !strncmp(path, process->cwd, cwd_sz) && path[cwd_sz] == '/')
		found = path + cwd_sz + 1;
	return found && *found ? found : path;
}

static void add_place(const struct view *view, const struct process *process,
		      const struct site *site, struct text_buf *buf)
{
	unsigned int flags = view_escape_flags(view);

	if (site->file)
		text_buf__escape(buf, short_path(process, site->file), flags);
	else if (site->module)
		text_buf__escape(buf, site->module, flags);
	else
		text_buf__add(buf, "?");
	if (site->line > 0)
		text_buf__printf(buf, ":%d", site->line);
}

void phrase_place(const struct view *view, const struct process *process,
		  const struct site *site, struct text_buf *buf)
{
	struct text_buf label = { 0 };

	/* The file of a container is another one here, or none. */
	if (!view->opts.use_links || !site->file || *site->file != '/' ||
	    process->container.id ||
	    (process->nspid && process->nspid != process->tgid)) {
		add_place(view, process, site, buf);
		return;
	}
	add_place(view, process, site, &label);
	text_buf__link(buf, site->file, site->line, text_buf__str(&label));
	text_buf__free(&label);
}

void phrase_use(const struct view *view, const struct process *process, const struct site *site,
		struct text_buf *buf)
{
	phrase_place(view, process, site, buf);
	if (!site->function || !strcmp(site->function, "<module>"))
		return;
	text_buf__add(buf, " in ");
	text_buf__escape(buf, site->function, view_escape_flags(view));
}

void phrase_importer(const struct view *view, const struct load *load, struct text_buf *buf)
{
	bool is_known = load->importer.file || load->importer.module;

	if (is_known)
		phrase_place(view, load->process, &load->importer, buf);
	switch (load->via) {
	case VIA_IMPORT_MODULE:
		text_buf__add(buf, is_known ? " (import_module)" : "import_module");
		break;
	case VIA_RELOAD:
		text_buf__add(buf, is_known ? " (reload)" : "reload");
		break;
	case VIA_NATIVE:
		text_buf__add(buf, is_known ? " (from C)" : "C code");
		break;
	case VIA_LOADER:
		text_buf__add(buf, is_known ? " (loader)" : "a loader");
		break;
	case VIA_MAIN:
		text_buf__add(buf, is_known ? "" : "(the program)");
		break;
	case VIA_LAZY:
		text_buf__add(buf, is_known ? " (lazy" : "(lazy");
		if (load->declared) {
			text_buf__add(buf, ", declared at ");
			phrase_place(view, load->process, load->declared, buf);
		} else if (load->found) {
			text_buf__add(buf, ", found at ");
			phrase_place(view, load->process, &load->found->importer, buf);
		}
		text_buf__add(buf, ")");
		break;
	default:
		text_buf__add(buf, is_known ? "" : "?");
	}
}

void phrase_name(const struct view *view, const struct load *load, struct text_buf *buf)
{
	if (!load->is_exact) {
		text_buf__add(buf, "~");
		view->marks->has_approx = true;
	}
	if (load->module)
		text_buf__escape(buf, load->module, view_escape_flags(view));
	else
		text_buf__add(buf, "?");
	if (load->is_inherited)
		text_buf__add(buf, " (began before fork)");
	else if (load->is_carried)
		text_buf__add(buf, " (began in an earlier file)");
}

void phrase_kind(const struct view *view, const struct load *load, struct text_buf *buf)
{
	if (load->result == LOAD_FAILED)
		text_buf__escape(buf, load->error ? load->error : "failed",
				 view_escape_flags(view));
	else if (load->result == LOAD_UNFINISHED)
		text_buf__add(buf, "unfinished");
	else if (load->kind != KIND_UNKNOWN)
		text_buf__add(buf, word_kind(load->kind));
}

void phrase_module(const struct view *view, const struct load *load, struct text_buf *buf)
{
	bool is_odd = load->result != LOAD_LOADED;

	/* On a narrow terminal a mark: the error must not take the room of the name. */
	if (is_odd && view_is_narrow(view)) {
		text_buf__add(buf, "!");
		view->marks->has_odd = true;
	}
	phrase_name(view, load, buf);
	if (is_odd && !view_is_narrow(view)) {
		text_buf__add(buf, " (");
		phrase_kind(view, load, buf);
		text_buf__add(buf, ")");
	}
}

/* As one would type it, so that arguments with blanks do not look like several. */
static void add_arg(const struct view *view, const char *arg, struct text_buf *buf)
{
	bool has_quotes = !*arg || strpbrk(arg, " \t\n'\"");

	text_buf__add(buf, has_quotes ? "'" : "");
	text_buf__escape(buf, arg, view_escape_flags(view));
	text_buf__add(buf, has_quotes ? "'" : "");
}

void phrase_program(const struct process *process, struct text_buf *buf)
{
	struct program program = process_program(process);
	const char *name = process->argc && process->argv ? path_base(process->argv[0]) : "";
	char comm[sizeof(process->comm) + 1] = "";

	memcpy(comm, process->comm, sizeof(process->comm));
	if (program.kind == PROGRAM_SCRIPT) {
		text_buf__add(buf, path_base(program.name));
	} else if (program.kind == PROGRAM_MODULE) {
		text_buf__add(buf, "-m ");
		text_buf__add(buf, program.name);
	} else if (program.kind == PROGRAM_TITLE) {
		text_buf__add(buf, program.name);
	} else {
		text_buf__add(buf, *comm ? comm : *name ? name : "python");
		text_buf__add(buf, program.kind == PROGRAM_CODE ? " -c" : "");
	}
}

void phrase_label(const struct view *view, const struct process *process, struct text_buf *buf)
{
	struct text_buf raw = { 0 };

	phrase_program(process, &raw);
	text_buf__escape(buf, text_buf__str(&raw), view_escape_flags(view));
	text_buf__free(&raw);
}

void phrase_command(const struct view *view, const struct process *process, struct text_buf *buf)
{
	const char *name = process->argc && process->argv ? process->argv[0] : NULL;
	char comm[sizeof(process->comm) + 1] = "";

	if (process_program(process).kind == PROGRAM_TITLE) {
		text_buf__escape(buf, name, view_escape_flags(view));
		return;
	}
	memcpy(comm, process->comm, sizeof(process->comm));
	if (!name || !*name)
		name = *comm ? comm : process->is_log ? "from a log" : "?";
	add_arg(view, path_base(name), buf);
	for (size_t i = 1; process->argv && i < process->argc; i++) {
		text_buf__add(buf, " ");
		add_arg(view, process->argv[i] ? process->argv[i] : "", buf);
	}
}

/* Bytes of the next word of @text; a number and its unit are one. */
static size_t word_sz(const char *text)
{
	static const char *const units[] = { "ns", "us", "ms", "s", "B", "kB", "MB", "GB", "TB" };
	size_t sz = strcspn(text, " ");

	if (!text[sz] || !sz || text[sz - 1] < '0' || text[sz - 1] > '9')
		return sz;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t unit_sz = strlen(units[i]);

		if (!strncmp(text + sz + 1, units[i], unit_sz) &&
		    !isalnum((unsigned char)text[sz + 1 + unit_sz]))
			return sz + 1 + strcspn(text + sz + 1, " ");
	}
	return sz;
}

/* The same, at most @room columns of it. */
static size_t next_word(const char *text, size_t room, size_t *cols)
{
	size_t sz = word_sz(text), off = 0;

	*cols = 0;
	while (off < sz) {
		uint32_t c;
		size_t link = text_link_sz(text + off);
		size_t len = link ? link : text_decode(text + off, sz - off, &c), one_cols;
		char one[5] = { 0 };

		len = len ? len : 1;
		if (!link)
			memcpy(one, text + off, len);
		one_cols = text_width(one);
		if (*cols + one_cols > room)
			break;
		*cols += one_cols;
		off += len;
	}
	return off;
}

void put_para(const struct view *view, size_t indent, enum table_style style, const char *text)
{
	size_t room = (size_t)view->opts.width - indent, cols = 0;
	bool has_style = view->opts.use_color && style != TABLE_PLAIN, is_first = true;

	fprintf(view->out, "%*s%s", (int)indent, "", has_style ? table_style_code(style) : "");
	while (*text) {
		bool is_blank = *text == ' ';
		size_t word_cols, sz;

		text += is_blank;
		sz = next_word(text, room - 2, &word_cols);
		if (!is_first && cols + is_blank + word_cols > room) {
			fprintf(view->out, "\n%*s", (int)indent + 2, "");
			cols = 2;
		} else if (is_blank) {
			fputc(' ', view->out);
			cols++;
		}
		fwrite(text, 1, sz, view->out);
		cols += word_cols;
		text += sz;
		is_first = false;
	}
	fputs(has_style ? "\033[0m\n" : "\n", view->out);
}
