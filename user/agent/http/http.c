// SPDX-License-Identifier: BSD-2-Clause
/*
 * See http.h. One thread serves all: who reads slowly holds up nobody, has a connection for ten
 * seconds, and there are 64 of them at most. Metrics are written at most once a second, and those
 * who ask meanwhile share them.
 */
#include "agent/http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/http/listen.h"
#include "agent/http/users.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/opts.h"

#define LISTEN_DEFAULT "127.0.0.1:9844"
#define PEM_MAX (1u << 20)
#define CLIENTS_MAX 64
#define CLIENT_SZ 16384     /* of a request: its headers */
#define TIMEOUT_S 10
#define FRESH_NS 1000000000ULL

struct page {
	struct MHD_Response *response; /* NULL: none yet */
	__u64 made_ns;
};

/* What was read from files; all NULL: anybody may read, and so may the network. */
struct guard {
	char *cert, *key;         /* PEM */
	struct users *users;
};

struct http {
	struct http_ops ops;
	struct guard guard;
	struct MHD_Daemon *daemon;
	struct page pages[2];     /* by is_openmetrics */
	int fd;
	char *unix_path;          /* to remove; NULL = none */
	bool is_ordinary;         /* this thread has an ordinary priority */
};

static const char *const types[2] = {
	"text/plain; version=0.0.4; charset=utf-8",
	"application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static struct MHD_Response *make_page(struct http *http, bool is_openmetrics)
{
	struct MHD_Response *response;
	char *text = NULL;
	size_t sz = 0;
	FILE *out = open_memstream(&text, &sz);
	bool is_bad;

	if (!out)
		return NULL;
	http->ops.metrics(http->ops.ctx, is_openmetrics, out);
	is_bad = ferror(out);
	if (fclose(out) || is_bad) {
		free(text);
		return NULL;
	}
	response = MHD_create_response_from_buffer(sz, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	else
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					types[is_openmetrics]);
	return response;
}

static enum MHD_Result answer_metrics(struct http *http, struct MHD_Connection *client)
{
	const char *accept = MHD_lookup_connection_value(client, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	bool is_openmetrics = accept && strstr(accept, "application/openmetrics-text");
	struct page *page = &http->pages[is_openmetrics];
	__u64 now_ns = clock_ns();

	if (!page->response || now_ns - page->made_ns > FRESH_NS) {
		if (page->response)
			MHD_destroy_response(page->response); /* when its last reader has it */
		page->response = make_page(http, is_openmetrics);
		page->made_ns = now_ns;
	}
	return page->response ? MHD_queue_response(client, MHD_HTTP_OK, page->response) : MHD_NO;
}

static enum MHD_Result answer_text(struct MHD_Connection *client, unsigned int status,
				   const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)text,
									MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(client, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_state(struct MHD_Connection *client, bool is_well)
{
	return answer_text(client, is_well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
			   is_well ? "ok\n" : "not tracing\n");
}

static bool is_allowed(struct http *http, struct MHD_Connection *client)
{
	char *password = NULL, *name;
	bool is_right;

	if (!http->guard.users)
		return true;
	name = MHD_basic_auth_get_username_password(client, &password);
	is_right = name && password && users__allow(http->guard.users, name, password);
	MHD_free(name);
	MHD_free(password);
	return is_right;
}

static enum MHD_Result ask_password(struct MHD_Connection *client)
{
	static char text[] = "user name and password required\n";
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	result = MHD_queue_basic_auth_fail_response(client, "pyimport-bpf", response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *client, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_sz, void **state)
{
	struct http *http = ctx;

	(void)version;
	(void)upload;
	if (!http->is_ordinary) { /* the one that reads records has the highest */
		setpriority(PRIO_PROCESS, 0, 0);
		http->is_ordinary = true;
	}
	if (!*state) { /* the headers are there; what comes behind them is dropped */
		*state = http;
		return MHD_YES;
	}
	if (*upload_sz) {
		*upload_sz = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_text(client, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (!strcmp(url, "/metrics") && !is_allowed(http, client))
		return ask_password(client);
	if (!strcmp(url, "/metrics"))
		return answer_metrics(http, client);
	if (!strcmp(url, "/healthz"))
		return answer_state(client, http->ops.is_healthy(http->ops.ctx));
	if (!strcmp(url, "/readyz"))
		return answer_state(client, http->ops.is_ready(http->ops.ctx));
	return answer_text(client, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz\n");
}

static int read_pem(const char *option, const char *path, char **out)
{
	_cleanup_free_ char *text = calloc(1, PEM_MAX + 1);
	_cleanup_fclose_ FILE *in = fopen(path, "re");

	if (!in)
		return log_err(-errno, "%s: cannot open %s", option, path);
	if (!text)
		return -ENOMEM;
	if (!fread(text, 1, PEM_MAX, in) || !strstr(text, "-----BEGIN ")) {
		log_err(0, "%s: %s is no PEM", option, path);
		return -EINVAL;
	}
	*out = TAKE_PTR(text);
	return 0;
}

static void guard_clear(struct guard *guard)
{
	free(guard->cert);
	if (guard->key)
		explicit_bzero(guard->key, strlen(guard->key));
	free(guard->key);
	users__free(guard->users);
	*guard = (struct guard){};
}

static int guard_read(const struct opts *opts, struct guard *guard)
{
	int err = 0;

	if (opts->tls_cert && !getauxval(AT_BASE)) { /* what stands in for GnuTLS there is empty */
		log_err(0, "--tls-cert: a static binary has no TLS");
		log_hint("--listen unix:PATH, and a proxy that speaks TLS");
		return -ENOSYS;
	}
	if (opts->tls_cert)
		err = read_pem("--tls-cert", opts->tls_cert, &guard->cert) ?:
		      read_pem("--tls-key", opts->tls_key, &guard->key);
	if (!err && opts->auth_file)
		err = users__read(opts->auth_file, &guard->users);
	if (err)
		guard_clear(guard);
	return err;
}

int http__new(const struct opts *opts, const struct http_ops *ops, struct http **out)
{
	const char *address = opts->listen ?: LISTEN_DEFAULT;
	_cleanup_free_ struct http *http = calloc(1, sizeof(*http));
	bool is_unix = false;
	int err;

	if (!http)
		return -ENOMEM;
	http->ops = *ops;
	err = guard_read(opts, &http->guard);
	if (err)
		return err;
	http->fd = listen_at(address, opts->auth_file, opts->tls_cert, &is_unix);
	if (http->fd < 0) {
		guard_clear(&http->guard);
		return http->fd;
	}
	if (is_unix)
		http->unix_path = strdup(address + 5);
	*out = TAKE_PTR(http);
	return 0;
}

int http__start(struct http *http)
{
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, http->guard.cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, http->guard.key },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
			     (http->guard.cert ? MHD_USE_TLS : 0);
	/* The daemon closes its own at its end, or when it cannot begin; ours listens on. */
	int fd = fcntl(http->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return log_err(-errno, "cannot listen at --listen");
	http->is_ordinary = false;
	http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, answer, http,
					MHD_OPTION_LISTEN_SOCKET, fd,
					MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CLIENTS_MAX,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_SZ,
					MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,
					MHD_OPTION_ARRAY, http->guard.cert ? tls : &tls[2],
					MHD_OPTION_END);
	return http->daemon ? 0 : log_err(-EINVAL, "cannot listen at --listen%s", http->guard.cert ?
					  ": certificate and key may not belong together" : "");
}

int http__renew(struct http *http, const struct opts *opts)
{
	struct guard guard = {}, old = http->guard;
	int err;

	/* Whether TLS is spoken stays as it is: the agent says so. */
	if (!opts->tls_cert != !old.cert)
		return 0;
	if (!old.cert && !old.users && !opts->auth_file)
		return 0;
	err = guard_read(opts, &guard);
	if (err)
		return err;
	if (http->daemon)
		MHD_stop_daemon(http->daemon); /* who asks meanwhile waits */
	http->guard = guard;
	err = http__start(http);
	if (!err) {
		guard_clear(&old);
		return 0;
	}
	guard_clear(&guard);
	http->guard = old;
	http__start(http);
	return err;
}

void http__free(struct http *http)
{
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	close(http->fd);
	for (size_t i = 0; i < 2; i++)
		if (http->pages[i].response)
			MHD_destroy_response(http->pages[i].response);
	guard_clear(&http->guard);
	if (http->unix_path)
		unlink(http->unix_path);
	free(http->unix_path);
	free(http);
}
