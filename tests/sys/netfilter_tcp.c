/* SPDX-License-Identifier: MIT */
/* net */
/* timeout: 120 */
/* netfilter_tcp.c - what packet filters do to connections: requests that get lost or are
 * refused, data that are held up until rules allow, and resets. */
/* calls: connect sendto recvfrom shutdown */
#include "netfilter.h"

#include <pthread.h>

enum { SOON = 30000 /* ms: longer than any retransmission here takes */ };

static int server; /* it listens */
static uint16_t port;

static void there_is_a_network(void)
{
	enter_filtered();
	server = listener();
	port = port_of(server);
}

static int tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

static int start_connect(int fd)
{
	set_nonblock(fd, true);
	return connect_to(fd, port);
}

static struct rule drop_to_server(int hook)
{
	return (struct rule){
		.hook = hook, .protocol = IPPROTO_TCP, .to = port, .verdict = DROPS};
}

static struct rule drop_from_server(int hook)
{
	return (struct rule){
		.hook = hook, .protocol = IPPROTO_TCP, .from = port, .verdict = DROPS};
}

static struct rule reject_to_server(int hook, uint32_t with)
{
	return (struct rule){.hook = hook,
			     .protocol = IPPROTO_TCP,
			     .to = port,
			     .target = "REJECT",
			     .with = with};
}

static void pair(int fd[2])
{
	fd[0] = tcp();
	CHECK(connect_to(fd[0], port) == 0);
	fd[1] = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
}

/* ---- requests ---- */

static void check_refusal(struct rule r, int error)
{
	int fd = tcp();

	RULES(false, r);
	FAILS(ECONNREFUSED == error ? ECONNREFUSED : EHOSTUNREACH, connect_to(fd, port));
	no_rules(false);
	/* It may try again. */
	CHECK(connect_to(fd, port) == 0);
	CHECK(close(fd) == 0);
	CHECK(close(accept(server, NULL, NULL)) == 0);
}

static void requests_are_refused(void)
{
	check_refusal(reject_to_server(NF_INET_LOCAL_OUT, IPT_TCP_RESET), ECONNREFUSED);
	check_refusal(reject_to_server(NF_INET_LOCAL_IN, IPT_TCP_RESET), ECONNREFUSED);
	check_refusal(reject_to_server(NF_INET_LOCAL_OUT, IPT_ICMP_PORT_UNREACHABLE),
		      ECONNREFUSED);
	check_refusal(reject_to_server(NF_INET_LOCAL_IN, IPT_ICMP_HOST_UNREACHABLE),
		      EHOSTUNREACH);
	CHECK(ready(server, POLLIN, 0) == 0);
}

/* Also for who does not wait. */
static void refusals_are_told_later(void)
{
	int fd = tcp();

	RULES(false, reject_to_server(NF_INET_LOCAL_IN, IPT_ICMP_ADMIN_PROHIBITED));
	FAILS(EINPROGRESS, start_connect(fd));
	CHECK(ready(fd, POLLOUT, SOON) & POLLERR);
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == EHOSTUNREACH);
	no_rules(false);
	CHECK(close(fd) == 0);
}

static void lost_requests_time_out(void)
{
	struct timeval little = {.tv_usec = 50000};
	int fd = tcp();

	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	CHECK(set_option(fd, IPPROTO_TCP, TCP_SYNCNT, 1) == 0);
	FAILS(ETIMEDOUT, connect_to(fd, port));
	CHECK(close(fd) == 0);
	fd = tcp();
	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &little, sizeof(little)) == 0);
	FAILS(EINPROGRESS, connect_to(fd, port));
	CHECK(close(fd) == 0);
	no_rules(false);
	CHECK(ready(server, POLLIN, 0) == 0);
}

/* Who wants to connect tries again and again. */
static void check_retry(struct rule r)
{
	int fd = tcp();
	int got;
	char c;

	RULES(false, r);
	FAILS(EINPROGRESS, start_connect(fd));
	CHECK(ready(fd, POLLOUT, 50) == 0);
	FAILS(EALREADY, connect_to(fd, port));
	no_rules(false);
	CHECK(ready(fd, POLLOUT, SOON) == POLLOUT);
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == 0);
	got = accept(server, NULL, NULL);
	CHECK(got >= 0 && send(fd, "x", 1, 0) == 1 && recv(got, &c, 1, 0) == 1);
	CHECK(close(fd) == 0 && close(got) == 0);
}

static void lost_requests_are_made_again(void)
{
	check_retry(drop_to_server(NF_INET_LOCAL_OUT));
	check_retry(drop_to_server(NF_INET_LOCAL_IN));
	check_retry(drop_from_server(NF_INET_LOCAL_OUT));
}

