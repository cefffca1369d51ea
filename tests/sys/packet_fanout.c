/* SPDX-License-Identifier: MIT */
/* calls: setsockopt getsockopt recvfrom */
/* packet_fanout: groups of packet sockets that share what comes. */
#include "packet_net.h"

enum { MEMBERS = 4 };

static int group[MEMBERS];
static uint8_t buf[4096];

static int join(int fd, unsigned id, unsigned type)
{
	return packet_option(fd, PACKET_FANOUT, (int)(id | type << 16));
}

static void group_make(unsigned id, unsigned type)
{
	for (int i = 0; i < MEMBERS; i++) {
		group[i] = packet_socket(SOCK_RAW, PROTO_TEST);
		CHECK(packet_bind(group[i], 0) == 0);
		CHECK(join(group[i], id, type) == 0);
	}
}

static void group_end(void)
{
	for (int i = 0; i < MEMBERS; i++)
		CHECK(close(group[i]) == 0);
}

/* How many frames wait at each; all are taken. */
static unsigned count_all(unsigned count[MEMBERS])
{
	unsigned sum = 0;

	for (int i = 0; i < MEMBERS; i++) {
		count[i] = 0;
		while (recv(group[i], buf, sizeof(buf), MSG_DONTWAIT) > 0)
			count[i]++;
		sum += count[i];
	}
	return sum;
}

static void send_many(unsigned n)
{
	int out = packet_socket(SOCK_RAW, 0);

	for (unsigned i = 0; i < n; i++)
		frame_send_new(out, 60, (uint8_t)i);
	CHECK(close(out) == 0);
}

static void bad_groups_are_refused(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int idle = packet_socket(SOCK_RAW, 0);
	struct fanout_args args = {.id = 9, .max_num_members = 65537};
	struct sock_fprog prog = {0};
	char c = 0;

	FAILS(EINVAL, join(fd, 1, 8));
	FAILS(EINVAL, join(fd, 1, 255));
	FAILS(EINVAL, join(fd, 1, PACKET_FANOUT_ROLLOVER | PACKET_FANOUT_FLAG_ROLLOVER));
	FAILS(EINVAL, join(fd, 1, PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_UNIQUEID));
	FAILS(EINVAL, join(idle, 1, PACKET_FANOUT_LB)); /* of no protocol */
	FAILS(EINVAL, setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &c, 1));
	FAILS(EINVAL, setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &args, sizeof(args)));
	FAILS(EINVAL,
	      setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)));
	CHECK(packet_option_get(fd, PACKET_FANOUT) == 0);
	CHECK(close(fd) == 0 && close(idle) == 0);
}

static void members_must_be_alike(void)
{
	int a = packet_socket(SOCK_RAW, PROTO_TEST);
	int b = packet_socket(SOCK_RAW, PROTO_TEST);
	int c = packet_socket(SOCK_RAW, ETH_P_ALL);

	CHECK(packet_bind(a, 0) == 0);
	CHECK(join(a, 7, PACKET_FANOUT_LB) == 0);
	CHECK(packet_option_get(a, PACKET_FANOUT) == (7 | PACKET_FANOUT_LB << 16));
	FAILS(EALREADY, join(a, 7, PACKET_FANOUT_LB));
	FAILS(EINVAL, packet_bind(a, 0));
	FAILS(EINVAL, join(b, 7, PACKET_FANOUT_LB)); /* bound to no device */
	CHECK(packet_bind(b, 0) == 0);
	FAILS(EINVAL, join(b, 7, PACKET_FANOUT_HASH));
	FAILS(EINVAL, join(b, 7, PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_ROLLOVER));
	CHECK(join(b, 7, PACKET_FANOUT_LB) == 0);
	CHECK(packet_bind(c, 0) == 0);
	FAILS(EINVAL, join(c, 7, PACKET_FANOUT_LB));
	CHECK(close(a) == 0 && close(b) == 0);
	CHECK(join(c, 7, PACKET_FANOUT_HASH) == 0); /* the group has ended */
	CHECK(close(c) == 0);
}

static void number_of_members_is_limited(void)
{
	struct fanout_args args = {
		.id = 3, .type_flags = PACKET_FANOUT_LB, .max_num_members = 2};
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = packet_socket(SOCK_RAW, PROTO_TEST);
#define JOIN(i) setsockopt(fd[i], SOL_PACKET, PACKET_FANOUT, &args, sizeof(args))
	CHECK(JOIN(0) == 0 && JOIN(1) == 0);
	FAILS(ENOSPC, JOIN(2));
	CHECK(close(fd[0]) == 0);
	args.max_num_members = 3;
	FAILS(EINVAL, JOIN(2));
	args.max_num_members = 0;
	CHECK(JOIN(2) == 0);
	CHECK(close(fd[1]) == 0 && close(fd[2]) == 0);
}

