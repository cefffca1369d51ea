/* SPDX-License-Identifier: MIT */
/* sysctl_seccomp.c - /proc/sys/kernel/seccomp: the answers that filters may give, and
 * which of them the log is told of. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/proc/sysctl.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"

/* The strictest first; the last is never logged. */
static const char *const names[] = {"kill_process", "kill_thread", "trap", "errno",
				    "user_notif",   "trace",	   "log",  "allow"};
#define ALLOW (ARRAY_SIZE(names) - 1)

uint32_t seccomp_logged = (1U << ALLOW) - 1;

static int show(struct text *t, uint32_t set)
{
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(set >> i & 1))
			continue;
		text_puts(t, separator);
		text_puts(t, names[i]);
		separator = " ";
	}
	text_putc(t, '\n');
	return 0;
}

static int available_show(struct text *t, void *arg)
{
	(void)arg;
	return show(t, (1U << ARRAY_SIZE(names)) - 1);
}

static int logged_show(struct text *t, void *arg)
{
	(void)arg;
	return show(t, atomic_load(&seccomp_logged));
}

/* The number of a name, or a negative one. */
static int find(const char *name, size_t len)
{
	for (size_t i = 0; i < ALLOW; i++)
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return (int)i;
	return -1;
}

/* Names with one blank between them, up to the end of the line. */
static int logged_store(char *data, size_t len, void *arg)
{
	const char *end = data + len;
	uint32_t set = 0;

	(void)arg;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	for (const char *p = data; p < end && *p && *p != ' ' && *p != '\n'; p++) {
		size_t n = 0;
		int found;

		while (p + n < end && p[n] && p[n] != ' ' && p[n] != '\n')
			n++;
		found = find(p, n);
		if (found < 0)
			return -EINVAL;
		set |= 1U << found;
		p += n;
		if (p == end || *p != ' ')
			break;
	}
	atomic_store(&seccomp_logged, set);
	return 0;
}

void sysctl_add_seccomp(struct pseudo_node *sys)
{
	(void)pseudo_file(sys, "kernel/seccomp/actions_avail", 0444, available_show, NULL,
			  NULL);
	(void)pseudo_file(sys, "kernel/seccomp/actions_logged", 0644, logged_show,
			  logged_store, NULL);
}
