// SPDX-License-Identifier: BSD-2-Clause
/* The network and other effects of imports in JSON. */
#include <errno.h>

#include "report/text/finding.h"
#include "report/json/json_out.h"
#include "report/enum_words.h"

static void set_import(struct json_out *jo, json_t *obj, const struct load *load)
{
	const struct site *site = load ? &load->importer : NULL;

	json_set(jo, obj, "import", load ? json_integer(load->id) : json_null());
	json_set_str(jo, obj, "module", load ? load->module : NULL);
	json_set_str(jo, obj, "file", site ? site->file : NULL);
	json_set(jo, obj, "line", site && site->line > 0 ? json_integer(site->line) : json_null());
}

static json_t *new_use(struct json_out *jo, const struct net_use *use)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "kind", word_net_kind(use->kind));
	json_set_str(jo, obj, "address", use->address);
	json_set_str(jo, obj, "name", use->name);
	set_import(jo, obj, use->load);
	json_set_int(jo, obj, "tid", use->tid);
	json_set_ns(jo, obj, "start_ns", use->start_ns);
	json_set_ns(jo, obj, "wall_ns", use->wall_ns);
	json_set_ns(jo, obj, "blocked_ns", use->blocked_ns);
	if (use->kind == PYI_NET_LISTEN) {
		json_set_ns(jo, obj, "accepted", use->received);
	} else {
		json_set_ns(jo, obj, "sent", use->sent);
		json_set_ns(jo, obj, "received", use->received);
	}
	json_set(jo, obj, "errno", use->error > 0 ? json_integer(use->error) : json_null());
	return obj;
}

json_t *json_new_signals(struct json_out *jo, __u64 signals)
{
	json_t *array = json_array();
	char name[SIGNAL_NAME_SZ];

	for (unsigned int number = 1; number <= 64; number++)
		if (signals & 1ULL << (number - 1) &&
		    json_array_append_new(array, json_string(word_signal(name, number))))
			jo->err = -ENOMEM;
	return array;
}

static json_t *new_effect(struct json_out *jo, const struct effect *effect)
{
	json_t *obj = json_object();

	set_import(jo, obj, effect->load);
	json_set_int(jo, obj, "threads", effect->threads);
	json_set_int(jo, obj, "children", effect->children);
	json_set_int(jo, obj, "sleeps", effect->sleeps);
	json_set_ns(jo, obj, "sleep_ns", effect->sleep_ns);
	json_set_int(jo, obj, "file_locks", effect->locks);
	json_set_ns(jo, obj, "file_lock_ns", effect->lock_ns);
	json_set(jo, obj, "signals", json_new_signals(jo, effect->signals));
	return obj;
}

static void put_item(struct json_out *jo, json_t *item, bool is_first)
{
	fputs(is_first ? "\n" : ",\n", jo->out);
	json_put(jo, item, false);
}

void json_write_net(struct json_out *jo, const struct process *process)
{
	const struct process_net *net = &process->net;

	if (!(process->measured & PYI_GROUP_NET)) {
		fputs("\"net\":null,\n\"effects\":null", jo->out);
		return;
	}
	fputs("\"net\":[", jo->out);
	for (size_t i = 0; !jo->err && i < net->cnt && !ferror(jo->out); i++)
		put_item(jo, new_use(jo, net->uses[i]), !i);
	fputs("],\n\"effects\":[", jo->out);
	for (size_t i = 0; !jo->err && i < net->effect_cnt && !ferror(jo->out); i++)
		put_item(jo, new_effect(jo, net->effects[i]), !i);
	fputs("]", jo->out);
}
