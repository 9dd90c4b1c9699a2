// SPDX-License-Identifier: BSD-2-Clause
/* Connections, effects and late imports in the model. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "charges.h"
#include "model/tree/late_imports.h"
#include "pyimport_phase.h"

static void load_one(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 500, 1, "x", 2);
	stream_open_load(s, 1000, 10, 0, 0, 0, 0, "m");
}

static void send_net(struct stream *s, struct pyi_net_value value, const void *addr, size_t sz)
{
	struct pyi_net rec = { .hdr = stream_hdr(s, PYI_EV_NET, sizeof(rec), 1), .value = value };

	rec.value.tid = s->tid;
	rec.value.addr_sz = sz;
	memcpy(rec.value.addr, addr, sz);
	stream_apply(s, &rec, sizeof(rec));
}

static void send_query(struct stream *s, __u64 id, const char *query, size_t sz)
{
	struct pyi_net rec = { .hdr = stream_hdr(s, PYI_EV_NET, sizeof(rec), 1), .value = {
		.id = id, .start_ns = id, .kind = PYI_NET_DNS, .query_sz = sz } };

	memcpy(rec.value.query, query, sz);
	stream_apply(s, &rec, sizeof(rec));
}

/* Told twice, one connection: the first says whose it is, the last what became of it. */
static void test_connection(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	const struct net_use *use;
	const struct process *process;
	struct stream s;

	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	load_one(&s);
	send_net(&s, (struct pyi_net_value){ .id = 7, .start_ns = 2000, .kind = PYI_NET_CONNECT,
					     .wall_ns = ~0ULL, .span = 11, .type = SOCK_STREAM },
		 &in, sizeof(in));
	stream_close_load(&s, 9000, 10);
	send_net(&s, (struct pyi_net_value){ .id = 7, .start_ns = 2000, .kind = PYI_NET_CONNECT,
					     .wall_ns = 300, .blocked_ns = 250, .sent = 5,
					     .received = 6, .error = 111 }, &in, sizeof(in));
	/* The same socket, used again later, is another connection. */
	send_net(&s, (struct pyi_net_value){ .id = 7, .start_ns = 9500, .kind = PYI_NET_CONNECT },
		 &in, sizeof(in));
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	CHECK(process->net.cnt == 2);
	use = process->net.uses[0];
	CHECK(!strcmp(use->address, "192.0.2.1:443") && use->load == stream_load(&s, 1, "m", 0));
	CHECK(use->wall_ns == 300 && use->blocked_ns == 250 && use->error == 111);
	CHECK(use->sent == 5 && use->received == 6 && !use->is_datagram);
	CHECK(!process->net.uses[1]->load && process->net.uses[1]->start_ns == 9500);
	stream_close(&s);
}

/* Addresses and names come from the target: what is cut or odd is unknown, never read beyond. */
static void test_names(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	struct sockaddr_un own = { .sun_family = AF_UNIX, .sun_path = "\0bus" };
	static const char *const expected[] = { "[::1]:80", "unix:/run/x", "unix:@bus", NULL, NULL };
	const struct process_net *net;
	struct stream s;

	in6.sin6_addr = in6addr_loopback;
	load_one(&s);
	send_net(&s, (struct pyi_net_value){ .id = 1, .start_ns = 1 }, &in6, sizeof(in6));
	send_net(&s, (struct pyi_net_value){ .id = 2, .start_ns = 2 }, &un,
		 offsetof(struct sockaddr_un, sun_path) + 7);
	send_net(&s, (struct pyi_net_value){ .id = 3, .start_ns = 3 }, &own,
		 offsetof(struct sockaddr_un, sun_path) + 4);
	send_net(&s, (struct pyi_net_value){ .id = 4, .start_ns = 4 }, &in6, 8); /* cut */
	send_net(&s, (struct pyi_net_value){ .id = 5, .start_ns = 5 }, "\1", 1);
	send_query(&s, 6, "\3www\7example\3org", 17); /* the literal's own NUL ends it */
	send_query(&s, 7, "\3www\77exa", 8);  /* longer than what is there */
	send_query(&s, 8, "\3www\3org", 8);   /* no end */
	stream_finish(&s, 10000);
	net = &stream_process(&s, 1)->net;
	CHECK(net->cnt == 8);
	for (size_t i = 0; i < 5 && net->cnt == 8; i++)
		CHECK(expected[i] ? net->uses[i]->address &&
		      !strcmp(net->uses[i]->address, expected[i]) : !net->uses[i]->address);
	CHECK(net->uses[5]->name && !strcmp(net->uses[5]->name, "www.example.org"));
	CHECK(!net->uses[6]->name && !net->uses[7]->name);
	stream_close(&s);
}

