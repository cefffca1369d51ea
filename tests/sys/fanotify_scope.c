/* SPDX-License-Identifier: MIT */
/* files */
/* fanotify's marks on mounts, file systems and the tree of mounts; all of them on file
 * systems that the test has mounted for itself. */
/* calls: fanotify_mark fanotify_init */
#include "fanotify.h"
#include "mounts.h"

#include <sys/sysmacros.h>

#define FILE_EVENTS (FAN_ACCESS | FAN_MODIFY | FAN_CLOSE | FAN_OPEN)
#define NAME_EVENTS (FAN_CREATE | FAN_DELETE | FAN_MOVE)
#define SELF_EVENTS (FAN_ATTRIB | FAN_DELETE_SELF | FAN_MOVE_SELF)

/* m: a file system with the files of files_make(); n: the same, mounted once more. The
 * test goes on there. */
static bool set_up(void)
{
	if (geteuid() != 0 || !mounts_are_ours())
		return false;
	CHECK(mkdir("m", 0755) == 0 || errno == EEXIST);
	CHECK(mkdir("n", 0755) == 0 || errno == EEXIST);
	CHECK(mount("none", "m", "tmpfs", 0, NULL) == 0);
	CHECK(mount("m", "n", NULL, MS_BIND, NULL) == 0);
	CHECK(chdir("m") == 0);
	files_make();
	know(".");
	return true;
}

static void tear_down(void)
{
	CHECK(chdir("..") == 0);
	CHECK(umount2("n", MNT_DETACH) == 0 && umount2("m", MNT_DETACH) == 0);
}

static void on_mount(void)
{
	int fd, other;

	if (!set_up())
		return;
	fd = group_of(0);
	mark(fd, FAN_MARK_MOUNT, FILE_EVENTS, "d/s");
	use("d/a");
	use("d/s/b");
	look("d");
	use("../n/d/a"); /* the other one */
	CHECK(chmod("d/a", 0600) == 0 && truncate("d/a", 4) == 0);
	TELLS(fd, "access,modify,close_w,open 'd/a'; "
		  "access,modify,close_w,open 'd/s/b'");
	mark(fd, FAN_MARK_MOUNT, FAN_ONDIR, ".");
	look("d");
	TELLS(fd, "close_r,open 'd'");
	other = group_of(FAN_REPORT_DFID_NAME);
	mark(other, FAN_MARK_MOUNT, FILE_EVENTS | FAN_ONDIR, ".");
	use("d/a");
	use("../n/d/a");
	look("d");
	look(".");
	TELLS(other, "access,modify,close_w,open name=d/a; close_r,open,ondir name=d/.; "
		     "close_r,open,ondir name=./.");
	FAILS(EINVAL, fanotify_mark(other, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CREATE,
				    AT_FDCWD, "."));
	FAILS(EINVAL, fanotify_mark(other, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_ATTRIB,
				    AT_FDCWD, "."));
	TELLS(fd, "access,modify,close_w,open 'd/a'; close_r,open 'd'; "
		  "close_r,open ''");
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE | FAN_MARK_MOUNT, FILE_EVENTS | FAN_ONDIR,
			    AT_FDCWD, ".") == 0);
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE | FAN_MARK_MOUNT, FAN_OPEN,
				    AT_FDCWD, "."));
	use("d/a");
	TELLS(fd, "");
	CHECK(close(fd) == 0 && close(other) == 0);
	tear_down();
}

static void marks_on_mounts(void)
{
	CHECK(in_child(on_mount) == 0);
}

static void changes(void)
{
	use("d/a");
	use("../n/d/s/b");
	look("d/s");
	CHECK(chmod("d/a", 0600) == 0 && truncate("d/a", 3) == 0);
	file_put("d/new", "x");
	CHECK(rename("d/new", "e/new") == 0 && link("e/new", "d/hard") == 0);
	CHECK(unlink("d/hard") == 0 && unlink("e/new") == 0);
	CHECK(mkdir("d/dir", 0755) == 0 && rename("d/dir", "e/dir") == 0);
	CHECK(rmdir("e/dir") == 0);
	file_put("top", "x");
	CHECK(unlink("top") == 0);
}

