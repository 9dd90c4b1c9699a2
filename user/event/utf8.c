// SPDX-License-Identifier: BSD-2-Clause
/* Text as CPython stores it (one, two or four bytes per character) to UTF-8. */
#include <string.h>

#include "event/event.h"

#define REPLACEMENT 0xfffd
#define ELLIPSIS "\xe2\x80\xa6"

static size_t put(char *dst, __u32 ch)
{
	if (!ch || (ch >= 0xd800 && ch < 0xe000) || ch > 0x10ffff)
		ch = REPLACEMENT;
	if (ch < 0x80) {
		dst[0] = ch;
		return 1;
	}
	if (ch < 0x800) {
		dst[0] = 0xc0 | ch >> 6;
		dst[1] = 0x80 | (ch & 0x3f);
		return 2;
	}
	if (ch < 0x10000) {
		dst[0] = 0xe0 | ch >> 12;
		dst[1] = 0x80 | (ch >> 6 & 0x3f);
		dst[2] = 0x80 | (ch & 0x3f);
		return 3;
	}
	dst[0] = 0xf0 | ch >> 18;
	dst[1] = 0x80 | (ch >> 12 & 0x3f);
	dst[2] = 0x80 | (ch >> 6 & 0x3f);
	dst[3] = 0x80 | (ch & 0x3f);
	return 4;
}

/* One character of a byte string that claims to be UTF-8; U+FFFD for each byte that is not. */
static size_t take_utf8(const unsigned char *src, size_t sz, __u32 *ch)
{
	static const __u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = src[0] < 0x80 ? 1 : (src[0] & 0xe0) == 0xc0 ? 2 :
		     (src[0] & 0xf0) == 0xe0 ? 3 : (src[0] & 0xf8) == 0xf0 ? 4 : 0;

	*ch = REPLACEMENT;
	if (!len || len > sz)
		return 1;
	if (len == 1) {
		*ch = src[0];
		return 1;
	}
	__u32 value = src[0] & (0x7f >> len);

	for (size_t i = 1; i < len; i++) {
		if ((src[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (src[i] & 0x3f);
	}
	if (value < least[len])
		return 1;
	*ch = value;
	return len;
}

size_t event_utf8_max(const struct pyi_str *str)
{
	return (size_t)str->sz * 3 + sizeof(ELLIPSIS);
}

bool event_is_cut(const struct pyi_str *str)
{
	return str->full_chars > str->sz / (str->kind ? str->kind : 1);
}

size_t event_utf8(const struct pyi_str *str, const char *text, char *dst)
{
	const unsigned char *src = (const unsigned char *)text;
	size_t width = str->kind ? str->kind : 1, len = 0, i = 0;
	__u16 half;
	__u32 ch;

	while (i + width <= str->sz) {
		if (!str->kind) {
			i += take_utf8(src + i, str->sz - i, &ch);
		} else {
			if (width == 1) {
				ch = src[i];
			} else if (width == 2) {
				memcpy(&half, src + i, 2);
				ch = half;
			} else {
				memcpy(&ch, src + i, 4);
			}
			i += width;
		}
		len += put(dst + len, ch);
	}
	if (event_is_cut(str)) {
		memcpy(dst + len, ELLIPSIS, sizeof(ELLIPSIS) - 1);
		len += sizeof(ELLIPSIS) - 1;
	}
	dst[len] = 0;
	return len;
}
