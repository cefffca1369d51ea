/* SPDX-License-Identifier: MIT */
/* overlayfs: files. They are copied up whole, and stay the same file to who has them. */
/* calls: mount open read write mmap chmod utimensat link unlink setxattr flock fcntl
 * ftruncate fallocate lseek fstat name_to_handle_at */
#include "overlay.h"

#include <sys/file.h>

#define IN_LAYERS(fn) CHECK(in_child(fn) == 0)

static struct stat stat_of(const char *path)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	return st;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void copy(void)
{
	struct timespec times[2] = {{1000, 123456000}, {2000, 654321000}};
	struct stat below;
	struct stat st;
	char buf[64] = "";
	int fd;

	if (!layers_are_there())
		return;
	file_put("l1/f", "text");
	CHECK(chown("l1/f", 12, 34) == 0 && chmod("l1/f", 02750) == 0);
	CHECK(setxattr("l1/f", "user.one", "1", 1, 0) == 0);
	CHECK(setxattr("l1/f", "trusted.two", "22", 2, 0) == 0);
	CHECK(utimensat(AT_FDCWD, "l1/f", times, 0) == 0);
	CHECK(symlink("target", "l1/s") == 0 && mkfifo("l1/p", 0600) == 0);
	CHECK(mknod("l1/null", S_IFCHR | 0644, makedev(1, 3)) == 0);
	CHECK(overlay_mount("m", LAYERS) == 0);
	below = stat_of("m/f");
	CHECK(below.st_ino == ino_of("l1/f") && lists("u", ""));
	fd = open("m/f", O_RDWR);
	CHECK(fd >= 0 && lists("u", "f ")); /* not when it is written to */
	st = stat_of("m/f");
	CHECK(st.st_ino == below.st_ino && st.st_dev == below.st_dev);
	CHECK(st.st_uid == 12 && st.st_gid == 34 && st.st_mode == (S_IFREG | 02750));
	CHECK(same_time(st.st_atim, times[0]) && same_time(st.st_mtim, times[1]));
	CHECK(getxattr("m/f", "user.one", buf, 64) == 1 && buf[0] == '1');
	CHECK(getxattr("u/f", "trusted.two", buf, 64) == 2);
	CHECK(has_mark("u/f", "trusted.overlay.origin", NULL));
	CHECK(has_mark("u", "trusted.overlay.impure", "y"));
	FAILS(ENODATA, getxattr("m/f", "trusted.overlay.origin", buf, 64));
	CHECK(write(fd, "TEXT!", 5) == 5 && close(fd) == 0);
	CHECK(file_is("m/f", "TEXT!") && file_is("l1/f", "text"));
	CHECK(lchown("m/s", 5, 6) == 0 && chmod("m/p", 0640) == 0 &&
	      chmod("m/null", 0600) == 0);
	CHECK(readlink("u/s", buf, 64) == 6 && memcmp(buf, "target", 6) == 0);
	CHECK(stat_of("u/s").st_uid == 5 && S_ISFIFO(stat_of("u/p").st_mode));
	CHECK(stat_of("u/null").st_rdev == makedev(1, 3) &&
	      stat_of("l1/null").st_mode == (S_IFCHR | 0644));
	CHECK(overlay_again(LAYERS) && ino_of("m/f") == below.st_ino);
}

static void all_of_a_file_is_copied(void)
{
	IN_LAYERS(copy);
}

