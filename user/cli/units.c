// SPDX-License-Identifier: BSD-2-Clause
/* Values of options: numbers, with units where that helps. No option is known here. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/opts.h"

struct unit {
	const char *name;
	__u64 factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	{ "m", 60000000000 }, { "min", 60000000000 }, { "h", 3600000000000 },
	{ "d", 86400000000000 }, {},
};

/* As reports write them: a kB is 1000 bytes, a KiB 1024. */
static const struct unit size_units[] = {
	{ "b", 1 }, { "k", 1000 }, { "kb", 1000 }, { "kib", 1 << 10 }, { "m", 1000000 },
	{ "mb", 1000000 }, { "mib", 1 << 20 }, { "g", 1000000000 }, { "gb", 1000000000 },
	{ "gib", 1 << 30 }, {},
};

static int find_factor(const struct unit *units, const char *name, __u64 *factor)
{
	for (; units->name; units++) {
		if (!strcasecmp(units->name, name)) {
			*factor = units->factor;
			return 0;
		}
	}
	return -EINVAL;
}

/* NUMBER[.FRACTION][UNIT] in integer arithmetic; at most nine digits of fraction count. */
static int parse_units(const char *text, const struct unit *units, __u64 bare, __u64 *out)
{
	__u64 whole = 0, fraction = 0, scale = 1, factor = bare, value;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (__u64)(*text - '0'), &whole))
			return -ERANGE;
	}
	if (*text == '.') {
		text++;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++) {
			if (scale < 1000000000) {
				fraction = fraction * 10 + (*text - '0');
				scale *= 10;
			}
		}
	}
	if (*text && find_factor(units, text, &factor))
		return -EINVAL;
	if (__builtin_mul_overflow(whole, factor, &value) ||
	    __builtin_add_overflow(value, (__u64)((unsigned __int128)fraction * factor / scale),
				   &value))
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_duration(const char *text, __u64 *ns)
{
	__u64 value;
	int err = parse_units(text, time_units, 1000000000, &value);

	if (err)
		return err;
	if (!value || value > (__u64)INT64_MAX)
		return -ERANGE;
	*ns = value;
	return 0;
}

int parse_bytes(const char *text, size_t *bytes)
{
	__u64 value;
	int err = parse_units(text, size_units, 1, &value);

	if (err)
		return err;
	if (value > SIZE_MAX)
		return -ERANGE;
	*bytes = value;
	return 0;
}

int parse_count(const char *text, size_t min, size_t max, size_t *out)
{
	static const struct unit no_units[] = { {} };
	__u64 value;
	int err = strchr(text, '.') ? -EINVAL : parse_units(text, no_units, 1, &value);

	if (err)
		return err;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_share(const char *text, double *share)
{
	static const struct unit percent[] = { { "%", 1000000 }, {} };
	__u64 value;
	int err = text[strspn(text, "0123456789.")] ? parse_units(text, percent, 1, &value) : -EINVAL;

	if (err)
		return err;
	if (value > 100000000)
		return -ERANGE;
	*share = (double)value / 100000000;
	return 0;
}

int parse_tgids(const char *text, pid_t **tgids, size_t *cnt)
{
	for (;;) {
		size_t sz = strcspn(text, ",");
		char number[16];
		size_t value;
		pid_t *grown;
		int err;

		if (!sz || sz >= sizeof(number))
			return -EINVAL;
		memcpy(number, text, sz);
		number[sz] = '\0';
		err = parse_count(number, 1, INT_MAX, &value);
		if (err)
			return err;
		grown = realloc(*tgids, (*cnt + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*tgids = grown;
		grown[(*cnt)++] = value;
		if (!text[sz])
			return 0;
		text += sz + 1;
	}
}

int parse_names(const char *text, char sep, char ***names, size_t *cnt)
{
	for (;;) {
		size_t sz = strchrnul(text, sep) - text, i = 0;
		char **grown;

		if (!sz)
			return -EINVAL;
		while (i < *cnt && (strncmp((*names)[i], text, sz) || (*names)[i][sz]))
			i++;
		if (i == *cnt) {
			grown = reallocarray(*names, *cnt + 1, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			*names = grown;
			grown[*cnt] = strndup(text, sz);
			if (!grown[*cnt])
				return -ENOMEM;
			(*cnt)++;
		}
		if (!text[sz])
			return 0;
		text += sz + 1;
	}
}
