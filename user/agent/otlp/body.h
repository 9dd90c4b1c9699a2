/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent to a collector: OTLP, as protobuf or JSON. */
#ifndef AGENT_OTLP_BODY_H
#define AGENT_OTLP_BODY_H

#include <stdbool.h>
#include <stddef.h>

struct snapshot;

/* An ExportMetricsServiceRequest; malloc'd, NULL: no memory. */
char *body_metrics(const struct snapshot *snapshot, bool is_json, size_t *sz);

/* An ExportTraceServiceRequest of a capture; malloc'd, NULL: no memory, or no capture. */
char *body_traces(void *capture, size_t capture_sz, bool is_json, size_t *sz);

#endif
