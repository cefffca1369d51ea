/* SPDX-License-Identifier: MIT */
/* files */
/* The newer mount calls. */
/* calls: fsopen fsconfig fsmount fspick open_tree move_mount mount_setattr statmount
 * listmount */
#include "mounts.h"

#include <linux/types.h>
#include <sys/statfs.h>

#define IN_OWN_MOUNTS(fn) CHECK(in_child(fn) == 0)

enum {
	SET_FLAG,
	SET_STRING,
	SET_BINARY,
	SET_PATH,
	SET_PATH_EMPTY,
	SET_FD,
	CREATE,
	RECONF
};
enum { CLONE = 1, RECURSIVE = 0x8000, F_EMPTY = 4, T_EMPTY = 0x40 };
enum { ATTR_RDONLY = 1, ATTR_NOEXEC = 8, ATTR_NOATIME = 0x10, ATTR_ATIME = 0x70 };

struct attr {
	uint64_t set, clear, propagation, userns;
};

struct id_request {
	uint32_t size, spare;
	uint64_t id, param;
};

struct stat_mount {
	uint32_t size, opts;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t sb_flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attr, propagation, group, master, from;
	uint32_t root, point;
	uint64_t spare[50];
	char str[1024];
};

static int fs_open(const char *type, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static int configure(int fd, unsigned int cmd, const void *key, const void *value,
		     int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

static int fs_mount(int fd, unsigned int flags, unsigned int attr)
{
	return (int)syscall(SYS_fsmount, fd, flags, attr);
}

static int tree_open(int dir, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags);
}

static int mount_move(int from, const char *from_path, int to, const char *to_path,
		      unsigned int flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static int set_attr(const char *path, unsigned int flags, uint64_t set, uint64_t clear,
		    uint64_t propagation)
{
	struct attr a = {set, clear, propagation, 0};

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &a, sizeof(a));
}

static void set_up(void)
{
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mkdir("c", 0755) == 0);
	file_put("a/below", "below");
	file_put("file", "x");
}

static int made(const char *size)
{
	int fd = fs_open("tmpfs", 1);
	int m;

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(configure(fd, SET_STRING, "source", "mine", 0) == 0);
	CHECK(configure(fd, SET_STRING, "size", size, 0) == 0);
	CHECK(configure(fd, SET_STRING, "mode", "0711", 0) == 0);
	CHECK(configure(fd, CREATE, NULL, NULL, 0) == 0);
	m = fs_mount(fd, 1, ATTR_NOEXEC);
	CHECK(m >= 0 && fcntl(m, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(m, F_GETFL) & O_PATH) != 0 && close(fd) == 0);
	return m;
}

static void make(void)
{
	struct statfs s;
	struct stat st;
	int m, fd;

	if (!mounts_are_ours())
		return;
	m = made("1m");
	CHECK(fstatfs(m, &s) == 0 && s.f_blocks == 256);
	fd = openat(m, "x", O_RDWR | O_CREAT, 0644); /* before it is anywhere */
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(!strstr(file_get("/proc/self/mounts"), "mine "));
	CHECK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY) == 0);
	CHECK(exists("a/x") && stat("a", &st) == 0 && (st.st_mode & 07777) == 0711);
	CHECK(strstr(file_get("/proc/self/mounts"), "mine "));
	FAILS(EBUSY, umount2("a", 0)); /* the descriptor */
	CHECK(close(m) == 0 && exists("a/x"));
	/* It is a mount as others: moved by its descriptor. */
	m = tree_open(AT_FDCWD, "a", 0);
	CHECK(m >= 0 && mount_move(m, "", AT_FDCWD, "b", F_EMPTY) == 0);
	CHECK(exists("b/x") && close(m) == 0);
	CHECK(mount_move(AT_FDCWD, "b", AT_FDCWD, "a", 0) == 0 && umount2("a", 0) == 0);
	/* What is nowhere ends with its descriptor. */
	m = made("1m");
	CHECK(close(m) == 0);
}

