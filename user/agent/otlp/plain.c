// SPDX-License-Identifier: BSD-2-Clause
/* See plain.h. Of an answer the status line and one header are looked at, and no more is read. */
#include "agent/otlp/plain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define SCHEME "http://"
#define TIMEOUT_NS 10000000000ULL
#define CONNECT_NS 5000000000ULL
#define LOOK_MS 100         /* how often *stop is looked at */
#define ANSWER_MAX 65536    /* of its head: who sends more is no collector */
#define PORT_DEFAULT "80"

struct call {
	int fd;
	__u64 end_ns;
	const atomic_bool *stop;
};

static int set_addr(const char *host, unsigned long port, struct plain_url *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->addr;

	if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		out->addr_sz = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		out->addr_sz = sizeof(*in6);
	} else {
		return -EINVAL;
	}
	return 0;
}

int plain_url_parse(const char *text, struct plain_url *out)
{
	char host[PLAIN_HOST_SZ], *name = host, *end = NULL;
	const char *port = PORT_DEFAULT;
	unsigned long number;
	size_t sz;

	*out = (struct plain_url){};
	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	text += strlen(SCHEME);
	sz = strcspn(text, "/?#");
	if (!sz || sz >= sizeof(host) || (text[sz] && text[sz] != '/') || strpbrk(text + sz, " \r\n"))
		return -EINVAL;
	memcpy(host, text, sz);
	host[sz] = '\0';
	memcpy(out->host, host, sz + 1);
	out->path = text + sz;
	if (*host == '[') {
		name++;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : port;
		*end = '\0';
	} else {
		end = strchr(host, ':');
		port = end ? end + 1 : port;
		if (end)
			*end = '\0';
	}
	number = strtoul(port, &end, 10);
	if (*port < '0' || *port > '9' || *end || !number || number > 65535)
		return -EINVAL;
	return set_addr(name, number, out);
}

static int wait_for(const struct call *call, short events)
{
	struct pollfd poll_fd = { call->fd, events, 0 };

	while (!atomic_load(call->stop)) {
		if (clock_ns() > call->end_ns)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, LOOK_MS) > 0)
			return 0;
	}
	return -ECANCELED;
}

static int open_connection(const struct plain_url *url, struct call *call)
{
	int err = 0;
	socklen_t sz = sizeof(err);

	call->fd = socket(url->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0)
		return -errno;
	if (!connect(call->fd, (const struct sockaddr *)&url->addr, url->addr_sz))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	call->end_ns = clock_ns() + CONNECT_NS;
	err = wait_for(call, POLLOUT);
	if (err)
		return err;
	if (getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &err, &sz))
		return -errno;
	return -err;
}

static int send_all(const struct call *call, const char *data, size_t sz)
{
	while (sz) {
		ssize_t sent = send(call->fd, data, sz, MSG_NOSIGNAL);
		int err;

		if (sent > 0) {
			data += sent;
			sz -= (size_t)sent;
			continue;
		}
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		err = wait_for(call, POLLOUT);
		if (err)
			return err;
	}
	return 0;
}

/* Up to the empty line, which is taken off. */
static int read_head(const struct call *call, struct text_buf *head)
{
	char chunk[4096], *end;

	for (;;) {
		int err = wait_for(call, POLLIN);
		ssize_t got = err ? -1 : recv(call->fd, chunk, sizeof(chunk), 0);

		if (err)
			return err;
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			return -errno;
		if (!got || head->sz + (size_t)got > ANSWER_MAX)
			return -EBADMSG;
		text_buf__add_sz(head, chunk, (size_t)got);
		if (head->err)
			return head->err;
		end = memmem(head->data, head->sz, "\r\n\r\n", 4);
		if (end) {
			*end = '\0';
			return 0;
		}
	}
}

static int parse_head(const char *head, struct plain_answer *out)
{
	static const char header[] = "\r\nRetry-After:";
	const char *wait = strcasestr(head, header);

	if (sscanf(head, "HTTP/1.%*1[01] %3ld", &out->status) != 1 || out->status < 100)
		return -EBADMSG;
	out->wait_s = wait ? strtol(wait + strlen(header), NULL, 10) : 0;
	return 0;
}

static int talk(const struct call *call, const char *request, const void *body, size_t sz,
		struct plain_answer *out)
{
	struct text_buf head = {};
	int err = send_all(call, request, strlen(request));

	if (!err)
		err = send_all(call, body, sz);
	/* Who answers before he has read all may close meanwhile: what he says counts. */
	if (!err || err == -EPIPE || err == -ECONNRESET) {
		int answered = read_head(call, &head);

		err = answered ? (err ? err : answered) : parse_head(text_buf__str(&head), out);
	}
	/* A 100 would be an answer to what we do not ask. */
	if (!err && out->status < 200)
		err = -EBADMSG;
	text_buf__free(&head);
	return err;
}

int plain_post(const struct plain_url *url, const char *path, const char *headers, const void *body,
	       size_t sz, const atomic_bool *stop, struct plain_answer *out)
{
	struct call call = { .fd = -1, .stop = stop };
	struct text_buf request = {};
	size_t path_sz = strlen(url->path);
	int err;

	*out = (struct plain_answer){};
	while (path_sz && url->path[path_sz - 1] == '/')
		path_sz--;
	text_buf__printf(&request, "POST %.*s%s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n", (int)path_sz, url->path, path, url->host,
			 headers, sz);
	err = request.err ? request.err : open_connection(url, &call);
	call.end_ns = clock_ns() + TIMEOUT_NS;
	if (!err)
		err = talk(&call, text_buf__str(&request), body, sz, out);
	if (call.fd >= 0)
		close(call.fd);
	text_buf__free(&request);
	return err;
}
