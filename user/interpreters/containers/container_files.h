/* SPDX-License-Identifier: BSD-2-Clause */
/* Where runtimes write what their containers are called. Private to container_names.c. */
#ifndef INTERPRETERS_CONTAINERS_CONTAINER_FILES_H
#define INTERPRETERS_CONTAINERS_CONTAINER_FILES_H

#include <stddef.h>

#include "interpreters/containers/container.h"

/* Calls @fn with what is known of @id, at once or several times, perhaps of others too. */
void container_files_one(const char *id, container_fn fn, void *ctx);

/* Calls @fn for every container there is. */
void container_files_all(container_fn fn, void *ctx);

/* The parsers, on text read elsewhere. */
void container_parse_store(const char *text, size_t sz, container_fn fn, void *ctx);
void container_parse_docker(const char *text, size_t sz, container_fn fn, void *ctx);
void container_parse_bundle(const char *id, const char *text, size_t sz, const char *runtime,
			    container_fn fn, void *ctx);

/* Arguments of conmon, the monitor of podman and CRI-O. */
void container_parse_conmon(char *const *argv, size_t argc, container_fn fn, void *ctx);

#endif
