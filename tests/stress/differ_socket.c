/* SPDX-License-Identifier: MIT */
/* net */
/* timeout: 120 */
/*
 * differ_socket.c - long sequences of calls on a few sockets, by chance, and all that
 * each of them changed: a transcript, which is the same on Linux and inside
 * (differ_socket.sh).
 *
 * usage: differ_socket [-s SEED] [-c SEEDS] [-n STEPS] [-f FAMILIES] [-oNHE] [-x STEPS]
 *   -f  letters: u Unix, t TCP, d UDP, i ICMP echo, n netlink, p packets, r raw
 *   -o  in a network of its own, with all rights over it; otherwise without any rights
 *   -N  in a network of its own, but without rights
 *   -H  it will be compared with a run in the host's network
 *   -E  shows all edges that epoll tells of, not only those of what has changed
 *   -x  makes only the steps that are not 'x' in a text of one character each
 *
 * The order of things must be chance's alone. So nothing blocks; after each step what was
 * sent has arrived (settle()); and what Linux does by the clock is not asked for: a
 * stream that waits for room, a full queue of TCP's, MSG_MORE and TCP_CORK of streams.
 * What differs by design (docs/compat.md) is not asked for either; comments say where.
 */
#include "differ_more.h"

#include <linux/capability.h>

/* ---- other things ---- */

static void do_path(struct slot *s)
{
	static const char *const paths[] = {"u0", "u1", "u2", "locked/u3", "plain"};
	const char *path = ONE_OF(paths);
	struct stat st;

	(void)s;
	say(" path %s", path);
	switch (pick(5)) {
	case 0:
		say(" chmod");
		say_result(chmod(path, one_in(2) ? 0 : 0755));
		break;
	case 1:
		say(" open");
		say_result(open(path, O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
		break;
	case 2:
		say(" stat");
		if (say_result(stat(path, &st)) == 0)
			say(" %o", st.st_mode);
		break;
	case 3:
		say(" rename");
		say_result(strcmp(path, "plain") ? rename(path, "u1") : -1);
		break;
	default:
		say(" unlink");
		say_result(strcmp(path, "plain") ? unlink(path) : -1);
	}
}

static void do_select(struct slot *s)
{
	fd_set r, w, x;
	struct timeval none = {0};

	FD_ZERO(&r);
	FD_SET(s->fd, &r);
	w = x = r;
	say(" select");
	say_result(select(s->fd + 1, &r, &w, &x, &none));
	say(" %d%d%d", FD_ISSET(s->fd, &r), FD_ISSET(s->fd, &w), FD_ISSET(s->fd, &x));
}

/* A child has the same sockets. */
static void do_fork(struct slot *s)
{
	unsigned what = pick(4);
	pid_t pid;

	say(" child");
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (what == 0)
			do_send(s);
		else if (what == 1)
			do_recv(s);
		else if (what == 2)
			do_shutdown(s);
		say_end();
		_exit(0);
	}
	line_size = 0;
	CHECK(child_wait(pid) == 0);
	s->sends += what == 0 ? 2 : 0;
	notes->shut[s->origin] |= what == 2 && is_tcp(s) && (s->polled & POLLHUP);
	if (what == 0 && is_inet_dgram(s))
		notes->held[s->origin] = notes->corked[s->origin] = true; /* who knows */
	say("   after the child");
}

static const struct {
	void (*make)(struct slot *);
	unsigned weight;
} steps[] = {
	{do_send, 20},	    {do_recv, 22},	{do_connect, 6},    {do_meet, 12},
	{do_bind, 10},	    {do_listen, 6},	{do_accept, 6},	    {do_shutdown, 4},
	{do_close, 4},	    {do_setsockopt, 9}, {do_getsockopt, 8}, {do_linger, 1},
	{do_membership, 2}, {do_ioctl, 4},	{do_fcntl, 3},	    {do_as_file, 1},
	{do_splice, 4},	    {do_sendmmsg, 3},	{do_name, 2},	    {do_path, 2},
	{do_select, 2},	    {do_fork, 2},	{do_dup, 2},	    {do_ports, 2},
	{do_peer, 1},	    {do_reuseport, 1},	{do_multicast, 2},  {do_fastopen, 1},
	{do_timeout, 1},    {do_shutdowns, 2},	{do_peeks, 2},	    {do_relay, 2},
};
enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

static void step(struct slot *s)
{
	struct pollfd p = {.fd = s->fd};
	unsigned all = 0, n;

	if (s->fd < 0) {
		n = pick(6);
		(n == 0 ? do_socketpair : n < 3 ? do_connected : do_socket)(s);
		return;
	}
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) && one_in(8)) {
		do_close(s);
		return;
	}
	for (int i = 0; i < STEPS; i++)
		all += steps[i].weight;
	n = pick(all);
	for (int i = 0; i < STEPS; i++) {
		if (n < steps[i].weight) {
			steps[i].make(s);
			return;
		}
		n -= steps[i].weight;
	}
}

/* ---- a run ---- */

static void stuck(int number)
{
	(void)number;
	say(" STUCK");
	say_end();
	_exit(1);
}

static void stay_on_one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void write_map(const char *path, unsigned id)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u 1", id, id);
	file_put(path, text);
}

