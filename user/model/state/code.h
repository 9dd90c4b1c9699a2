/* SPDX-License-Identifier: BSD-2-Clause */
/* Code objects, the places in them, and which of them a person would not call an importer. */
#ifndef MODEL_STATE_CODE_H
#define MODEL_STATE_CODE_H

#include "model/state.h"

int code_add(struct model *model, const struct pyi_code *rec);
struct code *code_find(struct model *model, __u32 id);
struct site code_site(struct model *model, const struct pyi_frame *frame);
/* Of a Python stack: who asked for an import, without importlib's own frames. */
__u32 import_code(struct model *model, const struct frames *frames); /* 0 = unknown */
struct site import_site(struct model *model, const struct frames *frames);
/* Of a Python stack: who ran a module's body. */
struct site body_site(struct model *model, const struct frames *frames);
/* A copy in the model's arena; NULL: out of memory. */
struct frames *frames_of(struct model *model, const struct pyi_frames *rec);
bool code_is_importlib(const struct code *code);
bool code_is_machinery(const struct code *code);

#endif
