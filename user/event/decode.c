// SPDX-License-Identifier: BSD-2-Clause
/* Which records are well formed. Sizes before offsets, offsets before pointers. */
#include "event/event.h"
#include "pyimport_charge.h"
#include "pyimport_file.h"
#include "pyimport_phase.h"
#include "pyimport_scope.h"

struct shape {
	size_t fixed_sz;
};

static const struct shape shapes[] = {
	[PYI_EV_EXEC] = { sizeof(struct pyi_exec) },
	[PYI_EV_FORK] = { sizeof(struct pyi_fork) },
	[PYI_EV_EXIT] = { sizeof(struct pyi_exit) },
	[PYI_EV_PYTHON] = { sizeof(struct pyi_python) },
	[PYI_EV_BEGIN] = { sizeof(struct pyi_begin) },
	[PYI_EV_END] = { sizeof(struct pyi_end) },
	[PYI_EV_MARK] = { sizeof(struct pyi_mark) },
	[PYI_EV_EDGE] = { sizeof(struct pyi_edge) },
	[PYI_EV_CODE] = { sizeof(struct pyi_code) },
	[PYI_EV_THREAD_EXIT] = { sizeof(struct pyi_hdr) },
	[PYI_EV_FRAMES] = { sizeof(struct pyi_frames) },
	[PYI_EV_FROM] = { sizeof(struct pyi_from) },
	[PYI_EV_BOUND] = { sizeof(struct pyi_from) },
	[PYI_EV_PHASE] = { sizeof(struct pyi_phase) },
	[PYI_EV_JOIN] = { sizeof(struct pyi_hdr) },
	[PYI_EV_CGROUP] = { sizeof(struct pyi_cgroup) },
	[PYI_EV_INVENTORY] = { sizeof(struct pyi_inventory) },
	[PYI_EV_NAMESPACE] = { sizeof(struct pyi_namespace) },
	[PYI_EV_EDGE_COUNT] = { sizeof(struct pyi_edge_count) },
	[PYI_EV_PATH] = { sizeof(struct pyi_path) },
	[PYI_EV_NET] = { sizeof(struct pyi_net) },
	[PYI_EV_SPAWN] = { sizeof(struct pyi_spawn) },
	[PYI_EV_FILE] = { sizeof(struct pyi_file) },
	[PYI_EV_LINK] = { sizeof(struct pyi_link) },
	[PYI_EV_EFFECT] = { sizeof(struct pyi_effect) },
	[PYI_EV_CHARGE] = { sizeof(struct pyi_charge_record) },
	[PYI_EV_CHARGED] = { sizeof(struct pyi_charged) },
	[PYI_EV_LOG] = { sizeof(struct pyi_hdr) },
};

size_t event_kind_cnt(void)
{
	return sizeof(shapes) / sizeof(shapes[0]);
}

size_t event_fixed_sz(unsigned int kind)
{
	return kind < event_kind_cnt() ? shapes[kind].fixed_sz : 0;
}

static bool is_text_inside(const struct pyi_str *str, size_t room)
{
	return str->sz <= room && str->kind <= 4 && str->kind != 3;
}

static bool is_code_valid(const struct pyi_code *code, size_t size)
{
	return code->id && is_text_inside(&code->module, sizeof(code->module_text)) &&
	       is_text_inside(&code->package, sizeof(code->package_text)) &&
	       is_text_inside(&code->filename, sizeof(code->filename_text)) &&
	       is_text_inside(&code->name, sizeof(code->name_text)) &&
	       code->table_sz <= size - sizeof(*code);
}

static bool is_path_valid(const struct pyi_path *path, size_t size)
{
	return path->sz <= PYI_PATH_SZ && path->sz <= size - sizeof(*path);
}

static bool is_net_valid(const struct pyi_net *net)
{
	return net->value.addr_sz <= PYI_ADDR_SZ && net->value.query_sz <= PYI_QUERY_SZ;
}

static bool is_from_valid(const struct pyi_from *from, size_t size)
{
	if (from->cnt > PYI_MAX_FROMLIST || from->cnt * PYI_FROM_SZ > size - sizeof(*from))
		return false;
	for (int i = 0; i < from->cnt; i++)
		if (from->names[i][PYI_FROM_SZ - 1])
			return false;
	return true;
}

static bool is_inventory_valid(const struct pyi_inventory *item, size_t size)
{
	size_t room = size - sizeof(*item);

	return is_text_inside(&item->name, room) &&
	       is_text_inside(&item->file, room - item->name.sz);
}

bool event_is_valid(const void *record, size_t size)
{
	const struct pyi_hdr *hdr = record;
	const struct pyi_begin *begin = record;
	const struct pyi_end *end = record;
	const struct pyi_edge *edge = record;
	const struct pyi_exec *exec = record;
	const struct pyi_mark *mark = record;
	const struct pyi_edge_count *count = record;

	if (size < sizeof(*hdr) || hdr->size > size || hdr->size < sizeof(*hdr))
		return false;
	if (!hdr->proc && hdr->kind != PYI_EV_CGROUP) /* the one that is about no process */
		return false;
	size = hdr->size;
	if (hdr->kind >= sizeof(shapes) / sizeof(shapes[0]))
		return true;
	if (size < shapes[hdr->kind].fixed_sz)
		return false;
	switch (hdr->kind) {
	case PYI_EV_EXEC:
		return exec->filename_sz <= sizeof(exec->filename) &&
		       exec->args_sz <= sizeof(exec->args);
	case PYI_EV_BEGIN:
		return begin->id && begin->span >= PYI_SPAN_FIND &&
		       begin->span <= PYI_SPAN_DYNAMIC &&
		       is_text_inside(&begin->name, size - sizeof(*begin));
	case PYI_EV_END:
		return end->id && !end->error[PYI_ERROR_SZ - 1];
	case PYI_EV_EDGE:
		return edge->id && is_text_inside(&edge->name, size - sizeof(*edge));
	case PYI_EV_MARK:
		return is_text_inside(&mark->name, sizeof(mark->text));
	case PYI_EV_EDGE_COUNT:
		return count->id;
	case PYI_EV_INVENTORY:
		return is_inventory_valid(record, size);
	case PYI_EV_NAMESPACE:
		return is_text_inside(&((const struct pyi_namespace *)record)->name,
				      size - sizeof(struct pyi_namespace));
	case PYI_EV_CODE:
		return is_code_valid(record, size);
	case PYI_EV_CGROUP:
		return ((const struct pyi_cgroup *)record)->path_sz <= PYI_CGROUP_SZ;
	case PYI_EV_FRAMES:
		return ((const struct pyi_frames *)record)->cnt <= PYI_MAX_FRAMES;
	case PYI_EV_PATH:
		return is_path_valid(record, size);
	case PYI_EV_NET:
		return is_net_valid(record);
	case PYI_EV_FROM:
	case PYI_EV_BOUND:
		return is_from_valid(record, size);
	}
	return true;
}
