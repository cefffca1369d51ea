/* SPDX-License-Identifier: MIT */
/* calls: getuid geteuid getgid getegid getresuid getresgid setuid setgid setreuid
 * setregid setresuid setresgid setfsuid setfsgid getgroups setgroups */
/* setuid.c - who one is to permission checks, and who may change it to what. */
#include "proc.h"
#include <grp.h>
#include <sys/fsuid.h>

/* Runs the block in a child, as another user when we are root. */
#define AS_USER                                                                          \
	for (pid_t pid_ = fork_or_die(); pid_ >= 0; wait_user(&pid_))                    \
		if (pid_ == 0 && (become_user(), true))

static void wait_user(pid_t *pid)
{
	if (*pid == 0)
		_exit(0);
	WAIT_EXIT(*pid, 0);
	*pid = -1;
}

static void become_user(void)
{
	if (geteuid() != 0)
		return;
	CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(syscall(SYS_setresgid, 48220, 48221, 48222) == 0);
	CHECK(syscall(SYS_setresuid, 48210, 48211, 48212) == 0);
}

static void all_getters_agree(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	CHECK(getresuid(&r, &e, &s) == 0 && r == getuid() && e == geteuid());
	CHECK(getresgid(&rg, &eg, &sg) == 0 && rg == getgid() && eg == getegid());
	FAILS(EFAULT, syscall(SYS_getresuid, BAD_PTR, &e, &s));
	FAILS(EFAULT, syscall(SYS_getresuid, &r, KERNEL_PTR, &s));
	FAILS(EFAULT, syscall(SYS_getresgid, &rg, &eg, BAD_PTR));
}

static void each_of_three_can_be_kept_or_taken(void)
{
	AS_USER
	{
		uid_t r, e, s;

		CHECK(getresuid(&r, &e, &s) == 0);
		CHECK(syscall(SYS_setresuid, -1, -1, -1) == 0);
		CHECK(syscall(SYS_setresuid, e, s, r) == 0);
		CHECK(getuid() == e && geteuid() == s);
		CHECK(syscall(SYS_setresuid, r, -1, -1) == 0);
		CHECK(getuid() == r && geteuid() == s);
		CHECK(syscall(SYS_setresuid, -1, r, r) == 0); /* e is given up for good */
		if (e != r)
			FAILS(EPERM, syscall(SYS_setresuid, -1, e, -1));
	}
}

static void a_user_cannot_become_another(void)
{
	AS_USER
	{
		FAILS(EPERM, syscall(SYS_setuid, 0));
		FAILS(EPERM, syscall(SYS_setuid, 48299));
		FAILS(EPERM, syscall(SYS_setresuid, 0, 0, 0));
		FAILS(EPERM, syscall(SYS_setresuid, -1, 48299, -1));
		FAILS(EPERM, syscall(SYS_setreuid, 48299, -1));
		FAILS(EPERM, syscall(SYS_setreuid, -1, 0));
		FAILS(EPERM, syscall(SYS_setgid, 48299));
		FAILS(EPERM, syscall(SYS_setresgid, -1, -1, 48299));
		FAILS(EPERM, syscall(SYS_setregid, -1, 48299));
		FAILS(EPERM, syscall(SYS_setgroups, 0, NULL));
	}
}

static void minus_one_is_no_user(void)
{
	FAILS(EINVAL, syscall(SYS_setuid, -1));
	FAILS(EINVAL, syscall(SYS_setgid, -1));
	CHECK(syscall(SYS_setreuid, -1, -1) == 0);
	CHECK(syscall(SYS_setregid, -1, -1) == 0);
}

static void setuid_of_a_user_moves_only_the_effective(void)
{
	AS_USER
	{
		uid_t r, e, s, r2, e2, s2;
		gid_t g, g2, x, y;

		CHECK(getresuid(&r, &e, &s) == 0);
		CHECK(syscall(SYS_setuid, s) == 0);
		CHECK(getresuid(&r2, &e2, &s2) == 0 && r2 == r && e2 == s && s2 == s);
		CHECK(syscall(SYS_setuid, r) == 0 && geteuid() == r && getuid() == r);
		CHECK(getresgid(&g, &x, &y) == 0);
		CHECK(syscall(SYS_setgid, y) == 0);
		CHECK(getresgid(&g2, &x, &y) == 0 && g2 == g && x == y);
	}
}

static void setreuid_swaps(void)
{
	AS_USER
	{
		uid_t r, e, s, r2, e2, s2;

		CHECK(getresuid(&r, &e, &s) == 0);
		CHECK(syscall(SYS_setreuid, e, r) == 0);
		CHECK(getresuid(&r2, &e2, &s2) == 0);
		CHECK(r2 == e && e2 == r && s2 == r);
	}
}