static void a_file_system_in_steps(void)
{
	IN_OWN_MOUNTS(make);
}

static void config(void)
{
	char text[256];
	ssize_t n;
	int fd;

	if (!mounts_are_ours())
		return;
	FAILS(EINVAL, fs_open("tmpfs", 2));
	FAILS(ENODEV, fs_open("no such", 0));
	FAILS(EFAULT, fs_open(NULL, 0));
	fd = fs_open("tmpfs", 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0);
	FAILS(ENODATA, read(fd, text, sizeof(text)));
	FAILS(EINVAL, configure(-1, SET_FLAG, "ro", NULL, 0));
	FAILS(EBADF, configure(999, SET_FLAG, "ro", NULL, 0));
	FAILS(EINVAL, configure(fd, SET_FLAG, "ro", "x", 0));
	FAILS(EINVAL, configure(fd, SET_FLAG, NULL, NULL, 0));
	FAILS(EINVAL, configure(fd, SET_STRING, "size", NULL, 0));
	FAILS(EINVAL, configure(fd, SET_STRING, "size", "1m", 1));
	FAILS(EINVAL, configure(fd, SET_PATH, "size", "1m", -1));
	FAILS(EINVAL, configure(fd, CREATE, "x", NULL, 0));
	FAILS(EOPNOTSUPP, configure(fd, 77, NULL, NULL, 0));
	FAILS(EFAULT, configure(fd, SET_FLAG, (void *)8, NULL, 0));
	FAILS(EINVAL, configure(fd, SET_STRING, "odd", "1", 0));
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = '\0';
	CHECK(strcmp(text, "e tmpfs: Unknown parameter 'odd'\n") == 0);
	FAILS(EINVAL, configure(fd, SET_STRING, "size", "big", 0));
	FAILS(EMSGSIZE, read(fd, text, 3));
	CHECK(read(fd, text, sizeof(text)) > 0);
	FAILS(ENODATA, read(fd, text, sizeof(text)));
	FAILS(EINVAL, fs_mount(fd, 0, 0)); /* not made yet */
	FAILS(EBUSY, configure(fd, RECONF, NULL, NULL, 0));
	CHECK(configure(fd, SET_STRING, "source", "one", 0) == 0);
	FAILS(EINVAL, configure(fd, SET_STRING, "source", "two", 0));
	CHECK(configure(fd, SET_FLAG, "ro", NULL, 0) == 0);
	CHECK(configure(fd, CREATE, NULL, NULL, 0) == 0);
	FAILS(EBUSY, configure(fd, CREATE, NULL, NULL, 0));
	FAILS(EINVAL, fs_mount(fd, 2, 0));
	FAILS(EINVAL, fs_mount(fd, 0, 0x30));
	FAILS(EINVAL, fs_mount(fd, 0, 1 << 20));
	FAILS(EBADF, fs_mount(999, 0, 0));
	int m = fs_mount(fd, 0, 0);
	CHECK(m >= 0);
	FAILS(EBUSY, fs_mount(fd, 0, 0));
	FAILS(EROFS, openat(m, "x", O_RDWR | O_CREAT, 0644));
	CHECK(close(m) == 0 && close(fd) == 0);
	fd = open("file", O_RDONLY);
	FAILS(EINVAL, configure(fd, SET_FLAG, "ro", NULL, 0));
	FAILS(EINVAL, fs_mount(fd, 0, 0));
	CHECK(close(fd) == 0);
}

static void parameters(void)
{
	IN_OWN_MOUNTS(config);
}