static void on_file_system(void)
{
	int fd;

	if (!set_up())
		return;
	fd = group_of(0);
	mark(fd, FAN_MARK_FILESYSTEM, FILE_EVENTS | FAN_ONDIR, "d/a");
	use("d/a");
	use("../n/d/s/b");
	look("e");
	TELLS(fd, "access,modify,close_w,open 'd/a'; "
		  "access,modify,close_w,open '../n/d/s/b'; "
		  "close_r,open 'e'");
	CHECK(close(fd) == 0);
	fd = group_of(FAN_REPORT_FID);
	mark(fd, FAN_MARK_FILESYSTEM, FILE_EVENTS | NAME_EVENTS | SELF_EVENTS | FAN_ONDIR,
	     ".");
	changes();
	TELLS(fd, "access,modify,attrib,close_w,open fid=d/a; "
		  "access,modify,close_w,open fid=d/s/b; close_r,open,ondir fid=d/s; "
		  "from,create,delete fid=d; "
		  "modify,attrib,close_w,open,delete_self,move_self fid=?; "
		  "to,delete fid=e; from,create,ondir fid=d; to,delete,ondir fid=e; "
		  "delete_self,move_self,ondir fid=?; create,delete fid=.; "
		  "modify,attrib,close_w,open,delete_self fid=?");
	CHECK(close(fd) == 0);
	fd = group_of(FAN_REPORT_DFID_NAME);
	mark(fd, FAN_MARK_FILESYSTEM, FILE_EVENTS | NAME_EVENTS | SELF_EVENTS | FAN_ONDIR,
	     ".");
	changes();
	TELLS(fd, "access,modify,attrib,close_w,open name=d/a; "
		  "access,modify,close_w,open name=d/s/b; "
		  "close_r,open,ondir name=d/s/.; "
		  "modify,close_w,open,from,create name=d/new; to,delete name=e/new; "
		  "create,delete name=d/hard; from,create,ondir name=d/dir; "
		  "to,delete,ondir name=e/dir; delete_self,move_self,ondir name=?/.; "
		  "modify,close_w,open,create,delete name=./top");
	CHECK(close(fd) == 0);
	fd = group_of(FAN_REPORT_DFID_NAME_TARGET);
	mark(fd, FAN_MARK_FILESYSTEM,
	     FAN_RENAME | NAME_EVENTS | SELF_EVENTS | FAN_ONDIR | FAN_FS_ERROR, ".");
	changes();
	TELLS(fd, "attrib name=d/a fid=d/a; from,create name=d/new fid=?; "
		  "rename old=d/new new=e/new fid=?; to,delete name=e/new fid=?; "
		  "attrib,delete_self,move_self fid=?; "
		  "create,delete name=d/hard fid=?; "
		  "from,create,ondir name=d/dir fid=?; "
		  "rename,ondir old=d/dir new=e/dir fid=?; "
		  "to,delete,ondir name=e/dir fid=?; "
		  "delete_self,move_self,ondir name=?/.; "
		  "create,delete name=./top fid=?; attrib,delete_self fid=?");
	CHECK(close(fd) == 0);
	fd = group_of(FAN_REPORT_DIR_FID);
	mark(fd, FAN_MARK_FILESYSTEM, FILE_EVENTS | NAME_EVENTS | SELF_EVENTS, ".");
	changes();
	TELLS(fd, "access,modify,attrib,close_w,open,from,create,delete dir=d; "
		  "access,modify,close_w,open fid=d/s; to,delete dir=e; "
		  "modify,close_w,open,create,delete dir=.");
	CHECK(close(fd) == 0);
	tear_down();
}

