/* SPDX-License-Identifier: MIT */
/* What is done with files of an overlay, as who watches its layers is told. */
/* calls: fanotify_mark */
#include "fanotify.h"
#include "mounts.h"

static bool set_up(void)
{
	if (geteuid() != 0 || !mounts_are_ours())
		return false;
	CHECK((mkdir("m", 0755) == 0 || errno == EEXIST) &&
	      mount("none", "m", "tmpfs", 0, NULL) == 0);
	CHECK(chdir("m") == 0);
	files_make();
	CHECK(mkdir("up", 0755) == 0 && mkdir("work", 0755) == 0 &&
	      mkdir("o", 0755) == 0);
	file_put("up/u", "upper");
	know("up/u");
	know("up");
	CHECK(mount("none", "o", "overlay", 0, "lowerdir=d,upperdir=up,workdir=work") ==
	      0);
	return true;
}

static void files(void)
{
	int fd;

	if (!set_up())
		return;
	fd = group_of(FAN_REPORT_FID);
	mark(fd, FAN_MARK_FILESYSTEM, FAN_OPEN | FAN_CLOSE | FAN_ACCESS | FAN_MODIFY,
	     "d");
	CHECK(file_is("o/a", "hello"));
	TELLS(fd, "access,close_r,open fid=d/a");
	use("o/u");
	TELLS(fd, "access,modify,close_w,open fid=up/u");
	look("o/s/b");
	TELLS(fd, "close_r,open fid=d/s/b");
	CHECK(close(fd) == 0);
	CHECK(chdir("..") == 0 && umount2("m", MNT_DETACH) == 0);
}

static void files_of_layers(void)
{
	CHECK(in_child(files) == 0);
}

static void opener(void)
{
	_exit(open("o/a", O_RDONLY) < 0 ? errno : 0);
}

static void asked(void)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r = {.response = FAN_DENY};
	struct pollfd p = {.events = POLLIN};
	pid_t pid;

	if (!set_up())
		return;
	p.fd = group_of(FAN_CLASS_CONTENT);
	mark(p.fd, FAN_MARK_FILESYSTEM, FAN_OPEN_PERM, "d");
	pid = child_start(opener);
	CHECK(poll(&p, 1, 20000) == 1 && read(p.fd, &e, sizeof(e)) == sizeof(e));
	CHECK(e.mask == FAN_OPEN_PERM && e.pid == pid);
	r.fd = e.fd;
	CHECK(write(p.fd, &r, sizeof(r)) == sizeof(r) && close(e.fd) == 0);
	CHECK(child_wait(pid) == EPERM << 8);
	CHECK(close(p.fd) == 0);
	CHECK(chdir("..") == 0 && umount2("m", MNT_DETACH) == 0);
}

static void questions_about_layers(void)
{
	CHECK(in_child(asked) == 0);
}

RUN(TEST(files_of_layers), TEST(questions_about_layers))