/* With a network of its own, if it shall have or may have one. */
static bool network_make(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char range[32];
	int fd;

	snprintf(range, sizeof(range), "%u %u", (unsigned)gid, (unsigned)gid);
	if (!run.new_network) {
		if (strchr(run.families, 'i') && !run.in_host)
			file_put("/proc/sys/net/ipv4/ping_group_range", range);
		return true;
	}
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	write_map("/proc/self/uid_map", uid);
	file_put("/proc/self/setgroups", "deny");
	write_map("/proc/self/gid_map", gid);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		return false;
	close(fd);
	if (strchr(run.families, 'i'))
		file_put("/proc/sys/net/ipv4/ping_group_range", range);
	return true;
}

static void drop_rights(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	CHECK(syscall(SYS_capset, &head, none) == 0);
}

/* All the ports by number are free, of both protocols and families. Who runs beside us
 * looks elsewhere first; where others were in the last minute their connections are
 * waited for still, and we try a little further. */
static void ports_find(void)
{
	enum { BLOCKS = 44, BLOCK = 500, TRIES = 5, FURTHER = 45 };

	for (int n = 0;; n++) {
		bool is_free = true;

		CHECK(n < BLOCKS * TRIES);
		first_port = (uint16_t)(10000 + (getpid() + n) % BLOCKS * BLOCK +
					n / BLOCKS * FURTHER);
		for (int i = 0; i < 4 * (PORTS + 10) && is_free; i++) {
			struct sockaddr_in6 a = {.sin6_family = AF_INET6};
			struct sockaddr_in *a4 = (void *)&a;
			int fd = socket(i & 1 ? AF_INET : AF_INET6,
					i & 2 ? SOCK_STREAM : SOCK_DGRAM, 0);

			a4->sin_family = i & 1 ? AF_INET : AF_INET6;
			a4->sin_port = htons((uint16_t)(first_port + i / 4));
			is_free = bind(fd, (void *)&a, i & 1 ? sizeof(*a4) : sizeof(a)) ==
				  0;
			close(fd);
		}
		if (is_free)
			return;
	}
}

static void directory_make(void)
{
	char name[] = "differ.XXXXXX";

	CHECK(mkdtemp(name) && chdir(name) == 0);
	CHECK(mkdir("dir", 0755) == 0 && mkdir("locked", 0500) == 0);
	file_put("plain", "");
	CHECK(symlink("u0", "link") == 0);
	setenv("DIFFER", name, 1);
}

static void directory_remove(void)
{
	static const char *const names[] = {"u0",   "u1",   "u2",	"plain",
					    "link", "file", "locked/u3"};
	char longest[109] = "";

	memset(longest, 'l', 108);
	unlink(longest);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	rmdir("dir");
	rmdir("locked");
	if (chdir("..") == 0)
		rmdir(getenv("DIFFER"));
}

static void go(void)
{
	signal(SIGALRM, stuck);
	alarm(100);
	for (int i = 0; i < 3; i++)
		signal(signal_numbers[i], on_signal);
	stay_on_one_processor();
	for (int i = 0; i < SLOTS; i++)
		slots[i].fd = -1;
	memory_open();
	notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(notes != MAP_FAILED);
	for (int i = 0; i < 2; i++)
		CHECK((epolls[i] = epoll_create1(EPOLL_CLOEXEC)) >= 0);
	directory_make();
	for (int i = 0; i < run.steps; i++) {
		struct slot *s;

		chance = run.seed * 1000003 + (unsigned long)i * 7919;
		draw();
		s = &slots[pick(SLOTS)];
		if (run.skip && strlen(run.skip) > (size_t)i && run.skip[i] == 'x')
			continue;
		say("%d s%td", i, s - slots);
		step(s);
		say_all();
	}
	directory_remove();
}

/* What wait says of a child that makes the sequence of one seed. */
static int go_in_child(void)
{
	pid_t pid;

	say("seed %lu", run.seed);
	say_end();
	pid = fork();
	CHECK(pid >= 0);
	if (pid)
		return child_wait(pid);
	probe_open();
	if (!network_make())
		_exit(77);
	ports_find();
	if (!run.own)
		drop_rights();
	go();
	_exit(0);
}

/* Nobody compares: all of it ends, and (--leaks) nothing stays. */
static void every_sequence_ends(void)
{
	int status, out = open("transcript", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(out >= 0 && dup2(out, 1) == 1);
	for (run.seed = 1; run.seed <= 16; run.seed++) {
		run.own = run.new_network = run.seed % 2;
		status = go_in_child();
		CHECK(status == 0 || (run.own && WEXITSTATUS(status) == 77));
	}
	dup2(2, 1);
}

int main(int argc, char **argv)
{
	unsigned long seeds = 10;
	int option;

	if (argc == 1)
		return test_main((struct test[]){TEST(every_sequence_ends)}, 1);
	while ((option = getopt(argc, argv, "s:c:n:f:oHNEx:")) >= 0)
		switch (option) {
		case 's':
			run.seed = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			seeds = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			run.steps = atoi(optarg);
			break;
		case 'f':
			run.families = optarg;
			break;
		case 'o':
			run.own = run.new_network = true;
			break;
		case 'N':
			run.new_network = true;
			break;
		case 'H':
			run.in_host = true;
			break;
		case 'E':
			run.all_edges = true;
			break;
		case 'x':
			run.skip = optarg;
			break;
		default:
			return 2;
		}
	for (; seeds; seeds--, run.seed++) {
		option = go_in_child();
		if (option)
			return WIFEXITED(option) ? WEXITSTATUS(option) : 1;
	}
	return 0;
}
