/* SPDX-License-Identifier: MIT */
/* mounts.c - see mounts.h.
 *
 * The root is the host's, read-only, under a memory overlay: the guest can change
 * anything and changes nothing. /tmp and /dev/shm are fresh; the caller's working
 * directory stays visible also where it lies below one of them, under an overlay of its
 * own. */
#include "core/mounts.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/log.h"
#include "base/slab.h"
#include "core/boot.h"
#include "core/trace/errors.h"
#include "event/init.h"
#include "fs/context.h"
#include "fs/dev/dev.h"
#include "fs/dev/hostio.h"
#include "fs/dev/tty.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/hostfs/hostfs.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/overlay/overlay.h"
#include "fs/path.h"
#include "fs/proc/proc.h"
#include "fs/sys/sysfs.h"
#include "fs/vfs.h"
#include "ipc/mqueue.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "net/gate.h"
#include "net/local/published.h"
#include "net/socket.h"
#include "process/monitor.h"
#include "process/session.h"
#include "process/task.h"

static const char *boot_string(uint64_t s)
{
	return (const char *)s; // NOLINT(performance-no-int-to-ptr)
}

/* A host directory, read-only, under memory. */
static int mount_overlay(const struct boot_params *b, int dirfd, const char *path,
			 const char *source)
{
	struct hostfs_params host = {
		.dirfd = dirfd,
		.read_only = true,
		.exclusive = true,
		.map_overflow = b->flags & BOOT_VIRTUAL_ROOT,
	};
	struct overlay_params both = {.lower = NULL};
	struct file_system_type *tmpfs = fs_find("tmpfs");
	int err = hostfs_create(&host, &both.lower);

	if (err)
		return err;
	err = tmpfs->mount("overlay", "", NULL, &both.upper);
	if (!err)
		err = vfs_mount("overlay", source, path, NULL, &both, 0);
	if (err) {
		sb_put(both.lower);
		if (both.upper)
			sb_put(both.upper);
	}
	return err;
}

/* Makes the directories that lead to path, and path itself, a directory or an empty file.
 */
static int make_place(const char *path, bool is_file)
{
	char *copy = kstrdup(path);
	int err = copy ? 0 : -ENOMEM;

	for (char *p = copy ? strchr(copy + 1, '/') : NULL; p && !err;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		err = vfs_mkdir(AT_FDCWD, copy, 0755);
		if (err == -EEXIST)
			err = 0;
		*p = '/';
	}
	kfree(copy);
	if (err)
		return err;
	err = is_file ? vfs_mknod(AT_FDCWD, path, S_IFREG | 0644, 0)
		      : vfs_mkdir(AT_FDCWD, path, 0755);
	return err == -EEXIST ? 0 : err;
}

/* The host's root may lack the place: then there is no such mount. */
static int mount_if_there(const char *type, const char *path, const char *options)
{
	int err = vfs_mount(type, type, path, options, NULL, 0);

	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

static int mount_system(void)
{
	static const struct {
		const char *type, *path, *options;
	} all[] = {
		{"devtmpfs", "/dev", "mode=755"},
		{"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666"},
		{"tmpfs", "/dev/shm", "mode=1777"},
		{"mqueue", "/dev/mqueue", NULL},
		{"tmpfs", "/tmp", "mode=1777"},
		{"proc", "/proc", NULL},
		{"sysfs", "/sys", NULL},
		{"cgroup2", "/sys/fs/cgroup", NULL},
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all) && !err; i++) {
		err = mount_if_there(all[i].type, all[i].path, all[i].options);
		if (err)
			log_print("cannot mount %s on %s: %s", all[i].type, all[i].path,
				  errno_message(-err));
	}
	return err;
}

static int mount_volume(const struct boot_params *b, const struct boot_mount *m)
{
	const char *path = boot_string(m->guest_path);
	struct hostfs_params host = {
		.dirfd = m->dirfd,
		.read_only = m->read_only,
		.is_file = m->is_file,
		.map_overflow = b->flags & BOOT_VIRTUAL_ROOT,
	};
	int err = make_place(path, m->is_file);

	if (err)
		return err;
	if (m->kind == BOOT_MOUNT_TMPFS)
		return vfs_mount("tmpfs", "tmpfs", path, "mode=1777", NULL, 0);
	return vfs_mount("hostfs", boot_string(m->host_path), path, NULL, &host, 0);
}

