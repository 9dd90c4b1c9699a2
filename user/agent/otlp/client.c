// SPDX-License-Identifier: BSD-2-Clause
/*
 * See client.h. libcurl is loaded when it is needed: it brings some thirty libraries, which no
 * other command should wait for, and a static binary cannot contain. That one posts by plain.h.
 */
#include "agent/otlp/client.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "agent/otlp/plain.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "trace/opts.h"

#define LIBRARY "libcurl.so.4"
#define TIMEOUT_MS 10000L
#define CONNECT_MS 5000L
#define ANSWER_MAX 65536   /* of which nothing is used: who sends more is no collector */
#define HEADERS_MAX 65536
#define URL_SZ 2048

static struct {
	void *library;
	CURL *(*init)(void);
	void (*reset)(CURL *);
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*perform)(CURL *);
	CURLcode (*getinfo)(CURL *, CURLINFO, ...);
	void (*cleanup)(CURL *);
	struct curl_slist *(*append)(struct curl_slist *, const char *);
	void (*free_all)(struct curl_slist *);
} api;

struct client {
	char *url, *ca;
	struct curl_slist *headers;
	CURL *curl;              /* NULL: in a static binary */
	struct plain_url plain;  /* of such a one, and its headers */
	struct text_buf lines;
	bool is_json;
	char error[CURL_ERROR_SIZE];
	size_t answer_sz;
};

static bool is_static(void)
{
	return !getauxval(AT_BASE);
}

static int find(const char *name, void *slot)
{
	void *function = dlsym(api.library, name);

	memcpy(slot, &function, sizeof(function));
	return function ? 0 : -ENOSYS;
}

static int load(void)
{
	api.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!api.library) {
		log_err(0, "--otlp: %s", dlerror());
		log_hint("the package libcurl4");
		return -ENOENT;
	}
	if (find("curl_easy_init", &api.init) || find("curl_easy_reset", &api.reset) ||
	    find("curl_easy_setopt", &api.setopt) || find("curl_easy_perform", &api.perform) ||
	    find("curl_easy_getinfo", &api.getinfo) || find("curl_easy_cleanup", &api.cleanup) ||
	    find("curl_slist_append", &api.append) ||
	    find("curl_slist_free_all", &api.free_all)) {
		log_err(0, "--otlp: " LIBRARY " lacks a function");
		return -ENOSYS;
	}
	return 0;
}

static int add_header(struct client *client, const char *line)
{
	struct curl_slist *longer;

	if (is_static()) {
		text_buf__printf(&client->lines, "%s\r\n", line);
		return client->lines.err;
	}
	longer = api.append(client->headers, line);
	if (!longer)
		return -ENOMEM;
	client->headers = longer;
	return 0;
}

