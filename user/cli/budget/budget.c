// SPDX-License-Identifier: BSD-2-Clause
/* Reads a budget file with libyaml: see docs/budget.md for what stands in one. */
#include "cli/budget/budget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/distance.h"
#include "base/log.h"
#include "cli/opts.h"

#define RUNS_MAX 1000

struct reader {
	yaml_document_t *doc;
	const char *path;
};

typedef int (*pair_fn)(struct reader *reader, void *ctx, const yaml_node_t *key,
		       const yaml_node_t *value);

static int refuse(const struct reader *reader, const yaml_node_t *node, const char *what)
{
	bool is_scalar = node && node->type == YAML_SCALAR_NODE;

	log_err(0, "%s:%zu: %s%s%.80s%s", reader->path, node ? node->start_mark.line + 1 : 1, what,
		is_scalar ? ": '" : "", is_scalar ? (const char *)node->data.scalar.value : "",
		is_scalar ? "'" : "");
	return -EINVAL;
}

/* NULL: not a text, or one with a NUL inside. */
static const char *text_of(const yaml_node_t *node)
{
	const char *text = node && node->type == YAML_SCALAR_NODE ?
			   (const char *)node->data.scalar.value : NULL;

	return text && strlen(text) == node->data.scalar.length ? text : NULL;
}

/* What is no name here, with the one that was probably meant. */
static int refuse_name(const struct reader *reader, const yaml_node_t *key, const char *what,
		       const char *const *names)
{
	const char *nearest = text_nearest(text_of(key), names);
	char all[256] = "";

	refuse(reader, key, what);
	for (size_t at = 0; *names && at < sizeof(all); names++)
		at += (size_t)snprintf(all + at, 256 - at, "%s%s", at ? ", " : "", *names);
	log_hint("%s%s", nearest ? "" : "one of ", nearest ? nearest : all);
	return -EINVAL;
}

static int for_each_pair(struct reader *reader, const yaml_node_t *map, pair_fn fn, void *ctx)
{
	int err = 0;

	if (map->type != YAML_MAPPING_NODE)
		return refuse(reader, map, "a mapping (name: value) is expected here");
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
	     !err && pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(reader->doc, pair->key);
		const yaml_node_t *value = yaml_document_get_node(reader->doc, pair->value);

		if (!text_of(key) || !value)
			return refuse(reader, key ? key : map, "not a name");
		err = fn(reader, ctx, key, value);
	}
	return err;
}

static int set_text(struct reader *reader, const yaml_node_t *value, char **out)
{
	if (!text_of(value) || !*text_of(value))
		return refuse(reader, value, "a text is expected here");
	if (*out)
		return refuse(reader, value, "given twice");
	*out = strdup(text_of(value));
	return *out ? 0 : -ENOMEM;
}

/* @out ends with NULL. A single text stands for a list of one. */
static int set_texts(struct reader *reader, const yaml_node_t *value, char ***out, size_t *cnt)
{
	size_t max = 1;
	int err = 0;

	if (value->type == YAML_SEQUENCE_NODE)
		max = (size_t)(value->data.sequence.items.top - value->data.sequence.items.start);
	if (*out)
		return refuse(reader, value, "given twice");
	*out = calloc(max + 1, sizeof(char *));
	if (!*out)
		return -ENOMEM;
	if (value->type != YAML_SEQUENCE_NODE) {
		err = set_text(reader, value, &(*out)[0]);
		*cnt = !err;
		return err;
	}
	for (size_t i = 0; i < max; i++) {
		const yaml_node_t *item =
			yaml_document_get_node(reader->doc, value->data.sequence.items.start[i]);

		if (!text_of(item))
			return refuse(reader, item ? item : value, "a text is expected here");
		(*out)[*cnt] = strdup(text_of(item));
		if (!(*out)[*cnt])
			return -ENOMEM;
		(*cnt)++;
	}
	return 0;
}

/* `network: false` says that there must be none; true says that it is allowed. */
static int set_allowed(struct reader *reader, const yaml_node_t *value, bool *is_forbidden)
{
	const char *text = text_of(value);

	if (text && (!strcmp(text, "false") || !strcmp(text, "no")))
		*is_forbidden = true;
	else if (text && (!strcmp(text, "true") || !strcmp(text, "yes")))
		*is_forbidden = false;
	else
		return refuse(reader, value, "true or false is expected here");
	return 0;
}

/* "100 ms" as well as "100ms": without blanks, for the parsers of options. */
static int squeeze(const char *text, char *out, size_t out_sz)
{
	size_t at = 0;

	for (; *text; text++) {
		if (*text == ' ' || *text == '_')
			continue;
		if (at + 1 >= out_sz)
			return -ERANGE;
		out[at++] = *text;
	}
	out[at] = '\0';
	return 0;
}

