/* SPDX-License-Identifier: MIT */
/* files */
/* timeout: 120 */
/* fanotify with file handles, names and pidfds in place of descriptors. */
/* calls: fanotify_init fanotify_mark */
#include "fanotify.h"

#include <sys/resource.h>

#define ALL_FILE (FAN_ACCESS | FAN_MODIFY | FAN_ATTRIB | FAN_CLOSE | FAN_OPEN)
#define ALL_SELF (FAN_DELETE_SELF | FAN_MOVE_SELF)
#define ALL_NAME (FAN_CREATE | FAN_DELETE | FAN_MOVE)

/* One of each: what there is to tell differs by what a group reports. */
static void everything(void)
{
	char entries[4096];
	int dir;

	use("d/a");
	CHECK(chmod("d/a", 0600) == 0);
	CHECK(truncate("d/a", 3) == 0);
	dir = open("d", O_RDONLY);
	CHECK(dir >= 0 && syscall(SYS_getdents64, dir, entries, sizeof(entries)) > 0);
	CHECK(close(dir) == 0);
	look("d/s");
	CHECK(chmod("d/s", 0700) == 0 && chmod("d", 0700) == 0);
	file_put("d/new", "x");
	CHECK(link("d/a", "d/hard") == 0 && unlink("d/hard") == 0);
	CHECK(rename("d/new", "d/newer") == 0 && rename("d/newer", "e/new") == 0);
	CHECK(rename("e/new", "d/back") == 0 && unlink("d/back") == 0);
	CHECK(mkdir("d/dir", 0755) == 0 && rename("d/dir", "d/dir2") == 0);
	CHECK(rmdir("d/dir2") == 0);
	CHECK(symlink("a", "d/link") == 0 && unlink("d/link") == 0);
	CHECK(mkfifo("d/fifo", 0600) == 0 && unlink("d/fifo") == 0);
}