static void copy_sparse(void)
{
	struct stat st;
	char byte = 0;
	int fd;

	if (!layers_are_there())
		return;
	fd = open("l1/f", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0 && ftruncate(fd, 64 << 20) == 0);
	CHECK(pwrite(fd, "a", 1, 1 << 20) == 1 && pwrite(fd, "b", 1, 32 << 20) == 1);
	CHECK(close(fd) == 0 && overlay_mount("m", LAYERS) == 0);
	CHECK(chmod("m/f", 0600) == 0);
	fd = open("u/f", O_RDONLY);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 64 << 20);
	CHECK(st.st_blocks < 16384);
	CHECK(pread(fd, &byte, 1, 1 << 20) == 1 && byte == 'a');
	CHECK(pread(fd, &byte, 1, 32 << 20) == 1 && byte == 'b');
	CHECK(close(fd) == 0);
	fd = open("m/f", O_RDWR);
	/* Linux copies a MiB at a time. */
	CHECK(lseek(fd, 0, SEEK_DATA) == 1 << 20);
	CHECK(lseek(fd, 1 << 20, SEEK_HOLE) <= 2 << 20);
	CHECK(lseek(fd, 2 << 20, SEEK_DATA) == 32 << 20);
	CHECK(fallocate(fd, 0, 0, 4096) == 0 && lseek(fd, 0, SEEK_DATA) >= 0);
	CHECK(ftruncate(fd, 10) == 0 && stat_of("m/f").st_size == 10);
	CHECK(lseek(fd, 0, SEEK_END) == 10 && close(fd) == 0);
}

static void holes_stay_holes(void)
{
	IN_LAYERS(copy_sparse);
}

static void keep_open(void)
{
	char buf[16] = "";
	struct stat a;
	struct stat b;
	char *map;
	char *shared;
	int r;
	int w;

	if (!layers_are_there())
		return;
	file_put("l1/f", "lower");
	CHECK(overlay_mount("m", LAYERS) == 0);
	r = open("m/f", O_RDONLY);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0);
	CHECK(r >= 0 && map != MAP_FAILED && memcmp(map, "lower", 5) == 0);
	CHECK(flock(r, LOCK_EX) == 0);
	w = open("m/f", O_RDWR);
	CHECK(w >= 0 && write(w, "UPPER!", 6) == 6);
	FAILS(EWOULDBLOCK, flock(w, LOCK_EX | LOCK_NB)); /* one file, one lock */
	/* A descriptor goes on with the copy; a mapping does not. */
	CHECK(pread(r, buf, 16, 0) == 6 && memcmp(buf, "UPPER!", 6) == 0);
	CHECK(memcmp(map, "lower", 5) == 0);
	CHECK(fstat(r, &a) == 0 && fstat(w, &b) == 0 && a.st_ino == b.st_ino &&
	      a.st_dev == b.st_dev && a.st_size == 6);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0);
	CHECK(shared != MAP_FAILED && memcmp(shared, "UPPER!", 6) == 0);
	shared[0] = 'u';
	CHECK(pread(w, buf, 16, 0) == 6 && buf[0] == 'u');
	CHECK(file_is("m/f", "uPPER!") && file_is("u/f", "uPPER!"));
	CHECK(pwrite(w, "P", 1, 1) == 1 && pwrite(w, "v", 1, 2) == 1 && shared[2] == 'v');
	/* Without a name it lives on. */
	CHECK(unlink("m/f") == 0 && !exists("m/f") && is_whiteout("u/f"));
	CHECK(pread(r, buf, 16, 0) == 6 && buf[2] == 'v');
	CHECK(pwrite(w, "end", 3, 0) == 3 && pread(r, buf, 3, 0) == 3 && buf[0] == 'e');
	CHECK(munmap(shared, PAGE) == 0 && munmap(map, PAGE) == 0);
	CHECK(close(r) == 0 && close(w) == 0 && file_is("l1/f", "lower"));
	CHECK(exists("l2") && lists("m", ""));
}

static void open_files_and_mappings(void)
{
	IN_LAYERS(keep_open);
}