/* A port where nobody listens is not heard of before. */
static void lost_resets_are_asked_for_again(void)
{
	int nobody = socket_at(SOCK_STREAM, 0);
	struct rule r = {.hook = NF_INET_LOCAL_OUT,
			 .protocol = IPPROTO_TCP,
			 .from = port_of(nobody),
			 .verdict = DROPS};
	int fd = tcp();

	RULES(false, r);
	set_nonblock(fd, true);
	FAILS(EINPROGRESS, connect_to(fd, port_of(nobody)));
	CHECK(ready(fd, POLLOUT, 50) == 0);
	no_rules(false);
	CHECK(ready(fd, POLLOUT, SOON) & POLLERR);
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
	CHECK(close(fd) == 0 && close(nobody) == 0);
}

static void who_waits_may_close(void)
{
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	for (int i = 0; i < 20; i++) {
		int fd = tcp();

		FAILS(EINPROGRESS, start_connect(fd));
		CHECK(close(fd) == 0);
	}
	no_rules(false);
}

/* However often. */
static void lost_requests_leave_nothing(void)
{
	const struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	int fd = tcp();

	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	set_nonblock(fd, true);
	for (int i = 0; i < 4200; i++) {
		FAILS(EINPROGRESS, connect_to(fd, port));
		CHECK(connect(fd, &nothing, sizeof(nothing)) == 0);
	}
	no_rules(false);
	set_nonblock(fd, false);
	CHECK(connect_to(fd, port) == 0);
	CHECK(close(fd) == 0);
	CHECK(close(accept(server, NULL, NULL)) == 0);
}

/* ---- open connections ---- */

static void check_held_up(struct rule r, bool by_client)
{
	char text[8];
	int fd[2];
	int a;
	int b;

	pair(fd);
	a = fd[!by_client];
	b = fd[by_client];
	CHECK(send(a, "before", 6, 0) == 6 && recv(b, text, 8, 0) == 6);
	RULES(false, r);
	CHECK(send(a, "one", 3, 0) == 3);
	CHECK(send(a, "two", 3, 0) == 3);
	CHECK(ready(b, POLLIN, 50) == 0);
	CHECK(shutdown(a, SHUT_WR) == 0);
	FAILS(EAGAIN, recv(b, text, 8, MSG_DONTWAIT));
	no_rules(false);
	CHECK(ready(b, POLLIN, SOON) & POLLIN);
	CHECK(recv(b, text, 6, MSG_WAITALL) == 6 && !memcmp(text, "onetwo", 6));
	CHECK(recv(b, text, 1, 0) == 0);
	CHECK(send(b, "back", 4, 0) == 4 && recv(a, text, 8, 0) == 4);
	close_pair(fd);
}

static void data_are_held_up(void)
{
	check_held_up(drop_to_server(NF_INET_LOCAL_OUT), true);
	check_held_up(drop_to_server(NF_INET_LOCAL_IN), true);
	check_held_up(drop_from_server(NF_INET_LOCAL_OUT), false);
	/* An error of ICMP does not end what is open. */
	check_held_up(reject_to_server(NF_INET_LOCAL_IN, IPT_ICMP_HOST_UNREACHABLE),
		      true);
}

static void the_buffer_fills(void)
{
	static char all[1 << 20];
	size_t left;
	ssize_t n;
	int fd[2];

	pair(fd);
	CHECK(set_option(fd[0], SOL_SOCKET, SO_SNDBUF, 20000) == 0);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	left = fill_up(fd[0]);
	CHECK(left > 0 && ready(fd[0], POLLOUT, 0) == 0);
	no_rules(false);
	while (left) {
		CHECK(ready(fd[1], POLLIN, SOON) & POLLIN);
		n = recv(fd[1], all, sizeof(all), 0);
		CHECK(n > 0 && (size_t)n <= left);
		left -= (size_t)n;
	}
	CHECK(ready(fd[0], POLLOUT, SOON) == POLLOUT);
	close_pair(fd);
}

/* Closed by who has sent: it comes all the same, and an end. */
static void what_was_sent_outlives_who_sent(void)
{
	char text[8];
	int fd[2];

	pair(fd);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	CHECK(send(fd[0], "last", 4, 0) == 4);
	CHECK(close(fd[0]) == 0);
	CHECK(ready(fd[1], POLLIN, 50) == 0);
	no_rules(false);
	CHECK(recv(fd[1], text, 8, MSG_WAITALL) == 4);
	CHECK(recv(fd[1], text, 8, 0) == 0);
	CHECK(close(fd[1]) == 0);
}