/* What is mounted at the volume's place is its file system. */
static int open_gate(const struct boot_mount *m, uint32_t number)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, boot_string(m->guest_path), 0, &p);

	if (err)
		return err;
	gate_add_volume(p.mount->sb, number);
	path_put(&p);
	return 0;
}

static bool lies_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The caller's directory where a fresh mount hides it. */
static int mount_cwd(const struct boot_params *b)
{
	const char *cwd = boot_string(b->cwd);
	int err;

	if ((int32_t)b->cwd_fd < 0 ||
	    (!lies_below(cwd, "/tmp") && !lies_below(cwd, "/dev/shm")))
		return 0;
	if (strcmp(cwd, "/tmp") == 0 || strcmp(cwd, "/dev/shm") == 0)
		return 0;
	for (uint32_t i = 0; i < b->mount_count; i++) {
		const struct boot_mount *m =
			(const struct boot_mount *)b->mounts + i; // NOLINT

		if (lies_below(cwd, boot_string(m->guest_path)))
			return 0;
	}
	err = make_place(cwd, false);
	if (!err)
		err = mount_overlay(b, (int)b->cwd_fd, cwd, cwd);
	if (err)
		log_print("cannot show %s: %s", cwd, errno_message(-err));
	return err;
}

int mounts_init(const struct boot_params *b)
{
	int err;

	hostfs_init();
	hostfs_set_handles_max(
		(int)MIN(b->host_descriptors_max / 4, (uint64_t)HOSTFS_HANDLES_MAX));
	overlay_init();
	dev_init();
	proc_init();
	sysfs_init();
	event_init();
	monitor_init((struct monitor_box *)b->monitor_box, b->monitor_fd); // NOLINT
	net_init((struct monitor_box *)b->monitor_box,			   // NOLINT
		 b->flags & BOOT_OWN_NETWORK);
	published_init((const struct published_port *)b->published, // NOLINT
		       b->published_count);
	gate_init(b->gate_fd, (const struct gate_rule *)b->gate_rules, // NOLINT
		  b->gate_rule_count);
	sysv_init();
	err = mqueue_init();
	if (!err)
		err = mount_overlay(b, b->root_fd, "/", "overlay");
	if (!err) {
		/* The kernel's own task walks paths from here on. */
		current()->fs = fs_context_create();
		err = current()->fs ? 0 : -ENOMEM;
	}
	if (err)
		log_print("cannot mount the root: %s", errno_message(-err));
	else
		err = mount_system();
	if (!err)
		err = mount_cwd(b);
	for (uint32_t i = 0; i < b->mount_count && !err; i++) {
		const struct boot_mount *m =
			(const struct boot_mount *)b->mounts + i; // NOLINT

		err = mount_volume(b, m);
		if (!err && m->has_sockets)
			err = open_gate(m, i);
		if (err)
			log_print("cannot mount on %s: %s", boot_string(m->guest_path),
				  errno_message(-err));
	}
	return err;
}

enum { STDIO_COUNT = 3 };

int mounts_open_stdio(struct task *t, const struct boot_params *b)
{
	for (int fd = 0; fd < STDIO_COUNT; fd++) {
		struct file *f = NULL;
		int err;

		if (b->stdio_fd[fd] < 0)
			continue;
		err = hostio_file_create(b->stdio_fd[fd], &f);
		if (!err)
			err = fdtable_install_at(t->fds, fd, f, 0);
		if (err)
			return err;
	}
	if (tty_console)
		tty_attach(tty_console, t->process->pgroup->session, t->process->pid);
	return 0;
}

int mounts_open_inherited(struct task *t, const struct boot_params *b)
{
	const struct boot_inherited *all =
		(const struct boot_inherited *)b->inherited; // NOLINT

	for (uint32_t n = 0; n < b->inherited_count; n++) {
		const struct boot_inherited *i = &all[n];
		struct file *f = NULL;
		int err;

		if (i->fd < 0)
			continue;
		if (i->family)
			err = socket_adopt_file(i->fd, i->family, i->type, i->protocol,
						&f);
		else
			err = hostio_file_create(i->fd, &f);
		if (!err)
			err = fdtable_install_at(t->fds, STDIO_COUNT + (int)n, f, 0);
		if (err)
			return err;
	}
	return 0;
}

int mounts_enter_cwd(struct task *t, const struct boot_params *b)
{
	const char *cwd = boot_string(b->cwd);
	struct path p;
	int err = path_lookup(AT_FDCWD, cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err) {
		log_print("working directory %s: %s", cwd, errno_message(-err));
		return err;
	}
	fs_context_set_cwd(t->fs, &p);
	return 0;
}
