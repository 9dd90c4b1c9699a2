/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks into the shared objects that were mapped, and tells the model what they need. */
#ifndef CLI_LIBS_H
#define CLI_LIBS_H

struct model;

/* After the last record, before model__finish. Files that cannot be read stay unknown. -ENOMEM. */
int libs_describe(struct model *model);

#endif