static void on_directory(unsigned reports, const char *want)
{
	int fd;

	files_make();
	fd = group_of(reports);
	mark(fd, 0, ALL_FILE | ALL_SELF | ALL_NAME | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	everything();
	TELLS(fd, want);
	CHECK(close(fd) == 0);
}

static void handles_alone(void)
{
	on_directory(FAN_REPORT_FID,
		     "access,modify,attrib,close_w,open fid=d/a; "
		     "access,attrib,close_r,open,from,to,create,delete,ondir fid=d; "
		     "attrib,close_r,open,ondir fid=d/s; from,to,create,delete fid=d; "
		     "modify,close_w,open fid=?");
}

static void handles_of_directories(void)
{
	on_directory(FAN_REPORT_DIR_FID,
		     "access,modify,attrib,close_w,open,from,to,create,delete dir=d; "
		     "access,attrib,close_r,open,from,to,create,delete,ondir dir=d; "
		     "attrib,close_r,open,ondir dir=d/s");
}

static void handles_of_both(void)
{
	on_directory(FAN_REPORT_DIR_FID | FAN_REPORT_FID,
		     "access,modify,attrib,close_w,open dir=d fid=d/a; "
		     "access,attrib,close_r,open,from,to,create,delete,ondir dir=d; "
		     "attrib,close_r,open,ondir dir=d/s; from,to,create,delete dir=d; "
		     "modify,close_w,open dir=d fid=?");
}

static void names(void)
{
	on_directory(FAN_REPORT_DFID_NAME,
		     "access,modify,attrib,close_w,open name=d/a; "
		     "access,attrib,close_r,open,ondir name=d/.; "
		     "attrib,close_r,open,ondir name=d/s/.; "
		     "modify,close_w,open,from,create name=d/new; "
		     "create,delete name=d/hard; from,to name=d/newer; "
		     "to,delete name=d/back; from,create,ondir name=d/dir; "
		     "to,delete,ondir name=d/dir2; create,delete name=d/link; "
		     "create,delete name=d/fifo");
}

static void names_and_handles(void)
{
	on_directory(FAN_REPORT_DFID_NAME | FAN_REPORT_FID,
		     "access,modify,attrib,close_w,open name=d/a fid=d/a; "
		     "access,attrib,close_r,open,ondir name=d/.; "
		     "attrib,close_r,open,ondir name=d/s/.; from,create name=d/new; "
		     "modify,close_w,open name=d/new fid=?; create,delete name=d/hard; "
		     "from,to name=d/newer; to,delete name=d/back; "
		     "from,create,ondir name=d/dir; to,delete,ondir name=d/dir2; "
		     "create,delete name=d/link; create,delete name=d/fifo");
}

static void names_and_handles_of_all(void)
{
	on_directory(FAN_REPORT_DFID_NAME_TARGET,
		     "access,modify,attrib,close_w,open name=d/a fid=d/a; "
		     "access,attrib,close_r,open,ondir name=d/.; "
		     "attrib,close_r,open,ondir name=d/s/.; "
		     "modify,close_w,open,from,create name=d/new fid=?; "
		     "create,delete name=d/hard fid=d/a; from,to name=d/newer fid=?; "
		     "to,delete name=d/back fid=?; from,create,ondir name=d/dir fid=?; "
		     "to,delete,ondir name=d/dir2 fid=?; "
		     "create,delete name=d/link fid=?; create,delete name=d/fifo fid=?");
}

/* ---- renames, told as such ---- */

static void rename_all(void)
{
	CHECK(rename("d/a", "d/a2") == 0 && rename("d/a2", "e/a3") == 0);
	CHECK(rename("e/a3", "d/a") == 0 && rename("d/s", "e/s") == 0);
	CHECK(rename("e/s", "d/s") == 0);
	file_put("e/x", "x");
	CHECK(syscall(SYS_renameat2, AT_FDCWD, "d/a", AT_FDCWD, "e/x", 2) == 0);
	CHECK(syscall(SYS_renameat2, AT_FDCWD, "d/a", AT_FDCWD, "e/x", 2) == 0);
	CHECK(rename("d/a", "e/x") == 0 && rename("e/x", "d/a") == 0);
}

static void renames_of(unsigned reports, const char *one, const char *other,
		       const char *want)
{
	int fd;

	files_make();
	fd = group_of(reports);
	if (one)
		mark(fd, 0, FAN_RENAME | FAN_ONDIR, one);
	if (other)
		mark(fd, 0, FAN_RENAME | FAN_ONDIR, other);
	rename_all();
	TELLS(fd, want);
	CHECK(close(fd) == 0);
}

static void renames_tell_what_is_watched(void)
{
	renames_of(FAN_REPORT_DFID_NAME, "d", NULL,
		   "rename old=d/a new=d/a2; rename old=d/a2; rename new=d/a; "
		   "rename,ondir old=d/s; rename,ondir new=d/s; rename old=d/a; "
		   "rename new=d/a; rename new=d/a; rename new=d/a");
	renames_of(FAN_REPORT_DFID_NAME, NULL, "e",
		   "rename new=e/a3; rename old=e/a3; rename,ondir new=e/s; "
		   "rename,ondir old=e/s; rename new=e/x; rename old=e/x; "
		   "rename new=e/x; rename new=e/x");
	renames_of(FAN_REPORT_DFID_NAME, "d", "e",
		   "rename old=d/a new=d/a2; rename old=d/a2 new=e/a3; "
		   "rename old=e/a3 new=d/a; rename,ondir old=d/s new=e/s; "
		   "rename,ondir old=e/s new=d/s; rename old=d/a new=e/x; "
		   "rename old=e/x new=d/a");
	renames_of(FAN_REPORT_DFID_NAME | FAN_REPORT_FID, "d", "e",
		   "rename old=d/a new=d/a2; rename old=d/a2 new=e/a3; "
		   "rename old=e/a3 new=d/a; rename,ondir old=d/s new=e/s; "
		   "rename,ondir old=e/s new=d/s; rename old=d/a new=e/x; "
		   "rename old=e/x new=d/a");
	renames_of(FAN_REPORT_DFID_NAME_TARGET, "d", "e",
		   "rename old=d/a new=d/a2 fid=d/a; "
		   "rename old=d/a2 new=e/a3 fid=d/a; "
		   "rename old=e/a3 new=d/a fid=d/a; "
		   "rename,ondir old=d/s new=e/s fid=d/s; "
		   "rename,ondir old=e/s new=d/s fid=d/s; "
		   "rename old=d/a new=e/x fid=d/a; rename old=e/x new=d/a fid=?; "
		   "rename old=d/a new=e/x fid=?; rename old=e/x new=d/a fid=d/a");
}

/* ---- marks on files themselves ---- */

static void file_alone(unsigned reports, const char *want)
{
	int fd;

	files_make();
	fd = group_of(reports);
	mark(fd, 0, ALL_FILE | ALL_SELF, "d/a");
	mark(fd, 0, ALL_FILE | ALL_SELF | FAN_ONDIR, "d/s");
	use("d/a");
	CHECK(chmod("d/a", 0600) == 0 && link("d/a", "d/hard") == 0);
	use("d/hard");
	CHECK(rename("d/a", "d/z") == 0 && unlink("d/hard") == 0);
	CHECK(unlink("d/z") == 0);
	look("d/s");
	CHECK(rename("d/s", "d/t") == 0);
	CHECK(unlink("d/t/b") == 0 && rmdir("d/t") == 0);
	TELLS(fd, want);
	CHECK(close(fd) == 0);
}

static void files_by_themselves(void)
{
	file_alone(FAN_REPORT_FID,
		   "access,modify,attrib,close_w,open,delete_self,move_self fid=d/a; "
		   "close_r,open,delete_self,move_self,ondir fid=d/s");
	file_alone(FAN_REPORT_DIR_FID,
		   "access,modify,attrib,close_w,open fid=d; "
		   "close_r,open,delete_self,move_self,ondir dir=d/s");
	file_alone(FAN_REPORT_DIR_FID | FAN_REPORT_FID,
		   "access,modify,attrib,close_w,open dir=d fid=d/a; "
		   "attrib,delete_self,move_self fid=d/a; "
		   "close_r,open,delete_self,move_self,ondir dir=d/s");
	file_alone(FAN_REPORT_DFID_NAME,
		   "access,modify,attrib,close_w,open name=d/a; "
		   "access,modify,close_w,open name=d/hard; "
		   "close_r,open,delete_self,move_self,ondir name=d/s/.");
	file_alone(FAN_REPORT_DFID_NAME_TARGET,
		   "access,modify,attrib,close_w,open name=d/a fid=d/a; "
		   "attrib,delete_self,move_self fid=d/a; "
		   "access,modify,close_w,open name=d/hard fid=d/a; "
		   "close_r,open,delete_self,move_self,ondir name=d/s/.");
}

/* A file that is open when its last name goes is told of to the end. */
static void the_end_comes_with_the_last_close(void)
{
	int fd, f;

	files_make();
	fd = group_of(FAN_REPORT_FID);
	mark(fd, 0, FAN_DELETE_SELF | FAN_ATTRIB | FAN_CLOSE, "d/a");
	f = open("d/a", O_RDONLY);
	CHECK(f >= 0 && unlink("d/a") == 0);
	TELLS(fd, "attrib fid=d/a");
	CHECK(close(f) == 0);
	TELLS(fd, "close_r,delete_self fid=d/a");
	CHECK(close(fd) == 0);
}

/* ---- who and what else ---- */

static void other_process(void)
{
	use("d/a");
}

static void events_of_processes_are_apart(void)
{
	int fd;

	files_make();
	fd = group_of(FAN_REPORT_FID);
	mark(fd, 0, FAN_OPEN | FAN_CLOSE, "d/a");
	use("d/a");
	CHECK(in_child(other_process) == 0);
	use("d/a");
	TELLS(fd, "close_w,open fid=d/a; close_w,open fid=d/a");
	CHECK(close(fd) == 0);
}

static void descriptors_of_processes(void)
{
	struct {
		struct fanotify_event_metadata e;
		struct fanotify_event_info_pidfd p;
	} ev;
	int fd, other;

	files_make();
	fd = group_of(FAN_REPORT_PIDFD);
	other = group_of(FAN_REPORT_PIDFD | FAN_REPORT_FD_ERROR);
	mark(fd, 0, FAN_OPEN, "d/a");
	mark(other, 0, FAN_OPEN, "d/a");
	use("d/a");
	FAILS(EINVAL, read(fd, &ev, sizeof(ev) - 1));
	CHECK(read(fd, &ev, sizeof(ev)) == sizeof(ev) && ev.e.fd >= 0);
	CHECK(ev.p.hdr.info_type == FAN_EVENT_INFO_TYPE_PIDFD);
	CHECK(ev.p.hdr.len == 8 && ev.p.pidfd >= 0);
	CHECK(syscall(SYS_pidfd_send_signal, ev.p.pidfd, 0, NULL, 0) == 0);
	CHECK(fcntl(ev.p.pidfd, F_GETFD) == FD_CLOEXEC && close(ev.p.pidfd) == 0);
	CHECK(close(ev.e.fd) == 0);
	CHECK(in_child(other_process) == 0);
	CHECK(read(fd, &ev, sizeof(ev)) == sizeof(ev) && close(ev.e.fd) == 0);
	CHECK(ev.p.pidfd == FAN_NOPIDFD);
	CHECK(read(other, &ev, sizeof(ev)) == sizeof(ev) && ev.p.pidfd >= 0);
	CHECK(close(ev.p.pidfd) == 0 && close(ev.e.fd) == 0);
	CHECK(read(other, &ev, sizeof(ev)) == sizeof(ev) && ev.p.pidfd == -ESRCH);
	CHECK(close(ev.e.fd) == 0 && close(fd) == 0 && close(other) == 0);
}

/* Without a descriptor free, the event is lost; or it says why. */
static void errors_in_place_of_descriptors(void)
{
	struct fanotify_event_metadata e;
	struct rlimit old, none;
	int fd, other;

	files_make();
	fd = group_of(0);
	other = group_of(FAN_REPORT_FD_ERROR);
	mark(fd, 0, FAN_OPEN, "d/a");
	mark(other, 0, FAN_OPEN, "d/a");
	look("d/a");
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = old;
	none.rlim_cur = 0;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	FAILS(EMFILE, read(fd, &e, sizeof(e)));
	CHECK(read(other, &e, sizeof(e)) == sizeof(e) && e.fd == -EMFILE);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
	TELLS(fd, "");
	TELLS(other, "");
	CHECK(close(fd) == 0 && close(other) == 0);
}

/* A file that is being run cannot be opened for writing, a directory can. */
static void descriptors_that_cannot_be(void)
{
	int fd;

	files_make();
	fd = group_as(FAN_REPORT_FD_ERROR, O_RDWR);
	mark(fd, 0, FAN_OPEN | FAN_ONDIR, "d");
	mark(fd, 0, FAN_OPEN, "/proc/self/exe");
	look("d");
	look("/proc/self/exe");
	TELLS(fd, "open 'd'; open fd=-26");
	CHECK(close(fd) == 0);
}

static void a_full_queue(void)
{
	int max = atoi(file_get("/proc/sys/fs/fanotify/max_queued_events"));
	struct fanotify_event_metadata e;
	char name[64], old[64];
	int fd, n = 0;

	if (max > 20000)
		return;
	files_make();
	fd = group_of(FAN_REPORT_DFID_NAME | FAN_REPORT_PIDFD);
	mark(fd, 0, FAN_MOVED_TO, "d");
	file_put("e/f", "");
	for (int i = 0; i < max + 3; i++) {
		sprintf(old, i ? "d/f%d" : "e/f", i - 1);
		sprintf(name, "d/f%d", i);
		CHECK(rename(old, name) == 0);
	}
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == (max + 1) * 24);
	for (int i = 0; i < max; i++) {
		char buf[256];

		CHECK(read(fd, buf, 80) > 24); /* one at a time */
		memcpy(&e, buf, sizeof(e));
		CHECK(e.mask == FAN_MOVED_TO);
		for (int k = 24; k + 8 <= (int)e.event_len;) {
			struct fanotify_event_info_pidfd p;

			memcpy(&p, buf + k, sizeof(p));
			if (p.hdr.info_type == FAN_EVENT_INFO_TYPE_PIDFD)
				CHECK(close(p.pidfd) == 0);
			k += p.hdr.len;
		}
	}
	CHECK(rename(name, "d/last") == 0);
	TELLS(fd, "overflow pidfd!; to name=d/last pidfd");
	CHECK(unlink("d/last") == 0 && close(fd) == 0);
}

