// SPDX-License-Identifier: BSD-2-Clause
/* See distance.h. Optimal string alignment; of its table three rows are kept. */
#include "base/distance.h"

#include <ctype.h>
#include <string.h>

#define TEXT_MAX 63
#define WORD_MAX 40 /* longer is no typing error */

static size_t fold(const char *text, char out[TEXT_MAX])
{
	size_t sz = strnlen(text, TEXT_MAX);

	for (size_t i = 0; i < sz; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return sz;
}

size_t text_distance(const char *a_text, const char *b_text)
{
	size_t rows[3][TEXT_MAX + 1], a_sz, b_sz;
	char a[TEXT_MAX], b[TEXT_MAX];

	a_sz = fold(a_text, a);
	b_sz = fold(b_text, b);
	for (size_t j = 0; j <= b_sz; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_sz; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *over = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_sz; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			best = above[j] + 1 < best ? above[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    over[j - 2] + 1 < best)
				best = over[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[a_sz % 3][b_sz];
}

const char *text_nearest(const char *word, const char *const *names)
{
	size_t word_sz = strlen(word), least = word_sz / 3 + 1;
	const char *nearest = NULL;

	if (word_sz > WORD_MAX)
		return NULL;
	for (; *names; names++) {
		size_t far = text_distance(word, *names);

		/* The head of a name, as people type it. */
		if (word_sz > 1 && !strncmp(word, *names, word_sz))
			far = 1;
		if (far < least + !nearest) {
			least = far;
			nearest = *names;
		}
	}
	return nearest;
}
