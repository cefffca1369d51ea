/* SPDX-License-Identifier: MIT */
/* net */
/* timeout: 120 */
/* tcp_time_wait.c - what stays of a TCP connection for who ended it first: its two names
 * are kept for a while, in FIN_WAIT2 and then TIME_WAIT. */
/* calls: bind connect listen shutdown close setsockopt */
#include "time_wait.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

/* What the machine, or whose network this is, has chosen. */
static int setting(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	return atoi(file_get(path));
}

/* ---- who waits, and who does not ---- */

static void who_ends_first_waits(void)
{
	int timeout = setting("tcp_fin_timeout");
	struct row r;
	int fd[2];

	pair(fd, false);
	CHECK(state_at("/proc/net/tcp", client, server) == TCP_ESTABLISHED);
	CHECK(close(fd[0]) == 0);
	CHECK(settles(client, server, TCP_FIN_WAIT2));
	CHECK(settles(server, client, TCP_CLOSE_WAIT));
	CHECK(row_find("/proc/net/tcp", client, server, &r));
	CHECK(!r.inode && !r.uid);
	CHECK(timeout > 60 ||
	      (r.timer == 3 && r.when > 0 && (int)r.when <= timeout * 100));
	CHECK(close(fd[1]) == 0);
	CHECK(settles(client, server, TCP_TIME_WAIT));
	CHECK(settles(server, client, 0));
	CHECK(row_find("/proc/net/tcp", client, server, &r));
	CHECK(r.timer == 3 && r.when > 3000 && r.when <= 6000 && !r.inode && !r.uid);

	pair(fd, false);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(server, client, TCP_TIME_WAIT));
	CHECK(settles(client, server, 0));
}

static void it_waits_beside_an_open_socket(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd[2];

	pair(fd, false);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(ready(fd[1], POLLIN, PATIENCE) & POLLIN);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	CHECK(settles(client, server, TCP_TIME_WAIT));
	CHECK(getsockopt(fd[0], SOL_TCP, TCP_INFO, &info, &len) == 0);
	CHECK(info.tcpi_state == TCP_CLOSE);
	close_pair(fd);
	CHECK(state_at("/proc/net/tcp", client, server) == TCP_TIME_WAIT);
}

static void a_reset_leaves_nothing(void)
{
	int fd[2];

	pair(fd, false);
	abort_on_close(fd[0]);
	CHECK(settles(client, server, 0) && settles(server, client, 0));
	CHECK(close(fd[1]) == 0);
	CHECK(becomes_free(client) && becomes_free(server));

	pair(fd, false); /* unread data */
	CHECK(send(fd[1], "x", 1, 0) == 1 && ready(fd[0], POLLIN, PATIENCE) == POLLIN);
	CHECK(close(fd[0]) == 0);
	CHECK(settles(client, server, 0));
	CHECK(close(fd[1]) == 0);

	pair(fd, false); /* who waits for the other's end hears of none */
	CHECK(close(fd[0]) == 0 && settles(client, server, TCP_FIN_WAIT2));
	abort_on_close(fd[1]);
	CHECK(settles(client, server, 0));

	pair(fd, false); /* data that nobody wants are answered by one */
	CHECK(close(fd[0]) == 0 && settles(client, server, TCP_FIN_WAIT2));
	CHECK(send(fd[1], "x", 1, MSG_NOSIGNAL) == 1);
	CHECK(settles(client, server, 0));
	CHECK(close(fd[1]) == 0 && becomes_free(client));
}

static void an_unaccepted_one_waits_too(void)
{
	int l = listener();
	int fd = tcp(false);

	server = port_of(l);
	CHECK(connect_to(fd, server) == 0);
	client = port_of(fd);
	CHECK(close(fd) == 0 && settles(client, server, TCP_FIN_WAIT2));
	CHECK(close(l) == 0); /* resets it */
	CHECK(settles(client, server, 0));
}

/* ---- who may have the port ---- */