static void pick(void)
{
	struct statfs s;
	int fd;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", 0, "size=1m") == 0 && mkdir("a/in", 0755) == 0);
	FAILS(EINVAL, syscall(SYS_fspick, AT_FDCWD, "a/in", 0));
	FAILS(EINVAL, syscall(SYS_fspick, AT_FDCWD, "a", 16));
	FAILS(ENOENT, syscall(SYS_fspick, AT_FDCWD, "absent", 0));
	fd = (int)syscall(SYS_fspick, AT_FDCWD, "a", 1);
	CHECK(fd >= 0 && configure(fd, SET_STRING, "size", "2m", 0) == 0);
	FAILS(EBUSY, configure(fd, CREATE, NULL, NULL, 0));
	CHECK(configure(fd, RECONF, NULL, NULL, 0) == 0);
	CHECK(statfs("a", &s) == 0 && s.f_blocks == 512 && close(fd) == 0);
	CHECK(umount2("a", 0) == 0);
}

static void picked_and_changed(void)
{
	IN_OWN_MOUNTS(pick);
}

static void trees(void)
{
	int t;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "b", "tmpfs", 0, NULL) == 0 && mkdir("b/in", 0755) == 0);
	CHECK(mount("none", "b/in", "tmpfs", 0, NULL) == 0);
	file_put("b/in/x", "x");
	t = tree_open(AT_FDCWD, "b", CLONE | RECURSIVE | O_CLOEXEC);
	CHECK(t >= 0 && faccessat(t, "in/x", F_OK, 0) == 0);
	CHECK(mount_move(t, "", AT_FDCWD, "a", F_EMPTY) == 0 && file_is("a/in/x", "x"));
	CHECK(close(t) == 0 && umount2("a", MNT_DETACH) == 0);
	t = tree_open(AT_FDCWD, "b", CLONE);
	CHECK(t >= 0 && faccessat(t, "in/x", F_OK, 0) == -1 && close(t) == 0);
	t = tree_open(AT_FDCWD, "b", CLONE | RECURSIVE);
	CHECK(t >= 0 && close(t) == 0 && umount2("b/in", 0) == 0);
	FAILS(EINVAL, tree_open(AT_FDCWD, "b", RECURSIVE));
	FAILS(EINVAL, tree_open(AT_FDCWD, "b", 2));
	FAILS(ENOENT, tree_open(AT_FDCWD, "absent", CLONE));
	FAILS(EINVAL, mount_move(AT_FDCWD, "b/in", AT_FDCWD, "a", 0)); /* no mount */
	FAILS(EINVAL, mount_move(AT_FDCWD, "b", AT_FDCWD, "a", 0x1000));
	FAILS(ENOENT, mount_move(AT_FDCWD, "b", AT_FDCWD, "absent", 0));
	FAILS(EINVAL, mount_move(AT_FDCWD, "b", AT_FDCWD, "file", 0));
	FAILS(ELOOP, mount_move(AT_FDCWD, "b", AT_FDCWD, "b/in", 0));
	CHECK(umount2("b", 0) == 0);
}

static void trees_of_their_own(void)
{
	IN_OWN_MOUNTS(trees);
}

static void attributes(void)
{
	struct attr a = {ATTR_RDONLY, 0, 0, 0};
	struct statfs s;
	int fd;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/in", 0755) == 0);
	CHECK(mount("none", "a/in", "tmpfs", 0, NULL) == 0);
	CHECK(set_attr("a", 0, ATTR_RDONLY, 0, 0) == 0);
	FAILS(EROFS, mkdir("a/x", 0755));
	CHECK(mkdir("a/in/x", 0755) == 0);
	CHECK(set_attr("a", RECURSIVE, ATTR_NOEXEC | ATTR_NOATIME, ATTR_ATIME, 0) == 0);
	CHECK(statfs("a/in", &s) == 0 && (s.f_flags & ~0x20L) == (8 | 1024));
	CHECK(set_attr("a", RECURSIVE, 0, ATTR_RDONLY | ATTR_NOEXEC, MS_SHARED) == 0);
	CHECK(strstr(file_get("/proc/self/mountinfo"), "/a/in rw,noatime shared:"));
	fd = open("a/in/f", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0);
	FAILS(EBUSY, set_attr("a", RECURSIVE, ATTR_RDONLY, 0, 0));
	CHECK(mkdir("a/x", 0755) == 0 && close(fd) == 0); /* none was changed */
	FAILS(EINVAL, set_attr("a/x", 0, ATTR_RDONLY, 0, 0));
	FAILS(EINVAL, set_attr("a", 0, ATTR_NOATIME, 0, 0));
	FAILS(EINVAL, set_attr("a", 0, 0, ATTR_NOATIME, 0));
	FAILS(EINVAL, set_attr("a", 0, 1 << 10, 0, 0));
	FAILS(EINVAL, set_attr("a", 0, 0, 0, MS_SHARED | MS_SLAVE));
	FAILS(EINVAL, set_attr("a", 1, ATTR_RDONLY, 0, 0));
	FAILS(ENOENT, set_attr("absent", 0, ATTR_RDONLY, 0, 0));
	CHECK(set_attr("absent", 0, 0, 0, 0) == 0); /* nothing to do */
	FAILS(EINVAL, syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &a, 31));
	FAILS(E2BIG, syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &a, 5000));
	FAILS(EFAULT, syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, NULL, 32));
	CHECK(umount2("a", MNT_DETACH) == 0);
}

