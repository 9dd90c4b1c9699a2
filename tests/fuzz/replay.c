// SPDX-License-Identifier: BSD-2-Clause
/*
 * The fuzz targets without libFuzzer: every file named, and of each some deterministic changes, so
 * that `make check` tries the same inputs everywhere.
 */
#include "fuzz.h"

#define CHANGES 200
#define INPUT_MAX (1 << 20)

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* From a block of its exact size, so that ASan sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_changed(const uint8_t *data, size_t size, uint32_t seed)
{
	uint8_t *copy = malloc(size + 1);
	uint32_t state = seed + 1;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	for (uint32_t i = next_random(&state) % 8; i-- && size;) {
		size_t at = next_random(&state) % size;

		switch (next_random(&state) % 4) {
		case 0: copy[at] ^= 1 << next_random(&state) % 8; break;
		case 1: copy[at] = next_random(&state); break;
		case 2: copy[at] = next_random(&state) % 2 ? 0 : 0xff; break;
		case 3: size = at; break;
		}
	}
	run(copy, size);
	free(copy);
}

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];

	for (int i = 1; i < argc; i++) {
		FILE *in = fopen(argv[i], "r");
		size_t size;

		if (!in) {
			perror(argv[i]);
			return 1;
		}
		size = fread(data, 1, sizeof(data), in);
		fclose(in);
		run(data, size);
		for (uint32_t seed = 0; seed < CHANGES && size < 65536; seed++)
			run_changed(data, size, seed);
	}
	return 0;
}
