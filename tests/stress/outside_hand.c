/* SPDX-License-Identifier: MIT */
/* outside_hand.c - processes use a tree that others change under their hands: directories
 * and files are replaced, exchanged, truncated, removed and made again.
 *
 * Alone, both kinds are this program's children. "use ROUNDS" and "change" in a directory
 * made by "make" are the two sides of a volume's wall: volume_outside.sh. Whoever changes
 * never leaves a file with anything in it but the word that all files are made of, of one
 * of a few lengths, so that what is read can be checked; calls fail only with errors that
 * the change explains. */
/* timeout: 120 */
#include "storm.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

enum { EXCHANGE = 2, USERS = 4, CHANGERS = 2, WORDS = 64 };

static unsigned seed;
static const char word[] = "abcdefg\n"; /* 8 bytes */

static unsigned pick(unsigned n)
{
	return (unsigned)rand_r(&seed) / 7 % n;
}

static const char *any(char path[static 64])
{
	static const char *const dirs[] = {"d0", "d1", "d0/s", "d1/s", "l", "d0/../d1"};
	static const char *const names[] = {"f0", "f1", "f2", "k", "new", "s"};

	sprintf(path, "%s/%s", dirs[pick(6)], names[pick(6)]);
	return path;
}

/* A place as deep in the tree as path is: or whoever changes for long makes it deeper and
 * deeper, by directories in directories. */
static const char *any_beside(char path[static 64], const char *other)
{
	bool is_deep = strstr(other, "/s/");

	do
		any(path);
	while (is_deep != !!strstr(path, "/s/"));
	return path;
}

static const char *any_dir(void)
{
	static const char *const dirs[] = {"d0", "d1", "d0/s", "d1/s", "l", "."};

	return dirs[pick(6)];
}

static void put(const char *name)
{
	char text[WORDS * 8];
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	size_t size = (1 + pick(WORDS)) * 8;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = word[i % 8];
	if (fd >= 0) {
		(void)!write(fd, text, size);
		close(fd);
	}
}

static void make_dir(const char *dir)
{
	char path[64];

	mkdir(dir, 0755);
	for (int i = 0; i < 3; i++) {
		sprintf(path, "%s/f%d", dir, i);
		put(path);
	}
	sprintf(path, "%s/k", dir);
	(void)!symlink("f1", path);
	sprintf(path, "%s/s", dir);
	mkdir(path, 0755);
	sprintf(path, "%s/s/f0", dir);
	put(path);
}

static void make_tree(void)
{
	make_dir("d0");
	make_dir("d1");
	(void)!symlink("d0", "l");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	(void)!remove(path);
	return 0;
}

static void remove_dir(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- who changes ---- */

static void change_once(int me)
{
	char a[64], b[64], mine[64];

	sprintf(mine, "x%d", me);
	switch (pick(9)) {
	case 0: /* a directory of another life */
		make_dir(mine);
		syscall(SYS_renameat2, AT_FDCWD, mine, AT_FDCWD, any_dir(), EXCHANGE);
		if (unlink(mine) != 0)
			remove_dir(mine);
		break;
	case 1:
		syscall(SYS_renameat2, AT_FDCWD, "d0", AT_FDCWD, "d1", EXCHANGE);
		break;
	case 2: /* a file of another life */
		put(mine);
		if (rename(mine, any(a)) != 0)
			unlink(mine);
		break;
	case 3:
		unlink(any(a));
		break;
	case 4:
		put(any(a));
		break;
	case 5:
		(void)!truncate(any(a), (off_t)pick(WORDS) * 8);
		break;
	case 6:
		any(a);
		rename(a, any_beside(b, a));
		break;
	case 7: /* what was one thing is another */
		unlink(any(a));
		if (pick(2))
			(void)!symlink(pick(2) ? "f0" : "../f2", a);
		else
			mkdir(a, 0755);
		break;
	default:
		link(any(a), any(b));
	}
	if (!pick(16))
		make_tree();
}

static void change(int me)
{
	seed = (unsigned)getpid();
	for (;;)
		change_once(me);
}

/* ---- who uses ---- */

static void fine(long result, const char *what, const char *path)
{
	static const int explained[] = {ENOENT, ENOTDIR, EEXIST,    EISDIR,  ELOOP,
					EINVAL, EPERM,	 ENOTEMPTY, ENODATA, EBUSY,
					ENXIO,	EAGAIN,	 EOPNOTSUPP};

	if (result >= 0)
		return;
	for (size_t i = 0; i < sizeof(explained) / sizeof(*explained); i++)
		if (errno == explained[i])
			return;
	fprintf(stderr, "not ok: %s(%s): errno %d %s\n", what, path, errno,
		strerror(errno));
	_exit(1);
}
#define FINE(call) fine((long)(call), #call, path)

static void check_text(int fd)
{
	char text[WORDS * 8 + 1];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	MUST(n >= 0 && n <= WORDS * 8);
	for (ssize_t i = 0; i < n; i++)
		MUST(text[i] == word[i % 8] || text[i] == 0);
}

static void use_file(const char *path)
{
	static const int flags[] = {O_RDONLY,
				    O_RDWR,
				    O_PATH,
				    O_RDONLY | O_NOFOLLOW,
				    O_RDONLY | O_DIRECTORY,
				    O_RDWR | O_CREAT};
	char link_name[64], buf[64];
	struct stat st;
	int fd = open(path, flags[pick(6)], 0644);
	int again;

	FINE(fd);
	if (fd < 0)
		return;
	FINE(fstat(fd, &st));
	MUST(!S_ISREG(st.st_mode) || st.st_size % 8 == 0);
	if (S_ISREG(st.st_mode) && !(fcntl(fd, F_GETFL) & O_PATH)) {
		check_text(fd);
		FINE(fchmod(fd, 0644));
		FINE(futimens(fd, NULL));
		FINE(fsetxattr(fd, "user.a", "x", 1, 0));
		FINE(fgetxattr(fd, "user.a", buf, sizeof(buf)));
		FINE(flock(fd, LOCK_SH | LOCK_NB));
		sprintf(link_name, "/proc/self/fd/%d", fd);
		again = open(link_name, O_RDONLY);
		FINE(again);
		if (again >= 0)
			check_text(again);
		close(again);
		check_text(fd);
	}
	MUST(close(fd) == 0);
}

static void use_dir(const char *path)
{
	char buf[64];
	DIR *d = opendir(path);
	struct dirent *e;
	struct stat st;
	int fd;

	FINE(d ? 0 : -1);
	if (!d)
		return;
	while (errno = 0, (e = readdir(d)))
		if (!pick(4))
			FINE(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW));
	FINE(errno ? -1 : 0);
	fd = openat(dirfd(d), "new", O_CREAT | O_EXCL | O_RDWR, 0644);
	FINE(fd);
	if (fd >= 0) {
		MUST(close(fd) == 0);
		FINE(unlinkat(dirfd(d), "new", 0));
	}
	FINE(fgetxattr(dirfd(d), "user.a", buf, sizeof(buf)));
	FINE(fstatat(dirfd(d), "..", &st, 0));
	closedir(d);
}