static void attributes_of_trees(void)
{
	IN_OWN_MOUNTS(attributes);
}

static uint64_t id_of(const char *path)
{
	struct statx x;

	CHECK(statx(AT_FDCWD, path, 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, &x) == 0);
	CHECK(x.stx_mask & 0x4000);
	return *(uint64_t *)((char *)&x + 0x90);
}

static long stat_mount(uint64_t id, uint64_t mask, void *buf, size_t size)
{
	struct id_request r = {sizeof(r), 0, id, mask};

	return syscall(457, &r, buf, size, 0);
}

static long list_mount(uint64_t id, uint64_t last, uint64_t *ids, size_t count)
{
	struct id_request r = {sizeof(r), 0, id, last};

	return syscall(458, &r, ids, count, 0);
}

static void ask(void)
{
	struct stat_mount s;
	uint64_t ids[2], a, in;
	char cwd[4096], want[4200];

	if (!mounts_are_ours())
		return;
	CHECK(mount("mine", "a", "tmpfs", MS_NOEXEC, NULL) == 0 &&
	      mkdir("a/in", 0755) == 0);
	CHECK(mount("none", "a/in", "tmpfs", 0, NULL) == 0);
	CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
	a = id_of("a");
	in = id_of("a/in");
	CHECK(list_mount(a, 0, ids, 2) == 1 && ids[0] == in);
	CHECK(list_mount(in, 0, ids, 2) == 0 && list_mount(a, in, ids, 2) == 0);
	CHECK(list_mount(~0ULL, 0, ids, 2) == 2 && ids[0] < ids[1]);
	CHECK(list_mount(~0ULL, ids[0], ids, 1) == 1);
	FAILS(EINVAL, list_mount(5, 0, ids, 2));
	FAILS(ENOENT, list_mount(1ULL << 60, 0, ids, 2));
	FAILS(EINVAL, list_mount(a, 5, ids, 2));
	FAILS(EOVERFLOW, list_mount(a, 0, ids, 2000000));
	FAILS(EFAULT, list_mount(a, 0, (void *)8, 2));
	CHECK(stat_mount(a, 0x3f, &s, sizeof(s)) == 0 &&
	      s.mask == (0x3f & ~4u) + (s.mask & 4));
	CHECK(s.magic == 0x1021994 && s.id == a && s.attr == ATTR_NOEXEC);
	CHECK(s.group > 0 && s.propagation == MS_SHARED && s.master == 0);
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	snprintf(want, sizeof(want), "%s/a", cwd);
	CHECK(strcmp(s.str + s.point, want) == 0 && strcmp(s.str + s.root, "/") == 0);
	CHECK(strcmp(s.str + s.type, "tmpfs") == 0);
	CHECK(stat_mount(in, 2, &s, 512) == 0 && s.parent == a && s.size == 512);
	CHECK(s.mask == 2 && stat_mount(in, 2, &s, 16) == 0 && s.size == 16);
	FAILS(EOVERFLOW, stat_mount(in, 0x20, &s, 512));
	FAILS(EOVERFLOW, stat_mount(in, 0x20, &s, 514));
	FAILS(ENOENT, stat_mount(1ULL << 60, 2, &s, 512));
	FAILS(EINVAL, stat_mount(7, 2, &s, 512));
	FAILS(EFAULT, stat_mount(a, 2, (void *)8, 512));
	FAILS(EINVAL, syscall(457, &s, &s, 512, 1));
	FAILS(EFAULT, syscall(457, NULL, &s, 512, 0));
	CHECK(umount2("a", MNT_DETACH) == 0);
	FAILS(ENOENT, stat_mount(a, 2, &s, 512));
}

