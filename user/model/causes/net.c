// SPDX-License-Identifier: BSD-2-Clause
/*
 * Connections and other effects, from records to what one reads. A connection is told twice: when
 * it begins, while its import is known, and when it is over, with its counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "model/causes/charge.h"
#include "model/causes/net.h"
#include "model/state/process_table.h"
#include "model/state/text.h"

#define DNS_LABEL_MAX 63

/* "www.example.org" from the question's labels, each behind its length. */
static const char *query_name(struct model *model, const struct pyi_net_value *value)
{
	char name[PYI_QUERY_SZ + 1];
	size_t at = 0, sz = 0;

	while (at < value->query_sz && value->query[at]) {
		size_t len = value->query[at++];

		if (len > DNS_LABEL_MAX || at + len > value->query_sz)
			return NULL; /* not a name, or cut */
		if (sz)
			name[sz++] = '.';
		memcpy(name + sz, value->query + at, len);
		sz += len;
		at += len;
	}
	return sz && at < value->query_sz ? model_bytes(model, name, sz) : NULL;
}

static const char *unix_name(struct model *model, const struct pyi_net_value *value)
{
	char text[sizeof(struct sockaddr_un) + 8] = "unix:";
	size_t head = offsetof(struct sockaddr_un, sun_path), at = strlen(text), sz;
	const char *path = (const char *)value->addr + head;

	if (value->addr_sz <= head)
		return model_bytes(model, "unix:", 5);
	sz = value->addr_sz - head;
	if (sz > sizeof(((struct sockaddr_un *)0)->sun_path))
		sz = sizeof(((struct sockaddr_un *)0)->sun_path);
	if (path[0]) {
		sz = strnlen(path, sz);
	} else { /* a name of its own, outside the file system */
		text[at++] = '@';
		path++;
		sz--;
	}
	memcpy(text + at, path, sz);
	return model_bytes(model, text, at + sz);
}

static const char *address_name(struct model *model, const struct pyi_net_value *value)
{
	char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family;

	if (value->addr_sz < sizeof(family))
		return NULL;
	memcpy(&family, value->addr, sizeof(family));
	if (family == AF_UNIX)
		return unix_name(model, value);
	if (family == AF_INET && value->addr_sz >= offsetof(struct sockaddr_in, sin_zero)) {
		memcpy(&in, value->addr, offsetof(struct sockaddr_in, sin_zero));
		if (!inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host)))
			return NULL;
		snprintf(text, sizeof(text), "%s:%u", host, ntohs(in.sin_port));
	} else if (family == AF_INET6 && value->addr_sz >= offsetof(struct sockaddr_in6,
								       sin6_scope_id)) {
		memcpy(&in6, value->addr, offsetof(struct sockaddr_in6, sin6_scope_id));
		if (!inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host)))
			return NULL;
		snprintf(text, sizeof(text), "[%s]:%u", host, ntohs(in6.sin6_port));
	} else {
		return NULL;
	}
	return model_bytes(model, text, strlen(text));
}

static void update(struct model *model, struct net_use *use, const struct pyi_net_value *value)
{
	use->kind = value->kind;
	use->wall_ns = value->wall_ns;
	use->blocked_ns = value->blocked_ns;
	use->sent = value->sent;
	use->received = value->received;
	use->error = value->error;
	if (!use->name && value->kind == PYI_NET_DNS)
		use->name = query_name(model, value);
}

int net_add(struct model *model, const struct pyi_net *rec)
{
	const struct pyi_net_value *value = &rec->value;
	struct process_state *process = process_find(model, rec->hdr.proc);
	struct raw_net key = { .key = { value->id, value->start_ns } }, *raw;
	struct account *account;

	if (!process)
		return 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): both words are set */
	HASH_FIND(hh, process->raw_nets, &key.key, sizeof(key.key), raw);
	if (!raw) {
		raw = arena__alloc(&model->arena, sizeof(*raw));
		if (!raw)
			return -ENOMEM;
		raw->key = key.key;
		account = account_find(model, rec->hdr.proc, value->span);
		raw->load = account ? account->load : NULL;
		raw->use.address = address_name(model, value);
		raw->use.tid = value->tid;
		raw->use.start_ns = value->start_ns;
		raw->use.is_datagram = value->type == SOCK_DGRAM;
		HASH_ADD(hh, process->raw_nets, key, sizeof(raw->key), raw);
	}
	update(model, &raw->use, value);
	return 0;
}

static struct raw_effect *effect_of(struct model *model, struct process_state *process,
				    struct load_state *load)
{
	struct raw_effect *raw;

