/* SPDX-License-Identifier: MIT */
/* net */
/* timeout: 120 */
/* storm_udp.c - many processes send each other datagrams of all sizes, to one, to a group
 * and to nobody, peek, read errors, bind and close; and some are killed at any moment. At
 * the end sockets work as before. */
#include "../sys/own_net.h"

#include <sys/prctl.h>

enum { PORTS = 6, WORKERS = 6, ROUNDS = 12 };

static uint16_t ports[PORTS];

static unsigned pick(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static int sharer(uint16_t port)
{
	int fd = udp4();

	CHECK(set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
	CHECK(set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0);
	return bind4(fd, "0.0.0.0", port) ? (close(fd), -1) : fd;
}

static void send_something(int fd, unsigned *seed)
{
	static char data[60000];
	struct sockaddr_in a = loopback(ports[pick(seed, PORTS)]);
	size_t size = pick(seed, 4) ? pick(seed, 300) : pick(seed, sizeof(data));

	if (!pick(seed, 8))
		a.sin_port = htons(9);
	if (!pick(seed, 8))
		a.sin_addr.s_addr = htonl(0xefaa0101);
	(void)sendto(fd, data, size, pick(seed, 6) ? 0 : MSG_MORE, (void *)&a, sizeof(a));
}

static void receive_something(int fd, unsigned *seed)
{
	struct received r;

	(void)receive(fd, &r,
		      MSG_DONTWAIT | (pick(seed, 4) ? 0 : MSG_PEEK) |
			      (pick(seed, 4) ? 0 : MSG_ERRQUEUE));
}

static _Noreturn void work(unsigned seed)
{
	struct ip_mreq m = {.imr_multiaddr.s_addr = htonl(0xefaa0101),
			    .imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (fd < 0) {
			fd = sharer(ports[pick(&seed, PORTS)]);
			if (fd < 0)
				continue;
			(void)set_option(fd, SOL_IP, IP_RECVERR, (int)pick(&seed, 2));
			(void)setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &m.imr_interface,
					 4);
		}
		switch (pick(&seed, 16)) {
		case 0:
			close(fd);
			fd = -1;
			break;
		case 1:
			(void)setsockopt(fd, SOL_IP,
					 pick(&seed, 2) ? IP_ADD_MEMBERSHIP
							: IP_DROP_MEMBERSHIP,
					 &m, sizeof(m));
			break;
		case 2:
			(void)connect_to(fd, ports[pick(&seed, PORTS)]);
			break;
		case 3: {
			struct sockaddr_in none = {.sin_family = AF_UNSPEC};

			(void)connect(fd, (void *)&none, sizeof(none));
			break;
		}
		case 4:
			(void)ready(fd, POLLIN, (int)pick(&seed, 2));
			break;
		case 5:
		case 6:
		case 7:
		case 8:
			send_something(fd, &seed);
			break;
		default:
			receive_something(fd, &seed);
			break;
		}
	}
}

static pid_t start(unsigned seed)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		work(seed);
	return pid;
}

static void workers_are_killed(void)
{
	int keep[PORTS];
	pid_t pid[WORKERS];
	unsigned seed = (unsigned)getpid();
	const char *times = getenv("STRESS");
	int rounds = ROUNDS * (times ? atoi(times) : 1);

	for (int i = 0; i < PORTS; i++) {
		keep[i] = sharer(0);
		CHECK(keep[i] >= 0);
		ports[i] = port_of(keep[i]);
	}
	for (int i = 0; i < WORKERS; i++)
		pid[i] = start(seed + (unsigned)i * 7919);
	for (int k = 0; k < rounds; k++) {
		int i = (int)pick(&seed, WORKERS);

		usleep(pick(&seed, 20000));
		CHECK(kill(pid[i], SIGKILL) == 0);
		CHECK(waitpid(pid[i], NULL, 0) == pid[i]);
		pid[i] = start(seed);
	}
	for (int i = 0; i < WORKERS; i++) {
		CHECK(kill(pid[i], SIGKILL) == 0);
		CHECK(waitpid(pid[i], NULL, 0) == pid[i]);
	}
	for (int i = 0; i < PORTS; i++)
		CHECK(close(keep[i]) == 0);
}

static void sockets_work_as_before(void)
{
	int fd[2];

	udp_pair(fd);
	CHECK(send(fd[0], "after", 5, 0) == 5 && gets(fd[1], "after"));
	close_pair(fd);
}

/* Each byte that a thread sends another one receives, in order, though both sleep. */
static int line[2];

static void *answer(void *arg)
{
	uint32_t n;

	for (int i = 0; i < 20000; i++)
		if (recv(line[1], &n, 4, 0) != 4 || n != (uint32_t)i ||
		    send(line[1], &n, 4, 0) != 4)
			return arg;
	return NULL;
}

static void wake_ups_are_not_lost(void)
{
	pthread_t t;
	void *failed = NULL;

	udp_pair(line);
	CHECK(pthread_create(&t, NULL, answer, line) == 0);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = i;

		CHECK(send(line[0], &n, 4, 0) == 4 && recv(line[0], &n, 4, 0) == 4);
		CHECK(n == i);
	}
	CHECK(pthread_join(t, &failed) == 0 && !failed);
	close_pair(line);
}

int main(void)
{
	const struct test all[] = {
		TEST(workers_are_killed),
		TEST(sockets_work_as_before),
		TEST(wake_ups_are_not_lost),
	};

	(void)own_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