static void asking_for_mounts(void)
{
	IN_OWN_MOUNTS(ask);
}

static void slip_under(void)
{
	enum { BENEATH = 0x200, SET_GROUP = 0x100 };
	int below;

	if (!mounts_are_ours())
		return;
	CHECK(mkdir("over", 0755) == 0 && mkdir("moved", 0755) == 0);
	CHECK(mount("1", "over", "tmpfs", 0, NULL) == 0);
	file_put("over/upper", "");
	CHECK(mkdir("over/no", 0755) == 0);
	CHECK(mount("2", "moved", "tmpfs", 0, NULL) == 0);
	file_put("moved/lower", "");
	CHECK(mkdir("over/in", 0755) == 0 &&
	      mount("3", "over/in", "tmpfs", 0, NULL) == 0);
	FAILS(EINVAL,
	      mount_move(AT_FDCWD, "moved", AT_FDCWD, "over", BENEATH | SET_GROUP));
	FAILS(EINVAL, mount_move(AT_FDCWD, "moved", AT_FDCWD, "over/no", BENEATH));
	FAILS(EINVAL, mount_move(AT_FDCWD, "moved", AT_FDCWD, "/", BENEATH));
	FAILS(ELOOP, mount_move(AT_FDCWD, "over", AT_FDCWD, "over/in", BENEATH));
	CHECK(mount_move(AT_FDCWD, "moved", AT_FDCWD, "over", BENEATH) == 0);
	CHECK(exists("over/upper") && !exists("moved/lower") && !exists("over/lower"));
	CHECK(umount2("over/in", 0) == 0 && umount2("over", 0) == 0 &&
	      exists("over/lower"));
	below = made("1m");
	CHECK(mount_move(below, "", AT_FDCWD, "over", F_EMPTY | BENEATH) == 0);
	CHECK(exists("over/lower") && umount2("over", 0) == 0 && !exists("over/lower"));
	CHECK(umount2("over", MNT_DETACH) == 0 && close(below) == 0);
	FAILS(EINVAL, umount2("over", 0));
}

static void options_apart(void)
{
	enum {
		OPTIONS = 0x80,
		ARRAY = 0x400,
		MASK = 0x1000,
		NEVER = 0x100 | 0x800 | 0x6000
	};
	struct stat_mount s;
	const char *at;

	if (!mounts_are_ours())
		return;
	CHECK(mkdir("k", 0755) == 0 && mkdir("x:y,z", 0755) == 0 &&
	      mkdir("o", 0755) == 0);
	CHECK(mount("k", "k", "tmpfs", 0, "mode=700,uid=3,size=1m") == 0);
	CHECK(stat_mount(id_of("k"), OPTIONS | ARRAY | NEVER, &s, sizeof(s)) == 0);
	CHECK(s.mask == (OPTIONS | ARRAY));
	CHECK(strcmp(s.str + s.opts, "size=1024k,mode=700,uid=3") == 0);
	CHECK((uint32_t)s.spare[2] == 3); /* opt_num and opt_array */
	at = s.str + (s.spare[2] >> 32);
	CHECK(memcmp(at, "size=1024k\0mode=700\0uid=3", 26) == 0);
	CHECK(mount("o", "o", "overlay", 0, "lowerdir=x\\:y\\,z:k") == 0);
	CHECK(stat_mount(id_of("o"), OPTIONS | ARRAY, &s, sizeof(s)) == 0);
	CHECK(strncmp(s.str + s.opts, "lowerdir=x\\134:y\\134\\054z:k,", 28) == 0);
	at = s.str + (s.spare[2] >> 32);
	CHECK((uint32_t)s.spare[2] >= 1 && strcmp(at, "lowerdir=x\\:y\\,z:k") == 0);
	CHECK(stat_mount(id_of("k"), MASK, &s, 512) == 0);
	CHECK((s.spare[4] & 0x7fff) == 0x7fff);
	CHECK(umount2("o", 0) == 0 && umount2("k", 0) == 0);
}

