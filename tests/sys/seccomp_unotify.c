/* SPDX-License-Identifier: MIT */
/* seccomp_unotify.c - listeners, who decide about calls: seccomp_unotify(2). */
/* calls: seccomp ioctl */
/* timeout: 120 */
#include "asleep.h"
#include "seccomp.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/* ---- a supervised child ---- */

static void send_fd(int sock, int fd)
{
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK(sendmsg(sock, &m, 0) == 1);
}

static int receive_fd(int sock)
{
	char byte;
	struct iovec iov = {&byte, 1};
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int fd;

	CHECK(recvmsg(sock, &m, MSG_CMSG_CLOEXEC) == 1);
	CHECK(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* A child whose calls of nr are supervised runs body; what it returns is its status. */
static pid_t supervise(long nr, unsigned long flags, int (*body)(void), int *listener)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHILD(pid)
	{
		long fd = filter_call(nr, SECCOMP_RET_USER_NOTIF,
				      SECCOMP_FILTER_FLAG_NEW_LISTENER | flags);

		CHECK(fd >= 0);
		CHECK(fcntl((int)fd, F_GETFD) == FD_CLOEXEC);
		send_fd(pair[1], (int)fd);
		close((int)fd);
		close(pair[0]);
		close(pair[1]);
		_exit(body());
	}
	*listener = receive_fd(pair[0]);
	close(pair[0]);
	close(pair[1]);
	return pid;
}

static long notif_recv(int fd, struct seccomp_notif *n)
{
	memset(n, 0, sizeof(*n));
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, n);
}

static long notif_send(int fd, uint64_t id, long val, int error, uint32_t flags)
{
	struct seccomp_notif_resp r = {
		.id = id, .val = val, .error = error, .flags = flags};

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static long is_valid(int fd, uint64_t id)
{
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static int poll_now(int fd, int ms)
{
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

/* ---- answers ---- */

static int two_results(void)
{
	CHECK(syscall(SYS_getppid, 1, 2, 3, 4, 5, 6) == 4711);
	FAILS(ENOTTY, syscall(SYS_getppid, 6, 5, 4, 3, 2, 1));
	CHECK(syscall(SYS_getppid) > 0 && syscall(SYS_getppid) != 4711);
	return 7;
}

static void a_listener_answers(void)
{
	struct seccomp_notif n;
	uint64_t first;
	char name[64];
	char link[64];
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, two_results, &fd);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	memset(name, 0, sizeof(name));
	CHECK(readlink(link, name, sizeof(name) - 1) > 0);
	CHECK(strcmp(name, "anon_inode:seccomp notify") == 0);
	FAILS(EINVAL, read(fd, name, 1));
	FAILS(EINVAL, write(fd, name, 1));
	FAILS(EINVAL, ioctl(fd, 0x2105, 0));
	FAILS(EINVAL, ioctl(fd, 0x5401, 0));

	CHECK(notif_recv(fd, &n) == 0);
	CHECK(n.pid == (uint32_t)pid && n.flags == 0);
	CHECK(n.data.nr == SYS_getppid && n.data.arch == AUDIT_ARCH_X86_64);
	CHECK(n.data.instruction_pointer != 0);
	for (unsigned i = 0; i < 6; i++)
		CHECK(n.data.args[i] == i + 1);
	CHECK(is_valid(fd, n.id) == 0);
	FAILS(ENOENT, is_valid(fd, n.id + 1));
	CHECK(poll_now(fd, 0) == POLLOUT);
	FAILS(EINVAL, notif_send(fd, n.id, 0, 0, 2));
	FAILS(EINVAL, notif_send(fd, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	FAILS(EINVAL, notif_send(fd, n.id, 0, -1, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	FAILS(ENOENT, notif_send(fd, n.id + 1, 0, 0, 0));
	CHECK(notif_send(fd, n.id, 4711, 0, 0) == 0);
	first = n.id;

	CHECK(notif_recv(fd, &n) == 0);
	CHECK(n.id == first + 1 && n.data.args[0] == 6);
	FAILS(ENOENT, is_valid(fd, first));
	CHECK(notif_send(fd, n.id, 4711, -ENOTTY, 0) == 0);
	for (int i = 0; i < 2; i++) {
		CHECK(notif_recv(fd, &n) == 0);
		CHECK(notif_send(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE) == 0);
	}
	WAIT_EXIT(pid, 7);
	/* nobody is left */
	CHECK(poll_now(fd, -1) == POLLHUP);
	FAILS(ENOENT, notif_recv(fd, &n));
	FAILS(ENOENT, notif_send(fd, n.id, 0, 0, 0));
	close(fd);
}

static int one_call(void)
{
	long ret = syscall(SYS_getppid);

	return ret == -1 ? errno : (int)ret;
}

static void reading_and_answering_have_an_order(void)
{
	struct seccomp_notif n;
	struct seccomp_notif dirty = {.pid = 1};
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, one_call, &fd);

	FAILS(EINVAL, ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &dirty));
	FAILS(EFAULT, ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, BAD_PTR));
	FAILS(EFAULT, ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, BAD_PTR));
	FAILS(EFAULT, ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, BAD_PTR));
	CHECK((poll_now(fd, -1) & POLLIN) && poll_now(fd, 0) == POLLIN);
	{
		/* what cannot be written is not read */
		struct seccomp_notif *p =
			mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		FAILS(EFAULT, ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, p));
		CHECK(poll_now(fd, 0) == POLLIN);
		munmap(p, 4096);
	}
	CHECK(notif_recv(fd, &n) == 0);
	CHECK(poll_now(fd, 0) == POLLOUT);
	CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1) == 0 || errno == EINVAL);
	CHECK(notif_send(fd, n.id, 33, 0, 0) == 0);
	FAILS(ENOENT, is_valid(fd, n.id));
	WAIT_EXIT(pid, 33);
	close(fd);
}

