/* SPDX-License-Identifier: MIT */
/* inotify.h - for the tests of inotify: events as text. */
#pragma once
#include "fixture.h"

#include <sys/inotify.h>

HELPER const char *mask_text(uint32_t mask)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{IN_ACCESS, "ACCESS"},	     {IN_MODIFY, "MODIFY"},
		{IN_ATTRIB, "ATTRIB"},	     {IN_CLOSE_WRITE, "CLOSEW"},
		{IN_CLOSE_NOWRITE, "CLOSE"}, {IN_OPEN, "OPEN"},
		{IN_MOVED_FROM, "FROM"},     {IN_MOVED_TO, "TO"},
		{IN_CREATE, "CREATE"},	     {IN_DELETE, "DELETE"},
		{IN_DELETE_SELF, "GONE"},    {IN_MOVE_SELF, "MOVED"},
		{IN_UNMOUNT, "UNMOUNT"},     {IN_Q_OVERFLOW, "OVERFLOW"},
		{IN_IGNORED, "IGNORED"},     {IN_ISDIR, "dir"},
	};
	static char text[256];

	text[0] = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mask & names[i].bit) {
			strcat(text, text[0] ? "+" : "");
			strcat(text, names[i].name);
			mask &= ~names[i].bit;
		}
	if (mask)
		sprintf(text + strlen(text), "+%x", mask);
	return text;
}

/* All that can be read now, as "WD:WHAT:NAME WD:WHAT …"; moves get the number of their
 * cookie since the call: "1:FROM#1:a 1:TO#1:b". */
HELPER const char *events(int fd)
{
	static char out[65536];
	static char buf[65536] __attribute__((aligned(8)));
	uint32_t cookies[64];
	size_t cookie_count = 0;
	size_t len = 0;
	ssize_t n;

	out[0] = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (void *)(buf + at);
			size_t c = 0;

			CHECK(at + (ssize_t)sizeof(*e) <= n);
			CHECK(e->len % sizeof(*e) == 0);
			len += (size_t)sprintf(out + len, "%s%d:%s", len ? " " : "",
					       e->wd, mask_text(e->mask));
			if (e->cookie) {
				while (c < cookie_count && cookies[c] != e->cookie)
					c++;
				if (c == cookie_count && c < 64)
					cookies[cookie_count++] = e->cookie;
				len += (size_t)sprintf(out + len, "#%zu", c + 1);
			}
			if (e->len) {
				CHECK(strlen(e->name) + 1 <= e->len);
				len += (size_t)sprintf(out + len, ":%s", e->name);
			}
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	CHECK(n == -1 && errno == EAGAIN);
	return out;
}

#define EVENTS(fd, want)                                                                 \
	do {                                                                             \
		const char *got_ = events(fd);                                           \
		if (strcmp(got_, want) != 0) {                                           \
			printf("not ok: %s:%d: events are\n  %s\nnot\n  %s\n", __FILE__, \
			       __LINE__, got_, want);                                    \
			exit(1);                                                         \
		}                                                                        \
	} while (0)

HELPER int watcher(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}
