/* SPDX-License-Identifier: MIT */
/* files */
/* Leases: their holder hears of others before these get the file. */
/* calls: fcntl */
#include "fixture.h"

#include <sys/time.h>

static volatile sig_atomic_t told;
static volatile int told_fd, told_code, told_band;
static int fd;

static void on_break(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told_fd = info->si_fd;
	told_code = info->si_code;
	told_band = (int)info->si_band;
	told++;
}

static void listen_to(int sig)
{
	struct sigaction sa = {.sa_sigaction = on_break,
			       .sa_flags = SA_SIGINFO | SA_RESTART};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void taking_and_dropping(void)
{
	file_put("f", "lease");
	fd = open("f", O_RDONLY | O_CLOEXEC);
	CHECK(fcntl(fd, F_GETLEASE) == F_UNLCK);
	FAILS(EAGAIN, fcntl(fd, F_SETLEASE, F_UNLCK));
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_GETLEASE) == F_RDLCK);
	CHECK(fcntl(fd, F_GETOWN) == getpid());
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0 && fcntl(fd, F_GETLEASE) == F_WRLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_GETLEASE) == F_RDLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0 && fcntl(fd, F_GETLEASE) == F_UNLCK);
	CHECK(fcntl(fd, F_GETOWN) == 0);
}

static void refused_while_open_otherwise(void)
{
	int other = open("f", O_RDONLY);

	FAILS(EAGAIN, fcntl(fd, F_SETLEASE, F_WRLCK));
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0 &&
	      fcntl(other, F_SETLEASE, F_RDLCK) == 0);
	FAILS(EAGAIN, fcntl(fd, F_SETLEASE, F_WRLCK));
	CHECK(fcntl(other, F_GETLEASE) == F_RDLCK && close(other) == 0);
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	other = open("f", O_RDWR);
	FAILS(EAGAIN, fcntl(fd, F_SETLEASE, F_RDLCK));
	FAILS(EAGAIN, fcntl(other, F_SETLEASE, F_RDLCK));
	CHECK(close(fd) == 0 && fcntl(other, F_SETLEASE, F_WRLCK) == 0);
	CHECK(close(other) == 0);
	fd = open("f", O_RDONLY | O_CLOEXEC);
}

static void others_are_refused(void)
{
	int p[2];

	become_user_here();
	if (geteuid() == 65534) {
		int other = open("f", O_RDONLY);

		FAILS(EACCES, fcntl(other, F_SETLEASE, F_RDLCK));
		CHECK(close(other) == 0);
	}
	CHECK(pipe(p) == 0);
	FAILS(EINVAL, fcntl(p[0], F_SETLEASE, F_RDLCK));
	FAILS(EINVAL, fcntl(p[0], F_SETLEASE, 7));
}

static void documented_errors(void)
{
	CHECK(in_child(others_are_refused) == 0);
	FAILS(EINVAL, fcntl(fd, F_SETLEASE, 99));
	FAILS(EBADF, fcntl(-1, F_SETLEASE, F_RDLCK));
}

static void child_opens_for_writing(void)
{
	int other = open("f", O_WRONLY);

	CHECK(other >= 0 && close(other) == 0);
}

static void wait_told(int n)
{
	for (int i = 0; i < 30000 && told < n; i++)
		sleep_ms(1);
	CHECK(told == n);
}

static void an_open_waits_until_the_holder_gives_way(void)
{
	pid_t pid;
	int status;

	listen_to(SIGIO);
	listen_to(SIGRTMIN + 2);
	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	CHECK(fcntl(fd, F_SETSIG, SIGRTMIN + 2) == 0);
	pid = child_start(child_opens_for_writing);
	wait_told(1);
	CHECK(told_fd == fd && told_code == POLL_MSG && told_band == 0x441);
	CHECK(fcntl(fd, F_GETLEASE) == F_UNLCK);
	sleep_ms(20);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	FAILS(EAGAIN, fcntl(fd, F_SETLEASE, F_RDLCK));
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0 && child_wait(pid) == 0);
	CHECK(fcntl(fd, F_GETSIG) == 0 && fcntl(fd, F_GETOWN) == 0);
}

static void child_opens_for_reading(void)
{
	int other = open("f", O_RDONLY);

	CHECK(other >= 0 && fcntl(other, F_SETLEASE, F_RDLCK) == 0 && close(other) == 0);
}

static void a_reader_makes_a_writer_go_down(void)
{
	pid_t pid;

	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	pid = child_start(child_opens_for_reading);
	wait_told(1);
	CHECK(fcntl(fd, F_GETLEASE) == F_RDLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	CHECK(child_wait(pid) == 0 && fcntl(fd, F_GETLEASE) == F_RDLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
}

static void child_does_not_wait(void)
{
	FAILS(EWOULDBLOCK, open("f", O_WRONLY | O_NONBLOCK));
	CHECK(open("f", O_RDONLY | O_NONBLOCK) >= 0);
	CHECK(open("f", O_PATH) >= 0 && access("f", R_OK) == 0);
}

static void nonblocking_opens_tell_all_the_same(void)
{
	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	CHECK(in_child(child_does_not_wait) == 0);
	wait_told(1);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
}

static void child_truncates(void)
{
	CHECK(truncate("f", 2) == 0);
}

static void truncate_breaks_too(void)
{
	pid_t pid;

	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	pid = child_start(child_truncates);
	wait_told(1);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0 && child_wait(pid) == 0);
	CHECK(file_is("f", "le"));
}

static void child_changes_names(void)
{
	CHECK(chmod("f", 0600) == 0 && link("f", "g") == 0 && rename("f", "h") == 0);
	CHECK(unlink("g") == 0 && rename("h", "f") == 0);
}

static void names_may_change(void)
{
	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	CHECK(in_child(child_changes_names) == 0 && told == 0);
	CHECK(fcntl(fd, F_GETLEASE) == F_WRLCK && fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void child_is_interrupted(void)
{
	struct itimerval every = {{0, 100000}, {0, 100000}}; /* one finds it waiting */
	struct sigaction sa = {.sa_handler = on_alarm};

	CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	FAILS(EINTR, open("f", O_WRONLY));
}

static void signals_end_the_wait(void)
{
	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	CHECK(in_child(child_is_interrupted) == 0 && told == 1);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
}

static void closing_drops_the_lease(void)
{
	pid_t pid;

	told = 0;
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	pid = child_start(child_truncates); /* holds the description open */
	wait_told(1);
	CHECK(close(fd) == 0);
	sleep_ms(20);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(WIFSIGNALED(child_wait(pid)));
	fd = open("f", O_RDWR | O_NONBLOCK);
	CHECK(fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0 && close(fd) == 0);
}

RUN(TEST(taking_and_dropping), TEST(refused_while_open_otherwise),
    TEST(documented_errors), TEST(an_open_waits_until_the_holder_gives_way),
    TEST(a_reader_makes_a_writer_go_down), TEST(nonblocking_opens_tell_all_the_same),
    TEST(truncate_breaks_too), TEST(names_may_change), TEST(signals_end_the_wait),
    TEST(closing_drops_the_lease))