/* ---- the listener goes, or the task ---- */

static void a_listener_that_goes_answers_enosys(void)
{
	struct seccomp_notif n;
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, one_call, &fd);

	CHECK(poll_now(fd, -1) == POLLIN);
	close(fd);
	WAIT_EXIT(pid, ENOSYS);
	pid = supervise(SYS_getppid, 0, one_call, &fd);
	CHECK(notif_recv(fd, &n) == 0);
	close(fd);
	WAIT_EXIT(pid, ENOSYS);
}

static void a_killed_task_is_not_answered(void)
{
	struct seccomp_notif n;
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, one_call, &fd);

	CHECK(notif_recv(fd, &n) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(ENOENT, is_valid(fd, n.id));
	FAILS(ENOENT, notif_send(fd, n.id, 0, 0, 0));
	CHECK(poll_now(fd, -1) == POLLHUP);
	close(fd);
	/* before it was read */
	pid = supervise(SYS_getppid, 0, one_call, &fd);
	CHECK(poll_now(fd, -1) == POLLIN);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(ENOENT, notif_recv(fd, &n));
	close(fd);
}

static int fork_and_go(void)
{
	if (fork_or_die() == 0) {
		sleep_ms(30);
		_exit(one_call() == 5 ? 0 : 1);
	}
	return 0;
}

static void hangup_waits_for_the_last_user(void)
{
	struct seccomp_notif n;
	struct epoll_event ev = {.events = EPOLLIN};
	int fd;
	int ep = epoll_create1(0);
	pid_t pid = supervise(SYS_getppid, 0, fork_and_go, &fd);

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	WAIT_EXIT(pid, 0);
	CHECK(epoll_wait(ep, &ev, 1, -1) == 1 && ev.events == EPOLLIN);
	CHECK(notif_recv(fd, &n) == 0 && n.pid != (uint32_t)pid);
	CHECK(notif_send(fd, n.id, 5, 0, 0) == 0);
	CHECK(epoll_wait(ep, &ev, 1, -1) == 1 && ev.events == EPOLLHUP);
	close(fd);
	close(ep);
}

