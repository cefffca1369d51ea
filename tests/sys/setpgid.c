/* SPDX-License-Identifier: MIT */
/* calls: setpgid getpgid getpgrp setsid getsid */
/* setpgid.c - process groups and sessions. */
#include "proc.h"

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static void group_and_session_are_inherited(void)
{
	pid_t pid = pauses();

	CHECK(getpgid(pid) == getpgrp() && getsid(pid) == getsid(0));
	CHECK(getpgid(0) == getpgrp() && getpgid(getpid()) == getpgrp());
	CHECK(getsid(getpid()) == getsid(0));
	end(pid);
}

static void a_child_can_be_moved_to_a_group(void)
{
	pid_t a = pauses();
	pid_t b = pauses();

	CHECK(setpgid(a, 0) == 0 && getpgid(a) == a);
	CHECK(setpgid(b, a) == 0 && getpgid(b) == a);
	CHECK(setpgid(b, b) == 0 && getpgid(b) == b);
	CHECK(setpgid(b, getpgrp()) == 0 && getpgid(b) == getpgrp());
	end(a);
	FAILS(EPERM, setpgid(b, a)); /* no such group any more */
	end(b);
}

static void a_group_outlives_its_leader(void)
{
	pid_t a = pauses();
	pid_t b = pauses();

	CHECK(setpgid(a, a) == 0 && setpgid(b, a) == 0);
	end(a);
	CHECK(getpgid(b) == a && kill(-a, 0) == 0);
	pid_t c = pauses();
	CHECK(setpgid(c, a) == 0 && getpgid(c) == a);
	end(b);
	end(c);
	FAILS(ESRCH, kill(-a, 0));
}

static void refusals(void)
{
	pid_t pid = pauses();

	FAILS(EINVAL, setpgid(0, -1));
	FAILS(EINVAL, setpgid(pid, -5));
	FAILS(ESRCH, setpgid(getppid(), getppid()));
	FAILS(ESRCH, setpgid(0x3ffffffe, 0));
	FAILS(EINVAL, setpgid(-1, 0)); /* the group would be -1 */
	FAILS(ESRCH, setpgid(-1, 5));
	FAILS(EPERM, setpgid(pid, 0x3ffffffe));
	FAILS(ESRCH, getpgid(0x3ffffffe));
	FAILS(ESRCH, getpgid(-1));
	FAILS(ESRCH, getsid(0x3ffffffe));
	FAILS(ESRCH, getsid(-1));
	end(pid);
}

static void a_child_that_has_execed_cannot_be_moved(void)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		CHECK(dup2(p[1], 1) == 1);
		execl("/bin/sh", "sh", "-c", "echo; exec sleep 100", NULL);
		_exit(127);
	}
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1);
	FAILS(EACCES, setpgid(pid, pid));
	end(pid);
	close(p[0]);
}

static void setsid_makes_session_and_group(void)
{
	pid_t outer = getsid(0);

	CHILD(pid)
	{
		CHECK(setsid() == getpid());
		CHECK(getsid(0) == getpid() && getpgrp() == getpid());
		FAILS(EPERM, setsid());
		FAILS(EPERM, setpgid(0, 0));
		CHILD(inner)
		{
			CHECK(getsid(0) == getppid() && getpgrp() == getppid());
			CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
			FAILS(EPERM, setsid()); /* a group leader */
			_exit(3);
		}
		WAIT_EXIT(inner, 3);
		CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
		_exit(4);
	}
	WAIT_EXIT(pid, 4);
	CHECK(getsid(0) == outer);
}

static void groups_do_not_cross_sessions(void)
{
	int p[2];
	char c;
	pid_t own = getpgrp();

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		CHECK(setsid() == getpid());
		FAILS(EPERM, setpgid(0, own));
		CHECK(write(p[1], "s", 1) == 1);
		pause();
	}
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(getsid(pid) == pid && getpgid(pid) == pid);
	FAILS(EPERM, setpgid(pid, own));
	end(pid);
	close(p[0]);
	close(p[1]);
}

static void exec_and_fork_keep_them(void)
{
	char text[64];

	CHILD(pid)
	{
		CHECK(setpgid(0, 0) == 0);
		snprintf(text, sizeof(text), "kill -TERM -%d; sleep 100", getpid());
		execl("/bin/sh", "sh", "-c", text, NULL);
		_exit(127);
	}
	WAIT_SIGNAL(pid, SIGTERM);
}

static void zombies_keep_their_group(void)
{
	siginfo_t info;

	CHILD(pid)
	{
		CHECK(setpgid(0, 0) == 0);
		_exit(0);
	}
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(getpgid(pid) == pid && getsid(pid) == getsid(0));
	CHECK(kill(-pid, 0) == 0);
	WAIT_EXIT(pid, 0);
	FAILS(ESRCH, getpgid(pid));
}

static void parent_and_child_may_both_set_it(void)
{
	for (int i = 0; i < 100; i++) {
		CHILD(pid)
		{
			CHECK(setpgid(0, 0) == 0);
			_exit(getpgrp() == getpid() ? 5 : 1);
		}
		CHECK(setpgid(pid, pid) == 0);
		WAIT_EXIT(pid, 5);
	}
}

RUN(TEST(group_and_session_are_inherited), TEST(a_child_can_be_moved_to_a_group),
    TEST(a_group_outlives_its_leader), TEST(refusals),
    TEST(a_child_that_has_execed_cannot_be_moved), TEST(setsid_makes_session_and_group),
    TEST(groups_do_not_cross_sessions), TEST(exec_and_fork_keep_them),
    TEST(zombies_keep_their_group), TEST(parent_and_child_may_both_set_it))
