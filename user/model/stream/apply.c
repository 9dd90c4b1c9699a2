// SPDX-License-Identifier: BSD-2-Clause
/* Records in, in the order in which the kernel reserved them; their text into the arena. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "model/state.h"

int array_push(void *array_ptr, size_t *cnt, size_t *cap, void *item)
{
	void ***array = array_ptr, **bigger;
	size_t new_cap;

	if (*cnt == *cap) {
		new_cap = *cap ? *cap * 2 : 4;
		bigger = realloc(*array, new_cap * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		*array = bigger;
		*cap = new_cap;
	}
	(*array)[(*cnt)++] = item;
	return 0;
}

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

int model__apply(struct model *model, const void *record, size_t size)
{
	const struct pyi_hdr *hdr = record;
	struct process_state *state;

	model->ended = NULL;
	tap_record(model, record, size);
	if (model->is_finished || !event_is_valid(record, size)) {
		model->malformed++;
		return 0;
	}
	switch (hdr->kind) {
	case PYI_EV_EXEC: return process_exec(model, record);
	case PYI_EV_LOG: return process_log(model, record);
	case PYI_EV_FORK: return process_fork(model, record);
	case PYI_EV_PYTHON: return process_python(model, record);
	case PYI_EV_BEGIN: return span_begin(model, record);
	case PYI_EV_END: return span_end(model, record);
	case PYI_EV_MARK: return span_mark(model, record);
	case PYI_EV_FRAMES: return span_frames(model, record);
	case PYI_EV_EDGE: return stmt_first(model, record);
	case PYI_EV_FROM: return stmt_from(model, record);
	case PYI_EV_EDGE_COUNT: return stmt_count(model, record);
	case PYI_EV_PRESENT: return inventory_add(model, record);
	case PYI_EV_CODE: return code_add(model, record);
	case PYI_EV_CHARGE: return charge_apply(model, record);
	case PYI_EV_CHARGED:
		charge_settled(model, record);
		return 0;
	case PYI_EV_PHASE:
		phase_add(model, record);
		return 0;
	case PYI_EV_PATH: return path_add(model, record);
	case PYI_EV_FILE: return file_add(model, record);
	case PYI_EV_NET: return net_add(model, record);
	case PYI_EV_EFFECT: return effect_add(model, record);
	case PYI_EV_SPAWN: return spawn_add(model, record);
	case PYI_EV_LINK:
		link_add(model, record);
		return 0;
	case PYI_EV_EXIT:
		process_exit(model, record);
		return 0;
	case PYI_EV_THREAD_EXIT:
		state = process_find(model, hdr->proc);
		if (state)
			spans_abandon(model, state, hdr->tid);
		return 0;
	}
	return 0;
}
