// SPDX-License-Identifier: BSD-2-Clause
/*
 * See client.h. libcurl is loaded when it is needed: it brings some thirty libraries, which no
 * other command should wait for, and a static binary cannot contain.
 */
#include "agent/otlp/client.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/cleanup.h"
#include "base/log.h"
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
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	size_t answer_sz;
};

static int find(const char *name, void *slot)
{
	void *function = dlsym(api.library, name);

	memcpy(slot, &function, sizeof(function));
	return function ? 0 : -ENOSYS;
}

static int load(void)
{
	if (!getauxval(AT_BASE)) {
		log_err(0, "--otlp: a static binary has no libcurl");
		return -ENOSYS;
	}
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
	struct curl_slist *longer = api.append(client->headers, line);

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

int client__new(const struct opts *opts, struct client **out)
{
	struct client *client;
	int err = 0;

	if (strncmp(opts->otlp, "http://", 7) && strncmp(opts->otlp, "https://", 8)) {
		log_err(0, "--otlp: not an address like http://127.0.0.1:4318: '%s'", opts->otlp);
		return -EINVAL;
	}
	if (!api.library)
		err = load();
	if (err)
		return err;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->url = strdup(opts->otlp);
	client->ca = opts->otlp_ca ? strdup(opts->otlp_ca) : NULL;
	if (!client->url || (opts->otlp_ca && !client->ca))
		err = -ENOMEM;
	if (!err)
		err = add_header(client, "Content-Type: application/json");
	if (!err && opts->otlp_headers)
		err = read_headers(client, opts->otlp_headers);
	client->curl = err ? NULL : api.init();
	if (!client->curl) {
		client__free(client);
		return err ? err : -ENOMEM;
	}
	*out = client;
	return 0;
}

void client__free(struct client *client)
{
	if (!client)
		return;
	api.free_all(client->headers);
	if (client->curl)
		api.cleanup(client->curl);
	free(client->url);
	free(client->ca);
	free(client);
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

int client__post(struct client *client, const char *path, const void *body, size_t sz,
		 const atomic_bool *stop, long *wait_s)
{
	size_t url_sz = strlen(client->url);
	CURL *curl = client->curl;
	curl_off_t wait = 0;
	char url[URL_SZ];
	long status = 0;
	CURLcode got;

	while (url_sz && client->url[url_sz - 1] == '/')
		url_sz--;
	if (snprintf(url, sizeof(url), "%.*s%s", (int)url_sz, client->url, path) >= URL_SZ)
		return -EPROTO;
	client->error[0] = '\0';
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
	api.getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	api.getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
	*wait_s = (long)wait;
	if (status >= 200 && status < 300)
		return 0;
	snprintf(client->error, sizeof(client->error), "status %ld", status);
	return is_passing(status) ? -EAGAIN : -EPROTO;
}

const char *client__error(const struct client *client)
{
	return client->error[0] ? client->error : "no answer";
}
