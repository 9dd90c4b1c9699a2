// SPDX-License-Identifier: BSD-2-Clause
/* The text of a budget, if it is not too much for libyaml; see budget.h. */
#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/log.h"
#include "cli/budget/budget.h"

#define DEPTH_MAX 16    /* a budget has 7 */
#define NODES_MAX 20000 /* thousands of modules with limits of their own */

/* NULL, or what there is too much of. Anything else that is wrong is found by who reads it. */
static const char *excess(const char *text, size_t size)
{
	const char *found = size > BUDGET_SZ_MAX ? "larger than 1 MB" : NULL;
	size_t depth = 0, nodes = 0;
	yaml_parser_t parser;
	bool is_done = false;

	if (found || !yaml_parser_initialize(&parser))
		return found;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	while (!found && !is_done) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event))
			break;
		is_done = event.type == YAML_STREAM_END_EVENT;
		nodes += event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT;
		if (event.type == YAML_SEQUENCE_START_EVENT ||
		    event.type == YAML_MAPPING_START_EVENT)
			depth++, nodes++;
		if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
			depth--;
		found = depth > DEPTH_MAX ? "nested deeper than a budget is" :
			nodes > NODES_MAX ? "more than 20,000 names and values" : NULL;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return found;
}

/*
 * libyaml takes a minute for 2 MB of brackets: the time for a level grows with their number. Its
 * events cost the same each, so what is too much is refused by them.
 */
int budget_text(FILE *file, const char *path, char **text, size_t *size)
{
	const char *found;

	*text = malloc(BUDGET_SZ_MAX + 1);
	if (!*text)
		return -ENOMEM;
	*size = fread(*text, 1, BUDGET_SZ_MAX + 1, file);
	if (ferror(file))
		return log_err(-EIO, "cannot read the budget %s", path);
	found = excess(*text, *size);
	if (found)
		log_err(0, "%s: %s", path, found);
	return found ? -EINVAL : 0;
}
