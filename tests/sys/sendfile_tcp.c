/* SPDX-License-Identifier: MIT */
/* net */
/* files */
/* sendfile(2) to TCP connections, those within a sandbox and those that are made by its
 * host (for the sake of an option that only a host heeds). */
/* calls: sendfile */
#include "inet.h"

#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

enum { SIZE = 6 << 20 };

static bool by_host;
static char data[SIZE], got[SIZE];

static int data_file(void)
{
	int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (size_t i = 0; i < SIZE; i += 4)
		memcpy(data + i, &(uint32_t){(uint32_t)(i * 2654435761U)}, 4);
	CHECK(fd >= 0 && write(fd, data, SIZE) == SIZE && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* fd[0] is connected to fd[1]. */
static void pair(int fd[2])
{
	int l = listener();

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (by_host)
		CHECK(set_option(fd[0], IPPROTO_IP, IP_MINTTL, 1) == 0);
	CHECK(connect_to(fd[0], port_of(l)) == 0);
	fd[1] = accept(l, NULL, NULL);
	CHECK(fd[1] >= 0 && close(l) == 0);
}

static void *reader(void *arg)
{
	size_t size = 0;
	ssize_t n;

	while ((n = read(*(int *)arg, got + size, sizeof(got) - size)) > 0)
		size += (size_t)n;
	CHECK(n == 0);
	return (void *)size; // NOLINT
}

static void all_of_it_arrives(void)
{
	int file = data_file();
	void *size;
	pthread_t t;
	int fd[2];

	pair(fd);
	CHECK(pthread_create(&t, NULL, reader, &fd[1]) == 0);
	CHECK(sendfile(fd[0], file, NULL, SIZE + 1000) == SIZE);
	CHECK(lseek(file, 0, SEEK_CUR) == SIZE && sendfile(fd[0], file, NULL, 1) == 0);
	CHECK(close(fd[0]) == 0 && pthread_join(t, &size) == 0 && (size_t)size == SIZE);
	CHECK(memcmp(data, got, SIZE) == 0);
	close(fd[1]);
	close(file);
}

static void of_a_file_of_the_system(void)
{
	int file = open("/proc/self/exe", O_RDONLY);
	ssize_t size = read(file, data, SIZE);
	void *there;
	pthread_t t;
	int fd[2];

	CHECK(size > 16384 && size < SIZE && lseek(file, 0, SEEK_SET) == 0);
	pair(fd);
	CHECK(pthread_create(&t, NULL, reader, &fd[1]) == 0);
	CHECK(sendfile(fd[0], file, NULL, SIZE) == size);
	CHECK(close(fd[0]) == 0 && pthread_join(t, &there) == 0);
	CHECK((ssize_t)there == size && memcmp(data, got, (size_t)size) == 0);
	close(fd[1]);
	close(file);
}

static void an_offset_is_moved_instead(void)
{
	int file = data_file();
	off_t off = 5000;
	int fd[2];

	pair(fd);
	CHECK(sendfile(fd[0], file, &off, 3000) == 3000 && off == 8000);
	CHECK(lseek(file, 0, SEEK_CUR) == 0);
	CHECK(recv(fd[1], got, 3000, MSG_WAITALL) == 3000);
	CHECK(memcmp(data + 5000, got, 3000) == 0);
	off = SIZE;
	CHECK(sendfile(fd[0], file, &off, 10) == 0 && off == SIZE);
	off = -1;
	FAILS(EINVAL, sendfile(fd[0], file, &off, 10));
	CHECK(sendfile(fd[0], file, NULL, 0) == 0);
	close(fd[0]);
	close(fd[1]);
	close(file);
}

static void it_stops_where_there_is_no_room(void)
{
	int file = data_file();
	ssize_t sent, n;
	off_t off = 0;
	int fd[2];

	pair(fd);
	CHECK(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
	while ((n = sendfile(fd[0], file, &off, SIZE)) > 0 && off < SIZE)
		;
	for (int i = 0; n > 0 && i < 20; i++) { /* large buffers */
		off = 0;
		while ((n = sendfile(fd[0], file, &off, SIZE)) > 0 && off < SIZE)
			;
	}
	CHECK(n == -1 && errno == EAGAIN);
	CHECK(fcntl(fd[0], F_SETFL, 0) == 0);
	for (sent = 0; recv(fd[1], got, sizeof(got), MSG_DONTWAIT) > 0; sent++)
		;
	CHECK(sent > 0);
	close(fd[0]);
	close(fd[1]);
	close(file);
}

static void a_time_out_ends_it(void)
{
	const struct timeval tenth = {0, 100000};
	int file = data_file();
	off_t off = 0;
	ssize_t n = 0;
	int fd[2];

	pair(fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &tenth, sizeof(tenth)) == 0);
	for (int i = 0; n >= 0 && i < 40; i++, off = 0)
		n = sendfile(fd[0], file, &off, SIZE);
	CHECK(n == -1 && errno == EAGAIN);
	close(fd[0]);
	close(fd[1]);
	close(file);
}

static volatile int pipes;

static void on_pipe(int sig)
{
	pipes += sig == SIGPIPE;
}

static void nobody_is_there(void)
{
	int file = data_file();
	off_t off = 0;
	int fd[2];

	CHECK(signal(SIGPIPE, on_pipe) != SIG_ERR);
	pair(fd);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	pipes = 0;
	FAILS(EPIPE, sendfile(fd[0], file, &off, 100));
	CHECK(off == 0 && pipes == 1);
	close(fd[0]);
	close(fd[1]);
	close(file);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void a_signal_ends_it(void)
{
	const struct sigaction act = {.sa_handler = on_alarm};
	pid_t parent = getpid();
	int file = data_file();
	off_t off = 0;
	ssize_t n = 0;
	pid_t by;
	int fd[2];

	CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
	pair(fd);
	by = fork();
	CHECK(by >= 0);
	if (!by)
		for (;;) {
			sleep_ms(100);
			kill(parent, SIGUSR1);
		}
	for (int i = 0; n >= 0 && i < 40; i++, off = 0)
		n = sendfile(fd[0], file, &off, SIZE);
	CHECK(n == -1 && errno == EINTR);
	CHECK(kill(by, SIGKILL) == 0 && waitpid(by, NULL, 0) == by);
	close(fd[0]);
	close(fd[1]);
	close(file);
}

static void through_the_host(void)
{
	by_host = true;
	all_of_it_arrives();
	of_a_file_of_the_system();
	an_offset_is_moved_instead();
	it_stops_where_there_is_no_room();
	a_time_out_ends_it();
	nobody_is_there();
	a_signal_ends_it();
}

RUN(TEST(all_of_it_arrives), TEST(of_a_file_of_the_system),
    TEST(an_offset_is_moved_instead), TEST(it_stops_where_there_is_no_room),
    TEST(a_time_out_ends_it), TEST(nobody_is_there), TEST(a_signal_ends_it),
    TEST(through_the_host))
