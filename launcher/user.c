/* SPDX-License-Identifier: MIT */
/* user.c - finds a user in the passwd and group files of the root that programs will see.
 * NSS is not asked: it would answer for the host. */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "message.h"

void user_caller(struct user *u)
{
	gid_t groups[USER_GROUPS_MAX];
	int count = getgroups(USER_GROUPS_MAX, groups);

	u->uid = getuid();
	u->gid = getgid();
	u->group_count = count > 0 ? (size_t)count : 0;
	for (size_t i = 0; i < u->group_count; i++)
		u->groups[i] = groups[i];
}

/* Links in the file's path stay below the root. NULL: not there. */
static FILE *open_in_root(const char *rootfs, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int dir = open(rootfs ? rootfs : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return NULL;
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	close(dir);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

static bool parse_id(const char *text, uint32_t *out)
{
	char *end;

	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (end == text || *end || errno || text[0] == '-' || value >= UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

/* Fills uid, gid and the user's name (NULL if the file does not know the number). */
static void find_user(struct user *u, const char *text, const char *rootfs, char **name)
{
	bool is_number = parse_id(text, &u->uid);
	FILE *f = open_in_root(rootfs, "etc/passwd");
	struct passwd *entry;

	*name = NULL;
	while (f && (entry = fgetpwent(f))) {
		if (is_number ? entry->pw_uid != u->uid
			      : strcmp(entry->pw_name, text) != 0)
			continue;
		u->uid = entry->pw_uid;
		u->gid = entry->pw_gid;
		*name = strdup(entry->pw_name);
		break;
	}
	if (f)
		(void)fclose(f);
	if (!*name && !is_number)
		fail("-u %s: no such user", text);
}

static bool has_member(char *const *members, const char *name)
{
	for (; *members; members++) {
		if (!strcmp(*members, name))
			return true;
	}
	return false;
}

static void find_groups(struct user *u, const char *name, const char *rootfs)
{
	FILE *f = name ? open_in_root(rootfs, "etc/group") : NULL;
	struct group *entry;

	while (f && u->group_count < USER_GROUPS_MAX && (entry = fgetgrent(f))) {
		if (entry->gr_gid != u->gid && has_member(entry->gr_mem, name))
			u->groups[u->group_count++] = entry->gr_gid;
	}
	if (f)
		(void)fclose(f);
}

static void find_group(struct user *u, const char *text, const char *rootfs)
{
	if (parse_id(text, &u->gid))
		return;

	FILE *f = open_in_root(rootfs, "etc/group");
	const struct group *entry;
	while (f && (entry = fgetgrent(f))) {
		if (strcmp(entry->gr_name, text) != 0)
			continue;
		u->gid = entry->gr_gid;
		(void)fclose(f);
		return;
	}
	fail("-u: no such group: %s", text);
}

void user_lookup(struct user *u, const char *text, const char *rootfs)
{
	char *copy = strdup(text);
	char *group = copy ? strchr(copy, ':') : NULL;
	char *name;

	if (group)
		*group++ = '\0';
	if (!copy || !*copy || (group && !*group))
		fail("-u %s: USER[:GROUP] is wanted", text);
	memset(u, 0, sizeof *u);
	find_user(u, copy, rootfs, &name);
	if (group) {
		find_group(u, group, rootfs);
	} else {
		u->groups[u->group_count++] = u->gid;
		find_groups(u, name, rootfs);
	}
	free(name);
	free(copy);
}
