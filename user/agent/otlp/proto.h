/* SPDX-License-Identifier: BSD-2-Clause */
/* OTLP's JSON as the protobuf it stands for. */
#ifndef AGENT_OTLP_PROTO_H
#define AGENT_OTLP_PROTO_H

#include <jansson.h>
#include <stddef.h>

/*
 * An ExportMetricsServiceRequest or ExportTraceServiceRequest: malloc'd bytes that are no text.
 * -EINVAL: it has a field that otlp.proto lacks, or of another type; -ENOMEM.
 */
int proto_encode(const json_t *request, char **out, size_t *sz);

#endif