/* "0", "0 ms": the parsers of options take no times that are zero. */
static bool is_zero(const char *text)
{
	const char *unit = text + strspn(text, "0.");

	return *text == '0' && !unit[strspn(unit, "abcdefghijklmnopqrstuvwxyz")];
}

/* "+120 ms over python -c pass", of which the words may be left out: only "120ms" is left. */
static int take_floor(enum metric metric, char *plain, struct limit *limit)
{
	char *over = strstr(plain, "over");

	if (!metric_has_floor(metric) || (over && strcmp(over, "overpython-cpass") != 0))
		return -EINVAL;
	if (over)
		*over = '\0';
	memmove(plain, plain + 1, strlen(plain));
	limit->is_over_floor = true;
	return 0;
}

static int set_limit(struct reader *reader, enum metric metric, const yaml_node_t *value,
		     struct limit *limit)
{
	const char *text = text_of(value);
	size_t size = 0;
	char plain[64];
	int err = text ? squeeze(text, plain, sizeof(plain)) : -EINVAL;

	if (limit->is_set)
		return refuse(reader, value, "given twice");
	if (!err && *plain == '+')
		err = take_floor(metric, plain, limit);
	if (!err && is_zero(plain)) {
		limit->max = 0;
	} else if (!err && metrics[metric].unit == UNIT_NS) {
		err = parse_duration(plain, &limit->max);
	} else if (!err) {
		err = metrics[metric].unit == UNIT_BYTES ? parse_bytes(plain, &size) :
		      parse_count(plain, 0, 1000000000, &size);
		limit->max = size;
	}
	if (err)
		return refuse(reader, value, metrics[metric].unit == UNIT_NS ?
			      "not a time like 250 ms, or +120 ms over python -c pass for time and ready" : metrics[metric].unit == UNIT_BYTES ?
			      "not a size like 64 mb" : "not a number");
	limit->is_set = true;
	limit->mark = (struct budget_mark){ value->start_mark.line, value->start_mark.column,
					    value->end_mark.line, value->end_mark.column };
	return 0;
}

struct limits_ctx {
	struct limit *limits;
	bool is_of_module;
};

static int read_limit(struct reader *reader, void *ctx, const yaml_node_t *key,
		      const yaml_node_t *value)
{
	const struct limits_ctx *limits = ctx;
	const char *names[METRIC_CNT + 1] = {};
	size_t cnt = 0;

	for (int i = 0; i < METRIC_CNT; i++) {
		if (!limits->is_of_module || metrics[i].is_of_module)
			names[cnt++] = metrics[i].name;
		if (strcmp(text_of(key), metrics[i].name))
			continue;
		if (limits->is_of_module && !metrics[i].is_of_module)
			return refuse(reader, key, "cannot be limited for a module");
		return set_limit(reader, i, value, &limits->limits[i]);
	}
	return refuse_name(reader, key, "no such limit", names);
}

/* `services.*: 10 ms`, or `services.*: {time: 10 ms, modules: 5}`. */
static int read_module(struct reader *reader, void *ctx, const yaml_node_t *key,
		       const yaml_node_t *value)
{
	struct budget_entry *entry = ctx;
	struct budget_modules *grown = reallocarray(entry->modules, entry->module_cnt + 1,
						    sizeof(*grown)), *rule;
	struct limits_ctx limits = { .is_of_module = true };

	if (!grown)
		return -ENOMEM;
	entry->modules = grown;
	rule = &grown[entry->module_cnt];
	*rule = (struct budget_modules){ .glob = strdup(text_of(key)) };
	if (!rule->glob)
		return -ENOMEM;
	entry->module_cnt++;
	if (value->type == YAML_SCALAR_NODE)
		return set_limit(reader, METRIC_TIME, value, &rule->limits[METRIC_TIME]);
	limits.limits = rule->limits;
	return for_each_pair(reader, value, read_limit, &limits);
}

static int set_runs(struct reader *reader, const yaml_node_t *value, struct budget_entry *entry)
{
	if (!text_of(value) || parse_count(text_of(value), 1, RUNS_MAX, &entry->runs))
		return refuse(reader, value, "not a number of runs from 1 to 1000");
	return 0;
}