static void the_port_is_kept(void)
{
	int fd[2];
	int s;

	pair(fd, false);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(server, client, TCP_TIME_WAIT));
	CHECK(try_bind(false, "127.0.0.1", server) == EADDRINUSE);
	CHECK(try_bind(true, "127.0.0.1", server) == EADDRINUSE);
	CHECK(try_bind(false, "0.0.0.0", server) == EADDRINUSE);
	CHECK(try_bind(false, "127.0.0.2", server) == 0);
	CHECK(becomes_free(client));
	CHECK(try_bind6(false, "::", server) == EADDRINUSE);
	CHECK(try_bind6(false, "::ffff:127.0.0.1", server) == EADDRINUSE);
	CHECK(try_bind6(true, "::", server) == 0);
	CHECK(try_bind6(false, "::1", server) == 0);

	pair(fd, false);
	end_in_order(fd[0], fd[1]);
	CHECK(settles(client, server, TCP_TIME_WAIT));
	CHECK(try_bind(false, "127.0.0.1", client) == EADDRINUSE);
	CHECK(becomes_free(server));

	/* What is wrong beside that is found first. */
	s = socket_at(SOCK_STREAM, 0);
	FAILS(EINVAL, bind4(s, "127.0.0.1", client));
	CHECK(close(s) == 0);
	CHECK(try_bind(false, "192.0.2.7", client) == EADDRNOTAVAIL);
}

static void it_is_shared_if_both_say_so(void)
{
	int fd[2];
	int l = tcp(true);

	pair(fd, true);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(server, client, TCP_TIME_WAIT));
	CHECK(try_bind(false, "127.0.0.1", server) == EADDRINUSE);
	CHECK(bind4(l, "127.0.0.1", server) == 0 && listen(l, 4) == 0);
	pair_by(l, tcp(false), fd);
	CHECK(close(l) == 0);
	close_pair(fd);
}

static void it_keeps_a_listener_from_listening_again(void)
{
	int fd[2];
	int l = listener_apart(false); /* a port that was asked for stays */

	pair_by(l, tcp(false), fd);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(server, client, TCP_TIME_WAIT));
	CHECK(listen(l, 5) == 0); /* it does already */
	CHECK(shutdown(l, SHUT_RDWR) == 0);
	FAILS(EADDRINUSE, listen(l, 5));
	CHECK(set_option(l, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
	FAILS(EADDRINUSE, listen(l, 5));
	CHECK(close(l) == 0);
}

static void leave_waiting(const char *addr, uint16_t port, bool reuses)
{
	struct sockaddr_in a = name4(addr, port);
	int fd[2] = {tcp(false), -1};
	int l = tcp(reuses);

	CHECK(bind4(l, addr, port) == 0 && listen(l, 4) == 0);
	CHECK(connect(fd[0], (struct sockaddr *)&a, sizeof(a)) == 0);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0 && close(l) == 0);
	client = port_of(fd[0]);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(port, client, TCP_TIME_WAIT));
}

/* Of all that wait at a port each is asked about its own address. */
static void each_keeps_its_own_address(void)
{
	int apart = bind_apart(tcp(false));
	uint16_t port = port_of(apart);

	CHECK(close(apart) == 0);
	for (int i = 0; i < 3; i++)
		leave_waiting("127.0.0.3", port, true);
	leave_waiting("127.0.0.5", port, true);
	CHECK(try_bind(true, "127.0.0.5", port) == 0);
	CHECK(try_bind(true, "0.0.0.0", port) == 0);
	CHECK(try_bind(false, "127.0.0.5", port) == EADDRINUSE);
	leave_waiting("127.0.0.4", port, false);
	CHECK(try_bind(true, "127.0.0.3", port) == 0);
	CHECK(try_bind(true, "127.0.0.5", port) == 0);
	CHECK(try_bind(false, "127.0.0.3", port) == EADDRINUSE);
	CHECK(try_bind(true, "127.0.0.4", port) == EADDRINUSE);
	CHECK(try_bind(true, "0.0.0.0", port) == EADDRINUSE);
	CHECK(try_bind(false, "127.0.0.6", port) == 0);
	CHECK(try_bind6(false, "::", port) == EADDRINUSE);
	CHECK(try_bind6(true, "::", port) == 0);
	CHECK(try_bind6(false, "::ffff:127.0.0.4", port) == EADDRINUSE);
	CHECK(try_bind6(false, "::ffff:127.0.0.6", port) == 0);
}

/* Who is refused stands in nobody's way while he asks. */
static void asking_hinders_nobody(void)
{
	int fd[2];
	pid_t pid;
	int status;

	pair(fd, false);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(server, client, TCP_TIME_WAIT));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 400; i++)
			if (try_bind(false, "0.0.0.0", server) != EADDRINUSE)
				_exit(1);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		CHECK(try_bind(false, "127.0.0.2", server) == 0);
	CHECK(status == 0);
}

