/* SPDX-License-Identifier: MIT */
/* files */
/* timeout: 120 */
/* fanotify's questions: whoever opens or reads a file waits for the answer. */
/* calls: fanotify_init fanotify_mark write */
#include "fanotify.h"

#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define OPEN_ACCESS (FAN_OPEN_PERM | FAN_ACCESS_PERM)

static int asker(void)
{
	files_make();
	return group_of(FAN_CLASS_CONTENT);
}

/* Reads all that is there, and answers. */
static void answer_all(int group, uint32_t answer)
{
	static char buf[4096] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(group, buf, sizeof(buf))) > 0)
		for (char *at = buf; at < buf + n;) {
			say_event(group, (const void *)at, answer);
			at += ((const struct fanotify_event_metadata *)at)->event_len;
		}
}

static int (*deed)(void);
static int not_mine = -1; /* the group's descriptor, which ends with its owner's */

static void doer(void)
{
	if (not_mine >= 0)
		CHECK(close(not_mine) == 0);
	_exit(deed() == 0 ? 0 : errno);
}

/* A child does it, and is answered so. Returns its errno; what was asked is in text. */
static int done(int group, int (*fn)(void), uint32_t answer)
{
	struct pollfd p = {group, POLLIN, 0};
	pid_t pid;
	int status;

	text[0] = 0;
	text_len = 0;
	deed = fn;
	pid = child_start(doer);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (poll(&p, 1, 1) == 1)
			answer_all(group, answer);
	}
	answer_all(group, answer);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define ASKS(want)                                                                       \
	do {                                                                             \
		if (strcmp(text, want) != 0) {                                           \
			printf("not ok: %s:%d: %s\n", __FILE__, __LINE__, text);         \
			printf("              not %s\n", want);                          \
			if (!getenv("SHOW"))                                             \
				exit(1);                                                 \
		}                                                                        \
	} while (0)

static int open_a(void)
{
	int f = open("d/a", O_RDONLY);

	return f < 0 ? -1 : close(f);
}

static int read_a(void)
{
	char c;
	int f = open("d/a", O_RDWR);

	if (f < 0 || read(f, &c, 1) != 1)
		return -1;
	return write(f, &c, 1) == 1 && close(f) == 0 ? 0 : -1;
}

static int read_a_twice(void)
{
	char c[2];
	struct iovec iov[2] = {{c, 1}, {c + 1, 1}};
	int f = open("d/a", O_RDONLY);

	if (f < 0 || readv(f, iov, 2) != 2 || pread(f, c, 1, 0) != 1)
		return -1;
	return read(f, c, 0) == 0 && close(f) == 0 ? 0 : -1;
}

static void opening_and_reading(void)
{
	int fd = asker();

	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	CHECK(done(fd, open_a, FAN_ALLOW) == 0);
	ASKS("open? 'd/a'");
	CHECK(done(fd, open_a, FAN_DENY) == EPERM);
	ASKS("open? 'd/a'");
	mark(fd, 0, FAN_ACCESS_PERM, "d/a");
	CHECK(done(fd, read_a, FAN_ALLOW) == 0);
	ASKS("open? 'd/a'; access? 'd/a'");
	CHECK(done(fd, read_a_twice, FAN_ALLOW) == 0);
	ASKS("open? 'd/a'; access? 'd/a'; access? 'd/a'; access? 'd/a'");
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN_PERM, AT_FDCWD, "d/a") == 0);
	CHECK(done(fd, read_a, FAN_DENY) == EPERM);
	ASKS("access? 'd/a'");
	CHECK(close(fd) == 0);
	use("d/a");
}

static int copy_a(void)
{
	int in = open("d/a", O_RDONLY), out = open("d/out", O_RDWR | O_CREAT, 0600), p[2];
	loff_t at = 0, to = 0;
	off_t from = 0;
	char *m;

	if (in < 0 || out < 0 || pipe(p) != 0)
		return -1;
	if (sendfile(out, in, &from, 3) != 3 || splice(in, &at, p[1], NULL, 3, 0) != 3)
		return -1;
	at = 0;
	if (syscall(SYS_copy_file_range, in, &at, out, &to, 3, 0) != 3)
		return -1;
	m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, in, 0);
	if (m == MAP_FAILED || m[0] != 'h' || munmap(m, 4096) != 0)
		return -1;
	return close(in) == 0 && close(out) == 0 ? 0 : -1;
}