/* Effects add up per load; those of what was no load after all belong to the one around it. */
static void test_effects(void)
{
	struct pyi_spawn spawn = { .span = 11, .is_thread = 1 };
	struct pyi_effect slept = { .span = 30, .value = { .sleeps = 2, .sleep_ns = 500 } };
	const struct process_net *net;
	struct stream s;

	load_one(&s);
	stream_begin(&s, 5000, 30, 11, PYI_SPAN_SEARCH, "m");
	stream_end(&s, 5500, 30);
	spawn.hdr = stream_hdr(&s, PYI_EV_SPAWN, sizeof(spawn), 1);
	slept.hdr = stream_hdr(&s, PYI_EV_EFFECT, sizeof(slept), 1);
	for (int i = 0; i < 3; i++)
		stream_apply(&s, &spawn, sizeof(spawn));
	spawn.is_thread = 0;
	stream_apply(&s, &spawn, sizeof(spawn));
	stream_apply(&s, &slept, sizeof(slept));
	stream_apply(&s, &slept, sizeof(slept));
	stream_close_load(&s, 9000, 10);
	stream_finish(&s, 10000);
	net = &stream_process(&s, 1)->net;
	CHECK(net->effect_cnt == 1 && net->effects[0]->load == stream_load(&s, 1, "m", 0));
	CHECK(net->effects[0]->threads == 3 && net->effects[0]->children == 1);
	CHECK(net->effects[0]->sleeps == 4 && net->effects[0]->sleep_ns == 1000);
	stream_close(&s);
}

static void be_ready(struct stream *s, __u64 ts_ns, __u32 tid)
{
	struct pyi_phase rec = { .phase = PYI_PHASE_READY, .call = PYI_PHASE_CALL_EPOLL_WAIT };

	rec.hdr = stream_hdr(s, PYI_EV_PHASE, sizeof(rec), ts_ns);
	rec.hdr.tid = tid;
	stream_apply(s, &rec, sizeof(rec));
}

/* Late is what begins when it is up; blocked is the thread that waits for connections. */
static void test_late(void)
{
	struct late_imports late;
	struct stream s;

	load_one(&s); /* goes on for ever: a module that runs the server */
	be_ready(&s, 2000, 100);
	be_ready(&s, 2500, 101);
	stream_open_load(&s, 3000, 20, 11, 0, 0, 0, "loop");
	stream_open_load(&s, 3200, 30, 21, 0, 0, 0, "inside");
	stream_close_load(&s, 3400, 30);
	stream_close_load(&s, 3600, 20);
	s.tid = 101;
	stream_open_load(&s, 4000, 40, 0, 0, 0, 0, "aside");
	stream_close_load(&s, 9000, 40);
	stream_finish(&s, 10000);
	CHECK(late_find(stream_process(&s, 1), &late) && late.is_service);
	CHECK(late.since_ns == 2000 && late.cnt == 2 && late.module_cnt == 3);
	CHECK(late.wall_ns == 600 + 5000 && late.waiter_tid == 100);
	CHECK(late.waiter_cnt == 1 && late.waiter_ns == 600);
	CHECK(late.longest == stream_load(&s, 1, "loop", 0));
	CHECK(!load_is_late(stream_load(&s, 1, "m", 0)));
	CHECK(load_is_late(stream_load(&s, 1, "inside", 0)));
	CHECK(!load_is_late_top(stream_load(&s, 1, "inside", 0)));
	stream_close(&s);
}

int main(void)
{
	RUN(test_connection);
	RUN(test_names);
	RUN(test_effects);
	RUN(test_late);
	return unit_result();
}