static int read_key(struct reader *reader, void *ctx, const yaml_node_t *key,
		    const yaml_node_t *value)
{
	static const char *const names[] = { "name", "match", "command", "runs", "limits", "modules",
					     "forbid", "allow", "network", "circular", "compile",
					     NULL };
	struct budget_entry *entry = ctx;
	struct limits_ctx limits = { .limits = entry->limits };
	const char *name = text_of(key);

	if (!strcmp(name, "name"))
		return set_text(reader, value, &entry->name);
	if (!strcmp(name, "match"))
		return set_text(reader, value, &entry->match);
	if (!strcmp(name, "command"))
		return set_texts(reader, value, &entry->argv, &entry->argc);
	if (!strcmp(name, "runs"))
		return set_runs(reader, value, entry);
	if (!strcmp(name, "limits"))
		return for_each_pair(reader, value, read_limit, &limits);
	if (!strcmp(name, "modules"))
		return for_each_pair(reader, value, read_module, entry);
	if (!strcmp(name, "forbid"))
		return set_texts(reader, value, &entry->forbidden, &entry->forbidden_cnt);
	if (!strcmp(name, "allow")) {
		entry->has_allowed = true;
		return set_texts(reader, value, &entry->allowed, &entry->allowed_cnt);
	}
	if (!strcmp(name, "network"))
		return set_allowed(reader, value, &entry->no_network);
	if (!strcmp(name, "circular"))
		return set_allowed(reader, value, &entry->no_circular);
	if (!strcmp(name, "compile"))
		return set_allowed(reader, value, &entry->no_compile);
	return refuse_name(reader, key, "not a key of an entry", names);
}

static int read_entry(struct reader *reader, const yaml_node_t *node, struct budget *budget)
{
	struct budget_entry *grown = reallocarray(budget->entries, budget->entry_cnt + 1,
						  sizeof(*grown)), *entry;
	int err;

	if (!grown)
		return -ENOMEM;
	budget->entries = grown;
	entry = &grown[budget->entry_cnt++];
	*entry = (struct budget_entry){ .file = reader->path, .line = node->start_mark.line + 1 };
	err = for_each_pair(reader, node, read_key, entry);
	if (!err && entry->argv && !entry->argc)
		return refuse(reader, node, "an empty command");
	if (!err && !entry->name) {
		entry->name = strdup(entry->match ? entry->match : "start-up");
		err = entry->name ? 0 : -ENOMEM;
	}
	return err;
}

static int read_top(struct reader *reader, void *ctx, const yaml_node_t *key,
		    const yaml_node_t *value)
{
	static const char *const names[] = { "version", "entries", NULL };
	struct budget *budget = ctx;
	int err = 0;

	if (!strcmp(text_of(key), "version"))
		return text_of(value) && !strcmp(text_of(value), "1") ? 0 :
		       refuse(reader, value, "a version that this program does not know");
	if (strcmp(text_of(key), "entries"))
		return refuse_name(reader, key, "not a key of a budget", names);
	if (value->type != YAML_SEQUENCE_NODE)
		return refuse(reader, value, "a list of entries (- name: …) is expected here");
	for (yaml_node_item_t *item = value->data.sequence.items.start;
	     !err && item < value->data.sequence.items.top; item++) {
		const yaml_node_t *node = yaml_document_get_node(reader->doc, *item);

		err = node ? read_entry(reader, node, budget) : -EINVAL;
	}
	return err;
}

static int read_document(struct reader *reader, struct budget *out)
{
	const yaml_node_t *root = yaml_document_get_root_node(reader->doc);
	int err;

	if (!root) {
		log_err(0, "%s: it is empty", reader->path);
		return -EINVAL;
	}
	err = for_each_pair(reader, root, read_top, out);
	if (!err && !out->entry_cnt) {
		log_err(0, "%s: no entries", reader->path);
		err = -EINVAL;
	}
	return err;
}

int budget_parse(FILE *file, const char *path, struct budget *out)
{
	struct reader reader = { .path = path };
	_cleanup_free_ char *text = NULL;
	yaml_document_t doc;
	yaml_parser_t parser;
	size_t size = 0;
	int err;

	*out = (struct budget){};
	err = budget_text(file, path, &text, &size);
	if (err)
		return err;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &doc)) {
		log_err(0, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1,
			parser.problem ? parser.problem : "cannot be read");
		yaml_parser_delete(&parser);
		return -EINVAL;
	}
	reader.doc = &doc;
	err = read_document(&reader, out);
	if (err == -ENOMEM)
		log_err(err, "%s", path);
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	if (err)
		budget_clear(out);
	return err;
}

int budget_read(const char *path, struct budget *out)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	*out = (struct budget){};
	if (!file) {
		int err = -errno;

		log_err(err, "cannot read the budget %s", path);
		if (err == -ENOENT)
			log_hint("--update with a capture or a command writes a first one");
		return err;
	}
	return budget_parse(file, path, out);
}
