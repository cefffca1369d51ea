/* SPDX-License-Identifier: MIT */
/* files */
/* acl.c - POSIX access control lists: who may set them, what they grant, what new files
 * inherit, how they and the mode follow each other. */
/* calls: setxattr getxattr removexattr listxattr chmod */
#include "fixture.h"

#include <sys/xattr.h>

#define ACCESS	"system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };
#define NOBODY 65534U
#define NONE   UINT32_MAX

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};
struct list {
	uint32_t version;
	struct entry e[16];
};

static struct list list_get(const char *name, const char *which, size_t *count)
{
	struct list l;
	ssize_t n = getxattr(name, which, &l, sizeof(l));

	CHECK(n >= 4 && (size_t)n % 8 == 4 && l.version == 2);
	*count = (size_t)n / 8;
	return l;
}

#define SET(name, which, ...)                                                            \
	set(name, which, (const struct entry[]){__VA_ARGS__},                            \
	    sizeof((const struct entry[]){__VA_ARGS__}) / sizeof(struct entry))
static int set(const char *name, const char *which, const struct entry *e, size_t n)
{
	struct list l = {.version = 2};

	memcpy(l.e, e, n * sizeof(*e));
	return setxattr(name, which, &l, 4 + 8 * n, 0);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	CHECK(stat(name, &st) == 0);
	return st.st_mode & 07777;
}

static bool list_is(const char *name, const char *which, const struct entry *e, size_t n)
{
	size_t count;
	struct list l = list_get(name, which, &count);

	return count == n && memcmp(l.e, e, n * sizeof(*e)) == 0;
}
#define IS(name, which, ...)                                                             \
	list_is(name, which, (const struct entry[]){__VA_ARGS__},                        \
		sizeof((const struct entry[]){__VA_ARGS__}) / sizeof(struct entry))

static void lists_come_back_and_make_the_mode(void)
{
	file_put("f", "text");
	CHECK(chmod("f", 0640) == 0);
	FAILS(ENODATA, getxattr("f", ACCESS, NULL, 0));
	CHECK(SET("f", ACCESS, {USER_OBJ, 6, NONE}, {USER, 5, NOBODY},
		  {GROUP_OBJ, 4, NONE}, {MASK, 7, NONE}, {OTHER, 1, NONE}) == 0);
	CHECK(mode_of("f") == 0671);
	CHECK(IS("f", ACCESS, {USER_OBJ, 6, NONE}, {USER, 5, NOBODY},
		 {GROUP_OBJ, 4, NONE}, {MASK, 7, NONE}, {OTHER, 1, NONE}));
	CHECK(getxattr("f", ACCESS, NULL, 0) == 44);
	FAILS(ERANGE, getxattr("f", ACCESS, &(char[8]){0}, 8));
}

static void chmod_changes_the_mask(void)
{
	CHECK(chmod("f", 0705) == 0);
	CHECK(IS("f", ACCESS, {USER_OBJ, 7, NONE}, {USER, 5, NOBODY},
		 {GROUP_OBJ, 4, NONE}, {MASK, 0, NONE}, {OTHER, 5, NONE}));
	CHECK(mode_of("f") == 0705);
}

static void lists_are_listed_and_removed(void)
{
	char b[256];
	ssize_t n = listxattr("f", b, sizeof(b));

	CHECK(n > 0 && memmem(b, (size_t)n, ACCESS, sizeof(ACCESS)));
	CHECK(!memmem(b, (size_t)n, DEFAULT, sizeof(DEFAULT)));
	CHECK(listxattr("f", NULL, 0) == n);
	FAILS(ERANGE, listxattr("f", b, 5));
	CHECK(removexattr("f", ACCESS) == 0);
	FAILS(ENODATA, getxattr("f", ACCESS, b, sizeof(b)));
	CHECK(mode_of("f") == 0705);
	CHECK(SET("f", ACCESS, {USER_OBJ, 6, NONE}, {USER, 5, NOBODY},
		  {GROUP_OBJ, 4, NONE}, {MASK, 7, NONE}, {OTHER, 1, NONE}) == 0);
	CHECK(setxattr("f", ACCESS, NULL, 0, 0) == 0);
	FAILS(ENODATA, getxattr("f", ACCESS, b, sizeof(b)));
}

static void a_list_that_is_a_mode_is_only_that(void)
{
	CHECK(SET("f", ACCESS, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE},
		  {OTHER, 4, NONE}) == 0);
	CHECK(mode_of("f") == 0644);
	FAILS(ENODATA, getxattr("f", ACCESS, NULL, 0));
}

