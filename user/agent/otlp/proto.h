/* SPDX-License-Identifier: BSD-2-Clause */
/* OTLP's JSON as the protobuf it stands for. */
#ifndef AGENT_OTLP_PROTO_H
#define AGENT_OTLP_PROTO_H

#include <jansson.h>

struct text_buf;

/*
 * Appends an ExportMetricsServiceRequest or ExportTraceServiceRequest to @out, bytes that are no
 * text. -EINVAL: it has a field that we do not know, or of another type; -ENOMEM.
 */
int proto_encode(const json_t *request, struct text_buf *out);

#endif
