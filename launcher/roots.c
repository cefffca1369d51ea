/* SPDX-License-Identifier: MIT */
/* roots.c - a mount namespace of the granted directories.
 *
 * The new root is a tmpfs with one mount point per granted tree: /r for the root
 * directory, /0, /1 … for the -v ones. Trees are cloned with what is mounted below them,
 * because the host does not let an unprivileged namespace uncover what a mount hides; the
 * host's own root, which this namespace has its copy of already, is moved instead. All
 * are made nodev and nosuid, read-only where nothing is to be written: that holds also
 * against code that talks to the host past the kernel. /proc, /sys and /dev of the host
 * would tell more than the directory tree; an empty directory covers them. */
#include "roots.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "message.h"
#include "segment.h"

/* <sys/mount.h> and <linux/mount.h> do not go together in every glibc: the older calls,
 * by hand. */
static long old_mount(const char *source, const char *target, const char *type,
		      unsigned long flags, const char *data)
{
	return syscall(SYS_mount, source, target, type, flags, data);
}

enum {
	OLD_MS_NOSUID = 2,
	OLD_MS_NODEV = 4,
	OLD_MS_REC = 1 << 14,
	OLD_MS_PRIVATE = 1 << 18
};
enum { OLD_MNT_DETACH = 2 };

/* The tree at fd, or at path if there is no fd. */
static void restrict_tree(int fd, const char *path, bool is_read_only)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID};

	if (is_read_only)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (syscall(SYS_mount_setattr, fd, fd < 0 ? path : "",
		    AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0 &&
	    errno != ENOSYS) /* before Linux 5.12: Landlock and seccomp alone */
		fail("cannot restrict %s: %s", path, strerror(errno));
}

static int clone_tree(const char *path, bool is_read_only)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		fail("cannot bind %s: %s", path, strerror(errno));
	restrict_tree(fd, path, is_read_only);
	return fd;
}

/* Puts the tree at name in the current directory. */
static void place_tree(int tree, const char *name, bool is_file)
{
	int err = is_file ? mknod(name, S_IFREG | 0444, 0) : mkdir(name, 0555);

	if (err < 0 || syscall(SYS_move_mount, tree, "", AT_FDCWD, name,
			       MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail("cannot build the sandbox's mount tree: %s", strerror(errno));
	close(tree);
}

/* Any directory will do to mount on; it is only passed through. */
static const char *mount_base(void)
{
	static const char *const bases[] = {"/tmp", "/run", "/proc",
					    "/mnt", "/var", "/usr"};

	for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
		if (old_mount("carbyne", bases[i], "tmpfs", OLD_MS_NOSUID | OLD_MS_NODEV,
			      "mode=755,size=1m") == 0)
			return bases[i];
	}
	fail("cannot mount a tmpfs: %s", strerror(errno));
}

/* root_tree: -1 moves the root that the host has given us. */
static void enter_tree(const struct launch *l, const int *trees, int root_tree)
{
	const char *old_root = root_tree < 0 ? "r" : ".";

	if (root_tree < 0)
		restrict_tree(-1, "/", true);
	if (chdir(mount_base()) < 0)
		fail("cannot enter the sandbox's mount tree: %s", strerror(errno));
	if (root_tree >= 0)
		place_tree(root_tree, "r", false);
	else if (mkdir("r", 0555) < 0)
		fail("cannot build the sandbox's mount tree: %s", strerror(errno));
	for (size_t i = 0; i < l->options.volume_count; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "%zu", i);
		if (trees[i] >= 0)
			place_tree(trees[i], name, l->options.volumes[i].is_file);
	}
	if (mkdir("empty", 0555) < 0 || syscall(SYS_pivot_root, ".", old_root) < 0 ||
	    (root_tree >= 0 && syscall(SYS_umount2, ".", OLD_MNT_DETACH) < 0) ||
	    chdir("/") < 0)
		fail("cannot enter the sandbox's mount tree: %s", strerror(errno));
}

bool roots_build(const struct launch *l)
{
	const struct options *o = &l->options;

	if (old_mount(NULL, "/", NULL, OLD_MS_REC | OLD_MS_PRIVATE, NULL) < 0) {
		if (errno == EPERM || errno == EACCES)
			return false;
		fail("cannot make mounts private: %s", strerror(errno));
	}
	int *trees = calloc(o->volume_count + 1, sizeof *trees);
	if (!trees)
		fail("out of memory");
	int root_tree = o->rootfs ? clone_tree(o->rootfs, true) : -1;
	for (size_t i = 0; i < o->volume_count; i++) {
		const struct volume *v = &o->volumes[i];

		trees[i] = v->host ? clone_tree(v->host, v->is_read_only) : -1;
	}
	enter_tree(l, trees, root_tree);
	free(trees);
	return true;
}

static int open_beneath(int dir, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

	while (*path == '/')
		path++;
	return (int)syscall(SYS_openat2, dir, *path ? path : ".", &how, sizeof how);
}

static void cover(int root, const char *name)
{
	int dir = open_beneath(root, name);

	if (dir < 0)
		return; /* not there, or a link: then what it leads to is not covered by
			   us */
	int tree = clone_tree("/empty", true);
	if (syscall(SYS_move_mount, tree, "", dir, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		fail("cannot cover /%s: %s", name, strerror(errno));
	close(tree);
	close(dir);
}

static int open_granted(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);

	if (fd < 0)
		fail("cannot open %s: %s", path, strerror(errno));
	return fd;
}

/* A file can be reached by this descriptor alone: opened for all that the guest may do.
 */
static int open_granted_file(const char *path, const struct volume *v)
{
	int fd = v->is_read_only ? -1 : open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("cannot open %s: %s", v->host, strerror(errno));
	return fd;
}

static void open_volumes(const struct launch *l, struct boot_params *p)
{
	struct boot_mount *mounts = (struct boot_mount *)p->mounts; /* NOLINT */

	for (size_t i = 0; i < l->options.volume_count; i++) {
		const struct volume *v = &l->options.volumes[i];
		char name[24];

		if (!v->host)
			continue;
		(void)snprintf(name, sizeof name, "/%zu", i);
		const char *path = l->has_namespaces ? name : v->host;
		mounts[i].dirfd =
			v->is_file ? open_granted_file(path, v) : open_granted(path);
	}
}

void roots_open(const struct launch *l)
{
	struct boot_params *p = boot_params();
	const char *rootfs = l->options.rootfs ? l->options.rootfs : "/";

	p->root_fd = open_granted(l->has_namespaces ? "/r" : rootfs);
	if (!l->options.rootfs && !l->options.work_dir)
		p->cwd_fd = (uint32_t)open_beneath(p->root_fd,
						   (const char *)p->cwd); /* NOLINT */
	if (l->has_namespaces) {
		cover(p->root_fd, "proc");
		cover(p->root_fd, "sys");
		cover(p->root_fd, "dev");
	}
	open_volumes(l, p);
}
