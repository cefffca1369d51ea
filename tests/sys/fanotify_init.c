/* SPDX-License-Identifier: MIT */
/* alone */
/* files */
/* A fanotify group as a file. */
#include "fanotify.h"

static void flags_are_kept(void)
{
	char name[64], target[64] = "";
	int n, fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);

	if (fd < 0 && errno == EPERM)
		exit(77);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDWR | O_NONBLOCK));
	sprintf(name, "/proc/self/fd/%d", fd);
	CHECK(readlink(name, target, sizeof(target) - 1) > 0);
	CHECK(strcmp(target, "anon_inode:[fanotify]") == 0);
	FAILS(EAGAIN, read(fd, target, sizeof(target)));
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 0 && close(fd) == 0);
	for (unsigned class = 0; class <= FAN_CLASS_PRE_CONTENT; class += 4) {
		fd = fanotify_init(class | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS |
					   FAN_REPORT_TID,
				   O_RDWR | O_LARGEFILE | O_CLOEXEC | O_NOATIME);
		CHECK(fd >= 0 && close(fd) == 0);
	}
}

static void errors(void)
{
	FAILS(EINVAL, fanotify_init(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, O_RDONLY));
	FAILS(EINVAL, fanotify_init(0x80000000U, O_RDONLY));
	FAILS(EINVAL, fanotify_init(FAN_CLASS_NOTIF, O_ACCMODE));
	FAILS(EINVAL, fanotify_init(FAN_CLASS_NOTIF, O_CREAT));
	FAILS(EINVAL, fanotify_init(FAN_CLASS_NOTIF, O_DIRECTORY));
}

static void reports(void)
{
	static const unsigned good[] = {
		FAN_REPORT_FID,
		FAN_REPORT_DIR_FID,
		FAN_REPORT_FID | FAN_REPORT_DIR_FID,
		FAN_REPORT_DFID_NAME,
		FAN_REPORT_DFID_NAME | FAN_REPORT_FID,
		FAN_REPORT_DFID_NAME_TARGET,
		FAN_REPORT_DFID_NAME | FAN_REPORT_PIDFD,
		FAN_REPORT_PIDFD | FAN_CLASS_CONTENT,
		FAN_REPORT_FD_ERROR | FAN_REPORT_TID | FAN_CLASS_PRE_CONTENT,
		FAN_REPORT_MNT,
		FAN_REPORT_MNT | FAN_REPORT_PIDFD,
	};
	static const unsigned bad[] = {
		FAN_REPORT_NAME,
		FAN_REPORT_NAME | FAN_REPORT_FID,
		FAN_REPORT_TARGET_FID,
		FAN_REPORT_TARGET_FID | FAN_REPORT_FID,
		FAN_REPORT_TARGET_FID | FAN_REPORT_DFID_NAME,
		FAN_REPORT_PIDFD | FAN_REPORT_TID,
		FAN_REPORT_FID | FAN_CLASS_CONTENT,
		FAN_REPORT_DFID_NAME | FAN_CLASS_PRE_CONTENT,
		FAN_REPORT_MNT | FAN_CLASS_CONTENT,
		FAN_REPORT_MNT | FAN_REPORT_FID,
		FAN_REPORT_MNT | FAN_REPORT_FD_ERROR,
		0x8000,
		0x10000,
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int fd = fanotify_init(good[i], O_RDONLY);

		if (fd < 0)
			printf("%x\n", good[i]);
		CHECK(fd >= 0 && close(fd) == 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		FAILS(EINVAL, fanotify_init(bad[i], O_RDONLY));
}

static void users_have_limits(void)
{
	int max = atoi(file_get("/proc/sys/fs/fanotify/max_user_groups"));
	int fds[1024], n = 0;

	if (max > 1000)
		return;
	while (n <= max && (fds[n] = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)) >= 0)
		n++;
	CHECK(n > 0 && n <= max && errno == EMFILE);
	while (n)
		CHECK(close(fds[--n]) == 0);
}

RUN(TEST(flags_are_kept), TEST(errors), TEST(reports), TEST(users_have_limits))
