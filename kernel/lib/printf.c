/* SPDX-License-Identifier: MIT */
/* printf.c - formatting into a buffer: see printf.h. */
#include "lib/printf.h"

#include "lib/string.h"

#include <limits.h>

/* What is being written: all is counted, what fits is stored. */
struct sink {
	char *buf;
	size_t size;
	size_t count;
};

enum size_mod { MOD_NONE, MOD_CHAR, MOD_SHORT, MOD_LONG }; /* all of 64 bits are LONG */

/* One conversion: %[flags][width][.precision][size]kind */
struct spec {
	bool is_left;
	bool is_zero_padded;
	bool is_alternate;
	char plus; /* '+', ' ' or 0: what stands before a number that is not negative */
	int width;
	int precision; /* -1: none given */
	enum size_mod mod;
	char kind;
};

static void put_bytes(struct sink *out, const char *s, size_t len)
{
	if (out->count < out->size)
		memcpy(out->buf + out->count, s, MIN(len, out->size - out->count));
	out->count += len;
}

static void put_fill(struct sink *out, char c, size_t len)
{
	if (out->count < out->size)
		memset(out->buf + out->count, c, MIN(len, out->size - out->count));
	out->count += len;
}

/* Writes prefix, zeros zeros and body, padded to the width. */
static void put_padded(struct sink *out, const struct spec *spec, const char *prefix,
		       size_t zeros, const char *body, size_t len)
{
	size_t prefix_len = strlen(prefix);
	size_t used = prefix_len + zeros + len;
	size_t pad = (size_t)spec->width > used ? (size_t)spec->width - used : 0;

	if (!spec->is_left)
		put_fill(out, ' ', pad);
	put_bytes(out, prefix, prefix_len);
	put_fill(out, '0', zeros);
	put_bytes(out, body, len);
	if (spec->is_left)
		put_fill(out, ' ', pad);
}

static void put_number(struct sink *out, const struct spec *spec, uint64_t value,
		       const char *prefix)
{
	const char *digits = spec->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	bool is_hex = spec->kind == 'x' || spec->kind == 'X' || spec->kind == 'p';
	unsigned base = is_hex ? 16 : spec->kind == 'o' ? 8 : 10;
	char text[24];
	size_t len = 0;

	for (uint64_t v = value; v; v /= base)
		text[sizeof(text) - ++len] = digits[v % base];

	size_t want = spec->precision < 0 ? 1 : (size_t)spec->precision;

	if (spec->kind == 'o' && spec->is_alternate)
		want = MAX(want, len + (value != 0 || spec->precision == 0));
	if (spec->precision < 0 && spec->is_zero_padded && !spec->is_left) {
		size_t width = (size_t)spec->width;
		size_t prefix_len = strlen(prefix);

		want = MAX(want, width > prefix_len ? width - prefix_len : 0);
	}
	put_padded(out, spec, prefix, want > len ? want - len : 0,
		   text + sizeof(text) - len, len);
}

static void put_signed(struct sink *out, const struct spec *spec, int64_t value)
{
	char plus[2] = {spec->plus, 0};

	if (value < 0)
		put_number(out, spec, 0 - (uint64_t)value, "-");
	else
		put_number(out, spec, (uint64_t)value, plus);
}

static void put_unsigned(struct sink *out, const struct spec *spec, uint64_t value)
{
	const char *prefix = "";

	if (value && spec->is_alternate && spec->kind == 'x')
		prefix = "0x";
	else if (value && spec->is_alternate && spec->kind == 'X')
		prefix = "0X";
	put_number(out, spec, value, prefix);
}

static void put_string(struct sink *out, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	put_padded(out, spec, "", 0, s,
		   spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision));
}

static const char *parse_flags(const char *f, struct spec *spec)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			spec->is_left = true;
			break;
		case '0':
			spec->is_zero_padded = true;
			break;
		case '#':
			spec->is_alternate = true;
			break;
		case '+':
			spec->plus = '+';
			break;
		case ' ':
			if (!spec->plus)
				spec->plus = ' ';
			break;
		default:
			return f;
		}
	}
}

static const char *parse_int(const char *f, int *out)
{
	int value = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *f - '0', &value))
			value = INT_MAX;
	*out = value;
	return f;
}

