// SPDX-License-Identifier: BSD-2-Clause
/* Words for the model's enums: the same in text and in JSON, whose contract they are part of. */
#include "base/layers.h"
#include "report/view.h"
#include "report/enum_words.h"

#define WORD(table, index) \
	((size_t)(index) < sizeof(table) / sizeof((table)[0]) ? (table)[index] : NULL)

const char *word_result(enum load_result result)
{
	static const char *const words[] = {
		[LOAD_LOADED] = "loaded", [LOAD_FAILED] = "failed",
		[LOAD_UNFINISHED] = "unfinished",
	};

	return WORD(words, result);
}

const char *word_kind(enum load_kind kind)
{
	static const char *const words[] = {
		[KIND_UNKNOWN] = "unknown", [KIND_SOURCE] = "source", [KIND_BYTECODE] = "bytecode",
		[KIND_EXTENSION] = "extension", [KIND_BUILTIN] = "builtin",
		[KIND_FROZEN] = "frozen", [KIND_NAMESPACE] = "namespace", [KIND_ZIP] = "zip",
		[KIND_LAZY] = "lazy",
	};
	const char *word = WORD(words, kind);

	return word ? word : words[KIND_UNKNOWN];
}

const char *word_via(enum load_via via)
{
	static const char *const words[] = {
		[VIA_STATEMENT] = "statement", [VIA_IMPORT_MODULE] = "import_module",
		[VIA_MAIN] = "main", [VIA_RELOAD] = "reload", [VIA_NATIVE] = "native",
		[VIA_LAZY] = "lazy", [VIA_LOADER] = "loader",
	};

	return WORD(words, via);
}

const char *word_lib_via(enum lib_via via)
{
	static const char *const words[] = {
		[LIB_IMPORT] = "import", [LIB_NEEDED] = "needed", [LIB_START] = "start",
		[LIB_EXPLICIT] = "explicit",
	};

	return WORD(words, via);
}

/* The numbers of Linux. */
const char *word_family(unsigned int family)
{
	return family == 1 ? "unix" : family == 2 ? "inet" : family == 10 ? "inet6" :
	       family == 40 ? "vsock" : NULL;
}

const char *word_net_kind(enum pyi_net_kind kind)
{
	static const char *const words[] = {
		[PYI_NET_CONNECT] = "connect", [PYI_NET_DNS] = "dns", [PYI_NET_LISTEN] = "listen",
		[PYI_NET_ACCEPT] = "accept",
	};

	return WORD(words, kind);
}

const char *word_layer(unsigned int index)
{
	static const struct {
		unsigned int layer;
		const char *word;
	} layers[] = {
		{ INTERP_LAYER_FIND, "find" }, { INTERP_LAYER_IMPORT, "import" },
		{ INTERP_LAYER_BODY, "body" }, { INTERP_LAYER_EXECDEF, "execdef" },
		{ INTERP_LAYER_DLOPEN, "dlopen" }, { INTERP_LAYER_DYNAMIC, "dynamic" },
		{ INTERP_LAYER_SEARCH, "search" }, { INTERP_LAYER_FRAMES, "frames" },
		{ INTERP_LAYER_NAMES, "names" },
	};

	for (size_t i = 0; index < 32 && i < sizeof(layers) / sizeof(layers[0]); i++)
		if (layers[i].layer == 1U << index)
			return layers[i].word;
	return NULL;
}

const char *word_cache(enum cache_state cache)
{
	static const char *const words[] = {
		[CACHE_WARM] = "warm", [CACHE_MIXED] = "mixed", [CACHE_COLD] = "cold",
	};

	return words[cache];
}
