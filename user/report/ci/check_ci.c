// SPDX-License-Identifier: BSD-2-Clause
/* `check` for machines that build and test: JUnit XML, SARIF 2.1.0, GitHub's workflow commands. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/ci/check.h"
#include "report/json/json_out.h"
#include "report/text/markdown.h"

/* One verdict in words, for all three. */
struct told {
	struct graph *graph;
	struct why why;
	struct site site;
	struct text_buf checked, message; /* message with the chain, if there is one */
	struct text_buf file;             /* that site.file is in */
};

static void told_clear(struct told *told)
{
	text_buf__free(&told->checked);
	text_buf__free(&told->message);
	text_buf__free(&told->file);
	why_clear(&told->why);
	graph__free(told->graph);
}

/* Code without a file has a name like <string>: nothing can be shown there. */
static bool is_file(const char *path)
{
	return path && *path && !(*path == '<' && path[strlen(path) - 1] == '>');
}

/* Where no statement is to blame it is the budget's entry that one has to look at. */
static void tell_place(const struct verdicts *check, const struct verdict *verdict,
		       struct told *told)
{
	const char *cwd = verdict->process ? verdict->process->cwd : NULL;

	told->site = verdict_site(verdict, &told->why);
	if (!is_file(told->site.file)) {
		told->site = (struct site){ .file = verdict->entry->file,
					    .line = (int)verdict->entry->line };
		cwd = check->cwd;
	}
	if (!told->site.file)
		return;
	ci_place(check->root, cwd, told->site.file, &told->file);
	told->site.file = text_buf__str(&told->file);
}

static int tell(const struct verdicts *check, const struct verdict *verdict, struct told *told)
{
	int err;

	*told = (struct told){ 0 };
	err = verdict_chain(verdict, &told->graph, &told->why);
	if (err)
		return err;
	tell_place(check, verdict, told);
	phrase_checked(verdict, &told->checked);
	phrase_verdict(verdict, &told->message);
	phrase_chain(&told->why, &told->message);
	return told->message.err;
}

static bool is_bad(const struct verdict *verdict)
{
	return verdict->result == VERDICT_BROKEN || verdict->result == VERDICT_UNKNOWN;
}

/* Valid UTF-8 in which characters beyond ASCII neither hide nor turn others around. */
static void repair_harmless(struct text_buf *out, const char *text)
{
	struct text_buf buf = { 0 };

	text_buf__repair(&buf, text);
	for (const char *at = text_buf__str(&buf); *at;) {
		uint32_t c = 0;
		size_t len = text_decode(at, strlen(at), &c);

		if (c >= 0x80 && text_is_harmful(c))
			text_buf__printf(out, "\\u{%x}", c);
		else
			text_buf__add_sz(out, at, len);
		at += len;
	}
	text_buf__free(&buf);
}

/* XML 1.0 knows no control characters (but DEL); what is not UTF-8 is repaired first. */
static void put_xml(const char *text, FILE *out)
{
	struct text_buf buf = { 0 };

	repair_harmless(&buf, text);
	for (const char *at = text_buf__str(&buf); *at; at++) {
		switch (*at) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		default:
			fputc((unsigned char)*at < 0x20 || *at == 0x7f ? '?' : *at, out);
		}
	}
	text_buf__free(&buf);
}

static int put_case(const struct view *view, const struct verdict *verdict)
{
	FILE *out = view->out;
	struct told told;
	int err = tell(view->input.check, verdict, &told);

	if (err)
		return err;
	fputs("  <testcase classname=\"", out);
	put_xml(verdict->entry->name, out);
	fputs("\" name=\"", out);
	put_xml(text_buf__str(&told.checked), out);
	if (told.site.file && is_bad(verdict)) {
		fputs("\" file=\"", out);
		put_xml(told.site.file, out);
		if (told.site.line > 0)
			fprintf(out, "\" line=\"%d", told.site.line);
	}
	if (is_bad(verdict)) {
		fputs("\">\n    <failure message=\"", out);
		put_xml(text_buf__str(&told.message), out);
		fputs("\"/>\n  </testcase>\n", out);
	} else {
		fputs("\">\n    <system-out>", out);
		put_xml(text_buf__str(&told.message), out);
		fputs("</system-out>\n  </testcase>\n", out);
	}
	told_clear(&told);
	return 0;
}

