/* SPDX-License-Identifier: MIT */
/* storm_paths.c - eight processes change one small tree, each call at random.
 *
 * Arguments: the number of path operations in all (100,000 times STRESS; the full storm
 * has 1,000,000), a directory to work in (the current one), a seed. What is checked
 * meanwhile:
 * - a file's words are its own inode number or zeros, whatever it was renamed to, and its
 *   links count when nobody else knows their names;
 * - who made a name exclusively (in any of five ways) has it alone until he removes it;
 * - names that are replaced or exchanged, never removed, are always found, and complete;
 * - a listing shows what stays in a directory exactly once while the rest changes;
 * - ".." leads up to the top from wherever one has got to, in a directory that moves or
 * is gone;
 * - nothing fails with an error that no race explains.
 * Then: the names that are there are those made less those removed, link counts are the
 * numbers of names, all of it can be removed, and no descriptor is left. */
/* timeout: 300 */
#include "storm.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
	WORKERS = 8,
	DIRS = 4,	   /* that stay, in the top directory */
	NAMES = 6,	   /* for what comes and goes */
	STAYING = 40,	   /* entries of each directory that stays */
	GUARDS = 4,	   /* names that are made exclusively */
	OPS_A_ROUND = 800, /* of each worker */
	WORDS = 32,
	DEPTH_MAX = 100,
};

struct shared {
	long names;	    /* made less removed, when is_counted */
	long done;	    /* operations */
	int owners[GUARDS]; /* of a guard's name: at most one */
	int start;
};

static struct shared *s;
static bool is_counted; /* this round replaces nothing, so that names can be counted */
static unsigned seed;
static int me;
static char top_path[4096];
static struct stat top;

static unsigned pick(unsigned n)
{
	return (unsigned)rand_r(&seed) / 7 % n;
}

/* ---- errors ---- */

/* What races explain for most calls. */
static const int races[] = {ENOENT, EEXIST, ENOTDIR, EISDIR, ELOOP, 0};

static bool is_listed(const int *list)
{
	for (; *list; list++)
		if (*list == errno)
			return true;
	return false;
}

#define MAY_FAIL(ret, ...)                                                               \
	do {                                                                             \
		const int more_[] = {__VA_ARGS__ __VA_OPT__(, ) 0};                      \
		MUST((ret) >= 0 || is_listed(races) || is_listed(more_));                \
	} while (0)

static void count_names(int by)
{
	__atomic_add_fetch(&s->names, by, __ATOMIC_RELAXED);
}

/* ---- paths ---- */

/* A path of one to four names, now and then by a way that leads to the same place. */
static char *any_path(char path[static 256])
{
	int depth = (int)pick(4);
	char *p = path + sprintf(path, "%sd%u", pick(8) ? "" : "./", pick(DIRS));

	for (int i = 0; i < depth; i++) {
		switch (pick(12)) {
		case 0:
			p += sprintf(p, "/.");
			break;
		case 1:
			p += sprintf(p, "/n%u/..", pick(NAMES));
			break;
		case 2:
			p += sprintf(p, "//n%u", pick(NAMES));
			break;
		default:
			p += sprintf(p, "/n%u", pick(NAMES));
		}
	}
	sprintf(p, "/n%u", pick(NAMES));
	return path;
}

/* ---- files and what they say ---- */

static void write_identity(int fd)
{
	uint64_t words[WORDS];
	size_t size = (1 + pick(WORDS)) * 8;
	struct stat st;

	MUST(fstat(fd, &st) == 0);
	for (int i = 0; i < WORDS; i++)
		words[i] = st.st_ino;
	MUST(pwrite(fd, words, size, (off_t)pick(4) * 8) == (ssize_t)size);
}