static void use_once(void)
{
	const struct timespec times[2] = {{1, 0}, {1, 0}};
	char a[64], b[64], buf[256];
	const char *path = any(a);
	struct stat st;

	any(b);
	switch (pick(18)) {
	case 0:
		FINE(stat(path, &st));
		break;
	case 1:
		FINE(lstat(path, &st));
		break;
	case 2:
		FINE(readlink(path, buf, sizeof(buf)));
		break;
	case 3:
		FINE(access(path, R_OK));
		break;
	case 4:
		FINE(chmod(path, 0755));
		break;
	case 5:
		FINE(lchown(path, geteuid(), getegid()));
		break;
	case 6:
		FINE(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
		break;
	case 7:
		FINE(truncate(path, 8));
		break;
	case 8:
		FINE(setxattr(path, "user.a", "x", 1, 0));
		break;
	case 9:
		FINE(lgetxattr(path, "user.a", buf, sizeof(buf)));
		FINE(listxattr(path, buf, sizeof(buf)));
		FINE(getxattr(path, "system.posix_acl_access", buf, sizeof(buf)));
		FINE(removexattr(path, "user.a"));
		break;
	case 10:
		FINE(link(path, b));
		break;
	case 11:
		FINE(rename(path, b));
		break;
	case 12:
		FINE(unlink(path));
		break;
	case 13:
		FINE(mkdir(path, 0755));
		FINE(rmdir(path));
		break;
	case 14:
		FINE(symlink("f0", path));
		break;
	case 15:
		FINE(chdir(any_dir()));
		FINE(stat("f0", &st));
		FINE(getcwd(buf, sizeof(buf)) ? 0 : -1);
		MUST(fchdir(3) == 0);
		break;
	case 16:
		use_dir(any_dir());
		break;
	default:
		use_file(path);
	}
}

static void use(long n)
{
	seed = (unsigned)getpid();
	MUST(dup2(open(".", O_RDONLY | O_DIRECTORY), 3) == 3);
	while (n--)
		use_once();
	_exit(0);
}

static pid_t start(void (*f)(int), int arg)
{
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0)
		f(arg);
	return pid;
}

static long per_user;

static void user(int me)
{
	(void)me;
	use(per_user);
}

static void all_users(long n)
{
	pid_t users[USERS];
	int bad = 0;

	per_user = n / USERS;
	for (int i = 0; i < USERS; i++)
		users[i] = start(user, i);
	for (int i = 0; i < USERS; i++)
		bad += wait_status(users[i]) != 0;
	MUST(bad == 0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pid_t changers[CHANGERS];

	if (strcmp(how, "make") == 0) {
		make_tree();
	} else if (strcmp(how, "change") == 0) {
		for (int i = 1; i < CHANGERS; i++)
			start(change, i);
		change(0);
	} else if (strcmp(how, "use") == 0) {
		all_users(argc > 2 ? atol(argv[2]) : 10000);
	} else {
		make_tree();
		for (int i = 0; i < CHANGERS; i++)
			changers[i] = start(change, i);
		all_users(argc > 1 ? atol(how) : 20000);
		for (int i = 0; i < CHANGERS; i++) {
			kill(changers[i], SIGKILL);
			wait_status(changers[i]);
		}
	}
	return 0;
}
