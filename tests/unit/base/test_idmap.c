// SPDX-License-Identifier: BSD-2-Clause
/* The table of ids: sequences, holes, and ids that were chosen to collide. */
#include <errno.h>
#include <stdlib.h>

#include "base/idmap.h"
#include "unit.h"

static void test_sequence(void)
{
	struct idmap map = {};

	CHECK(!idmap__find(&map, 0) && !idmap__find(&map, 7));
	for (__u32 id = 0; id < 100000; id++)
		CHECK(!idmap__add(&map, id * 3, (void *)(size_t)(id + 1)));
	for (__u32 id = 0; id < 100000; id++)
		if (idmap__find(&map, id * 3) != (void *)(size_t)(id + 1) ||
		    idmap__find(&map, id * 3 + 1))
			FAIL("id %u", id);
	CHECK(map.cnt == 100000);
	idmap__free(&map);
	CHECK(!map.slots && !idmap__find(&map, 3));
}

/* As many processes each with a range of its own would have them, and at both ends. */
static void test_strides(void)
{
	static const __u32 strides[] = { 16, 1000, 4096, 5000, 65536, 1u << 20 };

	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		struct idmap map = {};

		for (__u32 n = 0; n < 4000; n++)
			CHECK(!idmap__add(&map, ~0u - n * strides[i], &map));
		for (__u32 n = 0; n < 4000; n++)
			CHECK(idmap__find(&map, ~0u - n * strides[i]) == &map);
		idmap__free(&map);
	}
}

int main(void)
{
	RUN(test_sequence);
	RUN(test_strides);
	return unit_result();
}