static void marks_on_file_systems(void)
{
	CHECK(in_child(on_file_system) == 0);
}

/* What an inode, its directory or its mount ignores is not told to the group at all. */
static void some_ignored(void)
{
	const unsigned ignore = FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY;
	int fd;

	if (!set_up())
		return;
	fd = group_of(0);
	mark(fd, FAN_MARK_FILESYSTEM, FAN_OPEN | FAN_CLOSE | FAN_ONDIR, ".");
	mark(fd, ignore, FAN_OPEN, "d/a");
	mark(fd, ignore | FAN_MARK_MOUNT, FAN_CLOSE_WRITE, "../n");
	look("d/a");
	use("d/s/b");
	use("../n/d/s/b");
	look("d");
	TELLS(fd, "close_r 'd/a'; close_w,open 'd/s/b'; "
		  "open '../n/d/s/b'; close_r,open 'd'");
	/* a directory ignores for its files if it is told of them */
	mark(fd, ignore, FAN_OPEN, "d/s");
	look("d/s/b");
	mark(fd, 0, FAN_MODIFY | FAN_EVENT_ON_CHILD, "d/s");
	look("d/s/b");
	look("d/s");
	TELLS(fd, "close_r,open 'd/s/b'; close_r 'd/s'");
	mark(fd, FAN_MARK_IGNORE_SURV, FAN_CLOSE | FAN_ONDIR, "d/s");
	look("d/s/b");
	look("d/s");
	mark(fd, FAN_MARK_IGNORE_SURV, FAN_EVENT_ON_CHILD, "d/s");
	look("d/s/b");
	TELLS(fd, "close_r,open 'd/s/b'");
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, "x") == 0);
	look("d/a");
	TELLS(fd, "close_r,open 'd/a'");
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, 0, NULL) == 0);
	look("d/a");
	TELLS(fd, "");
	CHECK(close(fd) == 0);
	tear_down();
}

static void what_is_ignored_where(void)
{
	CHECK(in_child(some_ignored) == 0);
}

static void opener(void)
{
	_exit(open("d/a", O_RDONLY) < 0 ? errno : 0);
}

static void asked(void)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r = {.response = FAN_DENY};
	struct pollfd p = {.events = POLLIN};
	pid_t pid;
	int fd;

	if (!set_up())
		return;
	for (int i = 0; i < 2; i++) {
		p.fd = fd = group_of(FAN_CLASS_CONTENT);
		mark(fd, i ? FAN_MARK_MOUNT : FAN_MARK_FILESYSTEM, FAN_OPEN_PERM, ".");
		pid = child_start(opener);
		CHECK(poll(&p, 1, -1) == 1 && read(fd, &e, sizeof(e)) == sizeof(e));
		CHECK(e.mask == FAN_OPEN_PERM && e.pid == pid);
		r.fd = e.fd;
		CHECK(write(fd, &r, sizeof(r)) == sizeof(r) && close(e.fd) == 0);
		CHECK(child_wait(pid) == EPERM << 8);
		mark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN_PERM, "d/a");
		CHECK(in_child(opener) == 0);
		CHECK(close(fd) == 0);
	}
	tear_down();
}

static void questions_about_all(void)
{
	CHECK(in_child(asked) == 0);
}

/* ---- the end of what is marked ---- */

static void unmounted(void)
{
	int fd, other;

	if (!set_up())
		return;
	fd = group_of(0);
	other = group_of(FAN_REPORT_FID);
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, "../n");
	mark(other, FAN_MARK_FILESYSTEM, FAN_OPEN, ".");
	use("../n/d/a");
	TELLS(fd, "open '../n/d/a'");
	CHECK(umount2("../n", 0) == 0);
	use("d/a");
	TELLS(fd, "");
	TELLS(other, "open fid=d/a");
	CHECK(chdir("..") == 0);
	CHECK(umount2("m", 0) == 0); /* marks keep nothing */
	TELLS(other, "");
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE | FAN_MARK_MOUNT, FAN_OPEN,
				    AT_FDCWD, "m"));
	CHECK(close(fd) == 0 && close(other) == 0);
}

