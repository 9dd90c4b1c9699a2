// SPDX-License-Identifier: BSD-2-Clause
/* Posting without libcurl: addresses, what is sent, and what a collector may answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>

#include "agent/otlp/plain.h"
#include "unit.h"

struct server {
	int fd;
	const char *answer;  /* NULL: none, until the other side closes */
	size_t answer_sz;
	char got[1024];
	size_t got_sz, wanted_sz; /* how much it reads before it answers */
	pthread_t thread;
	struct plain_url url;
};

static void *serve(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->fd, NULL, NULL);
	ssize_t sz = 1;

	while (sz > 0 && (!server->answer || server->got_sz < server->wanted_sz)) {
		sz = read(fd, server->got + server->got_sz,
			  sizeof(server->got) - 1 - server->got_sz);
		server->got_sz += sz > 0 ? (size_t)sz : 0;
	}
	if (server->answer && write(fd, server->answer, server->answer_sz) < 0)
		FAIL("the server could not write");
	close(fd);
	return NULL;
}

static void start(struct server *server)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t sz = sizeof(addr);
	char text[64];

	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(server->fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(server->fd, 4));
	CHECK(!getsockname(server->fd, (struct sockaddr *)&addr, &sz));
	snprintf(text, sizeof(text), "http://127.0.0.1:%u", ntohs(addr.sin_port));
	CHECK(!plain_url_parse(text, &server->url));
	server->url.path = "/in/";
	CHECK(!pthread_create(&server->thread, NULL, serve, server));
}

#define SENT "POST /in/v1/x HTTP/1.1\r\nHost: %s\r\nA: b\r\nContent-Length: 3\r\n" \
	     "Connection: close\r\n\r\n"

/* What comes of this answer. */
static int post(const char *answer, size_t answer_sz, struct plain_answer *out)
{
	struct server server = { .answer = answer, .answer_sz = answer_sz };
	atomic_bool stop = false;
	char sent[256];
	int sz, err;

	start(&server);
	sz = snprintf(sent, sizeof(sent), SENT, server.url.host);
	memcpy(sent + sz, "\0\xff{", 3);
	server.wanted_sz = (size_t)sz + 3;
	err = plain_post(&server.url, "/v1/x", "A: b\r\n", "\0\xff{", 3, &stop, out);
	pthread_join(server.thread, NULL);
	CHECK(server.got_sz == server.wanted_sz && !memcmp(server.got, sent, server.got_sz));
	close(server.fd);
	return err;
}

static void test_answers(void)
{
	static char long_head[70000];
	struct plain_answer answer;
	static const struct {
		const char *text;
		int err;
		long status, wait_s;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0, 200, 0 },
		{ "HTTP/1.0 503 x\r\nretry-after: 7\r\n\r\n", 0, 503, 7 },
		{ "HTTP/1.1 404\r\n\r\n", 0, 404, 0 },
		{ "HTTP/1.1 100 Continue\r\n\r\n", -EBADMSG, 100, 0 },
		{ "HTTP/1.1 200 OK\r\n", -EBADMSG, 0, 0 },
		{ "HTTP/2 200 OK\r\n\r\n", -EBADMSG, 0, 0 },
		{ "HTTP/1.1 -20 OK\r\n\r\n", -EBADMSG, -20, 0 },
		{ "nonsense\r\n\r\n", -EBADMSG, 0, 0 },
		{ "", -EBADMSG, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err = post(rows[i].text, strlen(rows[i].text), &answer);

		if (err != rows[i].err || answer.status != rows[i].status ||
		    answer.wait_s != rows[i].wait_s)
			FAIL("'%s': %d, status %ld, wait %ld", rows[i].text, err, answer.status,
			     answer.wait_s);
	}
	/* Bytes of a body that are no text. */
	CHECK(!post("HTTP/1.1 200 OK\r\n\r\n\0\0\xff", 22, &answer) && answer.status == 200);
	memset(long_head, 'x', sizeof(long_head));
	memcpy(long_head, "HTTP/1.1 200 ", 13);
	CHECK(post(long_head, sizeof(long_head), &answer) < 0);
}

static void test_hangs(void)
{
	struct server server = {};
	struct plain_answer answer;
	atomic_bool stop = true;

	start(&server);
	CHECK(plain_post(&server.url, "/", "", "x", 1, &stop, &answer) == -ECANCELED);
	pthread_join(server.thread, NULL);
	close(server.fd);
	stop = false;
	CHECK(plain_post(&server.url, "/", "", "x", 1, &stop, &answer) == -ECONNREFUSED);
}

static void test_urls(void)
{
	static const char *const wrong[] = {
		"https://127.0.0.1", "http://", "http://collector:4318", "http://127.0.0.1:0",
		"http://127.0.0.1:65536", "http://127.0.0.1:", "http://127.0.0.1:1x",
		"http://127.0.0.1: 1", "http://[::1", "http://[::1]x", "http://1.2.3.4?x",
		"http://1.2.3.4/a b", "http://1.2.3.4/a\r\nX: y", "http://user@1.2.3.4", "127.0.0.1",
		"http://0000000000000000000000000000000000000000000000000000000000000000001.2.3.4",
	};
	struct plain_url url;

	CHECK(!plain_url_parse("http://10.0.0.5:4318/a/", &url) && !strcmp(url.path, "/a/") &&
	      !strcmp(url.host, "10.0.0.5:4318") && url.addr.ss_family == AF_INET &&
	      ((struct sockaddr_in *)&url.addr)->sin_port == htons(4318));
	CHECK(!plain_url_parse("http://[::1]:4318", &url) && url.addr.ss_family == AF_INET6 &&
	      !strcmp(url.host, "[::1]:4318") && !*url.path);
	CHECK(!plain_url_parse("http://localhost", &url) &&
	      ((struct sockaddr_in *)&url.addr)->sin_port == htons(80));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!plain_url_parse(wrong[i], &url))
			FAIL("taken: %s", wrong[i]);
}

int main(void)
{
	RUN(test_urls);
	RUN(test_answers);
	RUN(test_hangs);
	return unit_result();
}
