/* SPDX-License-Identifier: MIT */
/* log.c - kernel messages. */
#include "base/log.h"

#include <stdarg.h>

#include "host/host.h"
#include "lib/printf.h"
#include "lib/string.h"

static int log_fd = 2;

void log_init(int host_fd)
{
	log_fd = host_fd;
}

void log_print(const char *fmt, ...)
{
	char buf[1024] = "carbyne: ";
	size_t len = strlen(buf);
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf + len, sizeof(buf) - len - 1, fmt, args);
	va_end(args);
	len = MIN(len + (size_t)n, sizeof(buf) - 2);
	buf[len++] = '\n';
	(void)host_pwrite(log_fd, buf, len, -1);
}

void log_raw(const char *fmt, ...)
{
	char buf[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	(void)host_pwrite(log_fd, buf, MIN((size_t)n, sizeof(buf) - 1), -1);
}
