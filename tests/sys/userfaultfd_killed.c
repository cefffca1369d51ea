/* SPDX-License-Identifier: MIT */
/* net */
/* userfaultfd_killed.c - tasks in the middle of calls whose memory lies on a page that
 * nobody will ever give: signals that end a process end them. */
/* calls: userfaultfd setsockopt read write futex sendmsg recvmsg accept */
#include "asleep.h"
#include "uffd.h"

#include <linux/futex.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

static char *missing;
static int pipes[2], pair[2], udp, tcp, zero, file;

static void plain_option(void)
{
	(void)setsockopt(udp, SOL_SOCKET, SO_RCVBUF, missing, 4);
}
static void large_option(void)
{
	(void)setsockopt(tcp, SOL_SOCKET, SO_ATTACH_FILTER, missing - 8, 16);
}
static void unix_option(void)
{
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, missing - 2, 4);
}
static void option_told(void)
{
	socklen_t len = 4;

	(void)getsockopt(udp, SOL_SOCKET, SO_RCVBUF, missing, &len);
}
static void option_length(void)
{
	int value;

	(void)getsockopt(udp, SOL_SOCKET, SO_RCVBUF, &value, (socklen_t *)missing);
}
static void pipe_read(void)
{
	(void)!read(pipes[0], missing - 100, 1000);
}
static void pipe_write(void)
{
	(void)!write(pipes[1], missing - 100, 1000);
}
static void file_read(void)
{
	(void)!pread(file, missing, 1000, 0);
}
static void file_write(void)
{
	(void)!pwrite(file, missing - 100, 1000, 0);
}
static void zero_read(void)
{
	(void)!read(zero, missing - 100, 1000);
}
static void futex_word(void)
{
	(void)syscall(SYS_futex, missing, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}
static void futex_time(void)
{
	uint32_t word = 0;

	(void)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, missing, NULL, 0);
}
static void message_header(void)
{
	(void)sendmsg(pair[0], (void *)missing, 0);
}
static void message_data(void)
{
	struct iovec v[2] = {{&v, 8}, {missing - 100, 1000}};
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 2};

	(void)sendmsg(pair[0], &h, 0);
}
static void message_pieces(void)
{
	struct msghdr h = {.msg_iov = (void *)(missing - 32), .msg_iovlen = 20};

	(void)sendmsg(pair[0], &h, 0);
}
static void accepted_name(void)
{
	socklen_t len = 16;

	(void)accept(tcp, (void *)missing, &len);
}
static void name(void)
{
	(void)open(missing - 1, O_RDONLY);
}
static void status(void)
{
	(void)syscall(SYS_newfstatat, AT_FDCWD, ".", missing - 8, 0);
}

static void (*const calls[])(void) = {
	plain_option,  large_option, unix_option,    option_told,  option_length,
	pipe_read,     pipe_write,   file_read,	     file_write,   zero_read,
	futex_word,    futex_time,   message_header, message_data, message_pieces,
	accepted_name, name,	     status,
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static void set_up(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	static char data[4096];
	socklen_t len = sizeof(a);
	int fd;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(pipe(pipes) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(write(pipes[1], data, sizeof(data)) == sizeof(data));
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(udp >= 0 && bind(udp, (void *)&a, sizeof(a)) == 0);
	CHECK(getsockname(udp, (void *)&a, &len) == 0);
	CHECK(sendto(udp, data, 1000, 0, (void *)&a, len) == 1000);
	a.sin_port = 0;
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(tcp >= 0 && bind(tcp, (void *)&a, sizeof(a)) == 0 && listen(tcp, 5) == 0);
	CHECK(getsockname(tcp, (void *)&a, &len) == 0);
	for (int i = 0; i < 3; i++) { /* each test takes one */
		fd = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(fd >= 0 && connect(fd, (void *)&a, len) == 0);
	}
	zero = open("/dev/zero", O_RDONLY);
	file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(zero >= 0 && file >= 0 && write(file, data, sizeof(data)) == sizeof(data));
}

/* The child has the page for itself, and nobody hears of its faults. */
static void in_call(int i)
{
	int fd = uffd_open(0, 0);
	char *p = pages(2);

	missing = p + PAGE;
	memset(p, 'x', PAGE);
	if (calls[i] == message_pieces)
		memset(p + PAGE - 32, 0, 32);
	CHECK(uffd_register(fd, missing, 1, UFFDIO_REGISTER_MODE_MISSING) == 0);
	calls[i]();
	printf("not ok: call %d came back: errno %d\n", i, errno);
	fflush(stdout);
	pause();
}

static void ends_by(int sig)
{
	for (int i = 0; i < CALLS; i++) {
		pid_t pid;

		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			struct itimerval soon = {.it_value = {0, 30000}};

			if (sig == SIGALRM)
				CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
			in_call(i);
		}
		if (sig != SIGALRM) {
			await_sleep(pid);
			CHECK(kill(pid, sig) == 0);
		}
		alarm(60); /* which nobody catches */
		if (child_wait(pid) != sig) {
			printf("not ok: call %d was not ended by signal %d\n", i, sig);
			exit(1);
		}
		alarm(0);
	}
}

static void by_sigkill(void)
{
	ends_by(SIGKILL);
}

static void by_another_signal(void)
{
	ends_by(SIGTERM);
}

static void by_a_timer(void)
{
	ends_by(SIGALRM);
}

static void kernel_faults_are_told(void)
{
	if (!is_root()) {
		printf("1..0 # SKIP faults of calls are root's\n");
		exit(77);
	}
	set_up();
}

RUN(TEST(kernel_faults_are_told), TEST(by_sigkill), TEST(by_another_signal),
    TEST(by_a_timer))
