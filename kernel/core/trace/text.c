/* SPDX-License-Identifier: MIT */
/* text.c - see text.h. */
#include "core/trace/text.h"

#include "lib/printf.h"
#include "lib/string.h"

#include <stdarg.h>

void text_add(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->len += kvscnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
}

void text_put(struct text *t, const char *data, size_t size)
{
	size_t got = MIN(size, t->size - t->len - 1);

	memcpy(t->buf + t->len, data, got);
	t->len += got;
	t->buf[t->len] = '\0';
}

static bool is_octal(unsigned char c)
{
	return c >= '0' && c <= '7';
}

static void add_char(struct text *t, unsigned char c, bool digit_follows)
{
	static const char letters[] = "\"\"\\\\\nn\tt\rr\vv\ff";
	char escape[2] = {'\\', (char)c};

	if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
		text_put(t, &escape[1], 1);
		return;
	}
	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (c == (unsigned char)letters[i]) {
			escape[1] = letters[i + 1];
			text_put(t, escape, 2);
			return;
		}
	}
	text_add(t, digit_follows ? "\\%03o" : "\\%o", c);
}

void text_add_quoted(struct text *t, const void *data, size_t size, bool is_cut)
{
	const unsigned char *s = data;

	text_add(t, "\"");
	for (size_t i = 0; i < size; i++)
		add_char(t, s[i], i + 1 < size && is_octal(s[i + 1]));
	text_add(t, is_cut ? "\"..." : "\"");
}

void text_add_quoted_hex(struct text *t, const void *data, size_t size, bool is_cut)
{
	const unsigned char *s = data;

	text_add(t, "\"");
	for (size_t i = 0; i < size; i++)
		text_add(t, "\\x%02x", s[i]);
	text_add(t, is_cut ? "\"..." : "\"");
}

void text_add_address(struct text *t, uint64_t addr)
{
	if (addr == 0)
		text_add(t, "NULL");
	else
		text_add(t, "%#llx", (unsigned long long)addr);
}
