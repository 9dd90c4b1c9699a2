// SPDX-License-Identifier: BSD-2-Clause
/*
 * multiply IN.cap N OUT.cap: a capture with the processes of IN N times over, one after the other,
 * each with ids of its own: real records in numbers nobody would wait for.
 */
#include <stdlib.h>
#include <string.h>

#include "event/capture.h"
#include "event/event.h"
#include "pyimport_charge.h"
#include "pyimport_file.h"

#define ID_STEP 5000u /* more than IN has of any kind of id */

static __u32 copy;

static void move(__u32 *id)
{
	if (*id)
		*id += copy * ID_STEP;
}

static void move_globals(__u64 *globals)
{
	if (*globals)
		*globals += (__u64)copy << 44;
}

/* Causes: counted by span in the kernel. */
static void move_cause(struct pyi_hdr *hdr)
{
	struct pyi_charge_record *charge = (void *)hdr;
	struct pyi_file *file = (void *)hdr;
	struct pyi_net *net = (void *)hdr;

	switch (hdr->kind) {
	case PYI_EV_CHARGE:
		if (charge->span != PYI_OUTSIDE_OTHERS)
			move(&charge->span);
		move(&charge->below);
		break;
	case PYI_EV_FILE:
		file->key.serial += copy * 100;
		move(&file->key.span);
		break;
	case PYI_EV_NET:
		net->value.id += (__u64)copy << 32;
		move(&net->value.span);
		break;
	case PYI_EV_LINK:
		move(&((struct pyi_link *)hdr)->span);
		break;
	case PYI_EV_SPAWN:
		move(&((struct pyi_spawn *)hdr)->span);
		break;
	case PYI_EV_EFFECT:
		move(&((struct pyi_effect *)hdr)->span);
		break;
	}
}

static void move_record(struct pyi_hdr *hdr)
{
	struct pyi_begin *begin = (void *)hdr;
	struct pyi_edge *edge = (void *)hdr;
	struct pyi_code *code = (void *)hdr;
	struct pyi_frames *frames = (void *)hdr;

	hdr->proc += copy * 100;
	hdr->tgid += copy * 100;
	hdr->tid += copy * 100;
	hdr->ts_ns += copy * 1000000000ULL;
	switch (hdr->kind) {
	case PYI_EV_FORK:
		((struct pyi_fork *)hdr)->child_proc += copy * 100;
		((struct pyi_fork *)hdr)->child_tgid += copy * 100;
		break;
	case PYI_EV_BEGIN:
		move(&begin->id);
		move(&begin->parent);
		move(&begin->edge);
		move(&begin->frame.code);
		move(&begin->code);
		move_globals(&begin->globals);
		break;
	case PYI_EV_END:
		move(&((struct pyi_end *)hdr)->id);
		break;
	case PYI_EV_MARK:
		move(&((struct pyi_mark *)hdr)->id);
		move(&((struct pyi_mark *)hdr)->frame.code);
		break;
	case PYI_EV_EDGE:
		move(&edge->id);
		move(&edge->span);
		move(&edge->frame.code);
		break;
	case PYI_EV_CODE:
		move(&code->id);
		move_globals(&code->globals);
		break;
	case PYI_EV_FRAMES:
		move(&frames->span);
		move(&frames->edge);
		for (__u32 i = 0; i < frames->cnt && i < PYI_MAX_FRAMES; i++)
			move(&frames->frames[i].code);
		break;
	case PYI_EV_FROM:
	case PYI_EV_BOUND:
		move(&((struct pyi_from *)hdr)->edge);
		break;
	case PYI_EV_EDGE_COUNT:
		move(&((struct pyi_edge_count *)hdr)->id);
		((struct pyi_edge_count *)hdr)->first_ns += copy * 1000000000ULL;
		break;
	default:
		move_cause(hdr);
	}
}

static int append(const char *path, struct capture_writer *writer, int is_last)
{
	struct capture_reader *reader;
	struct capture_frame frame;
	FILE *in = fopen(path, "r");
	int err = in ? capture_reader__new(in, &reader) : -1;

	if (err)
		return err;
	while (!err && (err = capture_reader__next(reader, &frame)) == 1) {
		if (frame.type == CAPTURE_RECORD)
			move_record((struct pyi_hdr *)frame.data);
		err = frame.type == CAPTURE_RECORD || (is_last && frame.type != CAPTURE_RECORD) ?
			      capture_writer__put(writer, frame.type, frame.data, frame.size) : 0;
	}
	capture_reader__free(reader);
	fclose(in);
	return err;
}

int main(int argc, char **argv)
{
	__u32 cnt = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	FILE *out = cnt ? fopen(argv[3], "w") : NULL;
	struct capture_writer *writer;
	int err;

	if (!out || capture_writer__new(out, &writer))
		return 2;
	for (err = 0; !err && copy < cnt; copy++)
		err = append(argv[1], writer, copy + 1 == cnt);
	if (!err)
		err = capture_writer__flush(writer);
	capture_writer__free(writer);
	return err || fclose(out) ? 1 : 0;
}