/* A line each: Name: value. */
static int read_headers(struct client *client, const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	char line[4096];
	size_t sz = 0;
	int err = 0;

	if (!in)
		return log_err(-errno, "--otlp-headers: cannot open %s", path);
	while (!err && fgets(line, sizeof(line), in)) {
		sz += strlen(line);
		line[strcspn(line, "\r\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (!strchr(line, ':') || sz > HEADERS_MAX) {
			log_err(0, "--otlp-headers: %s: not lines of NAME: VALUE", path);
			return -EINVAL;
		}
		err = add_header(client, line);
	}
	return err;
}

static int check_url(const struct opts *opts)
{
	struct plain_url plain;

	if (strncmp(opts->otlp, "http://", 7) && strncmp(opts->otlp, "https://", 8)) {
		log_err(0, "--otlp: not an address like http://127.0.0.1:4318: '%s'", opts->otlp);
		return -EINVAL;
	}
	if (!is_static() || !plain_url_parse(opts->otlp, &plain))
		return 0;
	log_err(0, "--otlp: the static binary has no TLS and looks up no names: '%s'", opts->otlp);
	log_hint("http:// and a numeric address, or a build by make, which loads libcurl");
	return -EINVAL;
}

int client__new(const struct opts *opts, struct client **out)
{
	struct client *client;
	int err = check_url(opts);

	if (!err && !is_static() && !api.library)
		err = load();
	if (err)
		return err;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->is_json = opts->otlp_protocol && !strcmp(opts->otlp_protocol, OTLP_JSON);
	client->url = strdup(opts->otlp);
	client->ca = opts->otlp_ca ? strdup(opts->otlp_ca) : NULL;
	if (!client->url || (opts->otlp_ca && !client->ca))
		err = -ENOMEM;
	if (!err)
		err = add_header(client, client->is_json ? "Content-Type: application/json" :
							   "Content-Type: application/x-protobuf");
	if (!err && opts->otlp_headers)
		err = read_headers(client, opts->otlp_headers);
	if (!err && is_static())
		err = plain_url_parse(client->url, &client->plain);
	else if (!err && !(client->curl = api.init()))
		err = -ENOMEM;
	if (err)
		client__free(client);
	else
		*out = client;
	return err;
}

void client__free(struct client *client)
{
	if (!client)
		return;
	if (client->headers)
		api.free_all(client->headers);
	if (client->curl)
		api.cleanup(client->curl);
	text_buf__free(&client->lines);
	free(client->url);
	free(client->ca);
	free(client);
}

bool client__is_json(const struct client *client)
{
	return client->is_json;
}

static size_t on_answer(char *data, size_t size, size_t cnt, void *ctx)
{
	struct client *client = ctx;

	(void)data;
	client->answer_sz += size * cnt;
	return client->answer_sz > ANSWER_MAX ? 0 : size * cnt;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const atomic_bool *stop = ctx;

	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(stop);
}

/* What the standard says may be sent again; every failure of the connection may. */
static bool is_passing(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static int post_by_curl(struct client *client, const char *path, const void *body, size_t sz,
			const atomic_bool *stop, struct plain_answer *answer)
{
	size_t url_sz = strlen(client->url);
	CURL *curl = client->curl;
	curl_off_t wait = 0;
	char url[URL_SZ];
	CURLcode got;

	while (url_sz && client->url[url_sz - 1] == '/')
		url_sz--;
	if (snprintf(url, sizeof(url), "%.*s%s", (int)url_sz, client->url, path) >= URL_SZ)
		return -EPROTO;
	client->answer_sz = 0;
	api.reset(curl);
	api.setopt(curl, CURLOPT_URL, url);
	api.setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	api.setopt(curl, CURLOPT_PROXY, ""); /* nobody but whom the option names */
	api.setopt(curl, CURLOPT_HTTPHEADER, client->headers);
	api.setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)sz);
	api.setopt(curl, CURLOPT_POSTFIELDS, body);
	api.setopt(curl, CURLOPT_NOSIGNAL, 1L);
	api.setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	api.setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	api.setopt(curl, CURLOPT_ERRORBUFFER, client->error);
	api.setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	api.setopt(curl, CURLOPT_WRITEDATA, client);
	api.setopt(curl, CURLOPT_NOPROGRESS, 0L);
	api.setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	api.setopt(curl, CURLOPT_XFERINFODATA, (void *)stop);
	if (client->ca)
		api.setopt(curl, CURLOPT_CAINFO, client->ca);
	got = api.perform(curl);
	if (got != CURLE_OK)
		return -EAGAIN;
	api.getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	api.getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
	answer->wait_s = (long)wait;
	return 0;
}

static int post_plainly(struct client *client, const char *path, const void *body, size_t sz,
			const atomic_bool *stop, struct plain_answer *answer)
{
	int err = plain_post(&client->plain, path, text_buf__str(&client->lines), body, sz, stop,
			     answer);

	if (err)
		snprintf(client->error, sizeof(client->error), "%s", strerror(-err));
	return err ? -EAGAIN : 0;
}

int client__post(struct client *client, const char *path, const void *body, size_t sz,
		 const atomic_bool *stop, long *wait_s)
{
	struct plain_answer answer = {};
	int err;

	client->error[0] = '\0';
	err = client->curl ? post_by_curl(client, path, body, sz, stop, &answer) :
			     post_plainly(client, path, body, sz, stop, &answer);
	*wait_s = answer.wait_s;
	if (err)
		return err;
	if (answer.status >= 200 && answer.status < 300)
		return 0;
	snprintf(client->error, sizeof(client->error), "status %ld", answer.status);
	return is_passing(answer.status) ? -EAGAIN : -EPROTO;
}

const char *client__error(const struct client *client)
{
	return client->error[0] ? client->error : "no answer";
}
