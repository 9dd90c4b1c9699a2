/* SPDX-License-Identifier: BSD-2-Clause */
/* Budget files: YAML to struct budget, and new limits into the text of one. */
#ifndef CLI_BUDGET_BUDGET_H
#define CLI_BUDGET_BUDGET_H

#include <stdio.h>

#include "model/compare/budget.h"

#define BUDGET_SZ_MAX (1 << 20)

/*
 * Reads a budget. What is not understood is an error with its line, logged: a limit that is
 * mistyped must not pass for one that holds. 0, -EINVAL, or -errno of reading.
 */
int budget_read(const char *path, struct budget *out);

/*
 * Reads the whole text, malloc'd. 0, -EINVAL (logged): larger, nested deeper or with more
 * names and values than a budget has; -EIO, -ENOMEM.
 */
int budget_text(FILE *file, const char *path, char **text, size_t *sz);

/* budget_read from @file; @path is for messages. */
int budget_parse(FILE *file, const char *path, struct budget *out);

/* "350 ms", "48 mb", "312": as a person would write it, never less than the value. */
#define BUDGET_VALUE_SZ 32
void budget_value(char buf[BUDGET_VALUE_SZ], enum metric metric, __u64 value);

/*
 * Writes the limits of @budget, which was read from @path, over those in the file; all else
 * stays as it is, comments too. The file is replaced in one step. Logs what fails.
 */
int budget_write(const char *path, const struct budget *budget);

/*
 * Sets the limits of @entry that are set to what the runs took: counts as they are, times with a
 * quarter more. 0 or -ENOMEM.
 */
int budget_measure(struct budget_entry *entry, struct model *const *models, size_t cnt);

/* A new file with one entry, for @argv unless that is NULL. Logs what fails. */
int budget_write_first(const char *path, char *const *argv);

#endif
