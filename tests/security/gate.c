/* SPDX-License-Identifier: MIT */
/* gate.c - hostile requests to the gate: it does what the command line allows, whoever
 * asks. Without a gate there is nobody to ask. gate.sh runs this with one. */
#include "raw.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "../../kernel/core/boot.h"
#include "../../kernel/host/gate.h"

static struct boot_params *const params = (void *)BOOT_PARAMS_ADDR;
static struct gate_request q;

/* What the gate answers, after whatever else was sent; *kept: the descriptor with it. */
static int ask_and_keep(int *kept)
{
	struct gate_reply reply;
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {&reply, sizeof reply};
	struct msghdr m;
	static uint32_t last = 1000000;

	q.id = ++last;
	CHECK(raw_call(SYS_sendto, (uint64_t)params->gate_fd, (uint64_t)&q, sizeof q, 0,
		       0, 0) == sizeof q);
	do {
		m = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
		if (kept) {
			m.msg_control = control.room;
			m.msg_controllen = sizeof control.room;
		}
		CHECK(raw_call(SYS_recvmsg, (uint64_t)params->gate_fd, (uint64_t)&m, 0, 0,
			       0, 0) == sizeof reply);
	} while (reply.id != last);
	if (kept && !reply.error)
		memcpy(kept, CMSG_DATA(&control.align), sizeof *kept);
	return reply.error;
}

static int ask(void)
{
	return ask_and_keep(NULL);
}

static void to_port(unsigned port, int type)
{
	memset(&q, 0, sizeof q);
	q.operation = GATE_CONNECT;
	q.type = (uint32_t)type;
	q.family = AF_INET;
	inet_pton(AF_INET, "127.0.0.1", q.addr);
	q.port[0] = (uint8_t)(port >> 8);
	q.port[1] = (uint8_t)port;
}

static void no_other_destination(void)
{
	unsigned port = (unsigned)atoi(getenv("PORT") ? getenv("PORT") : "0");

	to_port(port, SOCK_STREAM);
	CHECK(ask() == 0);
	q.port[1]++;
	CHECK(ask() == -ENETUNREACH);
	q.port[1]--;
	q.addr[3] = 2;
	CHECK(ask() == -ENETUNREACH);
	q.addr[3] = 1;
	q.type = SOCK_RAW;
	CHECK(ask() == -ENETUNREACH);
	q.type = SOCK_STREAM;
	for (unsigned family = 0; family < 64; family++) {
		q.family = family;
		CHECK(ask() == (family == AF_INET ? 0 : -ENETUNREACH));
	}
}

static int connect_path(const char *path, unsigned volume)
{
	memset(&q, 0, sizeof q);
	q.operation = GATE_CONNECT_PATH;
	q.type = SOCK_STREAM;
	q.volume = (uint16_t)volume;
	memset(q.path, 'x', sizeof q.path);
	strcpy(q.path, path);
	return ask();
}

static void no_other_files(void)
{
	CHECK(connect_path("server", 0) == 0);
	CHECK(connect_path("d/../server", 0) == 0);
	CHECK(connect_path("server", 1) == -ECONNREFUSED); /* without sock */
	CHECK(connect_path("server", 77) == -ECONNREFUSED);
	CHECK(connect_path("../secret/server", 0) < 0);
	CHECK(connect_path("out/server", 0) < 0); /* a link out of it */
	CHECK(connect_path("link", 0) < 0);
	CHECK(connect_path("/server", 0) < 0);
	CHECK(connect_path("..", 0) < 0 && connect_path("", 0) < 0);
	CHECK(connect_path("plain", 0) == -ECONNREFUSED);
	memset(&q, 0, sizeof q);
	q.operation = GATE_CONNECT_PATH;
	memset(q.path, 'x', sizeof q.path); /* without an end */
	CHECK(ask() < 0);
}

static void no_other_files_are_made(void)
{
	static const char *const names[] = {
		"plain", "none", "../secret/server", "out/server", "..", ".", "d", ""};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		memset(&q, 0, sizeof q);
		q.operation = GATE_BIND_PATH;
		q.type = SOCK_STREAM;
		strcpy(q.path, names[i]);
		CHECK(ask() < 0);
	}
}

static void nonsense_is_passed_over(void)
{
	for (unsigned i = 0; i < 200; i++) {
		memset(&q, (int)(i * 37), sizeof q);
		CHECK(raw_call(SYS_sendto, (uint64_t)params->gate_fd, (uint64_t)&q,
			       i % 2 ? 8 : sizeof q, 0, 0, 0) > 0);
	}
	CHECK(connect_path("server", 0) == 0);
}

/* The gate's memory and descriptors are the host's. */
static void not_more_than_it_may_have(void)
{
	enum { TOO_MANY = 5000 };
	static int kept[TOO_MANY];
	int count = 0, err = 0;

	to_port((unsigned)atoi(getenv("PORT") ? getenv("PORT") : "0"), SOCK_DGRAM);
	while (count < TOO_MANY && !(err = ask_and_keep(&kept[count])))
		count++;
	CHECK(err == -ENOBUFS && count > 0);
	while (count > 0)
		raw_call(SYS_close, (uint64_t)kept[--count], 0, 0, 0, 0, 0);
	for (int i = 0; i < 1000 && ask() != 0; i++)
		usleep(10000);
	CHECK(ask() == 0);
}

/* Nobody accepts: they would wait for long. */
static void attempts_given_up_are_forgotten(void)
{
	to_port((unsigned)atoi(getenv("FULL") ? getenv("FULL") : "0"), SOCK_STREAM);
	for (int i = 0; i < 5000; i++)
		CHECK(ask() == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(no_other_destination),	 TEST(no_other_files),
		TEST(no_other_files_are_made),	 TEST(nonsense_is_passed_over),
		TEST(not_more_than_it_may_have), TEST(attempts_given_up_are_forgotten)};

	if (params->gate_fd < 0) {
		printf("ok 1 - no gate\n");
		return 0;
	}
	return test_main(all, sizeof all / sizeof all[0]);
}