static void other_ways_to_read(void)
{
	int fd = asker();

	mark(fd, 0, OPEN_ACCESS, "d/a");
	CHECK(done(fd, copy_a, FAN_ALLOW) == 0);
	ASKS("open? 'd/a'; access? 'd/a'; access? 'd/a'; access? 'd/a'");
	CHECK(close(fd) == 0);
}

static int list_d(void)
{
	char entries[1024];
	int f = open("d", O_RDONLY | O_DIRECTORY);

	if (f < 0 || syscall(SYS_getdents64, f, entries, sizeof(entries)) <= 0)
		return -1;
	return close(f) == 0 && close(open("d/s/b", O_RDONLY)) == 0 ? 0 : -1;
}

static void directories(void)
{
	int fd = asker();

	mark(fd, 0, OPEN_ACCESS | FAN_ONDIR, "d");
	CHECK(done(fd, list_d, FAN_ALLOW) == 0);
	ASKS("open? 'd'; access? 'd'");
	CHECK(done(fd, list_d, FAN_DENY) == EPERM);
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_ONDIR, AT_FDCWD, "d") == 0);
	mark(fd, 0, FAN_EVENT_ON_CHILD, "d");
	CHECK(done(fd, list_d, FAN_DENY) == 0);
	CHECK(done(fd, read_a, FAN_ALLOW) == 0);
	ASKS("open? 'd/a'; access? 'd/a'");
	CHECK(close(fd) == 0);
}

static int truncate_a(void)
{
	return open("d/a", O_WRONLY | O_TRUNC) < 0 ? -1 : 0;
}

static int create_new(void)
{
	return open("d/new", O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 ? -1 : 0;
}

static void what_is_denied_is_not_done(void)
{
	int fd = asker(), other = group_of(0);

	mark(fd, 0, FAN_OPEN_PERM | FAN_EVENT_ON_CHILD, "d");
	mark(other, 0, FAN_OPEN | FAN_CLOSE | FAN_MODIFY | FAN_EVENT_ON_CHILD, "d");
	CHECK(done(fd, truncate_a, FAN_DENY) == EPERM);
	ASKS("open? 'd/a'");
	CHECK(done(fd, create_new, FAN_DENY) == EPERM);
	ASKS("open? 'd/new'");
	TELLS(other, ""); /* it was not opened */
	CHECK(close(fd) == 0 && close(other) == 0);
	CHECK(file_is("d/a", "hello") && exists("d/new") && unlink("d/new") == 0);
}

/* ---- running ---- */

static int run_prog(void)
{
	execl("d/prog", "prog", (char *)NULL);
	return -1;
}

static void prog_make(void)
{
	static char buf[1 << 20];
	int from = open("/bin/true", O_RDONLY), to;
	ssize_t n = read(from, buf, sizeof(buf));

	to = open("d/prog", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	CHECK(n > 0 && write(to, buf, (size_t)n) == n && close(to) == 0);
	CHECK(close(from) == 0);
}

static void running(void)
{
	int fd = asker();

	prog_make();
	mark(fd, 0, FAN_OPEN_EXEC_PERM, "d/prog");
	CHECK(done(fd, run_prog, FAN_ALLOW) == 0);
	ASKS("exec? 'd/prog'");
	CHECK(done(fd, run_prog, FAN_DENY) == EPERM);
	mark(fd, 0, FAN_OPEN_PERM, "d/prog");
	CHECK(done(fd, run_prog, FAN_ALLOW) == 0);
	ASKS("exec? 'd/prog'; open? 'd/prog'");
	mark(fd, 0, FAN_ACCESS_PERM, "d/prog");
	CHECK(done(fd, run_prog, FAN_ALLOW) == 0);
	CHECK(strstr(text, "exec? 'd/prog'; open? 'd/prog'; access? 'd/prog'") == text);
	CHECK(close(fd) == 0);
	CHECK(unlink("d/prog") == 0);
}

/* ---- who is asked ---- */

static void before_or_after_opening(void)
{
	char c;
	int fd = asker(), f;

	f = open("d/a", O_RDONLY);
	mark(fd, 0, FAN_ACCESS_PERM, "d/a");
	CHECK(read(f, &c, 1) == 1); /* nobody is asked about a file opened before */
	CHECK(close(f) == 0);
	f = open("d/a", O_RDONLY);
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, "d/a") == 0);
	CHECK(read(f, &c, 1) == 1 && close(f) == 0);
	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	CHECK(done(fd, read_a, FAN_ALLOW) == 0);
	ASKS("open? 'd/a'");
	CHECK(close(fd) == 0);
}