/* A connection without a word. */
static void an_end_is_held_up(void)
{
	char c;
	int fd[2];

	pair(fd);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(ready(fd[1], POLLIN, 50) == 0);
	no_rules(false);
	CHECK(recv(fd[1], &c, 1, 0) == 0);
	close_pair(fd);
}

static void resets_end_it(void)
{
	int fd[2];

	pair(fd);
	RULES(false, reject_to_server(NF_INET_LOCAL_IN, IPT_TCP_RESET));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(ready(fd[0], POLLIN, SOON) & POLLERR);
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == ECONNRESET);
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	CHECK(ready(fd[1], POLLIN, 0) == 0); /* nobody has told it */
	no_rules(false);
	close_pair(fd);
}

/* That of a socket which may have more to tell. */
static int wait_error(int fd)
{
	int error = 0;

	for (int ms = 0; ms < SOON && !error; ms += 10) {
		error = option(fd, SOL_SOCKET, SO_ERROR);
		sleep_ms(10);
	}
	return error;
}

static void who_waits_too_long_gives_up(void)
{
	int fd[2];

	pair(fd);
	CHECK(set_option(fd[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 300) == 0);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(ready(fd[0], POLLIN, SOON) & POLLERR);
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == ETIMEDOUT);
	no_rules(false);
	close_pair(fd);
}

static void *send_until_the_end(void *fd)
{
	static char junk[65536];

	while (send((int)(intptr_t)fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

/* Who sleeps because the other side's buffer is full wakes when that has gone. */
static void who_sends_to_who_gave_up_is_told(void)
{
	pthread_t t;
	int fd[2];

	pair(fd);
	CHECK(set_option(fd[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 300) == 0);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(pthread_create(&t, NULL, send_until_the_end, (void *)(intptr_t)fd[1]) == 0);
	/* What has come is there, and does not tell of the error. */
	CHECK(wait_error(fd[0]) == ETIMEDOUT);
	no_rules(false);
	CHECK(close(fd[0]) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(close(fd[1]) == 0);
}

/* It does not come, but its receiver's RST to what is sent later does. */
static void who_sends_is_told_though_a_reset_was_dropped(void)
{
	pthread_t t;
	int fd[2];

	pair(fd);
	CHECK(send(fd[1], "unread", 6, 0) == 6);
	CHECK(pthread_create(&t, NULL, send_until_the_end, (void *)(intptr_t)fd[1]) == 0);
	sleep_ms(50);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
	CHECK(close(fd[0]) == 0);
	no_rules(false);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(close(fd[1]) == 0);
}

/* His data never came, and whom they were for has closed without being heard. */
static void who_waits_for_who_has_gone_gives_up(void)
{
	int fd[2];

	pair(fd);
	CHECK(set_option(fd[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 300) == 0);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT),
	      drop_from_server(NF_INET_LOCAL_OUT));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(close(fd[1]) == 0);
	CHECK(ready(fd[0], POLLIN, SOON) & POLLERR);
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == ETIMEDOUT);
	no_rules(false);
	CHECK(close(fd[0]) == 0);
}

/* The same, but in the end they come. */
static void who_has_gone_answers_later(void)
{
	int fd[2];

	pair(fd);
	RULES(false, drop_to_server(NF_INET_LOCAL_OUT),
	      drop_from_server(NF_INET_LOCAL_OUT));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(close(fd[1]) == 0);
	CHECK(ready(fd[0], POLLIN, 50) == 0);
	no_rules(false);
	while (send(fd[0], "x", 1, MSG_NOSIGNAL) == 1)
		sleep_ms(10);
	CHECK(errno == ECONNRESET || errno == EPIPE);
	CHECK(close(fd[0]) == 0);
}

static void an_end_may_be_refused(void)
{
	const struct xt_tcp fin = {
		.spts = {0, 65535}, .dpts = {0, 65535}, .flg_mask = 1, .flg_cmp = 1};
	int fd[2];

	pair(fd);
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .protocol = IPPROTO_TCP,
		      .match = "tcp",
		      .data = &fin,
		      .size = sizeof(fin),
		      .target = "REJECT",
		      .with = IPT_TCP_RESET});
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(ready(fd[0], POLLIN, SOON) & POLLERR);
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == ECONNRESET);
	CHECK(ready(fd[1], POLLIN, 0) == 0);
	no_rules(false);
	close_pair(fd);
}

static void states_are_known(void)
{
	const struct xt_state_info is_new = {1 << (IP_CT_NEW + 1)};
	struct rule r = drop_to_server(NF_INET_LOCAL_IN);
	int fd[2];
	int late = tcp();
	char c;

	pair(fd);
	r.to = 0;
	r.match = "state";
	r.data = &is_new;
	r.size = sizeof(is_new);
	/* That the connection was there before is known from what it says. */
	RULES(false, r);
	FAILS(EINPROGRESS, start_connect(late));
	CHECK(ready(late, POLLOUT, 50) == 0);
	CHECK(close(late) == 0);
	no_rules(false);
	(void)c;
	close_pair(fd);
}