/* ---- signals ---- */

static volatile int caught;

static void on_signal(int sig)
{
	(void)sig;
	caught++;
}

static int call_without_restart(void)
{
	struct sigaction sa = {.sa_handler = on_signal};
	int ret;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	ret = one_call();
	return caught == 1 ? ret : 99;
}

static int call_with_restart(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int ret;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	ret = one_call();
	return caught == 1 ? ret : 99;
}

static void signals_interrupt_the_wait(void)
{
	struct seccomp_notif n;
	uint64_t first;
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, call_without_restart, &fd);

	CHECK(notif_recv(fd, &n) == 0);
	CHECK(kill(pid, SIGUSR1) == 0);
	WAIT_EXIT(pid, EINTR);
	FAILS(ENOENT, notif_send(fd, n.id, 0, 0, 0));
	close(fd);

	pid = supervise(SYS_getppid, 0, call_with_restart, &fd);
	CHECK(notif_recv(fd, &n) == 0);
	first = n.id;
	CHECK(kill(pid, SIGUSR1) == 0);
	CHECK(notif_recv(fd, &n) == 0); /* it asks anew */
	CHECK(n.id == first + 1 && n.data.nr == SYS_getppid);
	FAILS(ENOENT, is_valid(fd, first));
	CHECK(notif_send(fd, n.id, 6, 0, 0) == 0);
	WAIT_EXIT(pid, 6);
	close(fd);
}