static void unmounting(void)
{
	CHECK(in_child(unmounted) == 0);
}

/* ---- fdinfo ---- */

static const char *fdinfo(int fd)
{
	char name[64];

	sprintf(name, "/proc/self/fdinfo/%d", fd);
	return strstr(file_get(name), "fanotify flags:");
}

static void shown(void)
{
	char want[2000];
	unsigned dev;
	struct stat st;
	struct handle h;
	const char *got;
	int fd, n, mount_id;

	if (!set_up())
		return;
	fd = group_as(FAN_REPORT_DFID_NAME, O_RDONLY | O_CLOEXEC);
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, "d");
	mark(fd, FAN_MARK_FILESYSTEM, FAN_CREATE | FAN_ONDIR, "d");
	mark(fd, FAN_MARK_EVICTABLE, FAN_OPEN | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	mark(fd, FAN_MARK_EVICTABLE | FAN_MARK_IGNORE_SURV,
	     FAN_CLOSE | FAN_EVENT_ON_CHILD, "d");
	mark(fd, 0, FAN_MODIFY, "d/a");
	CHECK(stat("d/a", &st) == 0);
	dev = major(st.st_dev) << 20 | minor(st.st_dev);
	h = handle_of("d/a");
	CHECK(name_to_handle_at(AT_FDCWD, "d/a", &h.head, &mount_id, 0) == 0);
	n = sprintf(want,
		    "fanotify flags:%x event-flags:88000\nfanotify ino:%lx sdev:%x "
		    "mflags:0 mask:8000002 ignored_mask:0 fhandle-bytes:%x "
		    "fhandle-type:%x f_handle:",
		    FAN_REPORT_DFID_NAME | FAN_NONBLOCK | FAN_CLOEXEC, st.st_ino, dev,
		    h.head.handle_bytes, (unsigned)h.head.handle_type);
	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		n += sprintf(want + n, "%02x", h.bytes[i]);
	CHECK(stat("d", &st) == 0);
	h = handle_of("d");
	n += sprintf(want + n,
		     "\nfanotify ino:%lx sdev:%x mflags:640 mask:48000020 "
		     "ignored_mask:8000018 fhandle-bytes:%x fhandle-type:%x f_handle:",
		     st.st_ino, dev, h.head.handle_bytes, (unsigned)h.head.handle_type);
	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		n += sprintf(want + n, "%02x", h.bytes[i]);
	sprintf(want + n,
		"\nfanotify sdev:%x mflags:0 mask:48000100 ignored_mask:0\n"
		"fanotify mnt_id:%x mflags:0 mask:8000020 ignored_mask:0\n",
		dev, (unsigned)mount_id);
	got = fdinfo(fd);
	if (strcmp(got, want) != 0) {
		printf("not ok: %s\nnot %s\n", got, want);
		exit(1);
	}
	CHECK(close(fd) == 0);
	tear_down();
}

static void shown_in_fdinfo(void)
{
	CHECK(in_child(shown) == 0);
}

/* ---- the tree of mounts ---- */

static uint64_t unique_id(const char *path)
{
	uint64_t buf[32] = {0};

	/* STATX_MNT_ID_UNIQUE: stx_mnt_id is at 0x90 */
	CHECK(syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000, buf) == 0);
	return buf[0x90 / 8];
}

#define ID(path) ((unsigned long long)unique_id(path))