static void append(void)
{
	int a;
	int b;

	if (!layers_are_there())
		return;
	file_put("l1/f", "1");
	CHECK(overlay_mount("m", LAYERS) == 0);
	a = open("m/f", O_WRONLY | O_APPEND);
	b = open("m/f", O_WRONLY);
	CHECK(a >= 0 && b >= 0 && write(a, "2", 1) == 1 && write(a, "3", 1) == 1);
	CHECK(fcntl(b, F_SETFL, O_APPEND) == 0 && write(b, "4", 1) == 1);
	CHECK(fcntl(a, F_SETFL, 0) == 0 && lseek(a, 0, SEEK_SET) == 0);
	CHECK(write(a, "x", 1) == 1 && file_is("m/f", "x234"));
	CHECK(close(a) == 0 && close(b) == 0);
	a = open("m/f", O_WRONLY | O_TRUNC);
	CHECK(a >= 0 && stat_of("m/f").st_size == 0 && close(a) == 0);
	FAILS(EEXIST, open("m/f", O_CREAT | O_EXCL | O_WRONLY, 0600));
	CHECK(truncate("m/f", 5) == 0 && stat_of("u/f").st_size == 5);
}

static void writing(void)
{
	IN_LAYERS(append);
}

static void name_twice(void)
{
	struct stat st;
	char proc[64];
	int fd;

	if (!layers_are_there())
		return;
	file_put("l1/a", "a");
	file_put("l1/h", "h");
	CHECK(link("l1/h", "l1/h2") == 0);
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(link("m/a", "m/b") == 0 && lists("u", "a b "));
	CHECK(ino_of("m/a") == ino_of("m/b") && ino_of("m/a") == ino_of("l1/a"));
	CHECK(stat_of("m/a").st_nlink == 2 && ino_of("u/a") == ino_of("u/b"));
	file_put("m/b", "both");
	CHECK(file_is("m/a", "both") && unlink("m/a") == 0 && is_whiteout("u/a"));
	CHECK(file_is("m/b", "both") && stat_of("m/b").st_nlink == 1);
	/* A link in place of a whiteout. */
	CHECK(link("m/b", "m/a") == 0 && file_is("m/a", "both") &&
	      lists("m", "a b h h2 "));
	FAILS(EEXIST, link("m/b", "m/a"));
	/* A lower file's names part when one of them is changed. */
	CHECK(stat_of("m/h").st_nlink == 2 && ino_of("m/h") == ino_of("m/h2"));
	file_put("m/h", "changed");
	CHECK(file_is("m/h2", "h") && ino_of("m/h") != ino_of("m/h2"));
	CHECK(stat_of("m/h").st_nlink == 1 && stat_of("m/h2").st_nlink == 2);
	fd = open("m", O_TMPFILE | O_RDWR, 0640);
	CHECK(fd >= 0 && write(fd, "tmp", 3) == 3 && fstat(fd, &st) == 0);
	CHECK(st.st_nlink == 0);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, proc, AT_FDCWD, "m/tmp", AT_SYMLINK_FOLLOW) == 0);
	CHECK(file_is("m/tmp", "tmp") && file_is("u/tmp", "tmp") && close(fd) == 0);
	CHECK(overlay_again(LAYERS) && lists("m", "a b h h2 tmp "));
	CHECK(ino_of("m/a") == ino_of("m/b") && stat_of("m/a").st_nlink == 2);
}

static void several_names(void)
{
	IN_LAYERS(name_twice);
}

static void mark(void)
{
	char buf[256];

	if (!layers_are_there())
		return;
	file_put("l1/f", "f");
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(setxattr("m/f", "user.a", "b", 1, 0) == 0 && lists("u", "f "));
	FAILS(ENODATA, removexattr("m/f", "user.b"));
	CHECK(listxattr("m/f", buf, sizeof(buf)) == 7 && strcmp(buf, "user.a") == 0);
	FAILS(ERANGE, listxattr("m/f", buf, 3));
	/* Names like the overlay's own are for another overlay. */
	CHECK(setxattr("m/f", "trusted.overlay.x", "y", 1, 0) == 0);
	CHECK(has_mark("m/f", "trusted.overlay.x", "y"));
	CHECK(has_mark("u/f", "trusted.overlay.overlay.x", "y"));
	CHECK(removexattr("m/f", "user.a") == 0);
	CHECK(listxattr("m/f", buf, sizeof(buf)) == 18 &&
	      strcmp(buf, "trusted.overlay.x") == 0);
	CHECK(removexattr("m/f", "trusted.overlay.x") == 0);
	CHECK(listxattr("m/f", buf, sizeof(buf)) == 0);
	CHECK(setxattr("m", "user.r", "r", 1, 0) == 0 && has_mark("u", "user.r", "r"));
}

