/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares files of equal size that one process used, and tells the model which are the same. */
#ifndef TRACE_FACTS_SAME_CONTENT_H
#define TRACE_FACTS_SAME_CONTENT_H

struct ended_files;
struct model;

/*
 * When tracing is over, before model__finish, or with @ended after it. 0 or -ENOMEM: what cannot be
 * read is left out.
 */
int same_content__compare(struct model *model, struct ended_files *ended);

#endif
