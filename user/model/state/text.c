// SPDX-License-Identifier: BSD-2-Clause
/* Text of records and facts into the arena, as UTF-8, each text once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "model/state/text.h"

int id_add(struct model *model, struct idmap *map, __u32 id, void *item)
{
	int err = idmap__add(map, id, item);

	if (err != -E2BIG)
		return err;
	model->malformed++;
	return 0;
}

int model_text(struct model *model, const struct pyi_str *str, const char *text, const char **out)
{
	char small[1024], *big = small;
	size_t max = event_utf8_max(str), len;

	*out = NULL;
	if (!str->sz)
		return 0;
	model->truncated += event_is_cut(str);
	if (max > sizeof(small))
		big = malloc(max);
	if (!big)
		return -ENOMEM;
	len = event_utf8(str, text, big);
	*out = arena__intern(&model->arena, big, len);
	if (big != small)
		free(big);
	return *out ? 0 : -ENOMEM;
}

/* A C string of at most @max_sz bytes, in whatever encoding. */
const char *model_bytes(struct model *model, const char *text, size_t max_sz)
{
	char buf[3 * PYI_ARGS_SZ + 8];
	struct pyi_str str = { .sz = strnlen(text, max_sz < PYI_ARGS_SZ ? max_sz : PYI_ARGS_SZ) };

	size_t sz = event_utf8(&str, text, buf);

	return arena__intern(&model->arena, buf, sz);
}

const char *model_keep(struct model *model, const char *text)
{
	return text ? arena__intern(&model->arena, text, strlen(text)) : NULL;
}
