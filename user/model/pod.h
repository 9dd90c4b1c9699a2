/* SPDX-License-Identifier: BSD-2-Clause */
/* What Kubernetes calls a container, in parts. */
#ifndef MODEL_POD_H
#define MODEL_POD_H

#include <stdbool.h>

struct pod_name {
	char space[64], pod[254], container[64]; /* its namespace; "" = not known */
};

/* NAMESPACE/POD/CONTAINER or POD/CONTAINER, as struct container_info has it. False: neither. */
bool pod_name_parse(const char *name, struct pod_name *out);

#endif
