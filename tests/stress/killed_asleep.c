/* SPDX-License-Identifier: MIT */
/* net */
/* killed_asleep.c - processes are killed while they sleep, each in a wait of its own
 * kind; what they waited for is used by others then, as if they had never been there.
 *
 * Alone, it kills them itself. "outside" in front of the number of rounds: somebody of
 * the host does, after each line that says "ready" (killed_asleep.sh), so that the kernel
 * never comes back to what they had begun. */
/* timeout: 180 */
#define _GNU_SOURCE
#include "storm.h"

#include <arpa/inet.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { PIPE_SIZE = 65536, MANY = 40 };

static struct shared {
	uint32_t asleep; /* how many are about to be */
	uint32_t word, words[3], pi;
} * shared;

static char page[PIPE_SIZE];
static int empty[2], full[2], to[2], leaving[2], pair[2], tied[2], stuffed[2], counter,
	maximum, timer, epoll, host_epoll, nested, watch, tty, tty_slave, tty_full,
	tty_full_slave, udp, tcp, backlog, lock, lock_file, sem, queue;
static int sending[2], receiving[2];
static int unix_taken[2], tcp_taken[2]; /* a listener, and who has connected to it */
static mqd_t few, told;
static char backlog_name[64], fifo_name[64], lock_name[64];

static void about_to_sleep(void)
{
	__atomic_fetch_add(&shared->asleep, 1, __ATOMIC_SEQ_CST);
}

static void fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	MUST(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
	while (write(fd, page, sizeof(page)) > 0)
		;
	MUST(errno == EAGAIN);
	MUST(fcntl(fd, F_SETFL, flags) == 0);
}

static bool is_ready(int fd, short events)
{
	struct pollfd p = {fd, events, 0};

	return poll(&p, 1, 0) == 1 && (p.revents & events);
}

static void pass(int in, int out) /* one byte */
{
	char c = 0;

	MUST(write(out, "x", 1) == 1 && is_ready(in, POLLIN));
	MUST(read(in, &c, 1) == 1 && c == 'x' && !is_ready(in, POLLIN));
}

/* ---- pipes ---- */