static void a_read_notification_may_hold_signals_back(void)
{
	struct seccomp_notif n;
	int fd;
	pid_t pid = supervise(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			      call_without_restart, &fd);

	CHECK(notif_recv(fd, &n) == 0);
	CHECK(kill(pid, SIGUSR1) == 0);
	sleep_ms(20);
	CHECK(is_valid(fd, n.id) == 0);
	CHECK(notif_send(fd, n.id, 8, 0, 0) == 0);
	WAIT_EXIT(pid, 8);
	close(fd);
	/* but not SIGKILL */
	pid = supervise(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			call_without_restart, &fd);
	CHECK(notif_recv(fd, &n) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	close(fd);
	/* nor one that has not been read */
	pid = supervise(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			call_without_restart, &fd);
	CHECK(poll_now(fd, -1) == POLLIN);
	CHECK(kill(pid, SIGUSR1) == 0);
	WAIT_EXIT(pid, EINTR);
	close(fd);
}

static void signals_interrupt_the_listener(void)
{
	int fd;
	pid_t supervised = supervise(SYS_getppid, 0, pause, &fd);

	CHILD(pid)
	{
		struct sigaction sa = {.sa_handler = on_signal};
		struct seccomp_notif n;

		CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
		FAILS(EINTR, notif_recv(fd, &n));
		_exit(0);
	}
	await_sleep(pid);
	CHECK(kill(pid, SIGUSR1) == 0);
	WAIT_EXIT(pid, 0);
	CHECK(kill(supervised, SIGKILL) == 0);
	WAIT_SIGNAL(supervised, SIGKILL);
	close(fd);
}

/* ---- descriptors ---- */

static int use_descriptor(void)
{
	char c = 0;
	int fd = (int)syscall(SYS_getppid);

	CHECK(fd >= 0);
	CHECK(read(fd, &c, 1) == 1);
	return c;
}

static long addfd(int fd, uint64_t id, uint32_t flags, int src, int to, uint32_t to_flags)
{
	struct seccomp_notif_addfd a = {
		.id = id,
		.flags = flags,
		.srcfd = (uint32_t)src,
		.newfd = (uint32_t)to,
		.newfd_flags = to_flags,
	};

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
}

static void descriptors_can_be_sent(void)
{
	struct seccomp_notif n;
	int fds[2];
	long sent;
	int fd;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = supervise(SYS_getppid, 0, use_descriptor, &fd);
	CHECK(poll_now(fd, -1) == POLLIN);
	CHECK(notif_recv(fd, &n) == 0);
	FAILS(EBADF, addfd(fd, n.id, 0, -1, 0, 0));
	FAILS(EBADF, addfd(fd, n.id, 0, 1000, 0, 0));
	FAILS(ENOENT, addfd(fd, n.id + 1, 0, fds[0], 0, 0));
	FAILS(EINVAL, addfd(fd, n.id, 4, fds[0], 0, 0));
	FAILS(EINVAL, addfd(fd, n.id, 0, fds[0], 5, 0));
	FAILS(EINVAL, addfd(fd, n.id, 0, fds[0], 0, O_NONBLOCK));
	FAILS(EFAULT, ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, BAD_PTR));
	FAILS(EBADF, addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, fds[0], 1 << 30, 0));
	sent = addfd(fd, n.id, 0, fds[0], 0, O_CLOEXEC);
	CHECK(sent >= 0);
	CHECK(addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, fds[0], 40, 0) == 40);
	CHECK(addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, fds[0], 40, 0) == 40);
	CHECK(addfd(fd, n.id, 0, fds[0], 0, 0) == sent + 1);
	CHECK(write(fds[1], "A", 1) == 1);
	CHECK(notif_send(fd, n.id, 40, 0, 0) == 0);
	CHECK(addfd(fd, n.id, 0, fds[0], 0, 0) == -1);
	CHECK(errno == EINPROGRESS || errno == ENOENT);
	WAIT_EXIT(pid, 'A');
	FAILS(ENOENT, addfd(fd, n.id, 0, fds[0], 0, 0));
	close(fd);

	/* sent and answered at once */
	pid = supervise(SYS_getppid, 0, use_descriptor, &fd);
	CHECK(notif_recv(fd, &n) == 0);
	CHECK(write(fds[1], "B", 1) == 1);
	CHECK(addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SEND, fds[0], 0, 0) >= 3);
	CHECK(notif_send(fd, n.id, 0, 0, 0) == -1);
	CHECK(errno == EINPROGRESS || errno == ENOENT);
	WAIT_EXIT(pid, 'B');
	close(fd);

	/* which fails: there is still to be an answer */
	pid = supervise(SYS_getppid, 0, use_descriptor, &fd);
	CHECK(notif_recv(fd, &n) == 0);
	CHECK(write(fds[1], "C", 1) == 1);
	FAILS(EBADF, addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SEND | SECCOMP_ADDFD_FLAG_SETFD,
			   fds[0], 1 << 30, 0));
	CHECK(is_valid(fd, n.id) == 0);
	CHECK(addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SEND | SECCOMP_ADDFD_FLAG_SETFD, fds[0],
		    50, 0) == 50);
	WAIT_EXIT(pid, 'C');
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void descriptors_wait_for_the_reader(void)
{
	struct seccomp_notif n;
	char big[sizeof(struct seccomp_notif_addfd) + 8] = {0};
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, one_call, &fd);

	CHECK(poll_now(fd, -1) == POLLIN);
	CHECK(notif_recv(fd, &n) == 0);
	/* other sizes: too short, and longer, which must be zero */
	FAILS(EINVAL, ioctl(fd, _IOC(_IOC_WRITE, '!', 3, 16), big));
	memcpy(big, &n.id, 8);
	big[sizeof(big) - 1] = 1;
	FAILS(E2BIG, ioctl(fd, _IOC(_IOC_WRITE, '!', 3, sizeof(big)), big));
	big[sizeof(big) - 1] = 0;
	CHECK(ioctl(fd, _IOC(_IOC_WRITE, '!', 3, sizeof(big)), big) >= 0);
	CHECK(notif_send(fd, n.id, 3, 0, 0) == 0);
	WAIT_EXIT(pid, 3);
	close(fd);
}

