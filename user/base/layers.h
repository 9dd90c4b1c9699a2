/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layers of the import model, one bit each: user/interpreters finds out which ones work on an
 * interpreter, user/report names them, and neither knows the other.
 */
#ifndef BASE_LAYERS_H
#define BASE_LAYERS_H

/* What of the import model works on this file; each missing layer has a line in its notes. */
enum interp_layer {
	INTERP_LAYER_FIND = 1 << 0,    /* FIND bracket: exact loads by the import function */
	INTERP_LAYER_IMPORT = 1 << 1,  /* import statements, cached ones too */
	INTERP_LAYER_BODY = 1 << 2,
	INTERP_LAYER_EXECDEF = 1 << 3,
	INTERP_LAYER_DLOPEN = 1 << 4,
	INTERP_LAYER_DYNAMIC = 1 << 5,
	INTERP_LAYER_SEARCH = 1 << 6,  /* import_module and reload */
	INTERP_LAYER_FRAMES = 1 << 7,  /* importer's file and line */
	INTERP_LAYER_NAMES = 1 << 8,   /* str objects can be read */
};

#endif
