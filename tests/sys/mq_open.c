/* SPDX-License-Identifier: MIT */
/* POSIX message queues: opening, priorities, limits, waiting, notification, the files. */
/* calls: mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr */
#define _GNU_SOURCE
#include "fixture.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/resource.h>

/* The queues of all share one directory natively: names are the test's own. */
static char name[64];
static const struct mq_attr small = {.mq_maxmsg = 2, .mq_msgsize = 16};

static long sys_open(const char *n, int flags, mode_t mode, const struct mq_attr *a)
{
	return syscall(SYS_mq_open, n, flags, mode, a);
}

static mqd_t made(int flags, const struct mq_attr *a)
{
	mqd_t q;

	(void)mq_unlink(name);
	q = mq_open(name, O_CREAT | O_EXCL | flags, 0600, a);
	CHECK(q >= 0);
	return q;
}

static void gone(mqd_t q)
{
	CHECK(mq_close(q) == 0 && mq_unlink(name) == 0);
}

static void messages_come_by_priority_then_age(void)
{
	struct mq_attr a = {.mq_maxmsg = 5, .mq_msgsize = 8};
	mqd_t q = made(O_RDWR, &a);
	static const char *const want[] = {"e", "b", "d", "a", "c"};
	char buf[8];
	unsigned prio;

	CHECK(mq_send(q, "a", 1, 1) == 0 && mq_send(q, "b", 1, 7) == 0);
	CHECK(mq_send(q, "c", 1, 0) == 0 && mq_send(q, "d", 1, 7) == 0);
	CHECK(mq_send(q, "e", 1, 32767) == 0);
	CHECK(mq_getattr(q, &a) == 0 && a.mq_curmsgs == 5 && a.mq_maxmsg == 5);
	CHECK(a.mq_msgsize == 8 && a.mq_flags == 0);
	for (int i = 0; i < 5; i++) {
		CHECK(mq_receive(q, buf, 8, &prio) == 1 && buf[0] == want[i][0]);
		CHECK(prio == (i == 0 ? 32767u : i < 3 ? 7u : i == 3 ? 1u : 0u));
	}
	CHECK(mq_send(q, buf, 0, 0) == 0 && mq_receive(q, buf, 8, NULL) == 0);
	gone(q);
}

static void names(void)
{
	char longest[300];
	const char *own = name + 1;

	memset(longest, 'x', sizeof(longest));
	longest[256] = 0;
	FAILS(ENOENT, sys_open("", O_RDWR, 0, NULL));
	FAILS(ENOENT, sys_open("nosuchqueue", O_RDWR, 0, NULL));
	FAILS(EACCES, sys_open("/a", O_RDWR | O_CREAT, 0600, NULL));
	FAILS(EACCES, sys_open("a/b", O_RDWR | O_CREAT, 0600, NULL));
	FAILS(EACCES, sys_open("..", O_RDWR | O_CREAT, 0600, NULL));
	FAILS(ENAMETOOLONG, sys_open(longest, O_RDWR | O_CREAT, 0600, NULL));
	FAILS(EFAULT, sys_open(bad_address(1), O_RDWR, 0, NULL));
	FAILS(ENOENT, syscall(SYS_mq_unlink, "nosuchqueue"));
	FAILS(EACCES, syscall(SYS_mq_unlink, "/a"));
	FAILS(EFAULT, syscall(SYS_mq_unlink, bad_address(1)));
	FAILS(EFAULT, sys_open(own, O_RDWR | O_CREAT, 0600, bad_address(1)));
}

static void opening(void)
{
	mqd_t q = made(O_RDWR, &small), again;
	struct mq_attr a = {.mq_maxmsg = 0, .mq_msgsize = 1};
	char buf[16];

	FAILS(EINVAL, sys_open(name + 1, O_ACCMODE, 0, NULL));
	FAILS(EEXIST, mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
	again = mq_open(name, O_CREAT | O_RDONLY, 0600,
			&a); /* attributes: not looked at */
	CHECK(again >= 0 && (fcntl(again, F_GETFD) & FD_CLOEXEC));
	FAILS(EBADF, mq_send(again, "x", 1, 0));
	CHECK(mq_close(again) == 0);
	again = mq_open(name, O_WRONLY | O_NONBLOCK);
	FAILS(EBADF, mq_receive(again, buf, 16, NULL));
	CHECK(mq_send(again, "x", 1, 0) == 0 && mq_receive(q, buf, 16, NULL) == 1);
	CHECK(mq_close(again) == 0);
	gone(q);
	FAILS(ENOENT, mq_open(name, O_RDWR));
	FAILS(EINVAL, mq_open(name, O_CREAT | O_RDWR, 0600, &a));
	a = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = -1};
	FAILS(EINVAL, mq_open(name, O_CREAT | O_RDWR, 0600, &a));
	a = (struct mq_attr){.mq_maxmsg = 100000, .mq_msgsize = 1};
	FAILS(EINVAL, mq_open(name, O_CREAT | O_RDWR, 0600, &a));
	q = made(O_RDWR, NULL);
	CHECK(mq_getattr(q, &a) == 0 && a.mq_maxmsg == 10 && a.mq_msgsize == 8192);
	gone(q);
}