static void pipe_read(void)
{
	(void)!read(empty[0], page, 1);
}
static void pipe_check(void)
{
	pass(empty[0], empty[1]);
	MUST(write(empty[1], page, PIPE_SIZE) == PIPE_SIZE);
	MUST(read(empty[0], page, PIPE_SIZE) == PIPE_SIZE);
}
static void pipe_write(void)
{
	(void)!write(full[1], page, 5000);
}
static void full_check(void)
{
	MUST(read(full[0], page, PIPE_SIZE) == PIPE_SIZE && !is_ready(full[0], POLLIN));
	pass(full[0], full[1]);
	fill(full[1]);
}
static void splice_room(void) /* room is promised while the socket is empty */
{
	(void)!splice(pair[0], NULL, to[1], NULL, PIPE_SIZE, 0);
}
static void room_check(void)
{
	MUST(write(to[1], page, PIPE_SIZE) == PIPE_SIZE);
	MUST(read(to[0], page, PIPE_SIZE) == PIPE_SIZE);
	pass(pair[0], pair[1]);
}
static void splice_head(void) /* the head is held while the socket is full */
{
	(void)!splice(leaving[0], NULL, stuffed[0], NULL, 1, 0);
}
static void head_check(void)
{
	MUST(is_ready(leaving[0], POLLIN) && read(leaving[0], page, 2) == 1);
	MUST(write(leaving[1], "x", 1) == 1);
}
static void tee_full(void)
{
	(void)!tee(leaving[0], full[1], 1, 0);
}
static void vmsplice_full(void)
{
	struct iovec v = {page, 100};

	(void)!vmsplice(full[1], &v, 1, 0);
}
static void fifo_open(void)
{
	(void)!open(fifo_name, O_RDONLY);
}
static void fifo_check(void) /* no reader is there */
{
	MUST(open(fifo_name, O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
}

/* A thread sleeps with a file that only its process has: it ends with that. */
static int ends[2];
static void *write_more(void *unused)
{
	about_to_sleep();
	for (;;)
		(void)!write(ends[1], page, sizeof(page));
	return unused;
}
static void thread_write(void)
{
	pthread_t thread;

	MUST(close(ends[0]) == 0);
	MUST(pthread_create(&thread, NULL, write_more, NULL) == 0);
	pause();
}
static void ends_begin(void)
{
	MUST(pipe(ends) == 0);
}
static void ends_begun(void)
{
	MUST(close(ends[1]) == 0);
}
static void ends_check(void)
{
	double from = seconds();

	while (read(ends[0], page, sizeof(page)) > 0)
		MUST(seconds() < from + 10);
	MUST(close(ends[0]) == 0);
}

/* ---- event descriptors ---- */

static void counter_read(void)
{
	(void)!read(counter, page, 8);
}
static void counter_check(void)
{
	uint64_t n = 3;

	MUST(write(counter, &n, 8) == 8 && read(counter, &n, 8) == 8 && n == 3);
}
static void counter_write(void)
{
	uint64_t n = 1;

	(void)!write(maximum, &n, 8);
}
static void maximum_check(void)
{
	uint64_t n;

	MUST(read(maximum, &n, 8) == 8 && n == UINT64_MAX - 1);
	MUST(write(maximum, &n, 8) == 8);
}
static void timerfd_read(void)
{
	(void)!read(timer, page, 8);
}
static void signalfd_read(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	fd = signalfd(-1, &set, 0);
	(void)!read(fd, page, 128);
}
static void epoll_sleep(void)
{
	struct epoll_event e;

	(void)!epoll_wait(epoll, &e, 1, -1);
}
static void epoll_check(void)
{
	struct epoll_event e;

	MUST(write(tied[1], "x", 1) == 1);
	MUST(epoll_wait(epoll, &e, 1, 10000) == 1 && epoll_wait(nested, &e, 1, 0) == 1);
	MUST(read(tied[0], page, 1) == 1 && epoll_wait(epoll, &e, 1, 0) == 0);
}
static void nested_sleep(void)
{
	struct epoll_event e;

	(void)!epoll_wait(nested, &e, 1, -1);
}
static void host_epoll_sleep(void)
{
	struct epoll_event e;

	(void)!epoll_wait(host_epoll, &e, 1, -1);
}
static void host_epoll_check(void)
{
	struct epoll_event e;

	MUST(write(tied[1], "x", 1) == 1);
	MUST(epoll_wait(host_epoll, &e, 1, 10000) == 1);
	MUST(read(tied[0], page, 1) == 1 && epoll_wait(host_epoll, &e, 1, 0) == 0);
}
static void poll_few(void)
{
	struct pollfd p[3] = {
		{empty[0], POLLIN, 0}, {pair[0], POLLIN, 0}, {full[1], POLLOUT, 0}};

	(void)!poll(p, 3, -1);
}
static void poll_many(void)
{
	struct pollfd p[MANY];

	for (int i = 0; i < MANY; i++)
		p[i] = (struct pollfd){i % 2 ? empty[0] : counter, POLLIN, 0};
	(void)!poll(p, MANY, -1);
}
static void poll_host(void)
{
	struct pollfd p[2] = {{empty[0], POLLIN, 0}, {udp, POLLIN, 0}};

	(void)!poll(p, 2, -1);
}
static void select_few(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(empty[0], &set);
	FD_SET(tied[0], &set);
	(void)!select(FD_SETSIZE, &set, NULL, NULL, NULL);
}
static void inotify_read(void)
{
	(void)!read(watch, page, sizeof(page));
}
static void inotify_check(void)
{
	int fd = open(lock_name, O_RDONLY);

	MUST(fd >= 0 && close(fd) == 0 && is_ready(watch, POLLIN));
	MUST(read(watch, page, sizeof(page)) > 0);
}
static void aio_sleep(void)
{
	aio_context_t ctx = 0;
	struct io_event e;
	struct iocb cb = {.aio_fildes = (uint32_t)empty[0],
			  .aio_lio_opcode = IOCB_CMD_POLL,
			  .aio_buf = POLLIN};
	struct iocb *list = &cb;

	MUST(syscall(SYS_io_setup, 4, &ctx) == 0 &&
	     syscall(SYS_io_submit, ctx, 1L, &list) == 1);
	(void)!syscall(SYS_io_getevents, ctx, 1L, 1L, &e, NULL);
}

/* ---- System V and POSIX ---- */

static void sem_sleep(void)
{
	struct sembuf ops[2] = {{0, 1, SEM_UNDO}, {1, -1, 0}};

	(void)!semop(sem, ops, 2);
}
static void sem_check(void)
{
	MUST(semctl(sem, 1, GETNCNT) == 0 && semctl(sem, 0, GETVAL) == 0);
}
static void msg_receive(void)
{
	struct {
		long type;
		char text[8];
	} m;

	(void)!msgrcv(queue, &m, 8, 7, 0);
}
static void msg_check(void)
{
	struct {
		long type;
		char text[8];
	} m = {7, "hello"};

	MUST(msgsnd(queue, &m, 8, IPC_NOWAIT) == 0 &&
	     msgrcv(queue, &m, 8, 7, IPC_NOWAIT) == 8);
}
static void mq_take(void)
{
	(void)!mq_receive(told, page, 8, NULL);
}
static void mq_take_until(void)
{
	struct timespec t = {1L << 33, 0};

	(void)!mq_timedreceive(told, page, 8, NULL, &t);
}
static void mq_check(void) /* nobody receives: so one is told */
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct timespec t = {10, 0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(mq_notify(told, &e) == 0 && mq_send(told, "x", 1, 0) == 0);
	MUST(sigtimedwait(&set, NULL, &t) == SIGUSR1);
	MUST(mq_receive(told, page, 8, NULL) == 1);
}
static void mq_put(void)
{
	(void)!mq_send(few, "y", 1, 0);
}
static void mq_put_check(void)
{
	struct timespec t = {0, 0};

	MUST(mq_timedreceive(few, page, 8, NULL, &t) == 1 && page[0] == 'x');
	MUST(mq_timedreceive(few, page, 8, NULL, &t) == -1 && errno == ETIMEDOUT);
	MUST(mq_send(few, "x", 1, 0) == 0);
}

/* ---- futexes ---- */

static long futex(uint32_t *at, int op, uint32_t val)
{
	return syscall(SYS_futex, at, op, val, NULL, NULL, UINT32_MAX);
}
static void futex_sleep(void)
{
	(void)!futex(&shared->word, FUTEX_WAIT, 0);
}
static void futex_until(void)
{
	struct timespec t = {1L << 33, 0};

	(void)!syscall(SYS_futex, &shared->word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
		       0, &t, NULL, UINT32_MAX);
}
static void futex_check(void)
{
	MUST(futex(&shared->word, FUTEX_WAKE, 100) == 0);
}
static void futex_many(void)
{
	struct waiter {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} w[3];

	for (int i = 0; i < 3; i++)
		w[i] = (struct waiter){0, (uintptr_t)&shared->words[i], 2, 0};
	(void)!syscall(449 /* futex_waitv */, w, 3, 0, NULL, 0);
}
static void futex_many_check(void)
{
	for (int i = 0; i < 3; i++)
		MUST(futex(&shared->words[i], FUTEX_WAKE, 100) == 0);
}
static void futex_lock(void)
{
	(void)!futex(&shared->pi, FUTEX_LOCK_PI, 0);
}
static void futex_lock_check(void)
{
	MUST(futex(&shared->pi, FUTEX_UNLOCK_PI, 0) == 0);
	MUST((shared->pi & FUTEX_TID_MASK) == 0);
	MUST(futex(&shared->pi, FUTEX_LOCK_PI, 0) == 0);
}

/* ---- locks of files ---- */

static void lock_sleep(int cmd)
{
	struct flock l = {.l_type = F_WRLCK};

	(void)!fcntl(open(lock_name, O_RDWR), cmd, &l);
}
static void lock_posix(void)
{
	lock_sleep(F_SETLKW);
}
static void lock_ofd(void)
{
	lock_sleep(F_OFD_SETLKW);
}
static void lock_check(void)
{
	struct flock l = {.l_type = F_UNLCK};

	MUST(fcntl(lock, F_SETLK, &l) == 0);
	l.l_type = F_WRLCK;
	MUST(fcntl(lock, F_OFD_SETLK, &l) == 0);
	l.l_type = F_UNLCK;
	MUST(fcntl(lock, F_OFD_SETLK, &l) == 0);
	l.l_type = F_WRLCK;
	MUST(fcntl(lock, F_SETLK, &l) == 0);
}
static void flock_sleep(void)
{
	(void)!flock(open(lock_name, O_RDWR), LOCK_EX);
}
static void flock_check(void)
{
	MUST(flock(lock_file, LOCK_UN) == 0 && flock(lock_file, LOCK_EX | LOCK_NB) == 0);
}

#include "killed_asleep_net.h" /* of the pages and pipes above */

#include "killed_asleep_memory.h" /* missing as in the file before */

/* ---- time, signals, children ---- */

static void sleep_long(void)
{
	struct timespec t = {10000, 0};

	(void)!nanosleep(&t, NULL);
}
static void sleep_until(void)
{
	struct timespec t = {1L << 33, 0};

	(void)!clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}
static void wait_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	(void)!sigwaitinfo(&set, NULL);
}
static void wait_pause(void)
{
	pause();
}
static void nothing(void)
{
}

static const struct wait {
	void (*sleep)(void);
	void (*check)(void);
} waits[] = {
	{pipe_read, pipe_check},
	{pipe_write, full_check},
	{splice_room, room_check},
	{splice_head, head_check},
	{tee_full, full_check},
	{vmsplice_full, full_check},
	{fifo_open, fifo_check},
	{thread_write, ends_check},
	{counter_read, counter_check},
	{counter_write, maximum_check},
	{timerfd_read, nothing},
	{signalfd_read, nothing},
	{epoll_sleep, epoll_check},
	{nested_sleep, epoll_check},
	{host_epoll_sleep, host_epoll_check},
	{poll_few, pipe_check},
	{poll_many, pipe_check},
	{poll_host, pipe_check},
	{select_few, pipe_check},
	{inotify_read, inotify_check},
	{aio_sleep, pipe_check},
	{sem_sleep, sem_check},
	{msg_receive, msg_check},
	{mq_take, mq_check},
	{mq_take_until, mq_check},
	{mq_put, mq_put_check},
	{futex_sleep, futex_check},
	{futex_until, futex_check},
	{futex_many, futex_many_check},
	{futex_lock, futex_lock_check},
	{lock_posix, lock_check},
	{lock_ofd, lock_check},
	{flock_sleep, flock_check},
	{unix_receive, unix_check},
	{unix_send, stuffed_check},
	{unix_connect, unix_connect_check},
	{inet_accept, nothing},
	{unix_accept_missing, unix_taken_check},
	{tcp_accept_missing, tcp_taken_check},
	{tcp_send_missing, sending_check},
	{tcp_receive_missing, receiving_check},
	{inet_receive, nothing},
	{pipe_read_vector, pipe_check},
	{unix_send_vector, stuffed_check},
	{unix_receive_vector, unix_check},
	{inet_receive_vector, nothing},
	{inet_receive_many, nothing},
	{option_missing, nothing},
	{filter_put, nothing},
	{filter_get, nothing},
	{vm_read_missing, nothing},
	{vm_write_missing, nothing},
	{madvise_told, nothing},
	{tty_read, tty_check},
	{tty_write, tty_full_check},
	{sleep_long, nothing},
	{sleep_until, nothing},
	{wait_signal, nothing},
	{wait_pause, nothing},
};
enum { WAITS = sizeof(waits) / sizeof(*waits) };

/* ---- the objects ---- */

static int terminal(int *slave)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	MUST(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
	*slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
	MUST(*slave >= 0);
	return fd;
}

static int inet(int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int s = socket(AF_INET, type, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(s >= 0 && bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	if (type == SOCK_STREAM)
		MUST(listen(s, 1) == 0);
	return s;
}

static void tcp_pair(int fd[2])
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int s = inet(SOCK_STREAM);

	MUST(getsockname(s, (struct sockaddr *)&a, &len) == 0);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	MUST(fd[0] >= 0 && connect(fd[0], (struct sockaddr *)&a, len) == 0);
	fd[1] = accept(s, NULL, NULL);
	MUST(fd[1] >= 0 && close(s) == 0);
}

static void taken_set_up(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	unix_taken[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	MUST(bind(unix_taken[0], (struct sockaddr *)&a, sizeof(a.sun_family)) == 0);
	MUST(listen(unix_taken[0], 1) == 0);
	taken_begin(unix_taken);
	tcp_taken[0] = inet(SOCK_STREAM);
	MUST(fcntl(tcp_taken[0], F_SETFL, O_NONBLOCK) == 0);
	taken_begin(tcp_taken);
}

static mqd_t queue_open(const char *name)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char full_name[64];
	mqd_t q;

	sprintf(full_name, "/killed_asleep-%s-%d", name, getpid());
	q = mq_open(full_name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	MUST(q >= 0 && mq_unlink(full_name) == 0);
	return q;
}

static int epoll_of(int a, int b)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = epoll_create1(0);

	MUST(fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, a, &e) == 0);
	if (b >= 0)
		MUST(epoll_ctl(fd, EPOLL_CTL_ADD, b, &e) == 0);
	return fd;
}

static void set_up_files(void)
{
	struct flock l = {.l_type = F_WRLCK};
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	sprintf(fifo_name, "fifo-%d", getpid());
	sprintf(lock_name, "lock-%d", getpid());
	sprintf(backlog_name, "backlog-%d", getpid());
	MUST(mkfifo(fifo_name, 0600) == 0);
	lock = open(lock_name, O_RDWR | O_CREAT, 0600);
	lock_file = open(lock_name, O_RDWR);
	MUST(lock >= 0 && fcntl(lock, F_SETLK, &l) == 0);
	MUST(lock_file >= 0 && flock(lock_file, LOCK_EX) == 0);
	strcpy(a.sun_path, backlog_name);
	backlog = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(bind(backlog, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	     listen(backlog, 0) == 0);
	unix_connect(); /* there is room for one */
	watch = inotify_init();
	MUST(watch >= 0 && inotify_add_watch(watch, lock_name, IN_CLOSE_NOWRITE) > 0);
}

static void set_up(void)
{
	struct itimerspec never = {.it_value = {10000, 0}};
	uint64_t top = UINT64_MAX - 1;
	sigset_t set;

	shared = share(sizeof(*shared));
	MUST(pipe(empty) == 0 && pipe(full) == 0 && pipe(to) == 0 && pipe(leaving) == 0);
	MUST(pipe(tied) == 0 && write(leaving[1], "x", 1) == 1);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, stuffed) == 0);
	fill(full[1]);
	fill(stuffed[0]);
	counter = eventfd(0, 0);
	maximum = eventfd(0, 0);
	MUST(write(maximum, &top, 8) == 8);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	MUST(timerfd_settime(timer, 0, &never, NULL) == 0);
	udp = inet(SOCK_DGRAM);
	tcp = inet(SOCK_STREAM);
	tcp_pair(sending);
	tcp_pair(receiving);
	tcp_begin();
	taken_set_up();
	epoll = epoll_of(tied[0], -1);
	nested = epoll_of(epoll, -1);
	host_epoll = epoll_of(tied[0], udp);
	tty = terminal(&tty_slave);
	tty_full = terminal(&tty_full_slave);
	fill(tty_full_slave);
	few = queue_open("few");
	told = queue_open("told");
	MUST(mq_send(few, "x", 1, 0) == 0);
	sem = semget(IPC_PRIVATE, 2, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	MUST(sem >= 0 && queue >= 0);
	MUST(futex(&shared->pi, FUTEX_LOCK_PI, 0) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	set_up_files();
}

/* ---- rounds ---- */

/* Looks for a while: one who sleeps in the host does not say so everywhere. */
static void wait_asleep(pid_t pid)
{
	char path[64], state = 0;
	double from = seconds();

	sprintf(path, "/proc/%d/stat", pid);
	do {
		FILE *f = fopen(path, "r");

		MUST(f && fscanf(f, "%*d %*s %c", &state) == 1 && fclose(f) == 0);
	} while (state != 'S' && seconds() < from + 0.3 && usleep(1000) == 0);
}

static pid_t start(const struct wait *w)
{
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid)
		return pid;
	about_to_sleep();
	w->sleep();
	fprintf(stderr, "not ok: wait %ld ended: errno %d\n", (long)(w - waits), errno);
	_exit(1);
}

static void round_once(bool is_outside)
{
	pid_t pids[WAITS];
	double from = seconds();

	shared->asleep = 0;
	ends_begin();
	for (int i = 0; i < WAITS; i++)
		pids[i] = start(&waits[i]);
	ends_begun();
	while (__atomic_load_n(&shared->asleep, __ATOMIC_SEQ_CST) < WAITS + 1) {
		MUST(seconds() < from + 60);
		usleep(1000);
	}
	for (int i = 0; i < WAITS; i++)
		wait_asleep(pids[i]);
	usleep(20000);
	if (is_outside) {
		printf("ready %d\n", WAITS);
		fflush(stdout);
	}
	for (int i = 0; i < WAITS; i++) {
		if (!is_outside)
			MUST(kill(pids[i], SIGKILL) == 0);
		MUST(wait_status(pids[i]) == SIGKILL);
	}
	for (int i = 0; i < WAITS; i++)
		waits[i].check();
}

int main(int argc, char **argv)
{
	bool is_outside = argc > 1 && strcmp(argv[1], "outside") == 0;
	long n = rounds(argc - is_outside, argv + is_outside, 5);

	set_up();
	if (is_outside) {
		printf("begin\n");
		fflush(stdout);
		MUST(getchar() != EOF);
	}
	for (long i = 0; i < n; i++)
		round_once(is_outside);
	MUST(semctl(sem, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
	unlink(fifo_name);
	unlink(lock_name);
	unlink(backlog_name);
	printf("ok: %ld killed\n", n * WAITS);
	return 0;
}
