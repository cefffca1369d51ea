/* SPDX-License-Identifier: MIT */
/* timeout: 120 */
/* Files are opened and read by processes that are killed while they wait for an answer,
 * answered by listeners that are killed while they owe some. Nobody waits for ever, and
 * nothing but what was answered comes out. */
#include "../sys/fixture.h"

#include <poll.h>
#include <sys/fanotify.h>

enum { WORKERS = 4, FILES = 8, ROUNDS = 150 };

struct shared {
	volatile long allowed, denied, answered, lost;
};

static struct shared *shared;

static unsigned rounds(void)
{
	const char *more = getenv("STRESS");

	return ROUNDS * (unsigned)(more ? atoi(more) : 1);
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static void count(volatile long *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void worker(unsigned seed)
{
	char name[32], c;

	for (;;) {
		int fd;

		sprintf(name, "d/%u", next(&seed) % FILES);
		fd = open(name, next(&seed) % 2 ? O_RDONLY : O_RDWR);
		if (fd < 0) {
			CHECK(errno == EPERM);
			count(&shared->denied);
			continue;
		}
		if (pread(fd, &c, 1, 0) == 1)
			count(&shared->allowed);
		else
			CHECK(errno == EPERM);
		CHECK(close(fd) == 0);
	}
}

static int group_make(unsigned class)
{
	int fd = fanotify_init(class | FAN_CLOEXEC, O_RDONLY);

	if (fd < 0 && errno == EPERM)
		exit(77);
	CHECK(fd >= 0);
	CHECK(fanotify_mark(fd, FAN_MARK_ADD,
			    FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_CLOSE_WRITE |
				    FAN_EVENT_ON_CHILD,
			    AT_FDCWD, "d") == 0);
	return fd;
}

/* Answers most of what it is asked, some of it late, and leaves the rest behind. */
static void listener(unsigned seed)
{
	struct fanotify_event_metadata e[8];
	int owed[4] = {-1, -1, -1, -1};

	for (;;) {
		int group = group_make(next(&seed) % 2 ? FAN_CLASS_CONTENT
						       : FAN_CLASS_PRE_CONTENT);
		unsigned life = next(&seed) % 200;

		for (unsigned i = 0; i < life; i++) {
			struct pollfd p = {group, POLLIN, 0};
			ssize_t n;

			if (poll(&p, 1, 5) == 1) {
				n = read(group, e, sizeof(e));
				CHECK(n > 0 && n % (ssize_t)sizeof(e[0]) == 0);
			} else {
				n = 0;
			}
			for (ssize_t k = 0; k < n / (ssize_t)sizeof(e[0]); k++) {
				int *late = &owed[next(&seed) % 4];
				struct fanotify_response r = {e[k].fd, FAN_ALLOW};

				CHECK(e[k].fd >= 0);
				if (e[k].mask == FAN_CLOSE_WRITE) {
					CHECK(close(e[k].fd) == 0);
					continue;
				}
				if (*late >= 0) { /* the other one first */
					int fd = *late;

					*late = r.fd;
					r.fd = fd;
				} else if (next(&seed) % 8 == 0) {
					*late = r.fd;
					continue;
				}
				r.response = next(&seed) % 4 ? FAN_ALLOW : FAN_DENY;
				CHECK(write(group, &r, sizeof(r)) == sizeof(r));
				CHECK(close(r.fd) == 0);
				count(&shared->answered);
			}
		}
		CHECK(close(group) == 0);
		for (int i = 0; i < 4; i++) {
			if (owed[i] >= 0) {
				CHECK(close(owed[i]) == 0);
				count(&shared->lost);
			}
			owed[i] = -1;
		}
	}
}

static pid_t start(void (*fn)(unsigned), unsigned seed)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		fn(seed);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void storm(void)
{
	pid_t pids[WORKERS + 2];
	unsigned seed = 1;
	char name[32];

	CHECK(mkdir("d", 0755) == 0);
	for (int i = 0; i < FILES; i++) {
		sprintf(name, "d/%d", i);
		file_put(name, "x");
	}
	CHECK(close(group_make(FAN_CLASS_CONTENT)) == 0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	CHECK(shared != MAP_FAILED);
	for (unsigned i = 0; i < WORKERS + 2; i++)
		pids[i] = start(i < WORKERS ? worker : listener, i);
	for (unsigned i = 0; i < rounds(); i++) {
		unsigned who = next(&seed) % (WORKERS + 2);

		sleep_ms(5);
		end(pids[who]);
		pids[who] = start(who < WORKERS ? worker : listener, i + 100);
	}
	for (unsigned i = 0; i < WORKERS + 2; i++)
		end(pids[i]);
	printf("# %ld allowed, %ld denied, %ld answered, %ld let go\n", shared->allowed,
	       shared->denied, shared->answered, shared->lost);
	CHECK(shared->allowed > 0 && shared->denied > 0 && shared->answered > 0);
	CHECK(file_is("d/0", "x"));
}

RUN(TEST(storm))