	HASH_FIND(hh, process->raw_effects, &load, sizeof(load), raw);
	if (raw)
		return raw;
	raw = arena__alloc(&model->arena, sizeof(*raw));
	if (!raw)
		return NULL;
	raw->load = load;
	HASH_ADD(hh, process->raw_effects, load, sizeof(raw->load), raw);
	return raw;
}

int effect_add(struct model *model, const struct pyi_effect *rec)
{
	struct process_state *process = process_find(model, rec->hdr.proc);
	struct account *account = account_find(model, rec->hdr.proc, rec->span);
	struct raw_effect *raw;

	if (!process)
		return 0;
	raw = effect_of(model, process, account ? account->load : NULL);
	if (!raw)
		return -ENOMEM;
	raw->effect.sleeps += rec->value.sleeps;
	raw->effect.sleep_ns += rec->value.sleep_ns;
	raw->effect.locks += rec->value.locks;
	raw->effect.lock_ns += rec->value.lock_ns;
	raw->effect.signals |= rec->value.signals;
	return 0;
}

int spawn_add(struct model *model, const struct pyi_spawn *rec)
{
	struct process_state *process = process_find(model, rec->hdr.proc);
	struct account *account = account_find(model, rec->hdr.proc, rec->span);
	struct raw_effect *raw;

	if (!process)
		return 0;
	raw = effect_of(model, process, account ? account->load : NULL);
	if (!raw)
		return -ENOMEM;
	raw->effect.threads += rec->is_thread != 0;
	raw->effect.children += !rec->is_thread;
	return 0;
}

/* What turned out to be no load was part of the one around it. */
static struct load_state *kept(struct load_state *state)
{
	while (state && state->drop)
		state = (struct load_state *)state->load.parent;
	return state;
}

static int finish_uses(struct process_state *state)
{
	struct process_net *net = &state->process.net;
	struct raw_net *raw, *next;
	struct load_state *load;
	int err = 0;

	HASH_ITER(hh, state->raw_nets, raw, next) {
		/* getaddrinfo "connects" datagram sockets to learn about routes; nothing is sent. */
		if (err || (raw->use.is_datagram && !raw->use.sent && !raw->use.received))
			continue;
		load = kept(raw->load);
		raw->use.load = load ? &load->load : NULL;
		err = array_push(&net->uses, &net->cnt, &net->cap, &raw->use);
	}
	return err;
}

static int finish_effects(struct model *model, struct process_state *state)
{
	struct process_net *net = &state->process.net;
	struct raw_effect *raw, *next, *to;
	int err = 0;

	HASH_ITER(hh, state->raw_effects, raw, next) {
		if (!raw->load || !raw->load->drop)
			continue;
		to = effect_of(model, state, kept(raw->load));
		if (!to)
			return -ENOMEM;
		to->effect.threads += raw->effect.threads;
		to->effect.children += raw->effect.children;
		to->effect.sleeps += raw->effect.sleeps;
		to->effect.locks += raw->effect.locks;
		to->effect.sleep_ns += raw->effect.sleep_ns;
		to->effect.lock_ns += raw->effect.lock_ns;
		to->effect.signals |= raw->effect.signals;
	}
	HASH_ITER(hh, state->raw_effects, raw, next) {
		if (err || (raw->load && raw->load->drop))
			continue;
		raw->effect.load = raw->load ? &raw->load->load : NULL;
		err = array_push(&net->effects, &net->effect_cnt, &net->effect_cap, &raw->effect);
	}
	return err;
}

static int cmp_use(const void *a, const void *b)
{
	const struct net_use *x = *(struct net_use *const *)a, *y = *(struct net_use *const *)b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static int cmp_effect(const void *a, const void *b)
{
	const struct effect *x = *(struct effect *const *)a, *y = *(struct effect *const *)b;

	if (!x->load || !y->load)
		return x->load ? 1 : y->load ? -1 : 0;
	return x->load->seq < y->load->seq ? -1 : x->load->seq > y->load->seq;
}

int net_finish(struct model *model, struct process_state *state)
{
	struct process_net *net = &state->process.net;
	int err = finish_uses(state);

	if (!err)
		err = finish_effects(model, state);
	if (net->cnt)
		qsort(net->uses, net->cnt, sizeof(*net->uses), cmp_use);
	if (net->effect_cnt)
		qsort(net->effects, net->effect_cnt, sizeof(*net->effects), cmp_effect);
	return err;
}

void net_free(struct process_state *state)
{
	HASH_CLEAR(hh, state->raw_nets);
	HASH_CLEAR(hh, state->raw_effects);
	free(state->process.net.uses);
	free(state->process.net.effects);
}
