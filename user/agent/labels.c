// SPDX-License-Identifier: BSD-2-Clause
/* See labels.h. */
#include "agent/labels.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/model.h"
#include "model/pod.h"
#include "model/program.h"

#define ID_SHOWN 12 /* of a container without a name */

void label_set(char label[LABEL_SZ], const char *text)
{
	struct text_buf buf = {};
	const char *safe;
	size_t sz;

	text_buf__escape(&buf, text, 0);
	safe = text_buf__str(&buf);
	sz = strlen(safe);
	if (sz >= LABEL_SZ) {
		sz = LABEL_SZ - 1;
		while (sz && ((unsigned char)safe[sz] & 0xc0) == 0x80) /* not in a character */
			sz--;
	}
	memset(label, 0, LABEL_SZ);
	memcpy(label, safe, sz);
	text_buf__free(&buf);
}

static void add_script(const struct process *process, const char *script, struct text_buf *buf)
{
	if (script[0] != '/' && process->cwd) {
		text_buf__add(buf, process->cwd);
		text_buf__add(buf, "/");
		while (!strncmp(script, "./", 2))
			script += 2;
	}
	text_buf__add(buf, script);
}

static void add_entry(const struct process *process, bool is_redacted, struct text_buf *buf)
{
	struct program program = process_program(process);
	char comm[sizeof(process->comm) + 1] = "";

	switch (program.kind) {
	case PROGRAM_SCRIPT:
		if (is_redacted)
			text_buf__add(buf, path_base(program.name));
		else
			add_script(process, program.name, buf);
		break;
	case PROGRAM_MODULE:
		text_buf__add(buf, "-m ");
		text_buf__add(buf, program.name);
		break;
	case PROGRAM_CODE:
		text_buf__add(buf, "-c");
		break;
	case PROGRAM_STDIN:
		text_buf__add(buf, "-");
		break;
	case PROGRAM_TITLE: /* its text may change at any time: not a label */
	case PROGRAM_OTHER:
		memcpy(comm, process->comm, sizeof(process->comm));
		text_buf__add(buf, process->exe && !path_is_python(process->exe) ?
			      path_base(process->exe) : *comm ? comm : "python");
		break;
	}
}

void labels_of(const struct process *process, bool is_redacted, struct labels *labels)
{
	const struct container_info *container = &process->container;
	char id[ID_SHOWN + 1] = "";
	struct text_buf buf = {};
	struct pod_name pod;
	bool is_pod = pod_name_parse(container->name, &pod);

	add_entry(process, is_redacted, &buf);
	label_set(labels->entry, text_buf__str(&buf));
	text_buf__free(&buf);
	if (container->id)
		snprintf(id, sizeof(id), "%s", container->id);
	label_set(labels->space, pod.space);
	label_set(labels->pod, pod.pod);
	label_set(labels->container, is_pod ? pod.container :
				     container->name ? container->name : id);
	label_set(labels->image, container->image);
	label_set(labels->unit, container->id ? NULL : process->unit);
}