int check_write_junit(const struct view *view)
{
	const struct verdicts *check = view->input.check;
	int err = check ? 0 : -EINVAL;

	if (err)
		return err;
	fprintf(view->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		"<testsuite name=\"pyimport-bpf\" tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n",
		check->cnt, check->broken_cnt);
	for (size_t i = 0; !err && i < check->cnt; i++)
		err = put_case(view, &check->all[i]);
	fputs("</testsuite>\n</testsuites>\n", view->out);
	return err;
}

static const struct {
	const char *id, *doc;
} rules[] = {
	[VERDICT_LIMIT] = { "budget-limit", "A start-up exceeds a limit of its budget" },
	[VERDICT_MODULE] = { "budget-module", "A module exceeds its own limit" },
	[VERDICT_FORBIDDEN] = { "forbidden-module", "A forbidden module is loaded" },
	[VERDICT_NETWORK] = { "network-at-import", "A connection is made while starting" },
	[VERDICT_CIRCULAR] = { "circular-import", "A module is imported while it is being loaded" },
	[VERDICT_COMPILE] = { "compiled-at-import", "Sources are compiled for want of a .pyc" },
	[VERDICT_ALLOWED] = { "package-not-allowed", "A package is loaded that is not among those allowed" },
	[VERDICT_MISSING] = { "entry-not-seen", "An entry of the budget was not seen to run" },
};

static void put_rules(FILE *out)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		fprintf(out, "%s\n{\"id\":\"%s\",\"shortDescription\":{\"text\":\"%s\"},"
			"\"defaultConfiguration\":{\"level\":\"error\"}}", i ? "," : "",
			rules[i].id, rules[i].doc);
}

/* A path as a URI reference: relative ones stay so, absolute ones get their scheme. */
static json_t *new_uri(struct json_out *jo, const char *path)
{
	struct text_buf buf = { 0 };
	json_t *text;

	if (*path == '/')
		text_buf__add(&buf, "file://");
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c > 0x20 && c < 0x7f && !strchr("\"<>%\\^`{|}#?", c))
			text_buf__add_sz(&buf, path, 1);
		else
			text_buf__printf(&buf, "%%%02X", c);
	}
	text = json_new_str(jo, text_buf__str(&buf));
	text_buf__free(&buf);
	return text;
}

static json_t *new_locations(struct json_out *jo, const struct site *site)
{
	json_t *list = json_array(), *location, *physical, *artifact, *region;

	if (!site->file)
		return list;
	artifact = json_object();
	json_set(jo, artifact, "uri", new_uri(jo, site->file));
	physical = json_object();
	json_set(jo, physical, "artifactLocation", artifact);
	if (site->line > 0) {
		region = json_object();
		json_set_int(jo, region, "startLine", site->line);
		json_set(jo, physical, "region", region);
	}
	location = json_object();
	json_set(jo, location, "physicalLocation", physical);
	if (json_array_append_new(list, location))
		jo->err = -ENOMEM;
	return list;
}

static int put_result(struct json_out *jo, const struct verdict *verdict, bool is_first)
{
	struct text_buf buf = { 0 };
	struct told told;
	json_t *obj, *message;
	int err = tell(jo->view->input.check, verdict, &told);

	if (err)
		return err;
	text_buf__printf(&buf, "%s: %s: %s", verdict->entry->name, text_buf__str(&told.checked),
			 text_buf__str(&told.message));
	message = json_object();
	json_set_str(jo, message, "text", text_buf__str(&buf));
	obj = json_object();
	json_set_str(jo, obj, "ruleId", rules[verdict->kind].id);
	json_set_int(jo, obj, "ruleIndex", verdict->kind);
	json_set_str(jo, obj, "level", is_bad(verdict) ? "error" : "warning");
	json_set(jo, obj, "message", message);
	json_set(jo, obj, "locations", new_locations(jo, &told.site));
	fputs(is_first ? "\n" : ",\n", jo->out);
	json_put(jo, obj, false);
	text_buf__free(&buf);
	told_clear(&told);
	return jo->err;
}