static void the_answers_descriptor_asks_nobody(void)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r = {.response = FAN_ALLOW};
	struct pollfd p;
	pid_t pid;
	char c;
	int fd;

	files_make();
	fd = group_as(FAN_CLASS_CONTENT, O_RDWR);
	p = (struct pollfd){fd, POLLIN, 0};
	mark(fd, 0, OPEN_ACCESS | FAN_CLOSE, "d/a");
	deed = open_a;
	pid = child_start(doer);
	CHECK(poll(&p, 1, -1) == 1);
	CHECK(read(fd, &e, sizeof(e)) == sizeof(e) && e.pid == pid);
	CHECK(read(e.fd, &c, 1) == 1 && write(e.fd, &c, 1) == 1);
	r.fd = e.fd;
	CHECK(write(fd, &r, sizeof(r)) == sizeof(r) && close(e.fd) == 0);
	CHECK(child_wait(pid) == 0);
	TELLS(fd, "close_r 'd/a'");
	CHECK(close(fd) == 0);
}

/* Who may change files is asked before who looks into them. */
static void classes_in_order(void)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r = {.response = FAN_ALLOW};
	int content = asker(), pre = group_of(FAN_CLASS_PRE_CONTENT);
	int notif = group_of(FAN_CLASS_NOTIF);
	struct pollfd p = {pre, POLLIN, 0};
	pid_t pid;

	mark(content, 0, FAN_OPEN_PERM, "d/a");
	mark(pre, 0, FAN_OPEN_PERM, "d/a");
	mark(notif, 0, FAN_OPEN, "d/a");
	deed = open_a;
	for (int i = 0; i < 2; i++) {
		pid = child_start(doer);
		CHECK(poll(&p, 1, -1) == 1);
		CHECK(read(pre, &e, sizeof(e)) == sizeof(e));
		CHECK(e.mask == FAN_OPEN_PERM);
		sleep_ms(10);
		TELLS(content, "");
		r.fd = e.fd;
		r.response = i ? FAN_DENY : FAN_ALLOW;
		CHECK(write(pre, &r, sizeof(r)) == sizeof(r) && close(e.fd) == 0);
		if (!i) {
			p.fd = content;
			CHECK(poll(&p, 1, -1) == 1);
			TELLS(notif, "");
			TELLS(content, "open? 'd/a'");
			p.fd = pre;
		}
		CHECK(child_wait(pid) == (i ? EPERM << 8 : 0));
	}
	TELLS(content, "");
	TELLS(notif, "open 'd/a'");
	CHECK(close(content) == 0 && close(pre) == 0 && close(notif) == 0);
}

/* ---- the end of one of the two ---- */