static void root_becomes_a_user_for_good(void)
{
	CHILD(pid)
	{
		uid_t r, e, s;

		if (geteuid() != 0)
			_exit(0);
		CHECK(syscall(SYS_setgid, 48220) == 0 && getgid() == 48220 &&
		      getegid() == 48220);
		CHECK(syscall(SYS_setuid, 48210) == 0);
		CHECK(getresuid(&r, &e, &s) == 0 && r == 48210 && e == 48210 &&
		      s == 48210);
		FAILS(EPERM, syscall(SYS_setuid, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void root_may_return_when_saved(void)
{
	CHILD(pid)
	{
		if (geteuid() != 0)
			_exit(0);
		CHECK(syscall(SYS_setresuid, -1, 48210, -1) == 0 && geteuid() == 48210);
		FAILS(EPERM, syscall(SYS_setgid, 48220)); /* powers went with it */
		CHECK(syscall(SYS_setresuid, -1, 0, -1) == 0 && geteuid() == 0);
		CHECK(syscall(SYS_setgid, 48220) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void groups_are_set_and_told(void)
{
	gid_t list[NGROUPS_MAX > 1024 ? 1024 : NGROUPS_MAX];
	int n = getgroups(0, NULL);

	CHECK(n >= 0 && getgroups(1024, list) == n);
	FAILS(EINVAL, syscall(SYS_getgroups, -1, list));
	if (n > 0) {
		FAILS(EINVAL, syscall(SYS_getgroups, n - 1 ? n - 1 : -1, list));
		FAILS(EFAULT, syscall(SYS_getgroups, n, BAD_PTR));
	}
	CHILD(pid)
	{
		gid_t three[3] = {48230, 48231, 48232};

		if (geteuid() != 0)
			_exit(0);
		CHECK(syscall(SYS_setgroups, 3, three) == 0);
		CHECK(getgroups(1024, list) == 3 && list[0] == 48230 && list[2] == 48232);
		FAILS(EINVAL, getgroups(2, list));
		FAILS(EINVAL, syscall(SYS_setgroups, 65537, three));
		FAILS(EFAULT, syscall(SYS_setgroups, 3, BAD_PTR));
		CHILD(inner)
		{
			_exit(getgroups(0, NULL));
		}
		WAIT_EXIT(inner, 3);
		CHECK(syscall(SYS_setgroups, 0, NULL) == 0 && getgroups(0, NULL) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void file_system_ids_follow_the_effective(void)
{
	CHECK(setfsuid((uid_t)-1) == (int)geteuid());
	CHECK(setfsgid((gid_t)-1) == (int)getegid());
	AS_USER
	{
		CHECK(setfsuid((uid_t)-1) == (int)geteuid());
		CHECK(setfsuid(48299) == (int)geteuid()); /* refused in silence */
		CHECK(setfsuid((uid_t)-1) == (int)geteuid());
		CHECK(setfsuid(getuid()) == (int)geteuid());
		CHECK(setfsuid((uid_t)-1) == (int)getuid());
	}
}

static void fork_inherits_and_files_check_them(void)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "setuid-%d", getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHILD(pid)
	{
		if (geteuid() != 0)
			_exit(0);
		become_user();
		CHILD(inner)
		{
			CHECK(getuid() == 48210 && geteuid() == 48211);
			FAILS(EACCES, open(name, O_RDONLY));
			_exit(0);
		}
		WAIT_EXIT(inner, 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(unlink(name) == 0);
}

static void *wait_for_change(void *arg)
{
	while (__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE) == 0)
		usleep(1000);
	return (void *)syscall(SYS_geteuid);
}

static void raw_calls_change_one_thread_and_the_library_all(void)
{
	CHILD(pid)
	{
		pthread_t t;
		int go = 0;
		uid_t want;

		if (geteuid() != 0)
			_exit(0);
		thread_start(&t, wait_for_change, &go);
		CHECK(syscall(SYS_setresuid, -1, 48210, -1) == 0);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		CHECK(thread_join(t) == (void *)0);
		CHECK(syscall(SYS_setresuid, -1, 0, -1) == 0);
		go = 0;
		thread_start(&t, wait_for_change, &go);
		want = 48210;
		CHECK(setresuid((uid_t)-1, want, (uid_t)-1) == 0);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		CHECK(thread_join(t) == (void *)(long)want);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(all_getters_agree), TEST(each_of_three_can_be_kept_or_taken),
    TEST(a_user_cannot_become_another), TEST(minus_one_is_no_user),
    TEST(setuid_of_a_user_moves_only_the_effective), TEST(setreuid_swaps),
    TEST(root_becomes_a_user_for_good), TEST(root_may_return_when_saved),
    TEST(groups_are_set_and_told), TEST(file_system_ids_follow_the_effective),
    TEST(fork_inherits_and_files_check_them),
    TEST(raw_calls_change_one_thread_and_the_library_all))