static void send_until_killed(int fd)
{
	struct seccomp_notif n;

	CHECK(notif_recv(fd, &n) == 0);
	for (;;)
		FAILS(EBADF, addfd(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, fd, 1 << 30, 0));
}

/* The task that was to get it has the last reference, and waits for its answer there. */
static void a_killed_listener_may_have_sent_itself(void)
{
	for (int i = 0; i < 200; i++) {
		struct timespec t = {0, 200000 + (i * 7919L) % 300000};
		int fd;
		pid_t pid = supervise(SYS_getppid, 0, one_call, &fd);

		CHILD(supervisor)
		{
			send_until_killed(fd);
		}
		CHECK(poll_now(fd, -1) != 0);
		close(fd);
		nanosleep(&t, NULL);
		CHECK(kill(supervisor, SIGKILL) == 0);
		WAIT_SIGNAL(supervisor, SIGKILL);
		WAIT_EXIT(pid, ENOSYS);
	}
}

/* ---- several filters ---- */

static void only_one_listener_per_chain(void)
{
	CHILD(pid)
	{
		long fd = filter_call(SYS_getppid, SECCOMP_RET_USER_NOTIF,
				      SECCOMP_FILTER_FLAG_NEW_LISTENER);
		int lowest;

		CHECK(fd >= 0);
		FAILS(EBUSY, filter_call(SYS_getuid, SECCOMP_RET_USER_NOTIF,
					 SECCOMP_FILTER_FLAG_NEW_LISTENER));
		lowest = dup(0);
		CHECK(lowest == fd + 1); /* nothing was left open */
		close((int)fd);
		/* now there is none */
		CHECK(filter_call(SYS_getuid, SECCOMP_RET_USER_NOTIF,
				  SECCOMP_FILTER_FLAG_NEW_LISTENER) == fd);
		FAILS(ENOSYS, syscall(SYS_getppid));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void a_stricter_answer_needs_no_listener(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 4, 0) == 0);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_USER_NOTIF,
				  SECCOMP_FILTER_FLAG_NEW_LISTENER) >= 0);
		FAILS(4, syscall(SYS_getppid));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* ---- many at once ---- */

enum { TASKS = 8, CALLS = 50 };

static void *many_calls(void *arg)
{
	long base = (long)arg;

	for (long i = 0; i < CALLS; i++)
		CHECK(syscall(SYS_getppid, base, i) == base * 1000 + i);
	return NULL;
}

static int many_threads(void)
{
	pthread_t thread[TASKS];

	for (long i = 0; i < TASKS; i++)
		CHECK(pthread_create(&thread[i], NULL, many_calls, (void *)(i + 1)) == 0);
	for (int i = 0; i < TASKS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

static void *serve(void *arg)
{
	int fd = *(int *)arg;
	struct seccomp_notif n;

	while (notif_recv(fd, &n) == 0)
		CHECK(notif_send(fd, n.id, (long)(n.data.args[0] * 1000 + n.data.args[1]),
				 0, 0) == 0);
	CHECK(errno == ENOENT);
	return NULL;
}

static void many_tasks_and_many_listeners(void)
{
	pthread_t thread[3];
	int fd;
	pid_t pid = supervise(SYS_getppid, 0, many_threads, &fd);

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread[i], NULL, serve, &fd) == 0);
	WAIT_EXIT(pid, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	close(fd);
}

RUN(TEST(a_listener_answers), TEST(reading_and_answering_have_an_order),
    TEST(a_listener_that_goes_answers_enosys), TEST(a_killed_task_is_not_answered),
    TEST(hangup_waits_for_the_last_user), TEST(signals_interrupt_the_wait),
    TEST(a_read_notification_may_hold_signals_back), TEST(signals_interrupt_the_listener),
    TEST(descriptors_can_be_sent), TEST(descriptors_wait_for_the_reader),
    TEST(a_killed_listener_may_have_sent_itself), TEST(only_one_listener_per_chain),
    TEST(a_stricter_answer_needs_no_listener), TEST(many_tasks_and_many_listeners))
