/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.1 without TLS, to a numeric address: what the static binary posts with. Debian has a
 * static libcurl, but of the libraries that it calls (Kerberos, LDAP, RTMP and others) no archives.
 */
#ifndef AGENT_OTLP_PLAIN_H
#define AGENT_OTLP_PLAIN_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

#define PLAIN_HOST_SZ 64

struct plain_url {
	struct sockaddr_storage addr;
	socklen_t addr_sz;
	char host[PLAIN_HOST_SZ]; /* with its port, as it stood there */
	const char *path;         /* in the text; "" or from its slash on */
};

/* http://ADDRESS[:PORT][/PATH]; ADDRESS is of IPv4, [IPv6] or localhost. -EINVAL: another one. */
int plain_url_parse(const char *text, struct plain_url *out);

struct plain_answer {
	long status, wait_s; /* wait_s: what Retry-After says in seconds, or 0 */
};

/*
 * Posts @body to the URL's path and @path behind it; @headers are lines that end with "\r\n". Gives
 * up when *stop becomes true, or after ten seconds. 0, or -errno of the connection; -EBADMSG: it
 * does not speak HTTP.
 */
int plain_post(const struct plain_url *url, const char *path, const char *headers, const void *body,
	       size_t sz, const atomic_bool *stop, struct plain_answer *out);

#endif