static void ids_may_be_given_out(void)
{
	int a = packet_socket(SOCK_RAW, PROTO_TEST);
	int b = packet_socket(SOCK_RAW, PROTO_TEST);
	unsigned id;

	CHECK(join(a, 0, PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_UNIQUEID) == 0);
	id = (unsigned)packet_option_get(a, PACKET_FANOUT);
	CHECK(id >> 16 == PACKET_FANOUT_LB);
	CHECK(join(b, id & 0xffff, PACKET_FANOUT_LB) == 0);
	CHECK(close(b) == 0);
	b = packet_socket(SOCK_RAW, PROTO_TEST);
	CHECK(join(b, 0, PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_UNIQUEID) == 0);
	CHECK((unsigned)packet_option_get(b, PACKET_FANOUT) != id);
	CHECK(close(a) == 0 && close(b) == 0);
}

static void each_frame_goes_to_one(void)
{
	static const unsigned types[] = {PACKET_FANOUT_HASH, PACKET_FANOUT_LB,
					 PACKET_FANOUT_CPU,  PACKET_FANOUT_RND,
					 PACKET_FANOUT_QM,   PACKET_FANOUT_ROLLOVER,
					 PACKET_FANOUT_CBPF, PACKET_FANOUT_EBPF};
	unsigned count[MEMBERS];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		group_make(20, types[i]);
		send_many(40);
		CHECK(count_all(count) == 40);
		if (types[i] == PACKET_FANOUT_LB)
			for (int m = 0; m < MEMBERS; m++)
				CHECK(count[m] == 10);
		if (types[i] == PACKET_FANOUT_QM || types[i] == PACKET_FANOUT_CBPF)
			CHECK(count[0] == 40);
		if (types[i] == PACKET_FANOUT_HASH) /* all are of one conversation */
			CHECK(count[0] == 40 || count[1] == 40 || count[2] == 40 ||
			      count[3] == 40);
		group_end();
	}
}

static void member_that_leaves_gets_no_more(void)
{
	unsigned count[MEMBERS];

	group_make(21, PACKET_FANOUT_LB);
	CHECK(close(group[1]) == 0);
	send_many(30);
	group[1] = group[0];
	CHECK(count_all(count) == 30);
	CHECK(count[0] == 10 && count[2] == 10 && count[3] == 10);
	group[1] = packet_socket(SOCK_RAW, PROTO_TEST);
	group_end();
}

static void program_chooses(void)
{
	/* The first byte behind the header. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog prog = {2, code};
	unsigned count[MEMBERS];
	int fd = -1;

	group_make(22, PACKET_FANOUT_CBPF);
	CHECK(setsockopt(group[1], SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)) ==
	      0);
	send_many(10); /* 0 to 9 */
	CHECK(count_all(count) == 10);
	CHECK(count[0] == 3 && count[1] == 3 && count[2] == 2 && count[3] == 2);
	code[0].code = 0xffff;
	FAILS(EINVAL,
	      setsockopt(group[1], SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)));
	FAILS(EINVAL,
	      setsockopt(group[1], SOL_PACKET, PACKET_FANOUT_DATA, &fd, sizeof(fd)));
	group_end();
}

static void full_members_roll_over(void)
{
	struct tpacket_rollover_stats stats;
	socklen_t len = sizeof(stats);
	unsigned count[MEMBERS];
	int size = 4096;

	group_make(23, PACKET_FANOUT_QM | PACKET_FANOUT_FLAG_ROLLOVER);
	for (int i = 0; i < MEMBERS; i++)
		CHECK(setsockopt(group[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ==
		      0);
	send_many(20);
	CHECK(getsockopt(group[0], SOL_PACKET, PACKET_ROLLOVER_STATS, &stats, &len) == 0);
	CHECK(len == sizeof(stats) && stats.tp_all > 0);
	CHECK(count_all(count) >= 16);
	CHECK(count[0] > 0 && count[1] > 0);
	group_end();
	group_make(24, PACKET_FANOUT_LB);
	FAILS(EINVAL,
	      getsockopt(group[0], SOL_PACKET, PACKET_ROLLOVER_STATS, &stats, &len));
	group_end();
}

static void own_frames_are_not_shown_going_out(void)
{
	int a = packet_socket(SOCK_RAW, ETH_P_ALL);
	int b = packet_socket(SOCK_RAW, ETH_P_ALL);
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);

	CHECK(join(a, 30, PACKET_FANOUT_QM) == 0 && join(b, 30, PACKET_FANOUT_QM) == 0);
	frame_send_new(b, 60, 0);
	CHECK(recvfrom(a, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from, &len) == 60);
	CHECK(from.sll_pkttype == PACKET_HOST);
	FAILS(EAGAIN, recv(a, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(close(a) == 0 && close(b) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(bad_groups_are_refused),
		TEST(members_must_be_alike),
		TEST(number_of_members_is_limited),
		TEST(ids_may_be_given_out),
		TEST(each_frame_goes_to_one),
		TEST(member_that_leaves_gets_no_more),
		TEST(program_chooses),
		TEST(full_members_roll_over),
		TEST(own_frames_are_not_shown_going_out),
	};

	enter_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