/* Whoever leaves the choice of a port to the system can always listen with it. */
static void any_port_can_be_listened_with(void)
{
	int fd[2];

	for (int i = 0; i < 500; i++) {
		int l = listener();

		pair_by(l, tcp(false), fd);
		end_in_order(fd[1], fd[0]); /* the server's port waits */
		CHECK(close(l) == 0);
	}
}

/* ---- connections between the same two ---- */

static void a_named_port_connects_anew(void)
{
	int fd[2];
	int l;
	uint16_t port;

	if (!setting("tcp_timestamps") || !setting("tcp_tw_reuse"))
		return; /* without these it does not */
	l = listener_apart(false);
	pair_by(l, bind_apart(tcp(true)), fd);
	port = client;
	end_in_order(fd[0], fd[1]);
	CHECK(settles(client, server, TCP_TIME_WAIT));
	fd[0] = tcp(true);
	CHECK(bind4(fd[0], "127.0.0.1", port) == 0);
	pair_by(l, fd[0], fd);
	CHECK(client == port);
	CHECK(state_at("/proc/net/tcp", client, server) == TCP_ESTABLISHED);
	end_in_order(fd[1], fd[0]);
	CHECK(settles(server, client, TCP_TIME_WAIT) && settles(client, server, 0));

	CHECK(becomes_free(port)); /* the request finds the other side waiting */
	fd[0] = tcp(false);
	CHECK(bind4(fd[0], "127.0.0.1", port) == 0);
	pair_by(l, fd[0], fd);
	CHECK(state_at("/proc/net/tcp", server, client) == TCP_ESTABLISHED);
	CHECK(send(fd[0], "x", 1, 0) == 1 && ready(fd[1], POLLIN, PATIENCE) == POLLIN);
	close_pair(fd);
	CHECK(close(l) == 0);
}

static void others_get_another_port(void)
{
	uint16_t had[4];
	int fd[2];
	int l = listener();

	for (int i = 0; i < 4; i++) {
		pair_by(l, tcp(false), fd);
		had[i] = client;
		for (int k = 0; k < i; k++)
			CHECK(had[k] != client);
		end_in_order(fd[0], fd[1]);
		CHECK(settles(client, server, TCP_TIME_WAIT));
		CHECK(try_bind(true, "127.0.0.1", client) == EADDRINUSE);
	}
	CHECK(close(l) == 0);
}

/* ---- IPv6 ---- */

static int pair6(int fd[2], const char *addr)
{
	struct sockaddr_in6 a;
	int l = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int apart = bind_apart(tcp(false));
	uint16_t port = port_of(apart);

	CHECK(close(apart) == 0);
	if (l < 0 || bind6(l, "::", port) != 0 || listen(l, 4) != 0)
		return -1;
	a = name6(addr, port_of(l));
	fd[0] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd[0] >= 0);
	if (connect(fd[0], (struct sockaddr *)&a, sizeof(a)) != 0)
		return -1;
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
	client = port_of(fd[0]);
	server = port_of(l);
	CHECK(close(l) == 0);
	return 0;
}

static void of_ipv6(void)
{
	int fd[2];

	if (pair6(fd, "::1") != 0)
		return; /* there is none here */
	end_in_order(fd[1], fd[0]);
	CHECK(settles_in("/proc/net/tcp6", server, client, TCP_TIME_WAIT));
	CHECK(try_bind6(false, "::", server) == EADDRINUSE);
	CHECK(try_bind6(true, "::", server) == EADDRINUSE);
	CHECK(try_bind6(false, "::1", server) == EADDRINUSE);
	CHECK(try_bind(false, "0.0.0.0", server) == EADDRINUSE);
	CHECK(try_bind(false, "127.0.0.1", server) == 0);

	CHECK(pair6(fd, "::ffff:127.0.0.1") == 0);
	end_in_order(fd[1], fd[0]);
	CHECK(settles_in("/proc/net/tcp6", server, client, TCP_TIME_WAIT));
	CHECK(state_at("/proc/net/tcp", server, client) == 0);
	CHECK(try_bind(false, "127.0.0.1", server) == EADDRINUSE);
	CHECK(try_bind6(false, "::1", server) == 0);
}

/* ---- sock_diag(7) ---- */

static struct inet_diag_msg told;
static int told_count;

static void look_at(const struct inet_diag_msg *m)
{
	if (ntohs(m->id.idiag_sport) != client || ntohs(m->id.idiag_dport) != server)
		return;
	told = *m;
	told_count++;
}