static void flags_are_known(void)
{
	const struct xt_tcp syn = {.spts = {0, 65535},
				   .dpts = {0, 65535},
				   .flg_mask = 0x17,
				   .flg_cmp = 0x02};
	char c;
	int fd[2];
	int late = tcp();

	pair(fd);
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .protocol = IPPROTO_TCP,
		      .match = "tcp",
		      .data = &syn,
		      .size = sizeof(syn),
		      .verdict = DROPS});
	CHECK(send(fd[0], "x", 1, 0) == 1 && recv(fd[1], &c, 1, 0) == 1);
	FAILS(EINPROGRESS, start_connect(late));
	CHECK(ready(late, POLLOUT, 50) == 0);
	CHECK(close(late) == 0);
	no_rules(false);
	close_pair(fd);
}

static void ipv6_has_its_own_rules(void)
{
	struct sockaddr_in6 a = loopback6(0);
	socklen_t len = sizeof(a);
	int l = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(l, (struct sockaddr *)&a, len) == 0 && listen(l, 4) == 0);
	CHECK(getsockname(l, (struct sockaddr *)&a, &len) == 0);
	RULES(true, {.hook = NF_INET_LOCAL_IN,
		     .protocol = IPPROTO_TCP,
		     .to = ntohs(a.sin6_port),
		     .target = "REJECT",
		     .with = IP6T_TCP_RESET});
	FAILS(ECONNREFUSED, connect(fd, (struct sockaddr *)&a, len));
	no_rules(true);
	CHECK(connect(fd, (struct sockaddr *)&a, len) == 0);
	CHECK(close(fd) == 0 && close(l) == 0);
}

/* ---- races ---- */

enum { CHANGES = 60, WORDS = 500 };
static bool is_done;

static void *change_rules(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE)) {
		RULES(false, drop_to_server(NF_INET_LOCAL_OUT));
		no_rules(false);
		sleep_ms(5);
	}
	return NULL;
}

/* Nothing is lost, and nothing comes twice. */
static void rules_change_under_way(void)
{
	pthread_t t;
	int fd[2];

	pair(fd);
	CHECK(pthread_create(&t, NULL, change_rules, NULL) == 0);
	for (uint32_t i = 0; i < WORDS; i++) {
		uint32_t word;

		CHECK(send(fd[0], &i, sizeof(i), 0) == sizeof(i));
		CHECK(recv(fd[1], &word, sizeof(word), MSG_WAITALL) == sizeof(word));
		CHECK(word == i);
	}
	__atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
	CHECK(pthread_join(t, NULL) == 0);
	close_pair(fd);
}

/* Connects that are lost, come through, and are given up at any moment. */
static void connects_meet_changes(void)
{
	pthread_t t;

	is_done = false;
	CHECK(pthread_create(&t, NULL, change_rules, NULL) == 0);
	for (int i = 0; i < CHANGES; i++) {
		int fd = tcp();
		int n = start_connect(fd);

		CHECK(n == 0 || errno == EINPROGRESS);
		if (i % 16 == 0)
			CHECK(ready(fd, POLLOUT, SOON) == POLLOUT);
		CHECK(close(fd) == 0);
		set_nonblock(server, true);
		n = accept(server, NULL, NULL);
		set_nonblock(server, false);
		CHECK(n < 0 || close(n) == 0);
	}
	__atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
	CHECK(pthread_join(t, NULL) == 0);
}

RUN(TEST(there_is_a_network), TEST(requests_are_refused), TEST(refusals_are_told_later),
    TEST(lost_requests_time_out), TEST(lost_requests_are_made_again),
    TEST(lost_resets_are_asked_for_again), TEST(who_waits_may_close),
    TEST(lost_requests_leave_nothing), TEST(data_are_held_up), TEST(the_buffer_fills),
    TEST(what_was_sent_outlives_who_sent), TEST(an_end_is_held_up), TEST(resets_end_it),
    TEST(who_waits_too_long_gives_up), TEST(who_sends_to_who_gave_up_is_told),
    TEST(who_sends_is_told_though_a_reset_was_dropped),
    TEST(who_waits_for_who_has_gone_gives_up), TEST(who_has_gone_answers_later),
    TEST(an_end_may_be_refused), TEST(states_are_known), TEST(flags_are_known),
    TEST(ipv6_has_its_own_rules), TEST(rules_change_under_way),
    TEST(connects_meet_changes))
