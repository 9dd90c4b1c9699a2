// SPDX-License-Identifier: BSD-2-Clause
/* See listen.h. */
#include "agent/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define BACKLOG 64
#define HOST_SZ 64

union any_addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static int open_at(const union any_addr *addr, socklen_t sz)
{
	_cleanup_close_ int fd = socket(addr->any.sa_family,
					SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	if (addr->any.sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &addr->any, sz) || listen(fd, BACKLOG))
		return -errno;
	return TAKE_FD(fd);
}

/* Whoever made the socket has gone. */
static bool is_stale(const union any_addr *addr)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	return !lstat(addr->un.sun_path, &st) && S_ISSOCK(st.st_mode) && fd >= 0 &&
	       connect(fd, &addr->any, sizeof(addr->un)) && errno == ECONNREFUSED;
}

static int listen_unix(const char *path)
{
	union any_addr addr = { .un.sun_family = AF_UNIX };
	mode_t mask;
	int fd;

	if (!*path || strlen(path) >= sizeof(addr.un.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.un.sun_path, path, strlen(path) + 1);
	mask = umask(0177);
	fd = open_at(&addr, sizeof(addr.un));
	if (fd == -EADDRINUSE && is_stale(&addr) && !unlink(path))
		fd = open_at(&addr, sizeof(addr.un));
	umask(mask);
	return fd;
}

/* Splits HOST:PORT; numbers alone are understood, so that nothing is asked of the network. */
static int parse(const char *address, union any_addr *addr)
{
	const char *colon = strrchr(address, ':');
	size_t sz = colon ? (size_t)(colon - address) : 0;
	char host[HOST_SZ] = "", *end;
	unsigned long port;

	if (!colon || sz >= sizeof(host))
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || port > 65535)
		return -EINVAL;
	memcpy(host, address, sz);
	if (host[0] == '[' && host[sz - 1] == ']') {
		host[sz - 1] = '\0';
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(port);
		return inet_pton(AF_INET6, host + 1, &addr->in6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	addr->in.sin_family = AF_INET;
	addr->in.sin_port = htons(port);
	return inet_pton(AF_INET, !*host || !strcmp(host, "localhost") ? "127.0.0.1" : host,
			 &addr->in.sin_addr) == 1 ? 0 : -EINVAL;
}

static bool is_loopback(const union any_addr *addr)
{
	return addr->any.sa_family == AF_INET ? ntohl(addr->in.sin_addr.s_addr) >> 24 == 127 :
						IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
}

int listen_at(const char *address, bool asks_password, bool is_tls, bool *is_unix)
{
	union any_addr addr = {};
	int fd;

	*is_unix = !strncmp(address, "unix:", 5);
	if (*is_unix) {
		fd = listen_unix(address + 5);
		return fd < 0 ? log_err(fd, "cannot listen at %s", address) : fd;
	}
	if (parse(address, &addr)) {
		log_err(0, "--listen: not an address like 127.0.0.1:9844, [::1]:9844 or unix:PATH: '%s'",
			address);
		return -EINVAL;
	}
	fd = open_at(&addr, addr.any.sa_family == AF_INET ? sizeof(addr.in) : sizeof(addr.in6));
	if (fd < 0)
		return log_err(fd, "cannot listen at %s", address);
	if (!is_loopback(&addr) && asks_password && !is_tls)
		log_warn("%s: passwords come over the network as they are, without TLS", address);
	if (!is_loopback(&addr) && !asks_password)
		log_warn("%s: whoever reaches this address can read the metrics, which name programs, modules and containers",
			 address);
	return fd;
}