int check_write_sarif(const struct view *view)
{
	const struct verdicts *check = view->input.check;
	struct json_out jo = { .out = view->out, .view = view };
	bool is_first = true;
	int err = check ? 0 : -EINVAL;

	if (err)
		return err;
	fputs("{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
	      "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"pyimport-bpf\",\"version\":\""
	      PYIMPORT_VERSION "\",\"rules\":[", view->out);
	put_rules(view->out);
	fputs("\n]}},\"results\":[", view->out);
	for (size_t i = 0; !err && i < check->cnt; i++) {
		if (check->all[i].result == VERDICT_OK)
			continue;
		err = put_result(&jo, &check->all[i], is_first);
		is_first = false;
	}
	fputs("\n]}]}\n", view->out);
	return err;
}

/* A command ends with its line; in properties commas and colons separate as well. */
static void put_github(const char *text, bool is_property, FILE *out)
{
	struct text_buf buf = { 0 };

	repair_harmless(&buf, text);
	for (const char *at = text_buf__str(&buf); *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (c == '%' || c < 0x20 || c == 0x7f || (is_property && (c == ':' || c == ',')))
			fprintf(out, "%%%02X", c);
		else
			fputc(c, out);
	}
	text_buf__free(&buf);
}

static int put_command(const struct view *view, const struct verdict *verdict)
{
	FILE *out = view->out;
	struct told told;
	int err = tell(view->input.check, verdict, &told);

	if (err)
		return err;
	fprintf(out, "::%s ", is_bad(verdict) ? "error" : "warning");
	if (told.site.file) {
		fputs("file=", out);
		put_github(told.site.file, true, out);
		if (told.site.line > 0)
			fprintf(out, ",line=%d", told.site.line);
		fputc(',', out);
	}
	fputs("title=", out);
	put_github(verdict->entry->name, true, out);
	fputs("::", out);
	put_github(text_buf__str(&told.checked), false, out);
	fputs(": ", out);
	put_github(text_buf__str(&told.message), false, out);
	fputc('\n', out);
	told_clear(&told);
	return 0;
}

int check_write_github(const struct view *view)
{
	const struct verdicts *check = view->input.check;
	int err = check ? 0 : -EINVAL;

	for (size_t i = 0; !err && i < check->cnt; i++)
		if (check->all[i].result != VERDICT_OK)
			err = put_command(view, &check->all[i]);
	return err;
}

static int put_row(const struct view *view, const struct verdict *verdict)
{
	FILE *out = view->out;
	struct told told;
	int err = tell(view->input.check, verdict, &told);

	if (err)
		return err;
	fprintf(out, "| %s | ", word_verdict(verdict->result));
	markdown_put(out, verdict->entry->name);
	fputs(" | ", out);
	markdown_put(out, text_buf__str(&told.checked));
	fputs(" | ", out);
	markdown_put(out, text_buf__str(&told.message));
	fputs(" |\n", out);
	told_clear(&told);
	return 0;
}

int check_write_markdown(const struct view *view)
{
	const struct verdicts *check = view->input.check;
	int err = check ? 0 : -EINVAL;

	if (err)
		return err;
	fprintf(view->out, "### Import budget: %zu of %zu checks failed\n\n"
		"| result | entry | check | |\n|---|---|---|---|\n", check->broken_cnt, check->cnt);
	for (size_t i = 0; !err && i < check->cnt; i++)
		err = put_row(view, &check->all[i]);
	fputc('\n', view->out);
	return err;
}