static void options_one_by_one(void)
{
	IN_OWN_MOUNTS(options_apart);
}

static void beneath_what_is_there(void)
{
	IN_OWN_MOUNTS(slip_under);
}

static void put_together(void)
{
	int tree;
	int other;

	if (!mounts_are_ours())
		return;
	tree = made("1m");
	other = made("1m");
	CHECK(mkdirat(tree, "in", 0755) == 0 && mkdirat(other, "deep", 0755) == 0);
	CHECK(mkdir("whole", 0755) == 0);
	CHECK(mount_move(other, "", tree, "in", F_EMPTY) == 0);
	FAILS(EINVAL, mount_move(other, "", AT_FDCWD, "whole", F_EMPTY));
	FAILS(EINVAL, mount_move(tree, "", tree, "in", F_EMPTY));
	CHECK(mount("m", "whole", "tmpfs", 0, NULL) == 0);
	FAILS(EINVAL,
	      mount_move(AT_FDCWD, "whole", tree, "in", 0)); /* from a tree in use */
	CHECK(umount2("whole", 0) == 0);
	CHECK(close(other) == 0 && faccessat(tree, "in/deep", F_OK, 0) == 0);
	CHECK(mount_move(tree, "", AT_FDCWD, "whole", F_EMPTY) == 0);
	CHECK(exists("whole/in/deep") && close(tree) == 0);
	FAILS(EBUSY, umount2("whole", 0));
	CHECK(umount2("whole/in", 0) == 0 && umount2("whole", 0) == 0);
	tree = made("1m"); /* and what is never put in place goes */
	other = made("1m");
	CHECK(mkdirat(tree, "in", 0755) == 0);
	CHECK(mount_move(other, "", tree, "in", F_EMPTY) == 0);
	CHECK(close(tree) == 0 && close(other) == 0);
}

static void trees_on_trees(void)
{
	IN_OWN_MOUNTS(put_together);
}

static void refused(void)
{
	become_user_here();
	FAILS(EPERM, fs_open("tmpfs", 0));
	FAILS(EPERM, fs_open(NULL, 99));
	FAILS(EPERM, fs_mount(-1, 99, 0));
	FAILS(EPERM, syscall(SYS_fspick, AT_FDCWD, "absent", 99));
	FAILS(EPERM, tree_open(AT_FDCWD, "a", CLONE));
	FAILS(EPERM, mount_move(-1, "x", -1, "y", 0x1000));
	FAILS(EPERM, set_attr("a", 0, ATTR_RDONLY, 0, 0));
	FAILS(EINVAL, set_attr("a", 1, ATTR_RDONLY, 0, 0));
	int fd = tree_open(AT_FDCWD, "a", O_CLOEXEC);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_PATH) && close(fd) == 0);
}

static void users_may_not(void)
{
	CHECK(in_child(refused) == 0);
}

RUN(TEST(set_up), TEST(a_file_system_in_steps), TEST(parameters),
    TEST(picked_and_changed), TEST(trees_of_their_own), TEST(attributes_of_trees),
    TEST(asking_for_mounts), TEST(options_one_by_one), TEST(beneath_what_is_there),
    TEST(trees_on_trees), TEST(users_may_not))
