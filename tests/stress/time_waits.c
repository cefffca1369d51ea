/* SPDX-License-Identifier: MIT */
/* net */
/* timeout: 600 */
/* time_waits.c - more connections in TIME_WAIT than all networks together have places:
 * another network keeps its own all the same, and whose port is waited for finds it. */
/* calls: bind connect close */
#include "../sys/time_wait.h"

enum { MANY = 262144 + 1000, PER_ADDRESS = 16384, SERVER = 2000 };

static int waiting(void)
{
	const char *at = strstr(file_get("/proc/net/sockstat"), " tw ");
	int n = -1;

	CHECK(at && sscanf(at, " tw %d", &n) == 1);
	return n;
}

static void settings_put(void)
{
	file_put("/proc/sys/net/ipv4/ip_local_port_range", "20000 60000");
	file_put("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
	file_put("/proc/sys/net/ipv4/tcp_max_tw_buckets", "1000000");
}

static int listen_to_all(void)
{
	int l = tcp(false);

	CHECK(bind4(l, "0.0.0.0", SERVER) == 0 && listen(l, 16) == 0);
	return l;
}

/* One that the client ends first. */
static void once(int l, unsigned address)
{
	struct sockaddr_in a = name4("127.0.0.1", SERVER);
	int fd[2] = {tcp(false), -1};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + address);
	CHECK(connect(fd[0], (struct sockaddr *)&a, sizeof(a)) == 0);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
	client = port_of(fd[0]);
	end_in_order(fd[0], fd[1]);
}

static void others_keep_theirs(void)
{
	int of_first;
	int l;

	if (!own_network())
		exit(77);
	settings_put();
	l = listen_to_all();
	for (unsigned i = 0; i < MANY; i++)
		once(l, i / PER_ADDRESS);
	CHECK(waiting() > 0);
	CHECK(try_bind(true, "127.0.0.1", client) == EADDRINUSE);
	CHECK(try_bind(false, "127.0.0.77", client) == 0);

	CHECK(own_network()); /* the other one stays, as there is a socket of it */
	settings_put();
	of_first = l;
	l = listen_to_all();
	for (int i = 0; i < 100; i++) {
		once(l, 0);
		CHECK(state_at("/proc/net/tcp", client, SERVER) == TCP_TIME_WAIT ||
		      settles(client, SERVER, TCP_TIME_WAIT));
	}
	CHECK(waiting() == 100);
	CHECK(try_bind(true, "127.0.0.1", client) == EADDRINUSE);
	CHECK(close(l) == 0 && close(of_first) == 0);
}

RUN(TEST(others_keep_theirs))