static void check_identity(int fd)
{
	uint64_t words[2 * WORDS];
	struct stat st;
	ssize_t n;

	MUST(fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
	n = pread(fd, words, sizeof(words), 0);
	MUST(n >= 0 && n % 8 == 0);
	for (ssize_t i = 0; i < n / 8; i++)
		MUST(words[i] == 0 || words[i] == st.st_ino);
}

static void op_open(void)
{
	static const int flags[] = {
		O_RDONLY,
		O_RDWR,
		O_RDWR | O_CREAT,
		O_RDWR | O_CREAT | O_EXCL,
		O_RDWR | O_CREAT | O_EXCL,
		O_RDWR | O_TRUNC,
		O_RDWR | O_CREAT | O_TRUNC,
		O_RDONLY | O_DIRECTORY,
		O_RDONLY | O_NOFOLLOW,
		O_PATH,
		O_PATH | O_NOFOLLOW,
	};
	int f = flags[pick(sizeof(flags) / sizeof(*flags))];
	char path[256];
	struct stat st;
	int fd;

	if (is_counted && (f & O_CREAT))
		f |= O_EXCL;
	fd = open(any_path(path), f | O_CLOEXEC, 0644);
	MAY_FAIL(fd);
	if (fd < 0)
		return;
	if (f & O_CREAT && f & O_EXCL)
		count_names(1);
	MUST(fstat(fd, &st) == 0);
	if (f & O_DIRECTORY)
		MUST(S_ISDIR(st.st_mode));
	if (S_ISREG(st.st_mode) && !(f & O_PATH)) {
		check_identity(fd);
		if (f & O_RDWR)
			write_identity(fd);
		check_identity(fd);
	}
	MUST(close(fd) == 0);
}

static void op_stat(void)
{
	char path[256];
	struct stat st;
	int ret = pick(2) ? stat(any_path(path), &st) : lstat(any_path(path), &st);

	MAY_FAIL(ret);
	if (ret == 0)
		MUST(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
	ret = access(path, R_OK);
	MAY_FAIL(ret);
}

static void op_truncate(void)
{
	char path[256];
	int ret = truncate(any_path(path), (off_t)pick(2 * WORDS) * 8);

	MAY_FAIL(ret);
}

/* Owners keep what lets them in; the rest of the mode says who did it. */
static void op_chmod(void)
{
	char path[256];
	int ret = chmod(any_path(path), 0700 | (mode_t)me);

	MAY_FAIL(ret);
}

static void op_mkdir(void)
{
	char path[256];
	int ret = mkdir(any_path(path), 0755);

	MAY_FAIL(ret);
	if (ret == 0)
		count_names(1);
}

static void op_rmdir(void)
{
	char path[256];
	int ret = rmdir(any_path(path));

	MAY_FAIL(ret, ENOTEMPTY);
	if (ret == 0)
		count_names(-1);
}

static void op_unlink(void)
{
	char path[256];
	int ret = unlink(any_path(path));

	MAY_FAIL(ret);
	if (ret == 0)
		count_names(-1);
}

static void op_link(void)
{
	char from[256], to[256];
	int ret = linkat(AT_FDCWD, any_path(from), AT_FDCWD, any_path(to), 0);

	MAY_FAIL(ret, EPERM); /* of a directory */
	if (ret == 0)
		count_names(1);
}

static void op_symlink(void)
{
	char path[256], text[64];
	int ret;

	sprintf(text, "%s%sn%u", pick(4) ? "" : "../", pick(2) ? "" : "./", pick(NAMES));
	ret = symlink(text, any_path(path));
	MAY_FAIL(ret);
	if (ret == 0)
		count_names(1);
}

/* The text is one that somebody wrote, of the length that the link is said to have. */
static void op_readlink(void)
{
	char path[256], text[256];
	struct stat st;
	const char *p = text;
	ssize_t n;
	int fd = open(any_path(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);

	MAY_FAIL(fd);
	if (fd < 0)
		return;
	n = readlinkat(fd, "", text, sizeof(text) - 1);
	MUST(n > 0 || (n < 0 && (errno == EINVAL || errno == ENOENT)));
	MUST(fstat(fd, &st) == 0 && S_ISLNK(st.st_mode) == (n > 0));
	if (n > 0) {
		text[n] = '\0';
		MUST(st.st_size == n);
		p += strncmp(p, "../", 3) == 0 ? 3 : 0;
		p += strncmp(p, "./", 2) == 0 ? 2 : 0;
		MUST(p[0] == 'n' && p[1] >= '0' && p[1] < '0' + NAMES && !p[2]);
	}
	MUST(close(fd) == 0);
}

static void op_rename(void)
{
	char from[256], to[256];
	unsigned flags = is_counted ? 1 + pick(2) : pick(3);
	long ret =
		syscall(SYS_renameat2, AT_FDCWD, any_path(from), AT_FDCWD, any_path(to),
			flags); /* 0, RENAME_NOREPLACE, RENAME_EXCHANGE */

	MAY_FAIL(ret, ENOTEMPTY, EINVAL, EBUSY);
}

/* ---- one owner at a time ---- */

static void op_guard(void)
{
	unsigned g = pick(GUARDS);
	char name[64], other[64];
	struct stat st;
	int ret;

	sprintf(name, "guard/g%u", g);
	sprintf(other, "own%d/f", me);
	switch (pick(5)) {
	case 0:
		ret = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (ret >= 0)
			MUST(close(ret) == 0);
		break;
	case 1:
		ret = mkdir(name, 0700);
		break;
	case 2:
		ret = symlink("nowhere", name);
		break;
	case 3:
		ret = link(other, name);
		break;
	default:
		sprintf(other, "own%d/g", me);
		ret = open(other, O_CREAT | O_EXCL | O_WRONLY, 0600);
		MUST(ret >= 0 && close(ret) == 0);
		ret = (int)syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, name, 1);
		if (ret < 0)
			MUST(errno == EEXIST && unlink(other) == 0 && (errno = EEXIST));
	}
	MUST(ret >= 0 || errno == EEXIST);
	if (ret < 0)
		return;
	MUST(__atomic_add_fetch(&s->owners[g], 1, __ATOMIC_SEQ_CST) == 1);
	MUST(lstat(name, &st) == 0);
	MUST(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600) == -1 && errno == EEXIST);
	MUST(__atomic_sub_fetch(&s->owners[g], 1, __ATOMIC_SEQ_CST) == 0);
	MUST((S_ISDIR(st.st_mode) ? rmdir(name) : unlink(name)) == 0);
}

/* ---- what is replaced is always there ---- */

static void op_replace(void)
{
	char fresh[64], name[64];
	uint64_t words[WORDS];
	int fd;

	sprintf(fresh, "own%d/fresh", me);
	sprintf(name, "always/a%u", pick(2));
	if (pick(2)) {
		struct stat st;

		fd = open(fresh, O_CREAT | O_EXCL | O_RDWR, 0600);
		MUST(fd >= 0 && fstat(fd, &st) == 0);
		for (int i = 0; i < WORDS; i++)
			words[i] = st.st_ino;
		MUST(write(fd, words, sizeof(words)) == sizeof(words));
		MUST(close(fd) == 0 && rename(fresh, name) == 0);
		return;
	}
	fd = open(name, O_RDONLY);
	MUST(fd >= 0);
	MUST(read(fd, words, sizeof(words)) == sizeof(words));
	MUST(words[0] != 0);
	check_identity(fd);
	MUST(close(fd) == 0);
}

static void op_exchange(void)
{
	char name[64];
	struct stat st;
	int fd;

	switch (pick(4)) {
	case 0: /* a directory and another, each with an inner file */
		MUST(syscall(SYS_renameat2, AT_FDCWD, "always/x0", AT_FDCWD,
			     "always/in/x1", 2) == 0);
		break;
	case 1: /* a directory and a link to it */
		MUST(syscall(SYS_renameat2, AT_FDCWD, "always/y", AT_FDCWD, "always/z",
			     2) == 0);
		break;
	case 2:
		sprintf(name, "always/%s/inner", pick(2) ? "x0" : "in/x1");
		MUST(stat(name, &st) == 0 && S_ISREG(st.st_mode));
		fd = open(name, O_RDONLY);
		MUST(fd >= 0);
		check_identity(fd);
		MUST(close(fd) == 0);
		break;
	default:
		MUST(lstat(pick(2) ? "always/y" : "always/z", &st) == 0);
		MUST(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
	}
}

/* ---- files of one's own: links, and open ones without a name ---- */

static void op_own_links(void)
{
	char file[64], name[64];
	unsigned count = 1 + pick(5);
	struct stat st;

	sprintf(file, "own%d/f", me);
	for (unsigned i = 0; i < count; i++) {
		sprintf(name, "d%u/own%d-%u", i % DIRS, me, i);
		MUST(link(file, name) == 0);
	}
	MUST(stat(file, &st) == 0 && st.st_nlink == 1 + count);
	for (unsigned i = count; i-- > 0;) {
		struct stat other;

		sprintf(name, "d%u/own%d-%u", i % DIRS, me, i);
		MUST(lstat(name, &other) == 0 && other.st_ino == st.st_ino);
		MUST(unlink(name) == 0);
		MUST(stat(file, &other) == 0 && other.st_nlink == 1 + i);
	}
}

static void op_nameless(void)
{
	char name[64];
	struct stat st;
	int fd;

	sprintf(name, "d%u/own%d", pick(DIRS), me);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	MUST(fd >= 0);
	write_identity(fd);
	if (pick(2)) {
		char other[64];

		sprintf(other, "own%d/moved", me);
		MUST(rename(name, other) == 0 && unlink(other) == 0);
	} else {
		MUST(unlink(name) == 0);
	}
	MUST(stat(name, &st) == -1 && errno == ENOENT);
	MUST(fstat(fd, &st) == 0 && st.st_nlink == 0);
	check_identity(fd);
	MUST(ftruncate(fd, 64) == 0 && fstat(fd, &st) == 0 && st.st_size == 64);
	check_identity(fd);
	MUST(close(fd) == 0);
}

/* ---- listings ---- */

struct record {
	uint64_t ino;
	int64_t off;
	unsigned short size;
	unsigned char type;
	char name[];
};

static void op_list(void)
{
	char buf[1024] __attribute__((aligned(8)));
	size_t room = 64 + pick(3) * 400;
	int seen[STAYING] = {0};
	unsigned dots = 0;
	char path[64];
	int64_t last = 0;
	long n;
	int fd;

	sprintf(path, "d%u", pick(DIRS));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(fd >= 0);
	while ((n = syscall(SYS_getdents64, fd, buf, room)) > 0) {
		for (long at = 0; at < n;) {
			struct record *e = (void *)(buf + at);
			int i;

			MUST(e->size >= 24 && e->size <= n - at);
			at += e->size;
			last = e->off;
			dots += strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0;
			if (sscanf(e->name, "stays%d", &i) == 1)
				MUST(i >= 0 && i < STAYING && seen[i]++ == 0);
		}
		if (pick(8) == 0) /* a cursor is good for coming back */
			MUST(lseek(fd, last, SEEK_SET) == last);
	}
	MUST(n == 0 && dots == 2);
	for (int i = 0; i < STAYING; i++)
		MUST(seen[i] == 1);
	MUST(close(fd) == 0);
}

static void op_list_any(void)
{
	char path[256];
	struct dirent *e;
	DIR *dir = opendir(any_path(path));

	MAY_FAIL(dir ? 0 : -1);
	if (!dir)
		return;
	while (errno = 0, (e = readdir(dir)))
		MUST(e->d_name[0] == '.' || e->d_name[0] == 'n');
	MUST(errno == 0 || errno == ENOENT);
	MUST(closedir(dir) == 0);
}

/* ---- up ---- */

static bool is_top(const struct stat *st)
{
	return st->st_dev == top.st_dev && st->st_ino == top.st_ino;
}

static void op_up(void)
{
	char path[256], up[3 * DEPTH_MAX + 8] = "..";
	int fd = open(any_path(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int i;

	MAY_FAIL(fd);
	if (fd < 0)
		return;
	for (i = 0; i < DEPTH_MAX; i++, strcat(up, "/..")) {
		int ret = fstatat(fd, up, &st, 0);

		MUST(ret == 0);
		if (is_top(&st))
			break;
	}
	MUST(i < DEPTH_MAX);
	MUST(close(fd) == 0);
}

static void op_chdir(void)
{
	char path[4096 + 64];
	struct stat st;
	int ret = chdir(any_path(path));

	MAY_FAIL(ret);
	if (ret < 0)
		return;
	if (getcwd(path, sizeof(path)))
		MUST(strncmp(path, top_path, strlen(top_path)) == 0 &&
		     path[strlen(top_path)] == '/');
	else
		MUST(errno == ENOENT);
	MUST(stat(".", &st) == 0 && S_ISDIR(st.st_mode));
	for (int i = 0; !is_top(&st); i++) {
		MUST(i < DEPTH_MAX && chdir("..") == 0);
		MUST(stat(".", &st) == 0);
	}
	MUST(getcwd(path, sizeof(path)) && strcmp(path, top_path) == 0);
}

/* ---- workers ---- */

static void (*const ops[])(void) = {
	op_open,    op_open,	 op_open,     op_stat,	   op_stat,	 op_truncate,
	op_chmod,   op_mkdir,	 op_mkdir,    op_mkdir,	   op_rmdir,	 op_unlink,
	op_unlink,  op_link,	 op_link,     op_symlink,  op_symlink,	 op_readlink,
	op_rename,  op_rename,	 op_rename,   op_rename,   op_guard,	 op_guard,
	op_replace, op_replace,	 op_exchange, op_exchange, op_own_links, op_nameless,
	op_list,    op_list_any, op_up,	      op_chdir,
};

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void worker(long n)
{
	int before = count_descriptors();

	while (!__atomic_load_n(&s->start, __ATOMIC_ACQUIRE))
		sched_yield();
	for (long i = 0; i < n; i++)
		ops[pick(sizeof(ops) / sizeof(*ops))]();
	MUST(count_descriptors() == before);
	__atomic_add_fetch(&s->done, n, __ATOMIC_RELAXED);
}

/* ---- the tree: made, checked, removed ---- */

static void make_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
	uint64_t words[WORDS];
	struct stat st;

	MUST(fd >= 0 && fstat(fd, &st) == 0);
	for (int i = 0; i < WORDS; i++)
		words[i] = st.st_ino;
	MUST(write(fd, words, sizeof(words)) == sizeof(words) && close(fd) == 0);
}

static void make_tree(void)
{
	char name[64];

	MUST(mkdir("guard", 0755) == 0 && mkdir("always", 0755) == 0);
	MUST(mkdir("always/in", 0755) == 0 && mkdir("always/x0", 0755) == 0);
	MUST(mkdir("always/in/x1", 0755) == 0 && mkdir("always/y", 0755) == 0);
	MUST(symlink("y", "always/z") == 0);
	make_file("always/a0");
	make_file("always/a1");
	make_file("always/x0/inner");
	make_file("always/in/x1/inner");
	for (int i = 0; i < WORKERS; i++) {
		sprintf(name, "own%d", i);
		MUST(mkdir(name, 0755) == 0);
		sprintf(name, "own%d/f", i);
		make_file(name);
	}
	for (int i = 0; i < DIRS; i++) {
		sprintf(name, "d%d", i);
		MUST(mkdir(name, 0755) == 0);
		for (int j = 0; j < STAYING; j++) {
			sprintf(name, "d%d/stays%d", i, j);
			make_file(name);
		}
	}
}

struct inode_seen {
	uint64_t ino;
	unsigned links, names;
};

static struct inode_seen *inodes;
static size_t inode_count;

static void see_inode(const struct stat *st)
{
	size_t i;

	for (i = 0; i < inode_count && inodes[i].ino != st->st_ino; i++)
		;
	if (i == inode_count) {
		inodes = realloc(inodes, (inode_count + 1) * sizeof(*inodes));
		MUST(inodes);
		inodes[inode_count++] =
			(struct inode_seen){st->st_ino, (unsigned)st->st_nlink, 0};
	}
	inodes[i].names++;
}

/* Removes all that is in a directory, and returns how many names of those that come and
 * go were there. Files' names are noted: see check_links(). */
static long remove_all(int dir, unsigned *subdirs)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	long count = 0;

	MUST(d);
	*subdirs = 0;
	while (errno = 0, (e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		MUST(fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		MUST(st.st_ino == e->d_ino);
		count += e->d_name[0] == 'n';
		if (S_ISDIR(st.st_mode)) {
			int inner = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY);
			unsigned below;

			MUST(inner >= 0);
			count += remove_all(inner, &below);
			MUST(st.st_nlink == 2 + below || st.st_nlink == 1);
			MUST(unlinkat(dir, e->d_name, AT_REMOVEDIR) == 0);
			++*subdirs;
		} else {
			int fd = openat(dir, e->d_name, O_RDONLY | O_NOFOLLOW);

			MUST(fd >= 0 || errno == ELOOP);
			if (fd >= 0) {
				check_identity(fd);
				close(fd);
			}
			/* Those before it in the listing have gone. */
			for (size_t i = 0; i < inode_count; i++)
				if (inodes[i].ino == st.st_ino)
					MUST(st.st_nlink + inodes[i].names ==
					     inodes[i].links);
			see_inode(&st);
			MUST(unlinkat(dir, e->d_name, 0) == 0);
		}
	}
	MUST(errno == 0 && closedir(d) == 0);
	return count;
}

static void check_links(void)
{
	for (size_t i = 0; i < inode_count; i++)
		MUST(inodes[i].names == inodes[i].links);
	free(inodes);
	inodes = NULL;
	inode_count = 0;
}

static void one_round(int base, long n)
{
	pid_t pid[WORKERS];
	unsigned subdirs;
	int fd;
	long left;

	MUST(mkdirat(base, "tree", 0755) == 0);
	fd = openat(base, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(fd >= 0 && fchdir(fd) == 0 && fstat(fd, &top) == 0);
	MUST(getcwd(top_path, sizeof(top_path)));
	make_tree();
	s->names = 0;
	s->start = 0;
	for (me = 0; me < WORKERS; me++) {
		pid[me] = fork();
		MUST(pid[me] >= 0);
		if (pid[me] == 0) {
			seed += (unsigned)me * 7919;
			worker(n);
			_exit(0);
		}
	}
	__atomic_store_n(&s->start, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < WORKERS; i++)
		MUST(wait_status(pid[i]) == 0);
	left = remove_all(fd, &subdirs);
	MUST(!is_counted || left == s->names);
	check_links();
	MUST(fchdir(base) == 0 && unlinkat(base, "tree", AT_REMOVEDIR) == 0);
}

int main(int argc, char **argv)
{
	const char *factor = getenv("STRESS");
	long n = rounds(argc, argv,
			100000 * (factor && atol(factor) > 0 ? atol(factor) : 1));
	double start = seconds();
	unsigned first = argc > 3 ? (unsigned)atol(argv[3]) : (unsigned)getpid();
	int base, before;

	umask(022);
	alarm((unsigned)(280 + n / 1000)); /* a hang is a failure */
	s = share(sizeof(*s));
	base = open(argc > 2 ? argv[2] : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(base >= 0);
	before = count_descriptors();
	for (unsigned r = 0; s->done < n; r++) {
		is_counted = r % 2;
		seed = first + r * 104729;
		one_round(base, OPS_A_ROUND);
	}
	MUST(count_descriptors() == before);
	printf("ok: %ld operations in %.2f s (seed %u)\n", s->done, seconds() - start,
	       first);
	return 0;
}
