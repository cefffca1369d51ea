/* SPDX-License-Identifier: MIT */
/* files */
/* Changing owners, as far as the caller's identity allows. */
/* calls: chown fchown lchown fchownat */
#include "fixture.h"

static struct stat look(const char *name)
{
	struct stat st;

	CHECK(lstat(name, &st) == 0);
	return st;
}

static void minus_one_changes_nothing(void)
{
	struct stat st;

	file_put("f", "");
	st = look("f");
	CHECK(chown("f", (uid_t)-1, (gid_t)-1) == 0);
	CHECK(look("f").st_uid == st.st_uid && look("f").st_gid == st.st_gid);
}

static void owners_may_name_themselves(void)
{
	int fd = open("f", O_RDONLY);

	CHECK(chown("f", geteuid(), getegid()) == 0 && look("f").st_gid == getegid());
	CHECK(fchown(fd, geteuid(), (gid_t)-1) == 0);
	CHECK(fchownat(fd, "", (uid_t)-1, getegid(), AT_EMPTY_PATH) == 0);
	CHECK(close(fd) == 0);
}

static void links_are_changed_by_lchown_alone(void)
{
	CHECK(symlink("absent", "l") == 0);
	FAILS(ENOENT, chown("l", geteuid(), (gid_t)-1));
	CHECK(lchown("l", geteuid(), getegid()) == 0);
	CHECK(fchownat(AT_FDCWD, "l", geteuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0);
}

static void root_gives_files_away(void)
{
	if (geteuid() != 0)
		return;
	CHECK(chown("f", 12, 34) == 0);
	CHECK(look("f").st_uid == 12 && look("f").st_gid == 34);
	CHECK(chown("f", 0, (gid_t)-1) == 0);
	CHECK(look("f").st_uid == 0 && look("f").st_gid == 34);
	CHECK(lchown("l", 56, 78) == 0 && look("l").st_uid == 56);
	CHECK(chown("f", 0, 0) == 0);
}

static void a_new_owner_clears_setuid(void)
{
	CHECK(chmod("f", 06755) == 0 && chown("f", geteuid(), getegid()) == 0);
	CHECK((look("f").st_mode & 07777) == 0755);
	CHECK(chmod("f", 0644) == 0);
}

static void user_limits(void)
{
	become_user_here();
	file_put("mine", "");
	FAILS(EPERM, chown("mine", 0, (gid_t)-1));
	FAILS(EPERM, chown("mine", (uid_t)-1, 0));
	FAILS(EPERM, chown("/etc/passwd", 0, (gid_t)-1));
	FAILS(EPERM, lchown("mine", 12, 12));
}

static void users_may_not_give_files_away(void)
{
	CHECK(in_child(user_limits) == 0);
}

static void documented_errors(void)
{
	FAILS(ENOENT, chown("absent", (uid_t)-1, (gid_t)-1));
	FAILS(ENOENT, chown("", (uid_t)-1, (gid_t)-1));
	FAILS(ENOTDIR, chown("f/x", (uid_t)-1, (gid_t)-1));
	FAILS(EBADF, fchown(-1, (uid_t)-1, (gid_t)-1));
	FAILS(EBADF, fchownat(-1, "f", (uid_t)-1, (gid_t)-1, 0));
	FAILS(EINVAL, fchownat(AT_FDCWD, "f", (uid_t)-1, (gid_t)-1, 1));
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_chown, p, -1, -1));
		FAILS(EFAULT, syscall(SYS_lchown, p, -1, -1));
		FAILS(EFAULT, syscall(SYS_fchownat, AT_FDCWD, p, -1, -1, 0));
	}
}

RUN(TEST(minus_one_changes_nothing), TEST(owners_may_name_themselves),
    TEST(links_are_changed_by_lchown_alone), TEST(root_gives_files_away),
    TEST(a_new_owner_clears_setuid), TEST(users_may_not_give_files_away),
    TEST(documented_errors), TEST(bad_pointers_are_efault))