static void a_queue_lives_until_it_is_closed(void)
{
	mqd_t q = made(O_RDWR, &small);
	char buf[16];

	CHECK(mq_send(q, "hello", 5, 3) == 0 && mq_unlink(name) == 0);
	FAILS(ENOENT, mq_unlink(name));
	FAILS(ENOENT, mq_open(name, O_RDWR));
	CHECK(mq_receive(q, buf, 16, NULL) == 5 && memcmp(buf, "hello", 5) == 0);
	CHECK(mq_close(q) == 0);
	FAILS(EBADF, mq_send(q, "x", 1, 0));
}

static void wrong_calls(void)
{
	mqd_t q = made(O_RDWR, &small);
	struct timespec bad = {0, 1000000000}, neg = {-1, 0};
	char buf[32];
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	FAILS(EINVAL, mq_send(q, "x", 1, 32768));
	FAILS(EMSGSIZE, mq_send(q, buf, 17, 0));
	FAILS(EMSGSIZE, mq_receive(q, buf, 15, NULL));
	FAILS(EINVAL, mq_timedsend(q, "x", 1, 0, &bad));
	FAILS(EINVAL, mq_timedreceive(q, buf, 16, NULL, &neg));
	FAILS(EBADF, mq_send(fd, "x", 1, 0));
	FAILS(EBADF, mq_receive(fd, buf, 16, NULL));
	FAILS(EBADF, mq_notify(fd, NULL));
	FAILS(EBADF, syscall(SYS_mq_getsetattr, fd, NULL, buf));
	FAILS(EFAULT, syscall(SYS_mq_timedsend, q, bad_address(1), 4, 0, NULL));
	FAILS(EFAULT, syscall(SYS_mq_timedsend, q, "x", 1, 0, bad_address(1)));
	FAILS(EFAULT, syscall(SYS_mq_getsetattr, q, bad_address(1), NULL));
	FAILS(EFAULT, syscall(SYS_mq_getsetattr, q, NULL, bad_address(1)));
	FAILS(EFAULT, syscall(SYS_mq_notify, q, bad_address(1)));
	CHECK(mq_send(q, "x", 1, 0) == 0);
	FAILS(EFAULT, syscall(SYS_mq_timedreceive, q, bad_address(1), 16, NULL, NULL));
	FAILS(EINVAL, write(q, "x", 1));
	CHECK(close(fd) == 0);
	gone(q);
}

static void not_blocking(void)
{
	mqd_t q = made(O_RDWR, &small);
	struct mq_attr a = {.mq_flags = O_NONBLOCK}, old;
	char buf[16];

	CHECK(mq_setattr(q, &a, &old) == 0 && old.mq_flags == 0 && old.mq_maxmsg == 2);
	CHECK(fcntl(q, F_GETFL) & O_NONBLOCK);
	FAILS(EAGAIN, mq_receive(q, buf, 16, NULL));
	CHECK(mq_send(q, "a", 1, 0) == 0 && mq_send(q, "b", 1, 0) == 0);
	FAILS(EAGAIN, mq_send(q, "c", 1, 0));
	a.mq_flags = O_APPEND;
	FAILS(EINVAL, mq_setattr(q, &a, NULL));
	a.mq_flags = 0;
	CHECK(mq_setattr(q, &a, &old) == 0 && old.mq_flags == O_NONBLOCK);
	CHECK(!(fcntl(q, F_GETFL) & O_NONBLOCK) && old.mq_curmsgs == 2);
	gone(q);
}