static void mounted(void)
{
	char want[400];
	int fd, ns;

	if (geteuid() != 0 || !mounts_are_ours())
		return;
	fd = fanotify_init(FAN_REPORT_MNT | FAN_NONBLOCK, 0);
	ns = open("/proc/self/ns/mnt", O_RDONLY);
	CHECK(mkdir("m", 0755) == 0 || errno == EEXIST);
	CHECK(mkdir("n", 0755) == 0 || errno == EEXIST);
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "m"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_MNT_ATTACH, AT_FDCWD, "m"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MNTNS, FAN_MNT_ATTACH,
				    AT_FDCWD, "m"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MNTNS,
				    FAN_MNT_ATTACH | FAN_ONDIR, ns, NULL));
	CHECK(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MNTNS,
			    FAN_MNT_ATTACH | FAN_MNT_DETACH, ns, NULL) == 0);
	CHECK(mount("none", "m", "tmpfs", 0, NULL) == 0);
	sprintf(want, "attach mount=%llu", ID("m"));
	TELLS(fd, want);
	CHECK(mkdir("m/x", 0755) == 0 && mkdir("m/y", 0755) == 0);
	CHECK(mount("none", "m/x", "tmpfs", 0, NULL) == 0);
	sprintf(want, "attach mount=%llu", ID("m/x"));
	TELLS(fd, want);
	CHECK(mount("m", "n", NULL, MS_BIND | MS_REC, NULL) == 0);
	sprintf(want, "attach mount=%llu; attach mount=%llu", ID("n"), ID("n/x"));
	TELLS(fd, want);
	sprintf(want, "attach,detach mount=%llu", ID("m/x"));
	CHECK(mount("m/x", "m/y", NULL, MS_MOVE, NULL) == 0);
	TELLS(fd, want);
	sprintf(want, "detach mount=%llu; detach mount=%llu", ID("n"), ID("n/x"));
	CHECK(umount2("n", MNT_DETACH) == 0);
	TELLS(fd, want);
	sprintf(want, "detach mount=%llu", ID("m/y"));
	CHECK(umount2("m/y", 0) == 0);
	TELLS(fd, want);
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE | FAN_MARK_MNTNS, FAN_MNT_DETACH, ns,
			    NULL) == 0);
	CHECK(umount2("m", 0) == 0);
	TELLS(fd, "");
	CHECK(close(fd) == 0 && close(ns) == 0);
}

static void mounts_come_and_go(void)
{
	CHECK(in_child(mounted) == 0);
}

static void errors(void)
{
	int fd = group_of(0), fid = group_of(FAN_REPORT_FID), p[2];

	CHECK(pipe(p) == 0);
	FAILS(EINVAL,
	      fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, p[0], NULL));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN,
				    p[0], NULL));
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, p[0], NULL) == 0);
	FAILS(EINVAL,
	      fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MNTNS, FAN_OPEN, AT_FDCWD, "."));
	FAILS(EINVAL, fanotify_mark(fid, FAN_MARK_ADD, FAN_FS_ERROR, AT_FDCWD, "."));
	FAILS(EINVAL, fanotify_mark(fid, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_FS_ERROR,
				    AT_FDCWD, "."));
	FAILS(EINVAL,
	      fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT | FAN_MARK_EVICTABLE,
			    FAN_OPEN, AT_FDCWD, "."));
	/* whose handles lead nowhere */
	FAILS(EOPNOTSUPP, fanotify_mark(fid, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN,
					AT_FDCWD, "/proc"));
	FAILS(EOPNOTSUPP, fanotify_mark(fid, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN,
					AT_FDCWD, "/proc"));
	CHECK(fanotify_mark(fid, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/proc/self") == 0);
	CHECK(close(fd) == 0 && close(fid) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
	fd = group_of(FAN_CLASS_CONTENT);
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD,
				    "/proc/self/status"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_PRE_ACCESS, AT_FDCWD, "."));
	CHECK(close(fd) == 0);
}

RUN(TEST(marks_on_mounts), TEST(marks_on_file_systems), TEST(what_is_ignored_where),
    TEST(questions_about_all), TEST(unmounting), TEST(shown_in_fdinfo),
    TEST(mounts_come_and_go), TEST(errors))
