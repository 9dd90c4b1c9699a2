/* SPDX-License-Identifier: BSD-2-Clause */
/* A program told as a stream, module by module, and the advice on it. */
#ifndef ADVICE_PROGRAM_H
#define ADVICE_PROGRAM_H

#include "model/advice/advice.h"
#include "stream.h"

#define MS 1000000ULL

static struct stream s;
static __u32 next_code;

static inline void open_program(void)
{
	stream_open(&s);
	stream_exec(&s, 1 * MS, 50, "python3", 8);
	stream_code(&s, 10, 0x10, "__main__", "", "/app/main.py", "<module>", 1, 40);
	stream_body(&s, 2 * MS, 1, 0, 10, 0x10, "__main__");
	next_code = 11;
}

/* Opens a module asked for by @line of the code @by inside span @above. Body: id + 1. */
static inline __u32 open_module(__u64 ms, __u32 id, const char *name, const char *file, __u32 by,
				int line, __u32 above)
{
	__u32 code = next_code++;

	stream_code(&s, code, code, name, "", file, "<module>", 1, 40);
	stream_edge(&s, ms * MS - 5, 1000 + id, above, 0, 0, by, 2 * (line - 1), name);
	stream_open_load(&s, ms * MS, id, above, 1000 + id, code, code, name);
	return code;
}

static inline void found(__u64 ms, __u32 id, const char *name, __u32 by, int line, __u32 above)
{
	stream_edge(&s, ms * MS, 1000 + id, above, 0, 0, by, 2 * (line - 1), name);
}

static inline struct advice *close_program(__u64 ms)
{
	struct advice *advice = NULL;

	stream_end(&s, ms * MS, 1);
	stream_finish(&s, (ms + 1) * MS);
	CHECK(!advice__new(stream_process(&s, 1), &advice));
	return advice;
}

static inline void end(struct advice *advice)
{
	advice__free(advice);
	stream_close(&s);
}

static inline const struct finding *finding_at(const struct advice *advice, enum finding_rule rule,
					const char *file, int line)
{
	for (size_t i = 0; i < advice->finding_cnt; i++) {
		const struct finding *it = &advice->findings[i];

		if (it->rule == rule && it->site.line == line && it->site.file &&
		    !strcmp(it->site.file, file))
			return it;
	}
	return NULL;
}

static inline bool is_near(__u64 ns, __u64 ms)
{
	return ns + MS > ms * MS && ns < ms * MS + MS;
}

#endif /* ADVICE_PROGRAM_H */