static void a_closed_group_lets_all_go(void)
{
	struct fanotify_event_metadata e;
	int fd = asker();
	struct pollfd p = {fd, POLLIN, 0};
	pid_t pids[4];

	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	deed = open_a;
	not_mine = fd;
	for (int i = 0; i < 4; i++)
		pids[i] = child_start(doer);
	for (int i = 0; i < 2; i++) { /* two are told, two are not */
		CHECK(poll(&p, 1, -1) == 1);
		CHECK(read(fd, &e, sizeof(e)) == sizeof(e) && close(e.fd) == 0);
	}
	sleep_ms(20);
	not_mine = -1;
	CHECK(close(fd) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(child_wait(pids[i]) == 0);
}

static void who_asks_may_be_killed(void)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r = {.response = FAN_ALLOW};
	int fd = asker();
	struct pollfd p = {fd, POLLIN, 0};
	pid_t pid;

	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	deed = open_a;
	pid = child_start(doer); /* before it is read */
	CHECK(poll(&p, 1, -1) == 1 && kill(pid, SIGKILL) == 0);
	CHECK(child_wait(pid) == SIGKILL);
	TELLS(fd, "");
	pid = child_start(doer); /* after that: there is an answer all the same */
	CHECK(poll(&p, 1, -1) == 1 && read(fd, &e, sizeof(e)) == sizeof(e));
	CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
	r.fd = e.fd;
	CHECK(write(fd, &r, sizeof(r)) == sizeof(r));
	FAILS(ENOENT, write(fd, &r, sizeof(r)));
	CHECK(close(e.fd) == 0);
	pid = child_start(doer); /* or the group is closed */
	CHECK(poll(&p, 1, -1) == 1 && read(fd, &e, sizeof(e)) == sizeof(e));
	CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
	CHECK(close(e.fd) == 0 && close(fd) == 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

static int open_with_handler(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	return sigaction(SIGUSR1, &sa, NULL) == 0 ? open_a() : -1;
}

static void other_signals_wait(void)
{
	int fd = asker(), status;
	struct pollfd p = {fd, POLLIN, 0};
	pid_t pid;

	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	deed = open_with_handler;
	pid = child_start(doer);
	CHECK(poll(&p, 1, -1) == 1 && kill(pid, SIGUSR1) == 0);
	sleep_ms(20);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	TELLS(fd, "open? 'd/a'");
	CHECK(child_wait(pid) == 0 && close(fd) == 0);
}

static void a_full_queue_asks_nobody(void)
{
	int max = atoi(file_get("/proc/sys/fs/fanotify/max_queued_events"));
	int fd = asker();
	char name[64];

	if (max > 20000)
		return;
	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	mark(fd, 0, FAN_CLOSE | FAN_EVENT_ON_CHILD, "e");
	for (int i = 0; i <= max; i++) {
		sprintf(name, "e/f%d", i);
		CHECK(close(open(name, O_RDWR | O_CREAT, 0600)) == 0);
	}
	CHECK(open_a() == 0);
	for (int i = 0; i <= max; i++) {
		sprintf(name, "e/f%d", i);
		CHECK(unlink(name) == 0);
	}
	CHECK(close(fd) == 0);
}

/* ---- answers ---- */

struct rule {
	uint8_t type, pad;
	uint16_t len;
	uint32_t number, subject, object;
};

static long respond(int group, int fd, uint32_t response)
{
	struct fanotify_response r = {fd, response};

	return write(group, &r, sizeof(r));
}

static void bad_answers(void)
{
	int fd = asker(), pre = group_of(FAN_CLASS_PRE_CONTENT), notif = group_of(0);
	struct fanotify_response r = {0, FAN_ALLOW};

	FAILS(EINVAL, write(fd, &r, sizeof(r) - 1));
	FAILS(EINVAL, write(fd, &r, 0));
	FOR_BAD(p)
	FAILS(EFAULT, write(fd, p, sizeof(r)));
	FAILS(EINVAL, respond(fd, 0, 0));
	FAILS(EINVAL, respond(fd, 0, FAN_ALLOW | FAN_DENY));
	FAILS(EINVAL, respond(fd, 0, FAN_ALLOW | 4));
	FAILS(EINVAL, respond(fd, 0, FAN_ALLOW | FAN_AUDIT));
	FAILS(EINVAL, respond(fd, -1, FAN_ALLOW));
	FAILS(ENOENT, respond(fd, 0, FAN_ALLOW));
	FAILS(ENOENT, respond(fd, 0, FAN_DENY));
	FAILS(ENOENT, respond(notif, 0, FAN_DENY));
	FAILS(EINVAL, respond(fd, 0, FAN_DENY_ERRNO(EIO)));
	FAILS(ENOENT, respond(pre, 0, FAN_DENY_ERRNO(EIO)));
	FAILS(ENOENT, respond(pre, 0, FAN_DENY_ERRNO(EDQUOT)));
	FAILS(EINVAL, respond(pre, 0, FAN_DENY_ERRNO(ENOENT)));
	FAILS(EINVAL, respond(pre, 0, FAN_DENY_ERRNO(EINTR)));
	FAILS(EINVAL, respond(pre, 0, FAN_DENY_ERRNO(EIO) ^ FAN_ALLOW ^ FAN_DENY));
	CHECK(close(fd) == 0 && close(pre) == 0 && close(notif) == 0);
}

static void answers_with_rules(void)
{
	struct {
		struct fanotify_response r;
		struct rule rule;
	} w = {{FAN_NOFD, FAN_ALLOW | FAN_INFO}, {1, 0, sizeof(struct rule), 1, 2, 2}};
	char *edge = page_edge();
	int fd = asker();

	CHECK(write(fd, &w, sizeof(w)) == sizeof(w));
	FAILS(EINVAL, write(fd, &w, sizeof(w) - 1));
	FAILS(EINVAL, write(fd, &w, sizeof(w.r)));
	w.rule.type = 0;
	FAILS(EINVAL, write(fd, &w, sizeof(w)));
	w.rule.type = 1;
	w.rule.pad = 1;
	FAILS(EINVAL, write(fd, &w, sizeof(w)));
	w.rule.pad = 0;
	w.rule.len = 8;
	FAILS(EINVAL, write(fd, &w, sizeof(w)));
	w.rule.len = sizeof(struct rule);
	memcpy(edge - sizeof(w.r), &w.r, sizeof(w.r));
	FAILS(EFAULT, write(fd, edge - sizeof(w.r), sizeof(w)));
	w.r.fd = -2;
	FAILS(EINVAL, write(fd, &w, sizeof(w)));
	w.r.fd = 77;
	FAILS(ENOENT, write(fd, &w, sizeof(w)));
	w.r.response = FAN_ALLOW; /* what follows an answer is left */
	FAILS(ENOENT, write(fd, &w, sizeof(w)));
	CHECK(close(fd) == 0);
}

static void errors_of_the_askers_choice(void)
{
	int fd;

	files_make();
	fd = group_of(FAN_CLASS_PRE_CONTENT);
	mark(fd, 0, FAN_OPEN_PERM, "d/a");
	CHECK(done(fd, open_a, FAN_DENY_ERRNO(EBUSY)) == EBUSY);
	CHECK(done(fd, open_a, FAN_DENY_ERRNO(EAGAIN)) == EAGAIN);
	CHECK(done(fd, open_a, FAN_DENY) == EPERM);
	CHECK(close(fd) == 0);
}

/* ---- before a file is used at all ---- */

static int fill_a(void)
{
	char buf[16];
	int f = open("d/a", O_RDWR);

	if (f < 0 || pread(f, buf, 16, 5000) != 0 || pwrite(f, "x", 1, 4095) != 1)
		return -1;
	if (mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, f, 4096) == MAP_FAILED)
		return -1;
	return ftruncate(f, 5) == 0 && close(f) == 0 ? 0 : -1;
}

static void filling(void)
{
	int fd;

	files_make();
	fd = group_of(FAN_CLASS_PRE_CONTENT);
	if (fanotify_mark(fd, FAN_MARK_ADD, FAN_PRE_ACCESS, AT_FDCWD, "d/a") != 0) {
		CHECK(errno == EOPNOTSUPP || errno == EINVAL);
		return;
	}
	CHECK(done(fd, fill_a, FAN_ALLOW) == 0);
	ASKS("fill? 'd/a' 4096+4096; fill? 'd/a' 0+4096; fill? 'd/a' 4096+8192; "
	     "fill? 'd/a' 0+4096");
	mark(fd, 0, FAN_ACCESS_PERM, "d/a");
	CHECK(done(fd, read_a, FAN_ALLOW) == 0);
	ASKS("fill? 'd/a' 0+4096; access? 'd/a'; fill? 'd/a' 0+4096");
	CHECK(close(fd) == 0);
}

RUN(TEST(opening_and_reading), TEST(other_ways_to_read), TEST(directories),
    TEST(what_is_denied_is_not_done), TEST(running), TEST(before_or_after_opening),
    TEST(the_answers_descriptor_asks_nobody), TEST(classes_in_order),
    TEST(a_closed_group_lets_all_go), TEST(who_asks_may_be_killed),
    TEST(other_signals_wait), TEST(a_full_queue_asks_nobody), TEST(bad_answers),
    TEST(answers_with_rules), TEST(errors_of_the_askers_choice), TEST(filling))
