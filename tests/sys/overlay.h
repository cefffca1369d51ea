/* SPDX-License-Identifier: MIT */
/* overlay.h - for tests of overlayfs: a tmpfs of their own with layers in it. */
#pragma once
#include "mounts.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define LAYERS "lowerdir=l1:l2,upperdir=u,workdir=w"

/* In a child: makes l1, l2, u, w and m in a tmpfs at t, and goes there. */
HELPER bool layers_are_there(void)
{
	static const char *const dirs[] = {"l1", "l2", "u", "w", "m", "n"};

	if (!mounts_are_ours())
		return false;
	(void)mkdir("t", 0755);
	CHECK(mount("t", "t", "tmpfs", 0, NULL) == 0 && chdir("t") == 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK(mkdir(dirs[i], 0755) == 0);
	return true;
}

HELPER int overlay_mount(const char *at, const char *options)
{
	return mount("overlay", at, "overlay", 0, options);
}

HELPER bool overlay_again(const char *options)
{
	return umount2("m", 0) == 0 && overlay_mount("m", options) == 0;
}

/* A name that hides one below. */
HELPER bool is_whiteout(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

HELPER bool has_mark(const char *path, const char *name, const char *value)
{
	char buf[256] = "";

	return getxattr(path, name, buf, sizeof(buf) - 1) >= 0 &&
	       (!value || strcmp(buf, value) == 0);
}

HELPER ino_t ino_of(const char *path)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	return st.st_ino;
}

/* The names in a directory, sorted, with a space after each. */
HELPER const char *names_in(const char *path)
{
	static char text[4096];
	struct dirent **list;
	int count = scandir(path, &list, NULL, alphasort);

	text[0] = 0;
	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		if (list[i]->d_name[0] != '.')
			strcat(strcat(text, list[i]->d_name), " ");
		free(list[i]);
	}
	free(list);
	return text;
}

HELPER bool lists(const char *path, const char *names)
{
	return strcmp(names_in(path), names) == 0;
}
