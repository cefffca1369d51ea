/* SPDX-License-Identifier: MIT */
/* Calls that manage the machine, which is not an ordinary user's. */
/* calls: swapon swapoff acct reboot quotactl quotactl_fd */
#include "fixture.h"

#include <linux/reboot.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <sys/vfs.h>

#define TMPFS_LIKE "/dev/shm"

static void swapping(void)
{
	become_user_here();
	FAILS(EPERM, swapon("absent", 0));
	FAILS(EPERM, swapon("/", 0));
	FAILS(EINVAL, swapon("absent", 1 << 30));
	FAILS(EPERM, swapoff("absent"));
	FOR_BAD(p)
	{
		FAILS(EPERM, swapon(p, 0));
		FAILS(EPERM, swapoff(p));
	}
}

static void no_swapping(void)
{
	CHECK(in_child(swapping) == 0);
}

static void accounting(void)
{
	become_user_here();
	FAILS(EPERM, acct("absent"));
	FAILS(EPERM, acct(NULL));
}

static void no_accounting(void)
{
	CHECK(in_child(accounting) == 0);
}

/* Numbers that are none of reboot's, and a user that may not: nothing can happen. */
static void rebooting(void)
{
	become_user_here();
	FAILS(EPERM, syscall(SYS_reboot, 1, 2, 3, NULL));
	FAILS(EPERM, syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, 1, 3, NULL));
}

static void no_reboot(void)
{
	CHECK(in_child(rebooting) == 0);
}

static long quota(unsigned int command, int type, const void *special, int id, void *addr)
{
	return syscall(SYS_quotactl, QCMD(command, type), special, id, addr);
}

static void no_quotas(void)
{
	struct dqblk d;

	file_put("file", "x");
	FAILS(EINVAL, quota(Q_GETQUOTA, 3, "file", 0, &d));
	FAILS(EINVAL, quota(Q_GETQUOTA, 255, NULL, 0, &d));
	FAILS(ENODEV, quota(Q_GETQUOTA, USRQUOTA, NULL, 0, &d));
	CHECK(quota(Q_SYNC, USRQUOTA, NULL, 0, NULL) == 0);
	FAILS(ENOTBLK, quota(Q_GETQUOTA, USRQUOTA, "file", 0, &d));
	FAILS(ENOTBLK, quota(Q_GETQUOTA, GRPQUOTA, ".", 0, &d));
	FAILS(ENOENT, quota(Q_GETQUOTA, USRQUOTA, "absent", 0, &d));
	FAILS(ENOENT, quota(Q_GETQUOTA, USRQUOTA, "", 0, &d));
	FAILS(ENOTDIR, quota(Q_GETQUOTA, USRQUOTA, "file/x", 0, &d));
	FOR_BAD(p)
	{
		if (p)
			FAILS(EFAULT, quota(Q_GETQUOTA, USRQUOTA, p, 0, &d));
	}
}

static void no_quotas_by_descriptor(void)
{
	struct dqblk d;
	int fd = open(TMPFS_LIKE, O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	FAILS(EBADF, syscall(SYS_quotactl_fd, -1, QCMD(Q_GETQUOTA, USRQUOTA), 0, &d));
	FAILS(EBADF, syscall(SYS_quotactl_fd, 999, QCMD(Q_GETQUOTA, 7), 0, &d));
	FAILS(EINVAL, syscall(SYS_quotactl_fd, fd, QCMD(Q_GETQUOTA, 3), 0, &d));
	FAILS(ENOSYS, syscall(SYS_quotactl_fd, fd, QCMD(Q_GETQUOTA, USRQUOTA), 0, &d));
	CHECK(close(fd) == 0);
}

RUN(TEST(no_swapping), TEST(no_accounting), TEST(no_reboot), TEST(no_quotas),
    TEST(no_quotas_by_descriptor))
