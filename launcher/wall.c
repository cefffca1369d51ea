/* SPDX-License-Identifier: MIT */
/* wall.c - capabilities and Landlock. The seccomp filter is the kernel's to install, when
 * its own start-up is over. Nothing is allowed to be executed: no host process ever calls
 * execve. */
#include "wall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "message.h"
#include "segment.h"

/* Newer than Debian 12's headers. */
enum {
	FS_TRUNCATE = 1 << 14,	/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
	SCOPE_ALL = 3,		/* ABI 6: abstract sockets, signals */
};

struct ruleset {
	uint64_t fs, net, scoped;
};

static const uint64_t fs_read =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/* MAKE_CHAR: moving whiteouts (0:0). No other device can be made: there is no capability
 * for it, and mknodat of devices does not pass the filter. */
static const uint64_t fs_write =
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |
	LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE;
static const uint64_t fs_of_file =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;

void wall_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	/* Up to the first that does not exist; without CAP_SETPCAP none, but nothing is
	 * executed. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		fail("cannot drop capabilities: %s", strerror(errno));
}

int wall_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static int create_ruleset(int abi, struct ruleset *r)
{
	size_t size = abi >= 6 ? sizeof *r : abi >= 4 ? 16 : 8;

	r->fs = (1 << 13) - 1; /* ABI 1 */
	if (abi >= 2)
		r->fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		r->fs |= FS_TRUNCATE;
	if (abi >= 5)
		r->fs |= FS_IOCTL_DEV;
	r->net = 0; /* all: the network namespace is the wall */
	r->scoped = SCOPE_ALL;
	int fd = (int)syscall(SYS_landlock_create_ruleset, r, size, 0);
	if (fd < 0)
		fail("cannot set up Landlock: %s", strerror(errno));
	return fd;
}

static void allow(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access,
						  .parent_fd = fd};

	if (access && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
			      &rule, 0) < 0)
		fail("cannot set up Landlock: %s", strerror(errno));
}

/* Without a mount namespace to cover them in: all of the host's root but /proc, /sys and
 * /dev, of which only names can be listed. */
static void allow_root_entries(int ruleset, int root_fd)
{
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;

	if (!dir)
		fail("cannot read the root directory: %s", strerror(errno));
	allow(ruleset, root_fd, LANDLOCK_ACCESS_FS_READ_DIR);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!strcmp(name, "proc") || !strcmp(name, "sys") ||
		    !strcmp(name, "dev") || !strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		int child = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0 && fstat(child, &st) == 0 && !S_ISLNK(st.st_mode))
			allow(ruleset, child,
			      S_ISDIR(st.st_mode) ? fs_read : fs_read & fs_of_file);
		if (child >= 0)
			close(child);
	}
	(void)closedir(dir);
}

bool wall_confine_files(bool is_root_covered)
{
	const struct boot_params *p = boot_params();
	const struct boot_mount *mounts =
		(const struct boot_mount *)p->mounts; /* NOLINT */
	int abi = wall_landlock_abi();
	struct ruleset r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail("cannot give up new privileges: %s", strerror(errno));
	if (abi == 0)
		return false;
	int ruleset = create_ruleset(abi, &r);
	if (is_root_covered)
		allow(ruleset, p->root_fd, fs_read);
	else
		allow_root_entries(ruleset, p->root_fd);
	if ((int)p->cwd_fd >= 0)
		allow(ruleset, (int)p->cwd_fd, fs_read);
	for (uint32_t i = 0; i < p->mount_count; i++) {
		uint64_t access = fs_read | (mounts[i].read_only ? 0 : fs_write);

		if (mounts[i].dirfd < 0)
			continue;
		if (mounts[i].is_file)
			access &= fs_of_file;
		allow(ruleset, mounts[i].dirfd, access & r.fs);
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		fail("cannot set up Landlock: %s", strerror(errno));
	close(ruleset);
	return true;
}