static void attributes(void)
{
	IN_LAYERS(mark);
}

/* user::rw-, user:77:rwx, group::r--, mask::rwx, other::--- */
static const uint8_t list[] = {
	2, 0,  0,    0,	   1,	 0,    6,    0, 0xff, 0xff, 0xff, 0xff, 2,    0,    7,
	0, 77, 0,    0,	   0,	 4,    0,    4, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
	7, 0,  0xff, 0xff, 0xff, 0xff, 0x20, 0, 0,    0,    0xff, 0xff, 0xff, 0xff};

static void lists_of_access(void)
{
	char buf[256];

	if (!layers_are_there())
		return;
	file_put("l1/f", "f");
	CHECK(mkdir("l1/d", 0755) == 0);
	CHECK(setxattr("l1/f", "system.posix_acl_access", list, sizeof(list), 0) == 0);
	CHECK(setxattr("l1/d", "system.posix_acl_default", list, sizeof(list), 0) == 0);
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(getxattr("m/f", "system.posix_acl_access", buf, 256) == sizeof(list));
	CHECK(utimensat(AT_FDCWD, "m/f", NULL, 0) == 0 && exists("u/f"));
	CHECK(getxattr("u/f", "system.posix_acl_access", buf, 256) == sizeof(list));
	CHECK(memcmp(buf, list, sizeof(list)) == 0);
	file_put("m/d/new", "n");
	CHECK(getxattr("u/d", "system.posix_acl_default", buf, 256) == sizeof(list));
	CHECK(getxattr("u/d/new", "system.posix_acl_access", buf, 256) == sizeof(list));
	CHECK((stat_of("u/d/new").st_mode & 0777) == 0640);
	CHECK(chmod("m/f", 0600) == 0);
	CHECK(getxattr("u/f", "system.posix_acl_access", buf, 256) == sizeof(list));
	CHECK(buf[30] == 0); /* the mask */
	CHECK(removexattr("m/f", "system.posix_acl_access") == 0);
	FAILS(ENODATA, getxattr("u/f", "system.posix_acl_access", buf, 256));
	CHECK(mkdir("m/e", 0755) == 0);
	CHECK(setxattr("m/e", "system.posix_acl_default", list, sizeof(list), 0) == 0);
	CHECK(getxattr("u/e", "system.posix_acl_default", buf, 256) == sizeof(list));
}

static void access_control_lists(void)
{
	IN_LAYERS(lists_of_access);
}

static void copy_less(void)
{
	struct stat st;
	int r;

	if (!layers_are_there())
		return;
	file_put("l1/f", "below");
	file_put("l1/g", "stays");
	CHECK(overlay_mount("m", LAYERS ",metacopy=on") == 0);
	CHECK(chmod("m/f", 0600) == 0 && has_mark("u/f", "trusted.overlay.metacopy", ""));
	st = stat_of("u/f");
	CHECK(st.st_size == 5 && st.st_blocks == 0 && st.st_mode == (S_IFREG | 0600));
	CHECK(file_is("m/f", "below") && stat_of("m/f").st_blocks > 0);
	r = open("m/f", O_RDONLY);
	CHECK(r >= 0 && chmod("m/g", 0640) == 0);
	CHECK(overlay_again(LAYERS) == false && close(r) == 0); /* it is in use */
	CHECK(overlay_again(LAYERS));
	FAILS(EPERM, open("m/f", O_RDONLY)); /* nobody said that this is fine */
	CHECK(overlay_again(LAYERS ",metacopy=on") && file_is("m/f", "below"));
	r = open("m/f", O_RDONLY);
	int w = open("m/f", O_WRONLY | O_APPEND);
	CHECK(w >= 0 && write(w, "!", 1) == 1 && close(w) == 0 && close(r) == 0);
	CHECK(file_is("u/f", "below!") && file_is("m/f", "below!"));
	CHECK(!has_mark("u/f", "trusted.overlay.metacopy", NULL));
	CHECK(stat_of("m/f").st_mode == (S_IFREG | 0600));
}

