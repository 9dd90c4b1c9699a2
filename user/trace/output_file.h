/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file for a report or a capture: it holds command lines and paths of all users, so it is 0600
 * and belongs to whoever asked, under sudo the invoking user. What is there already keeps its
 * content until the new one is worth keeping: that is written beside it and renamed, or, where the
 * name cannot be changed later (privileges are given up while tracing, and a file may be a mount),
 * copied over it once the disk has promised the room.
 *
 * In a directory that others may write to no link is followed, and no pipe, device or file of
 * another user written to. Elsewhere links are followed and pipes and devices written to as they
 * are: /dev/stdout, /dev/null, /dev/fd/63.
 */
#ifndef TRACE_OUTPUT_FILE_H
#define TRACE_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct output_file { /* starts as {0} */
	FILE *file;      /* what to write to; NULL: not open */
	char *name, *temp; /* below dir_fd: where it is to be, and where it is until it is kept */
	int dir_fd;
	int old_fd;      /* the file to copy over, -1: none */
	bool is_early, is_placed, is_kept;
};

/*
 * @is_early: placed before anything is written, and while we have all privileges. -ELOOP: others
 * could have put there what is there. Else of opening.
 */
int output_file__open(const char *path, bool is_early, struct output_file *out);

/* Gives the file its name; what was there before is gone. Writing may go on. */
int output_file__place(struct output_file *out);

/* Flushes, places it, and from now on it stays. */
int output_file__keep(struct output_file *out);

/* What was not kept is removed. */
void output_file__close(struct output_file *out);

#endif