static void until(struct timespec *t, long ms)
{
	clock_gettime(CLOCK_REALTIME, t);
	t->tv_nsec += ms * 1000000;
	t->tv_sec += t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void waiting_ends(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	mqd_t q = made(O_RDWR, &small);
	struct timespec t;
	long start = now_ms();
	char buf[16];

	until(&t, 50);
	FAILS(ETIMEDOUT, mq_timedreceive(q, buf, 16, NULL, &t));
	CHECK(now_ms() - start >= 49);
	CHECK(mq_send(q, "a", 1, 0) == 0 && mq_send(q, "b", 1, 0) == 0);
	until(&t, 20);
	FAILS(ETIMEDOUT, mq_timedsend(q, "c", 1, 0, &t));
	until(&t, 0);
	t.tv_sec -= 5;
	FAILS(ETIMEDOUT, mq_timedsend(q, "c", 1, 0, &t));
	sigaction(SIGALRM, &sa, NULL);
	ualarm(30000, 30000);
	FAILS(EINTR, mq_send(q, "c", 1, 0));
	CHECK(mq_receive(q, buf, 16, NULL) == 1 && buf[0] == 'a');
	CHECK(mq_receive(q, buf, 16, NULL) == 1 && buf[0] == 'b');
	FAILS(EINTR, mq_receive(q, buf, 16, NULL));
	ualarm(0, 0);
	gone(q);
}

static void child_echoes(void)
{
	mqd_t q = mq_open(name, O_RDWR);
	char buf[16];
	unsigned prio;

	for (int i = 0; i < 500; i++)
		CHECK(mq_receive(q, buf, 16, &prio) == 4 && prio == 1);
	CHECK(mq_send(q, "done", 4, 9) == 0);
}

static void processes_share_a_queue(void)
{
	mqd_t q = made(O_RDWR, &small);
	struct pollfd p = {q, POLLIN | POLLOUT, 0};
	char buf[16];
	unsigned prio;
	pid_t pid;

	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	pid = child_start(child_echoes);
	for (int i = 0; i < 500; i++)
		CHECK(mq_send(q, "ping", 4, 1) == 0);
	CHECK(child_wait(pid) == 0);
	p.events = POLLIN;
	CHECK(poll(&p, 1, 1000) == 1 && p.revents == POLLIN);
	CHECK(mq_receive(q, buf, 16, &prio) == 4 && prio == 9 &&
	      memcmp(buf, "done", 4) == 0);
	gone(q);
}

static volatile sig_atomic_t told;
static siginfo_t last;

static void on_message(int sig, siginfo_t *info, void *uc)
{
	(void)sig, (void)uc;
	last = *info;
	told++;
}

static void child_is_refused(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	mqd_t q = mq_open(name, O_RDWR);

	FAILS(EBUSY, mq_notify(q, &e));
	CHECK(mq_notify(q, NULL) == 0); /* not its own: nothing happens */
	CHECK(mq_send(q, "x", 1, 0) == 0);
}

static void the_first_message_is_told(void)
{
	struct sigaction sa = {.sa_sigaction = on_message, .sa_flags = SA_SIGINFO};
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	mqd_t q = made(O_RDWR, &small);
	char buf[16], text[100];
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	e.sigev_value.sival_int = 4711;
	CHECK(mq_notify(q, &e) == 0);
	FAILS(EBUSY, mq_notify(q, &e));
	snprintf(text, sizeof(text),
		 "QSIZE:0          NOTIFY:0     SIGNO:%-5d NOTIFY_PID:", SIGUSR1);
	CHECK(pread(q, buf, 0, 0) == 0);
	CHECK(mq_notify(q, NULL) == 0 && mq_notify(q, &e) == 0);
	pid = child_start(child_is_refused);
	CHECK(child_wait(pid) == 0);
	for (int i = 0; i < 1000 && !told; i++)
		sleep_ms(1);
	CHECK(told == 1 && last.si_code == SI_MESGQ && last.si_pid == pid);
	CHECK(last.si_value.sival_int == 4711 && last.si_uid == getuid());
	CHECK(mq_receive(q, buf, 16, NULL) == 1 && mq_send(q, "y", 1, 0) == 0);
	CHECK(told == 1 && mq_notify(q, &e) == 0); /* once; and not while one is there */
	CHECK(mq_send(q, "z", 1, 0) == 0 && told == 1);
	CHECK(mq_notify(q, NULL) == 0);
	e.sigev_signo = 65;
	FAILS(EINVAL, mq_notify(q, &e));
	e.sigev_notify = 77;
	FAILS(EINVAL, mq_notify(q, &e));
	gone(q);
}

static void it_says_what_is_in_it(void)
{
	mqd_t q = made(O_RDWR, &small);
	struct stat st;
	char text[200];
	ssize_t n;

	CHECK(mq_send(q, "hello", 5, 0) == 0 && mq_send(q, "you", 3, 0) == 0);
	n = pread(q, text, sizeof(text) - 1, 0);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(strcmp(text,
		     "QSIZE:8          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n") ==
	      0);
	CHECK(fstat(q, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 80);
	CHECK((st.st_mode & 0777) == 0600 && st.st_uid == geteuid() && st.st_nlink == 1);
	gone(q);
}

static void memory_is_limited(void)
{
	struct rlimit none = {1000, 1000};

	CHECK(setrlimit(RLIMIT_MSGQUEUE, &none) == 0);
	FAILS(EMFILE, mq_open(name, O_CREAT | O_RDWR, 0600, NULL));
}

static void limits_hold(void)
{
	(void)mq_unlink(name);
	CHECK(in_child(memory_is_limited) == 0);
	FAILS(ENOENT, mq_unlink(name));
}

static void user_opens(void)
{
	become_user();
	FAILS(EACCES, mq_open(name, O_RDWR));
	FAILS(EACCES, mq_unlink(name)); /* the C library makes that of EPERM */
}

static void permissions_hold(void)
{
	mqd_t q;

	if (getuid() != 0)
		return;
	q = made(O_RDWR, &small);
	CHECK(in_child(user_opens) == 0);
	gone(q);
}

int main(void)
{
	static const struct test all[] = {TEST(messages_come_by_priority_then_age),
					  TEST(names),
					  TEST(opening),
					  TEST(a_queue_lives_until_it_is_closed),
					  TEST(wrong_calls),
					  TEST(not_blocking),
					  TEST(waiting_ends),
					  TEST(processes_share_a_queue),
					  TEST(the_first_message_is_told),
					  TEST(it_says_what_is_in_it),
					  TEST(limits_hold),
					  TEST(permissions_hold)};

	snprintf(name, sizeof(name), "/test-mq-%d", getpid());
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
