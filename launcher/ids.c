/* SPDX-License-Identifier: MIT */
/* ids.c - writes the id maps of a new user namespace (user_namespaces(7)). */
#include "ids.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];
	size_t len = strlen(text);

	(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_written = write(fd, text, len) == (ssize_t)len;
	close(fd);
	return is_written;
}

static bool may_map_all(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	uint32_t wanted = 1U << CAP_SETUID | 1U << CAP_SETGID;

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & wanted) == wanted;
}

/* All that this process' own namespace has, to itself: in the host's first namespace that
 * is everything, else our own map with its first column twice. */
static bool map_all(pid_t child, const char *own, const char *name)
{
	char text[2048];
	size_t len = 0;
	unsigned int inside, outside, count;
	FILE *f;

	if (write_proc(child, name, "0 0 4294967295\n"))
		return true;
	f = fopen(own, "re");

	while (f && len + 64 < sizeof text &&
	       fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
		len += (size_t)snprintf(text + len, sizeof text - len, "%u %u %u\n",
					inside, inside, count);
	if (f)
		(void)fclose(f);
	return len > 0 && write_proc(child, name, text);
}

static bool map_one(pid_t child, const char *name, unsigned int id)
{
	char text[64];

	(void)snprintf(text, sizeof text, "%u %u 1\n", id, id);
	return write_proc(child, name, text);
}

bool ids_map(pid_t child, bool *is_full)
{
	*is_full = may_map_all() && map_all(child, "/proc/self/uid_map", "uid_map");
	if (*is_full)
		return map_all(child, "/proc/self/gid_map", "gid_map");
	/* Without privilege one's own group is mapped only where setgroups is off. */
	return write_proc(child, "setgroups", "deny") &&
	       map_one(child, "uid_map", geteuid()) &&
	       map_one(child, "gid_map", getegid());
}