static void metadata_alone(void)
{
	IN_LAYERS(copy_less);
}

static void lay_data(void)
{
	if (!layers_are_there())
		return;
	file_put("l2/blob", "data");
	file_put("l1/f", "");
	CHECK(truncate("l1/f", 4) == 0);
	CHECK(setxattr("l1/f", "trusted.overlay.metacopy", "", 0, 0) == 0);
	CHECK(setxattr("l1/f", "trusted.overlay.redirect", "/blob", 5, 0) == 0);
	CHECK(overlay_mount("m", "lowerdir=l1::l2,metacopy=on,upperdir=u,workdir=w") ==
	      0);
	CHECK(lists("m", "f ") && file_is("m/f", "data"));
	int fd = open("m/f", O_RDWR);
	CHECK(fd >= 0 && write(fd, "D", 1) == 1 && close(fd) == 0);
	CHECK(file_is("u/f", "Data") && file_is("l2/blob", "data"));
}

static void layers_for_data_alone(void)
{
	IN_LAYERS(lay_data);
}

static void handle(void)
{
	struct {
		struct file_handle h;
		char room[128];
	} fh = {.h = {.handle_bytes = 128}};
	int id;

	if (!layers_are_there())
		return;
	file_put("l1/f", "f");
	CHECK(overlay_mount("m", LAYERS) == 0);
	FAILS(EOPNOTSUPP, name_to_handle_at(AT_FDCWD, "m/f", &fh.h, &id, 0));
	fh.h.handle_bytes = 128; /* one that is only to be compared */
	CHECK(name_to_handle_at(AT_FDCWD, "m/f", &fh.h, &id, AT_REMOVEDIR) == 0);
}

static void handles_lead_nowhere(void)
{
	IN_LAYERS(handle);
}

static void number(void)
{
	struct stat st;
	ino_t ino;

	if (!layers_are_there())
		return;
	CHECK(mkdir("other", 0755) == 0 && mount("o", "other", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("other/u", 0755) == 0 && mkdir("other/w", 0755) == 0);
	file_put("l1/f", "f");
	CHECK(mkdir("l1/d", 0755) == 0);
	CHECK(overlay_mount("m", "lowerdir=l1,upperdir=other/u,workdir=other/w") == 0);
	/* A device of their own for files; directories are all the overlay's. */
	CHECK(stat_of("m/f").st_dev != stat_of("m").st_dev);
	CHECK(stat_of("m/d").st_dev == stat_of("m").st_dev);
	CHECK(stat_of("m/f").st_dev != stat_of("l1/f").st_dev);
	CHECK(ino_of("m/f") == ino_of("l1/f"));
	CHECK(umount2("m", 0) == 0);
	CHECK(overlay_mount("m",
			    "lowerdir=l1,upperdir=other/u,workdir=other/w,xino=on") == 0);
	st = stat_of("m/f");
	CHECK(st.st_dev == stat_of("m").st_dev && st.st_dev == stat_of("m/d").st_dev);
	CHECK(st.st_ino != ino_of("l1/f"));
	ino = ino_of("m/d");
	CHECK(chmod("m/f", 0600) == 0 && ino_of("m/f") == st.st_ino);
	CHECK(chmod("m/d", 0700) == 0 && ino_of("m/d") == ino);
}

static void numbers_on_several_file_systems(void)
{
	IN_LAYERS(number);
}

RUN(TEST(all_of_a_file_is_copied), TEST(holes_stay_holes), TEST(open_files_and_mappings),
    TEST(writing), TEST(several_names), TEST(attributes), TEST(access_control_lists),
    TEST(metadata_alone), TEST(layers_for_data_alone),
    TEST(numbers_on_several_file_systems), TEST(handles_lead_nowhere))
