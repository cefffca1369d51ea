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

/* By another descriptor if that one is spoilt: a guest can write over what is here. */
static void say(const char *text, size_t len)
{
	if (host_pwrite(log_fd, text, len, -1) < 0 && log_fd != 2)
		(void)host_pwrite(2, text, len, -1);
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
	say(buf, len);
}

void log_raw(const char *fmt, ...)
{
	char buf[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	say(buf, MIN((size_t)n, sizeof(buf) - 1));
}