static void handles_lead_back(void)
{
	char buf[512] __attribute__((aligned(8)));
	struct fanotify_event_info_fid *fid = (void *)(buf + 24);
	int fd, f, root;
	struct stat a, b;

	files_make();
	fd = group_of(FAN_REPORT_FID);
	mark(fd, 0, FAN_OPEN, "d/a");
	look("d/a");
	CHECK(read(fd, buf, sizeof(buf)) > 24);
	root = open(".", O_RDONLY);
	f = open_by_handle_at(root, (void *)fid->handle, O_RDONLY);
	CHECK(f >= 0 && fstat(f, &a) == 0 && stat("d/a", &b) == 0);
	CHECK(a.st_ino == b.st_ino && close(f) == 0 && close(root) == 0);
	CHECK(close(fd) == 0);
}

RUN(TEST(handles_alone), TEST(handles_of_directories), TEST(handles_of_both), TEST(names),
    TEST(names_and_handles), TEST(names_and_handles_of_all),
    TEST(renames_tell_what_is_watched), TEST(files_by_themselves),
    TEST(the_end_comes_with_the_last_close), TEST(events_of_processes_are_apart),
    TEST(descriptors_of_processes), TEST(errors_in_place_of_descriptors),
    TEST(descriptors_that_cannot_be), TEST(a_full_queue), TEST(handles_lead_back))
