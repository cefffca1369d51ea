/* SPDX-License-Identifier: MIT */
/* files */
/* calls: acct getrusage */
/* acct.c - process accounting: a record for each process that ends, as acct(5) says.
 * Natively in a process namespace, whose accounting is its own. */
#include "capability.h"
#include "proc.h"
#include <sys/stat.h>

struct record {
	uint8_t flag, version;
	uint16_t tty;
	uint32_t exit_code, uid, gid, pid, ppid, start;
	float elapsed;
	uint16_t user, system, memory, io, blocks, min_faults, maj_faults, swaps;
	char comm[16];
};
enum { FORK = 1, ROOT = 2, CORE = 8, SIG = 16 };

static unsigned long expand(uint16_t n)
{
	return (unsigned long)(n & 0x1fff) << 3 * (n >> 13);
}

static off_t file_size(const char *name)
{
	struct stat st;

	CHECK(stat(name, &st) == 0);
	return st.st_size;
}

/* The one record of pid; false if there is none. */
static bool find(const char *name, pid_t pid, struct record *out)
{
	struct record r;
	bool found = false;
	int fd = open(name, O_RDONLY);

	CHECK(sizeof(r) == 64 && fd >= 0);
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		CHECK(r.version == 3);
		if (r.pid != (uint32_t)pid)
			continue;
		CHECK(!found);
		found = true;
		*out = r;
	}
	close(fd);
	return found;
}

static void make(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && close(fd) == 0);
}

static void who_may_not(void)
{
	FAILS(EPERM, acct(NULL));
	FAILS(EPERM, acct("absent"));
	FAILS(EPERM, acct(BAD_PTR));
}

static void documented_errors(void)
{
	FAILS(ENOENT, acct("absent"));
	FAILS(EFAULT, acct(BAD_PTR));
	FAILS(ENOENT, acct(""));
	make("file");
	FAILS(ENOTDIR, acct("file/x"));
	CHECK(acct(".") == -1 && (errno == EISDIR || errno == EACCES));
	FAILS(EACCES, acct("/dev/null"));
	FAILS(EINVAL, acct("/proc/self/comm"));
	CHECK(acct(NULL) == 0); /* it is off anyway */
}

static void *burn(void *arg)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_nsec < 200000000 && !t.tv_sec);
	return arg;
}

static void each_end_makes_a_record(void)
{
	time_t before = time(NULL);
	struct record r;

	make("log");
	CHECK(acct("log") == 0 && file_size("log") == 0);
	CHILD(pid)
	{
		pthread_t t;

		thread_start(&t, burn, NULL); /* its time counts too */
		thread_join(t);
		burn(NULL);
		_exit(7);
	}
	WAIT_EXIT(pid, 7);
	CHECK(file_size("log") == 64 && find("log", pid, &r));
	CHECK(r.exit_code == 7 << 8 && r.uid == getuid() && r.gid == getgid());
	CHECK(r.ppid == (uint32_t)getpid() && (r.flag & FORK) &&
	      !(r.flag & (SIG | CORE)));
	CHECK(r.start + 1 >= before && r.start <= time(NULL));
	CHECK(r.elapsed >= 20 && r.elapsed < 6000);
	/* By whose time it was when the clock ticked: few, beside others. */
	CHECK(expand(r.user) + expand(r.system) >= 5);
	CHECK(expand(r.user) + expand(r.system) <= 200);
	CHECK(expand(r.memory) > 100 && expand(r.memory) < 1UL << 32);
	CHECK(r.min_faults > 0 && r.swaps == 0);
	CHECK(strncmp(r.comm, "acct", 16) == 0);
}

static void programs_and_signals(void)
{
	struct record r;

	CHILD(program)
	{
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	WAIT_EXIT(program, 0);
	CHECK(find("log", program, &r) && !(r.flag & FORK) && r.exit_code == 0);
	CHECK(strcmp(r.comm, "true") == 0);
	CHILD(killed)
	{
		raise(SIGKILL);
		_exit(0);
	}
	WAIT_SIGNAL(killed, SIGKILL);
	CHECK(find("log", killed, &r) && (r.flag & SIG) && r.exit_code == SIGKILL);
	CHILD(limited)
	{
		struct rlimit none = {0, 0};

		CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0); /* not for the record */
		_exit(0);
	}
	WAIT_EXIT(limited, 0);
	CHECK(find("log", limited, &r));
}

static void no_thread_has_its_own(void)
{
	off_t before = file_size("log");
	pthread_t t;

	CHILD(pid)
	{
		thread_start(&t, burn, NULL);
		thread_join(t);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(file_size("log") == before + 64);
}

static void many_at_once(void)
{
	off_t before = file_size("log");
	pid_t pids[40];

	for (int i = 0; i < 40; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			_exit(i);
	}
	for (int i = 0; i < 40; i++)
		WAIT_EXIT(pids[i], i);
	CHECK(file_size("log") == before + 40 * 64);
	for (int i = 0; i < 40; i++) {
		struct record r;

		CHECK(find("log", pids[i], &r) && r.exit_code == (uint32_t)i << 8);
	}
}

static void another_file_and_none(void)
{
	off_t before = file_size("log");
	struct record r;

	make("other");
	CHECK(acct("other") == 0);
	CHILD(pid)
	_exit(0);
	WAIT_EXIT(pid, 0);
	/* Who turns it off is in the file that was, with nothing yet. */
	CHECK(file_size("log") == before + 64 && find("log", getpid(), &r));
	CHECK(r.exit_code == 0 && r.user == 0 && r.memory == 0);
	CHECK(find("other", pid, &r) && !find("other", getpid(), &r));
	CHECK(acct(NULL) == 0 && find("other", getpid(), &r));
	CHILD(unseen)
	_exit(0);
	WAIT_EXIT(unseen, 0);
	CHECK(!find("other", unseen, &r) && file_size("other") == 128);
	CHECK(acct("other") == 0 && unlink("other") == 0); /* it goes on, nameless */
	CHILD(last)
	_exit(0);
	WAIT_EXIT(last, 0);
	CHECK(acct(NULL) == 0);
}

int main(void)
{
	static const struct test all[] = {
		TEST(documented_errors),    TEST(each_end_makes_a_record),
		TEST(programs_and_signals), TEST(no_thread_has_its_own),
		TEST(many_at_once),	    TEST(another_file_and_none),
	};
	static const struct test user[] = {TEST(who_may_not)};
	int status;
	pid_t pid;

	if (!has_cap(CAP_SYS_PACCT))
		return test_main(user, 1);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		bool is_apart = unshare(CLONE_NEWPID) == 0;

		if (!is_apart && errno != EPERM)
			_exit(77);
		pid = fork();
		if (pid == 0)
			exit(test_main(all, sizeof(all) / sizeof(all[0])));
		CHECK(pid > 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