static void ask(unsigned states)
{
	static char answer[1 << 17];
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 q;
	} r = {{sizeof(r), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 7, 0},
	       {.sdiag_family = AF_INET,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = states}};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	CHECK(fd >= 0 && send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
	told_count = 0;
	for (bool is_over = false; !is_over;) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);
		unsigned left = (unsigned)got;

		CHECK(got > 0);
		for (struct nlmsghdr *a = (void *)answer; NLMSG_OK(a, left);
		     a = NLMSG_NEXT(a, left)) {
			CHECK(a->nlmsg_type != NLMSG_ERROR);
			is_over |= a->nlmsg_type == NLMSG_DONE;
			if (!is_over)
				look_at(NLMSG_DATA(a));
		}
	}
	CHECK(close(fd) == 0);
}

static void netlink_tells(void)
{
	int fd[2];

	pair(fd, false);
	CHECK(close(fd[0]) == 0 && settles(client, server, TCP_FIN_WAIT2));
	ask(1U << TCP_TIME_WAIT);
	CHECK(told_count == 0);
	ask(1U << TCP_FIN_WAIT2);
	CHECK(told_count == 1 && told.idiag_state == TCP_FIN_WAIT2);
	CHECK(close(fd[1]) == 0 && settles(client, server, TCP_TIME_WAIT));
	ask(1U << TCP_TIME_WAIT);
	CHECK(told_count == 1 && told.idiag_state == TCP_TIME_WAIT);
	CHECK(told.idiag_timer == 3 && !told.idiag_inode && !told.idiag_uid);
	CHECK(told.idiag_expires > 30000 && told.idiag_expires <= 60000);
	CHECK(!told.idiag_rqueue && !told.idiag_wqueue);
	ask(1U << TCP_FIN_WAIT2);
	CHECK(told_count == 0);
}

/* ---- how long FIN_WAIT2 waits ---- */

static void linger2_says_how_long(void)
{
	char c;
	int fd[2];

	pair(fd, false);
	CHECK(option(fd[0], SOL_TCP, TCP_LINGER2) == setting("tcp_fin_timeout"));
	CHECK(set_option(fd[0], SOL_TCP, TCP_LINGER2, 1) == 0);
	CHECK(close(fd[0]) == 0 && settles(client, server, TCP_FIN_WAIT2));
	CHECK(settles(client, server, 0));
	CHECK(state_at("/proc/net/tcp", server, client) == TCP_CLOSE_WAIT);
	CHECK(recv(fd[1], &c, 1, 0) == 0);
	CHECK(close(fd[1]) == 0); /* and this end comes to nobody */
	CHECK(settles(server, client, 0));
	CHECK(state_at("/proc/net/tcp", client, server) == 0);

	pair(fd, false); /* not at all: there is a reset */
	CHECK(set_option(fd[0], SOL_TCP, TCP_LINGER2, -1) == 0);
	CHECK(close(fd[0]) == 0);
	CHECK(settles(client, server, 0) && settles(server, client, 0));
	FAILS(EPIPE, send(fd[1], "x", 1, MSG_NOSIGNAL));
	CHECK(close(fd[1]) == 0);
}

/* ---- the settings of a network ---- */

static void in_own_network(void (*func)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (!own_network())
			_exit(77);
		func();
		fflush(stdout);
		_exit(0);
	}
	status = child_wait(pid);
	CHECK(status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 77));
}

static void all_in_own(void)
{
	who_ends_first_waits();
	it_waits_beside_an_open_socket();
	a_reset_leaves_nothing();
	an_unaccepted_one_waits_too();
	the_port_is_kept();
	it_is_shared_if_both_say_so();
	it_keeps_a_listener_from_listening_again();
	each_keeps_its_own_address();
	a_named_port_connects_anew();
	others_get_another_port();
	of_ipv6();
	netlink_tells();
	linger2_says_how_long();
}

static void a_new_network_has_its_own(void)
{
	in_own_network(all_in_own);
}

static int waiting(void)
{
	const char *at = strstr(file_get("/proc/net/sockstat"), " tw ");
	int n = -1;

	CHECK(at && sscanf(at, " tw %d", &n) == 1);
	return n;
}

/* One connection that the client ends first: 0 or errno. */
static int once(int l)
{
	int fd[2] = {tcp(false), -1};

	server = port_of(l);
	if (connect_to(fd[0], server) != 0) {
		int err = errno;

		CHECK(close(fd[0]) == 0);
		return err;
	}
	client = port_of(fd[0]);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
	end_in_order(fd[0], fd[1]);
	return settles(server, client, 0) ? 0 : ETIMEDOUT;
}

