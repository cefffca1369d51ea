/* SPDX-License-Identifier: MIT */
/* calls: mq_notify */
/* mq_notify: SIGEV_THREAD, as the C library uses it and by hand. */
#include "netlink.h"

#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>

static mqd_t queue_open(void)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16};
	char name[64];
	mqd_t q;

	snprintf(name, sizeof(name), "/notify-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	CHECK(q >= 0 && mq_unlink(name) == 0);
	return q;
}

static int notify(mqd_t q, int fd, const void *cookie)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_signo = fd};

	e.sigev_value.sival_ptr = (void *)cookie;
	return (int)syscall(SYS_mq_notify, q, &e);
}

static sem_t told;
static int value_told;

static void on_message(union sigval v)
{
	value_told = v.sival_int;
	sem_post(&told);
}

static void a_function_runs(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD};
	mqd_t q = queue_open();
	char buf[16];

	CHECK(sem_init(&told, 0, 0) == 0);
	e.sigev_notify_function = on_message;
	for (int i = 1; i <= 3; i++) {
		e.sigev_value.sival_int = i * 11;
		CHECK(mq_notify(q, &e) == 0);
		FAILS(EBUSY, mq_notify(q, &e));
		CHECK(mq_send(q, "x", 1, 0) == 0);
		while (sem_wait(&told) < 0)
			CHECK(errno == EINTR);
		CHECK(value_told == i * 11);
		CHECK(mq_receive(q, buf, sizeof(buf), NULL) == 1);
	}
	CHECK(mq_notify(q, &e) == 0 && mq_notify(q, NULL) == 0);
	CHECK(mq_notify(q, &e) == 0 && mq_close(q) == 0);
}

static void the_cookie_comes_back(void)
{
	int fd = nl_socket(NETLINK_ROUTE);
	struct sockaddr_nl from = {0};
	socklen_t len = sizeof(from);
	char cookie[32], buf[64];
	mqd_t q = queue_open();

	memset(cookie, 'c', sizeof(cookie));
	CHECK(notify(q, fd, cookie) == 0);
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	FAILS(EBUSY, notify(q, fd, cookie));
	CHECK(mq_send(q, "x", 1, 0) == 0);
	CHECK(recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len) == 32);
	CHECK(memcmp(buf, cookie, 31) == 0 && buf[31] == 1 && from.nl_pid == 0);
	CHECK(mq_receive(q, buf, 16, NULL) == 1);
	CHECK(notify(q, fd, cookie) == 0 && mq_notify(q, NULL) == 0);
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 32 && buf[31] == 2);
	CHECK(notify(q, fd, cookie) == 0 && mq_close(q) == 0);
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 32 && buf[31] == 2);
	CHECK(close(fd) == 0);
}

static void who_closed_it_is_not_told(void)
{
	int fd = nl_socket(NETLINK_ROUTE);
	char cookie[32] = "";
	mqd_t q = queue_open();

	CHECK(notify(q, fd, cookie) == 0 && close(fd) == 0);
	CHECK(mq_send(q, "x", 1, 0) == 0 && mq_close(q) == 0);
}

static void errors(void)
{
	int fd = nl_socket(NETLINK_ROUTE);
	int other = socket(AF_UNIX, SOCK_STREAM, 0), null = open("/dev/null", O_RDWR);
	char cookie[32] = "", buf[64];
	mqd_t q = queue_open();

	FAILS(EBADF, notify(q, -1, cookie));
	FAILS(EINVAL, notify(q, other, cookie));
	FAILS(ENOTSOCK, notify(q, null, cookie));
	FAILS(EFAULT, notify(q, fd, (void *)8));
	FAILS(EFAULT, notify(q, -1, (void *)8));
	FAILS(EBADF, notify(null, fd, cookie));
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(close(fd) == 0 && close(other) == 0 && close(null) == 0 &&
	      mq_close(q) == 0);
}

static void a_death_leaves_nothing(void)
{
	int fd = nl_socket(NETLINK_ROUTE), status;
	char cookie[32] = "", buf[64];
	mqd_t q = queue_open();
	pid_t child = fork();

	if (child == 0) {
		CHECK(notify(q, fd, cookie) == 0);
		raise(SIGKILL);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	CHECK(recv(fd, buf, sizeof(buf), 0) == 32 && buf[31] == 2);
	CHECK(notify(q, fd, cookie) == 0); /* nobody has it any more */
	CHECK(close(fd) == 0 && mq_close(q) == 0);
}

RUN(TEST(a_function_runs), TEST(the_cookie_comes_back), TEST(who_closed_it_is_not_told),
    TEST(errors), TEST(a_death_leaves_nothing))
