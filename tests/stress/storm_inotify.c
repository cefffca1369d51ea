/* SPDX-License-Identifier: MIT */
/* timeout: 120 */
/* Eight processes make, move and remove names while others watch, and add and remove
 * watches. Whoever watches all the time must see every event of each file in its order,
 * and nothing may be lost but by an overflow that is told. */
#include "../sys/fixture.h"

#include <poll.h>
#include <sys/inotify.h>

enum { WRITERS = 8, ROUNDS = 120, DIRS = 2, WATCHERS = 2, CHANGERS = 2 };

/* What a writer does with each name of its own, in this order. */
static const uint32_t steps[] = {IN_CREATE,	 IN_OPEN,   IN_MODIFY,
				 IN_CLOSE_WRITE, IN_ATTRIB, IN_MOVED_FROM};
static const uint32_t moved_steps[] = {IN_MOVED_TO, IN_DELETE};

static int rounds(void)
{
	const char *more = getenv("STRESS");

	return ROUNDS * (more ? atoi(more) : 1);
}

static void writer(int who)
{
	char from[64], to[64];

	for (int i = 0; i < rounds(); i++) {
		int fd;

		sprintf(from, "d%d/w%d_%d", i % DIRS, who, i);
		sprintf(to, "d%d/m%d_%d", (i + who) % DIRS, who, i);
		fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
		CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
		CHECK(chmod(from, 0644) == 0);
		CHECK(rename(from, to) == 0);
		CHECK(unlink(to) == 0);
	}
}

struct progress {
	unsigned char at[WRITERS][ROUNDS * 64], moved[WRITERS][ROUNDS * 64];
	uint32_t cookie[WRITERS][ROUNDS * 64];
};

static void check_event(struct progress *p, const struct inotify_event *e)
{
	int who, round;
	char kind;

	CHECK(e->len && sscanf(e->name, "%c%d_%d", &kind, &who, &round) == 3);
	CHECK(who >= 0 && who < WRITERS && round >= 0 && round < ROUNDS * 64);
	if (kind == 'w') {
		int at = p->at[who][round]++;

		CHECK(at < 6 && e->mask == steps[at]);
		if (e->mask == IN_MOVED_FROM)
			p->cookie[who][round] = e->cookie;
	} else {
		int at = p->moved[who][round]++;

		CHECK(at < 2 && e->mask == moved_steps[at]);
		CHECK(at != 0 || p->at[who][round] == 6);
		CHECK(at != 0 || p->cookie[who][round] == e->cookie);
	}
}

/* Sees it all, until the pipe says that the writers are done. */
static void watcher(int go, int done)
{
	static struct progress p;
	static char buf[65536] __attribute__((aligned(8)));
	struct pollfd fds[2];
	int fd = inotify_init1(IN_NONBLOCK);
	bool is_over = false;
	ssize_t n;

	CHECK(inotify_add_watch(fd, "d0", IN_ALL_EVENTS) == 1);
	CHECK(inotify_add_watch(fd, "d1", IN_ALL_EVENTS) == 2);
	CHECK(write(go, "x", 1) == 1);
	for (;;) {
		fds[0] = (struct pollfd){fd, POLLIN, 0};
		fds[1] = (struct pollfd){is_over ? -1 : done, POLLIN, 0};
		CHECK(poll(fds, 2, is_over ? 0 : -1) >= 0);
		n = read(fd, buf, sizeof(buf));
		CHECK(n > 0 || errno == EAGAIN);
		if (n < 0 && is_over)
			break;
		is_over = is_over || fds[1].revents;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (void *)(buf + at);

			if (e->mask & IN_Q_OVERFLOW)
				return; /* told: nothing can be said */
			check_event(&p, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	for (int who = 0; who < WRITERS; who++)
		for (int i = 0; i < rounds() && i < ROUNDS * 64; i++)
			CHECK(p.at[who][i] == 6 && p.moved[who][i] == 2);
}

/* Adds and removes watches, on files that come and go too. */
static void changer(int done)
{
	struct pollfd over = {done, POLLIN, 0};
	char name[64];

	for (int i = 0; poll(&over, 1, 0) == 0; i++) {
		int fd = inotify_init1(IN_NONBLOCK);

		for (int j = 0; j < 20; j++) {
			int wd;

			sprintf(name, "d%d/w%d_%d", j % DIRS, j % WRITERS, (i + j) % 100);
			(void)!inotify_add_watch(fd, name, IN_ALL_EVENTS);
			wd = inotify_add_watch(fd, j % 2 ? "d0" : "d1",
					       j % 3 ? IN_ALL_EVENTS
						     : IN_CREATE | IN_ONESHOT);
			CHECK(wd > 0);
			if (j % 4 == 0)
				(void)!inotify_rm_watch(fd, wd);
		}
		CHECK(close(fd) == 0);
	}
}

static pid_t start(void (*fn)(int, int), int a, int b)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		fn(a, b);
		_exit(0);
	}
	return pid;
}

static void write_all(int who, int unused)
{
	(void)unused;
	writer(who);
}

static void change_all(int done, int unused)
{
	(void)unused;
	changer(done);
}

static void wait_for(const pid_t *pids, int count)
{
	for (int i = 0; i < count; i++) {
		int status;

		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	}
}

static void everything_is_told_in_order(void)
{
	pid_t others[WATCHERS + CHANGERS], writers[WRITERS];
	int go[2], done[2];
	char c;

	CHECK(pipe(go) == 0 && pipe(done) == 0);
	CHECK(mkdir("d0", 0755) == 0 && mkdir("d1", 0755) == 0);
	for (int i = 0; i < WATCHERS; i++)
		others[i] = start(watcher, go[1], done[0]);
	for (int i = 0; i < CHANGERS; i++)
		others[WATCHERS + i] = start(change_all, done[0], 0);
	for (int i = 0; i < WATCHERS; i++)
		CHECK(read(go[0], &c, 1) == 1);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = start(write_all, i, 0);
	wait_for(writers, WRITERS);
	CHECK(write(done[1], "x", 1) == 1);
	wait_for(others, WATCHERS + CHANGERS);
	CHECK(rmdir("d0") == 0 && rmdir("d1") == 0);
}

RUN(TEST(everything_is_told_in_order))
