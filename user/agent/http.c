// SPDX-License-Identifier: BSD-2-Clause
/*
 * See http.h. One thread serves all: who reads slowly holds up nobody, has a connection for ten
 * seconds, and there are 64 of them at most. Metrics are written at most once a second, and those
 * who ask meanwhile share them.
 */
#include "agent/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/listen.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define CLIENTS_MAX 64
#define CLIENT_SZ 16384     /* of a request: its headers */
#define TIMEOUT_S 10
#define FRESH_NS 1000000000ULL

struct page {
	struct MHD_Response *response; /* NULL: none yet */
	__u64 made_ns;
};

struct http {
	struct http_ops ops;
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
	if (!strcmp(url, "/metrics"))
		return answer_metrics(http, client);
	if (!strcmp(url, "/healthz"))
		return answer_state(client, http->ops.is_healthy(http->ops.ctx));
	if (!strcmp(url, "/readyz"))
		return answer_state(client, http->ops.is_ready(http->ops.ctx));
	return answer_text(client, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz\n");
}

int http__new(const char *address, const struct http_ops *ops, struct http **out)
{
	_cleanup_free_ struct http *http = calloc(1, sizeof(*http));
	bool is_unix = false;

	if (!http)
		return -ENOMEM;
	http->ops = *ops;
	http->fd = listen_at(address, &is_unix);
	if (http->fd < 0)
		return http->fd;
	if (is_unix)
		http->unix_path = strdup(address + 5);
	*out = TAKE_PTR(http);
	return 0;
}

int http__start(struct http *http)
{
	http->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL,
					NULL, answer, http,
					MHD_OPTION_LISTEN_SOCKET, http->fd,
					MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CLIENTS_MAX,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_SZ,
					MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,
					MHD_OPTION_END);
	return http->daemon ? 0 : log_err(-ENOMEM, "cannot answer at --listen");
}

void http__free(struct http *http)
{
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon); /* closes the socket, too */
	else
		close(http->fd);
	for (size_t i = 0; i < 2; i++)
		if (http->pages[i].response)
			MHD_destroy_response(http->pages[i].response);
	if (http->unix_path)
		unlink(http->unix_path);
	free(http->unix_path);
	free(http);
}
