/* SPDX-License-Identifier: MIT */
/* calls: setsockopt mmap close kill */
/* packet_race: packet sockets that are made, set up, mapped, grouped and closed while
 * frames come, by several threads at once and by processes that are killed. */
#include "packet_net.h"

enum { BLOCK = 4096, ROUND_MS = 150, THREADS = 4 };

static volatile bool is_over;

static void *send_always(void *arg)
{
	int fd = packet_socket(SOCK_RAW, 0);
	uint8_t frame[2000];

	(void)arg;
	frame_fill(frame, sizeof(frame), PROTO_TEST, 0);
	for (unsigned i = 0; !is_over; i++) {
		size_t size = 14 + i * 97 % (sizeof(frame) - 14);

		if (frame_send(fd, frame, size) < 0)
			CHECK(errno == ENETDOWN);
	}
	CHECK(close(fd) == 0);
	return NULL;
}

static int ring_set(int fd, int which, unsigned blocks)
{
	struct tpacket_req3 req = {0};

	if (blocks)
		req = (struct tpacket_req3){.tp_block_size = BLOCK,
					    .tp_block_nr = blocks,
					    .tp_frame_size = 1024,
					    .tp_frame_nr = blocks * BLOCK / 1024};
	return setsockopt(fd, SOL_PACKET, which, &req, sizeof(req));
}

/* Runs the functions, each in a thread of its own, beside senders, for a while. */
static void run_all(void *(*const funcs[])(void *), size_t count, void *arg)
{
	pthread_t threads[8];
	long end = now_ms() + ROUND_MS;

	is_over = false;
	CHECK(pthread_create(&threads[count], NULL, send_always, NULL) == 0);
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], NULL, funcs[i], arg) == 0);
	while (now_ms() < end)
		usleep(5000);
	is_over = true;
	for (size_t i = 0; i <= count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* ---- sockets that come and go ---- */

static void *come_and_go(void *arg)
{
	unsigned i = 0;

	(void)arg;
	while (!is_over) {
		int fd = packet_socket(i & 1 ? SOCK_RAW : SOCK_DGRAM, ETH_P_ALL);
		uint8_t *ring = MAP_FAILED;
		char c;

		CHECK(packet_option(fd, PACKET_VERSION, (int)(i % 3)) == 0);
		if (i & 2) {
			CHECK(ring_set(fd, PACKET_RX_RING, 1 + i % 4) == 0);
			ring = mmap(NULL, (1 + i % 4) * BLOCK, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, 0);
			CHECK(ring != MAP_FAILED);
		} else {
			(void)!recv(fd, &c, 1, MSG_DONTWAIT);
		}
		if (i & 4)
			CHECK(packet_option(fd, PACKET_FANOUT,
					    (int)(i % 2) + (int)((i / 8 % 5) << 16)) ==
				      0 ||
			      errno == EINVAL);
		if (i & 8)
			usleep(100);
		CHECK(close(fd) == 0);
		if (ring != MAP_FAILED) {
			memset(ring, (int)i, BLOCK);
			CHECK(munmap(ring, (1 + i % 4) * BLOCK) == 0);
		}
		i++;
	}
	return NULL;
}

static void sockets_come_and_go(void)
{
	void *(*const funcs[])(void *) = {come_and_go, come_and_go, come_and_go};

	run_all(funcs, 3, NULL);
}

/* ---- one socket, many hands ---- */

static void *set_rings(void *arg)
{
	int fd = *(int *)arg;

	for (unsigned i = 0; !is_over; i++) {
		(void)!packet_option(fd, PACKET_VERSION, (int)(i % 3));
		(void)!packet_option(fd, PACKET_RESERVE, (int)(i % 5 * 16));
		(void)!ring_set(fd, i & 1 ? PACKET_RX_RING : PACKET_TX_RING, i % 6);
		(void)!ring_set(fd, i & 2 ? PACKET_RX_RING : PACKET_TX_RING, 0);
	}
	return NULL;
}

static void *map_rings(void *arg)
{
	int fd = *(int *)arg;

	for (unsigned i = 0; !is_over; i++) {
		size_t size = (1 + i % 10) * BLOCK;
		uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED) {
			CHECK(errno == EINVAL);
			continue;
		}
		memset(p, 1, size); /* frames to be sent, or that have been seen */
		CHECK(munmap(p, size) == 0);
	}
	return NULL;
}

static void *use_rings(void *arg)
{
	struct sockaddr_ll to = packet_address(LO_INDEX, PROTO_TEST);
	int fd = *(int *)arg;
	uint8_t frame[100] = {0};

	while (!is_over) {
		struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

		(void)!sendto(fd, frame, sizeof(frame), MSG_DONTWAIT, (void *)&to,
			      sizeof(to));
		(void)!recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
		CHECK(poll(&p, 1, 0) >= 0);
		(void)packet_stats(fd);
		(void)!packet_bind(fd, ETH_P_ALL);
	}
	return NULL;
}

static void one_socket_in_many_hands(void)
{
	void *(*const funcs[])(void *) = {set_rings, set_rings, map_rings, use_rings};
	int fd = packet_socket(SOCK_RAW, ETH_P_ALL);

	run_all(funcs, THREADS, &fd);
	CHECK(close(fd) == 0);
}

/* ---- the device ---- */

static void *flip_device(void *arg)
{
	(void)arg;
	for (bool is_up = false; !is_over; is_up = !is_up) {
		lo_set(is_up);
		usleep(500);
	}
	lo_set(true);
	return NULL;
}

static void device_goes_down_and_up(void)
{
	void *(*const funcs[])(void *) = {come_and_go, flip_device, come_and_go};

	run_all(funcs, 3, NULL);
}

/* ---- ends ---- */

static void *receive_always(void *arg)
{
	int fd = *(int *)arg;
	char c;

	while (recv(fd, &c, 1, 0) >= 0 || errno == ENETDOWN)
		;
	return NULL;
}

static void child_lives(int fd)
{
	pthread_t thread;
	uint8_t *ring;
	int own = packet_socket(SOCK_RAW, PROTO_TEST);

	CHECK(packet_option(own, PACKET_VERSION, TPACKET_V3) == 0);
	CHECK(ring_set(own, PACKET_RX_RING, 4) == 0);
	ring = mmap(NULL, 4UL * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
	CHECK(ring != MAP_FAILED);
	CHECK(packet_bind(own, 0) == 0);
	CHECK(packet_option(own, PACKET_FANOUT, 77) == 0);
	is_over = false;
	CHECK(pthread_create(&thread, NULL, send_always, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, receive_always, &fd) == 0);
	come_and_go(NULL);
}

static void killed_processes_leave_nothing(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	pid_t pids[4];

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 4; i++) {
			pids[i] = fork();
			CHECK(pids[i] >= 0);
			if (pids[i] == 0) {
				child_lives(fd);
				_exit(0);
			}
		}
		usleep(20000 + round * 7000);
		for (int i = 0; i < 4; i++)
			CHECK(kill(pids[i], SIGKILL) == 0);
		for (int i = 0; i < 4; i++) {
			int status;

			CHECK(waitpid(pids[i], &status, 0) == pids[i]);
			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		}
	}
	CHECK(close(fd) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(sockets_come_and_go),
		TEST(one_socket_in_many_hands),
		TEST(device_goes_down_and_up),
		TEST(killed_processes_leave_nothing),
	};

	enter_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
