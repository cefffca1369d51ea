/* SPDX-License-Identifier: MIT */
/* message.c - sentences on standard error. Each is one write, so that lines do not mix.
 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void __attribute__((format(printf, 1, 0))) say(const char *format, va_list args)
{
	static const char name[] = "carbyne: ";
	char line[1024] = "carbyne: ";
	size_t len = sizeof name - 1;
	int more = vsnprintf(line + len, sizeof line - len - 1, format, args);

	if (more > 0)
		len += (size_t)more;
	if (len > sizeof line - 2)
		len = sizeof line - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody listens */
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	_exit(STATUS_OWN_FAILURE);
}