static void malformed_lists_are_refused(void)
{
	struct list l = {.version = 1};

	FAILS(EINVAL, setxattr("f", ACCESS, &l, 3, 0));
	FAILS(EOPNOTSUPP, setxattr("f", ACCESS, &l, 12, 0));
	l.version = 2;
	FAILS(EINVAL, setxattr("f", ACCESS, &l, 13, 0));
	FAILS(EINVAL, setxattr("f", ACCESS, &l, 12, 0));
	FAILS(EINVAL, SET("f", ACCESS, {USER_OBJ, 6, NONE}));
	FAILS(EINVAL, SET("f", ACCESS, {USER_OBJ, 6, NONE}, {OTHER, 4, NONE}));
	FAILS(EINVAL, SET("f", ACCESS, {GROUP_OBJ, 6, NONE}, {USER_OBJ, 4, NONE},
			  {OTHER, 4, NONE}));
	FAILS(EINVAL, SET("f", ACCESS, {USER_OBJ, 8, NONE}, {GROUP_OBJ, 4, NONE},
			  {OTHER, 4, NONE}));
	FAILS(EINVAL, SET("f", ACCESS, {USER_OBJ, 6, NONE}, {USER, 6, 1},
			  {GROUP_OBJ, 4, NONE}, {OTHER, 4, NONE}));
	FAILS(EINVAL, SET("f", ACCESS, {USER_OBJ, 6, NONE}, {USER, 6, NONE},
			  {GROUP_OBJ, 4, NONE}, {MASK, 4, NONE}, {OTHER, 4, NONE}));
	FAILS(EINVAL, SET("f", ACCESS, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE},
			  {GROUP_OBJ, 4, NONE}, {OTHER, 4, NONE}));
	FAILS(EACCES, SET("f", DEFAULT, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE},
			  {OTHER, 4, NONE}));
	FAILS(ENODATA, getxattr("f", DEFAULT, NULL, 0));
	FAILS(EOPNOTSUPP, setxattr("f", "system.nosuch", "", 0, 0));
	FAILS(EOPNOTSUPP, getxattr("f", "system.nosuch", NULL, 0));
	CHECK(symlink("f", "l") == 0);
	FAILS(EOPNOTSUPP, lgetxattr("l", ACCESS, NULL, 0));
}

/* ---- what they grant ---- */

static bool may(const char *name, int flags)
{
	int fd = open(name, flags);

	if (fd >= 0)
		close(fd);
	else
		CHECK(errno == EACCES);
	CHECK((faccessat(AT_FDCWD, name, flags == O_RDONLY ? R_OK : W_OK, AT_EACCESS) ==
	       0) == (fd >= 0));
	return fd >= 0;
}

static void named_users(void)
{
	become_user();
	CHECK(may("u", O_RDONLY) && !may("u", O_WRONLY)); /* rw-, the mask r-- */
	CHECK(!may("v", O_RDONLY));			  /* named, ---; others rw- */
	FAILS(EPERM, setxattr("u", ACCESS, NULL, 0, 0));
	FAILS(EPERM, removexattr("u", ACCESS));
}

static void named_groups(void)
{
	become_user();
	CHECK(may("g", O_RDONLY) && !may("g", O_WRONLY)); /* r--, others rw- */
	CHECK(may("h", O_RDONLY) && may("h", O_WRONLY));  /* two groups: either will do */
	CHECK(open("h", O_RDWR) == -1 && errno == EACCES); /* but not both together */
	CHECK(may("o", O_WRONLY));
}

static void directories(void)
{
	become_user();
	CHECK(exists("d/in") && mkdir("d/new", 0755) == 0);
	CHECK(!exists("e/in") && errno == EACCES);
}

static void lists_grant_and_deny(void)
{
	static const char *const files[] = {"u", "v", "g", "h", "o"};

	if (geteuid() != 0)
		return;
	CHECK(chmod(".", 0755) == 0);
	for (int i = 0; i < 5; i++)
		file_put(files[i], "");
	CHECK(SET("u", ACCESS, {USER_OBJ, 6, NONE}, {USER, 6, NOBODY},
		  {GROUP_OBJ, 0, NONE}, {MASK, 4, NONE}, {OTHER, 0, NONE}) == 0);
	CHECK(SET("v", ACCESS, {USER_OBJ, 6, NONE}, {USER, 0, NOBODY},
		  {GROUP_OBJ, 6, NONE}, {MASK, 7, NONE}, {OTHER, 6, NONE}) == 0);
	CHECK(SET("g", ACCESS, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 6, NONE},
		  {GROUP, 4, NOBODY}, {MASK, 7, NONE}, {OTHER, 6, NONE}) == 0);
	CHECK(chown("h", 0, NOBODY) == 0);
	CHECK(SET("h", ACCESS, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE},
		  {GROUP, 2, NOBODY}, {MASK, 7, NONE}, {OTHER, 0, NONE}) == 0);
	CHECK(SET("o", ACCESS, {USER_OBJ, 6, NONE}, {USER, 0, 1}, {GROUP_OBJ, 0, NONE},
		  {MASK, 7, NONE}, {OTHER, 2, NONE}) == 0);
	CHECK(in_child(named_users) == 0);
	CHECK(in_child(named_groups) == 0);
	CHECK(mkdir("d", 0700) == 0 && mkdir("e", 0755) == 0);
	file_put("d/in", "");
	file_put("e/in", "");
	CHECK(SET("d", ACCESS, {USER_OBJ, 7, NONE}, {USER, 7, NOBODY},
		  {GROUP_OBJ, 0, NONE}, {MASK, 7, NONE}, {OTHER, 0, NONE}) == 0);
	CHECK(SET("e", ACCESS, {USER_OBJ, 7, NONE}, {USER, 6, NOBODY},
		  {GROUP_OBJ, 0, NONE}, {MASK, 7, NONE}, {OTHER, 7, NONE}) == 0);
	CHECK(in_child(directories) == 0);
}

