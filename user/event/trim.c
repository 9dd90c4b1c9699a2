// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel side reserves room in a few sizes and fills what it needs; the rest of a record is
 * what lay in the ring buffer before. That says nothing, does not compress, and may be of another
 * process.
 */
#include <string.h>

#include "event/event.h"

/* @sz bytes of the @room at @field are used. */
static void clear(void *field, size_t sz, size_t room)
{
	memset((char *)field + sz, 0, room - sz);
}

static void trim_code(struct pyi_code *code, size_t *size)
{
	clear(code->module_text, code->module.sz, sizeof(code->module_text));
	clear(code->package_text, code->package.sz, sizeof(code->package_text));
	clear(code->filename_text, code->filename.sz, sizeof(code->filename_text));
	clear(code->name_text, code->name.sz, sizeof(code->name_text));
	clear(code->table, code->table_sz, *size - sizeof(*code));
	if (!(code->hdr.flags & PYI_F_TRUNC)) /* the size of a cut one tells what was cut */
		*size = sizeof(*code) + code->table_sz;
}

static size_t trim(void *record, size_t size)
{
	struct pyi_hdr *hdr = record;
	struct pyi_begin *begin = record;
	struct pyi_edge *edge = record;
	struct pyi_mark *mark = record;
	struct pyi_frames *frames = record;
	struct pyi_from *from = record;
	struct pyi_exec *exec = record;

	switch (hdr->kind) {
	case PYI_EV_CODE: trim_code(record, &size); break;
	case PYI_EV_BEGIN: size = sizeof(*begin) + begin->name.sz; break;
	case PYI_EV_EDGE: size = sizeof(*edge) + edge->name.sz; break;
	case PYI_EV_FROM: size = sizeof(*from) + from->cnt * sizeof(from->names[0]); break;
	case PYI_EV_MARK: clear(mark->text, mark->name.sz, sizeof(mark->text)); break;
	case PYI_EV_FRAMES:
		clear(frames->frames, frames->cnt * sizeof(frames->frames[0]),
		      sizeof(frames->frames));
		break;
	case PYI_EV_EXEC:
		clear(exec->filename, exec->filename_sz, sizeof(exec->filename));
		clear(exec->args, exec->args_sz, sizeof(exec->args));
		break;
	}
	hdr->size = size;
	return size;
}

bool event_has_slack(unsigned int kind)
{
	return kind == PYI_EV_CODE || kind == PYI_EV_BEGIN || kind == PYI_EV_EDGE ||
	       kind == PYI_EV_FROM || kind == PYI_EV_MARK || kind == PYI_EV_FRAMES ||
	       kind == PYI_EV_EXEC;
}

size_t event_trim(const void *record, size_t size, void *out)
{
	const struct pyi_hdr *hdr = record;

	memcpy(out, record, size);
	return trim(out, hdr->size);
}