static const char *parse_mod(const char *f, enum size_mod *out)
{
	*out = MOD_NONE;
	switch (*f) {
	case 'h':
		*out = f[1] == 'h' ? MOD_CHAR : MOD_SHORT;
		return f + (f[1] == 'h' ? 2 : 1);
	case 'l':
		*out = MOD_LONG;
		return f + (f[1] == 'l' ? 2 : 1);
	case 'z':
	case 'j':
	case 't':
		*out = MOD_LONG;
		return f + 1;
	default:
		return f;
	}
}

/* The va_list is wrapped so that callees advance the caller's. */
struct arguments {
	va_list list;
};

static int64_t next_signed(struct arguments *args, enum size_mod mod)
{
	if (mod == MOD_LONG)
		return va_arg(args->list, long);

	int value = va_arg(args->list, int);

	return mod == MOD_CHAR	  ? (signed char)value
	       : mod == MOD_SHORT ? (short)value
				  : value;
}

static uint64_t next_unsigned(struct arguments *args, enum size_mod mod)
{
	if (mod == MOD_LONG)
		return va_arg(args->list, unsigned long);

	unsigned value = va_arg(args->list, unsigned);

	return mod == MOD_CHAR	  ? (unsigned char)value
	       : mod == MOD_SHORT ? (unsigned short)value
				  : value;
}

/* Parses the conversion after the %, taking `*` from the arguments. */
static const char *parse_spec(const char *f, struct spec *spec, struct arguments *args)
{
	*spec = (struct spec){.precision = -1};
	f = parse_flags(f, spec);
	if (*f == '*') {
		f++;
		spec->width = va_arg(args->list, int);
		if (spec->width < 0) {
			spec->is_left = true;
			spec->width = spec->width == INT_MIN ? INT_MAX : -spec->width;
		}
	} else {
		f = parse_int(f, &spec->width);
	}
	if (*f == '.') {
		f++;
		if (*f == '*') {
			f++;
			spec->precision = va_arg(args->list, int);
			if (spec->precision < 0)
				spec->precision = -1;
		} else {
			f = parse_int(f, &spec->precision);
		}
	}
	f = parse_mod(f, &spec->mod);
	spec->kind = *f;
	return f + (*f != 0);
}

/* Returns false, nothing written, for a kind we do not know. */
static bool put_conversion(struct sink *out, const struct spec *spec,
			   struct arguments *args)
{
	const void *p;
	char c;

	switch (spec->kind) {
	case 'd':
	case 'i':
		put_signed(out, spec, next_signed(args, spec->mod));
		return true;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_unsigned(out, spec, next_unsigned(args, spec->mod));
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_padded(out, spec, "", 0, &c, 1);
		return true;
	case 's':
		put_string(out, spec, va_arg(args->list, const char *));
		return true;
	case 'p':
		p = va_arg(args->list, const void *);
		if (p)
			put_number(out, spec, (uint64_t)(uintptr_t)p, "0x");
		else
			put_padded(out, spec, "", 0, "(nil)", 5);
		return true;
	case '%':
		put_bytes(out, "%", 1);
		return true;
	default:
		return false;
	}
}

int kvsnprintf(char *buf, size_t size, const char *format, va_list list)
{
	struct sink out = {.buf = buf, .size = size ? size - 1 : 0};
	struct arguments args;
	const char *f = format;

	va_copy(args.list, list);
	while (*f) {
		const char *start = f;
		struct spec spec;

		if (*f != '%') {
			while (*f && *f != '%')
				f++;
			put_bytes(&out, start, (size_t)(f - start));
			continue;
		}
		f = parse_spec(f + 1, &spec, &args);
		if (!put_conversion(&out, &spec, &args))
			put_bytes(&out, start, (size_t)(f - start));
	}
	va_end(args.list);
	if (size)
		buf[MIN(out.count, out.size)] = 0;
	return out.count > INT_MAX ? -1 : (int)out.count;
}

int ksnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);

	int len = kvsnprintf(buf, size, format, args);

	va_end(args);
	return len;
}

size_t kvscnprintf(char *buf, size_t size, const char *format, va_list args)
{
	int len = kvsnprintf(buf, size, format, args);

	if (size == 0)
		return 0;
	return len < 0 ? size - 1 : MIN((size_t)len, size - 1);
}

size_t kscnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);

	size_t len = kvscnprintf(buf, size, format, args);

	va_end(args);
	return len;
}