/* ---- what is inherited ---- */

static void new_files_inherit(void)
{
	int fd;

	CHECK(mkdir("p", 0755) == 0);
	CHECK(SET("p", DEFAULT, {USER_OBJ, 7, NONE}, {USER, 6, NOBODY},
		  {GROUP_OBJ, 5, NONE}, {MASK, 7, NONE}, {OTHER, 4, NONE}) == 0);
	CHECK(mode_of("p") == 0755);
	umask(077); /* counts for nothing in there */
	fd = open("p/f", O_CREAT | O_WRONLY, 0664);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(mode_of("p/f") == 0664);
	CHECK(IS("p/f", ACCESS, {USER_OBJ, 6, NONE}, {USER, 6, NOBODY},
		 {GROUP_OBJ, 5, NONE}, {MASK, 6, NONE}, {OTHER, 4, NONE}));
	FAILS(ENODATA, getxattr("p/f", DEFAULT, NULL, 0));
	CHECK(mkdir("p/d", 0700) == 0 && mode_of("p/d") == 0700);
	CHECK(IS("p/d", ACCESS, {USER_OBJ, 7, NONE}, {USER, 6, NOBODY},
		 {GROUP_OBJ, 5, NONE}, {MASK, 0, NONE}, {OTHER, 0, NONE}));
	CHECK(IS("p/d", DEFAULT, {USER_OBJ, 7, NONE}, {USER, 6, NOBODY},
		 {GROUP_OBJ, 5, NONE}, {MASK, 7, NONE}, {OTHER, 4, NONE}));
	CHECK(mknod("p/q", S_IFIFO | 0666, 0) == 0 && mode_of("p/q") == 0664);
	CHECK(symlink("f", "p/l") == 0);
	FAILS(EOPNOTSUPP, lgetxattr("p/l", ACCESS, NULL, 0));
	fd = open("p", O_TMPFILE | O_RDWR, 0666);
	if (fd >= 0) {
		struct stat st;

		CHECK(fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0664);
		CHECK(fgetxattr(fd, ACCESS, NULL, 0) == 44 && close(fd) == 0);
	}
	umask(022);
}

static void plain_default_lists_give_only_a_mode(void)
{
	int fd;

	CHECK(mkdir("s", 0755) == 0);
	CHECK(SET("s", DEFAULT, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 6, NONE},
		  {OTHER, 0, NONE}) == 0);
	fd = open("s/f", O_CREAT | O_WRONLY, 0777);
	CHECK(fd >= 0 && close(fd) == 0 && mode_of("s/f") == 0660);
	FAILS(ENODATA, getxattr("s/f", ACCESS, NULL, 0));
	CHECK(mkdir("s/d", 0777) == 0 && mode_of("s/d") == 0660);
	CHECK(getxattr("s/d", DEFAULT, NULL, 0) == 28);
	CHECK(removexattr("s", DEFAULT) == 0);
	CHECK(mkdir("s/e", 0777) == 0 && mode_of("s/e") == 0755);
}

static void lists_move_with_the_file(void)
{
	file_put("a", "");
	CHECK(SET("a", ACCESS, {USER_OBJ, 6, NONE}, {USER, 5, NOBODY},
		  {GROUP_OBJ, 4, NONE}, {MASK, 7, NONE}, {OTHER, 1, NONE}) == 0);
	CHECK(rename("a", "b") == 0 && link("b", "c") == 0 && unlink("b") == 0);
	CHECK(getxattr("c", ACCESS, NULL, 0) == 44 && unlink("c") == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(lists_come_back_and_make_the_mode),
		TEST(chmod_changes_the_mask),
		TEST(lists_are_listed_and_removed),
		TEST(a_list_that_is_a_mode_is_only_that),
		TEST(malformed_lists_are_refused),
		TEST(lists_grant_and_deny),
		TEST(new_files_inherit),
		TEST(plain_default_lists_give_only_a_mode),
		TEST(lists_move_with_the_file),
	};

	file_put("probe", "");
	if (SET("probe", ACCESS, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE},
		{OTHER, 4, NONE}) != 0 &&
	    errno == EOPNOTSUPP) {
		printf("skip: no access control lists here\n");
		return 77;
	}
	umask(022);
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
