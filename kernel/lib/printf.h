/* SPDX-License-Identifier: MIT */
/* printf.h - formatting into a buffer.
 *
 * %d %i %u %x %X %o %c %s %p %% with the flags - + 0 # and space, width and precision
 * (also `*`), and the sizes hh h l ll z j t. No floating point, no wide characters, no
 * %n: an unknown conversion is printed as it stands. %s of NULL prints (null).
 * The kernel writes snprintf(); hosted unit tests, which have another one, ksnprintf().
 */
#pragma once
#include "abi/types.h"

#include <stdarg.h>

/* Writes at most size bytes, the last of them NUL (nothing if size is 0). Returns the
 * length that the whole text has, without the NUL, or -1 if it passes INT_MAX. */
int ksnprintf(char *buf, size_t size, const char *format, ...) PRINTF(3, 4);
int kvsnprintf(char *buf, size_t size, const char *format, va_list args) PRINTF(3, 0);

/* As ksnprintf, but returns what is in the buffer: at most size - 1, never negative. */
size_t kscnprintf(char *buf, size_t size, const char *format, ...) PRINTF(3, 4);
size_t kvscnprintf(char *buf, size_t size, const char *format, va_list args) PRINTF(3, 0);

#if !__STDC_HOSTED__
#define snprintf   ksnprintf
#define vsnprintf  kvsnprintf
#define scnprintf  kscnprintf
#define vscnprintf kvscnprintf
#endif