static int server_beside(void)
{
	int l = tcp(false);

	CHECK(bind4(l, "127.0.0.1", 2000) == 0 && listen(l, 16) == 0);
	return l;
}

static void two_ports(void)
{
	int l = server_beside();
	long end = now_ms() + PATIENCE;
	int err;

	file_put("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
	file_put("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
	CHECK(waiting() == 0);
	CHECK(once(l) == 0 && once(l) == 0 && settles(client, server, TCP_TIME_WAIT));
	CHECK(waiting() == 2);
	CHECK(once(l) == EADDRNOTAVAIL);
	sleep_ms(1200);
	CHECK(once(l) == EADDRNOTAVAIL);
	file_put("/proc/sys/net/ipv4/tcp_tw_reuse", "2");
	while ((err = once(l)) == EADDRNOTAVAIL && now_ms() < end)
		sleep_ms(10);
	CHECK(err == 0 && settles(client, server, TCP_TIME_WAIT));
	CHECK(waiting() == 2); /* it has taken another one's place */
	CHECK(close(l) == 0);
}

static void the_settings_are_heeded(void)
{
	in_own_network(two_ports);
}

static void one_bucket(void)
{
	int l = server_beside();
	int fd[2];

	file_put("/proc/sys/net/ipv4/tcp_max_tw_buckets", "1");
	CHECK(once(l) == 0 && settles(client, server, TCP_TIME_WAIT) && waiting() == 1);
	CHECK(once(l) == 0 && settles(client, server, 0) && waiting() == 1);
	CHECK(becomes_free(client));
	file_put("/proc/sys/net/ipv4/tcp_max_tw_buckets", "100");

	file_put("/proc/sys/net/ipv4/tcp_fin_timeout", "1");
	pair_by(l, tcp(false), fd);
	CHECK(option(fd[0], SOL_TCP, TCP_LINGER2) == 1);
	CHECK(close(fd[0]) == 0 && settles(client, server, TCP_FIN_WAIT2));
	CHECK(waiting() == 2 && settles(client, server, 0));
	CHECK(close(fd[1]) == 0 && close(l) == 0);
}

static void their_number_and_time_are_bounded(void)
{
	in_own_network(one_bucket);
}

/* How many the table shows with that port. */
static int rows_at(unsigned port)
{
	char line[512];
	unsigned local;
	int n = 0;
	FILE *f = fopen("/proc/net/tcp", "re");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += sscanf(line, " %*[0-9]: %*[0-9A-F]:%X", &local) == 1 &&
		     local == port;
	CHECK(fclose(f) == 0);
	return n;
}

/* Who asks for their port when all are over has it, however many they were. */
static void many_end(void)
{
	enum { MANY = 300 };
	static int fd[MANY][2];
	int l = listener_apart(false);
	long end;

	for (int i = 0; i < MANY; i++) {
		pair_by(l, tcp(false), fd[i]);
		CHECK(set_option(fd[i][1], SOL_TCP, TCP_LINGER2, 1) == 0);
	}
	CHECK(close(l) == 0);
	sleep_ms(1000 - now_ms() % 1000);
	for (int i = 0; i < MANY; i++)
		CHECK(close(fd[i][1]) == 0);
	for (end = now_ms() + PATIENCE; rows_at(server) && now_ms() < end;)
		sleep_ms(5);
	sleep_ms(100); /* what the table does not show may be on its way out */
	CHECK(try_bind(false, "127.0.0.1", server) == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(close(fd[i][0]) == 0);
}

static void many_end_at_once(void)
{
	in_own_network(many_end);
}

RUN(TEST(who_ends_first_waits), TEST(it_waits_beside_an_open_socket),
    TEST(a_reset_leaves_nothing), TEST(an_unaccepted_one_waits_too),
    TEST(the_port_is_kept), TEST(it_is_shared_if_both_say_so),
    TEST(it_keeps_a_listener_from_listening_again), TEST(each_keeps_its_own_address),
    TEST(asking_hinders_nobody), TEST(any_port_can_be_listened_with),
    TEST(a_named_port_connects_anew), TEST(others_get_another_port), TEST(of_ipv6),
    TEST(netlink_tells), TEST(linger2_says_how_long), TEST(a_new_network_has_its_own),
    TEST(the_settings_are_heeded), TEST(their_number_and_time_are_bounded),
    TEST(many_end_at_once))
