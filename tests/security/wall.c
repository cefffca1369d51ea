/* SPDX-License-Identifier: MIT */
/* wall.c - tries every host call that kernel/host/linux/calls.def does not list, and
 * forbidden arguments of those it lists, from a guest that jumps into the kernel's text.
 * Each attempt is a child that the host must kill; the sandbox goes on. What the filter
 * lets through must find nothing. */
/* timeout: 240 */
/* cflags: -Ikernel */
#include "raw.h"

#include <asm/unistd.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

/* What libc's headers may be too old for. */
#include "abi/inet.h"
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

/* uretprobe and uprobe: the host lets them past all filters (6.14 on) and answers SIGILL
 * to all callers but its own trampolines, which panics a kernel that is jumped into. */
enum { CALLS = 471, X32 = 0x40000000, UNFILTERED = 335, UNFILTERED_TOO = 336 };

#define HOST_CALL(name)		[__NR_##name] = true,
#define HOST_CALL_IF(name, ...) [__NR_##name] = true,
#define HOST_CALL_NET_IF	HOST_CALL_IF

/* Rows that name a call twice are alternatives. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Winitializer-overrides"
static const bool is_listed[CALLS] = {
#include "host/linux/calls.def"
};
#pragma GCC diagnostic pop

static int failures;

static void must_die(const char *what, uint64_t value, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	printf("# %s %#lx: status %#x\n", what, (unsigned long)value, status);
	failures++;
}

static void finish(void)
{
	CHECK(failures == 0);
}

/* The way in works at all: else nothing below would prove anything. */
static void a_jump_into_the_kernel_reaches_the_host(void)
{
	struct timespec t = {0, 0};

	CHECK(raw_gadget());
	CHECK(raw_call(__NR_clock_gettime, CLOCK_MONOTONIC, (uint64_t)&t, 0, 0, 0, 0) ==
	      0);
	CHECK(t.tv_sec || t.tv_nsec);
	/* a number of the host's, not the guest's */
	CHECK(raw_call(__NR_gettid, 0, 0, 0, 0, 0, 0) > 0);
	CHECK(raw_attempt(__NR_gettid, 0, 0, 0, 0, 0, 0) == 42 << 8);
}

static void calls_not_listed_end_the_process(void)
{
	for (uint64_t nr = 0; nr < CALLS; nr++)
		if (!is_listed[nr] && nr != UNFILTERED && nr != UNFILTERED_TOO)
			must_die("call", nr, raw_attempt(nr, 0, 0, 0, 0, 0, 0));
	finish();
}

static void strange_numbers_end_the_process(void)
{
	static const uint64_t numbers[] = {CALLS,
					   511,
					   512,
					   547,
					   548,
					   1000,
					   X32,
					   X32 | __NR_read,
					   X32 | 520,
					   0x7fffffff,
					   0x80000000,
					   0xffffffff,
					   X32 | __NR_mmap};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		must_die("call", numbers[i], raw_attempt(numbers[i], 0, 0, 0, 0, 0, 0));
	finish();
}

static void clone_makes_nothing_but_threads_and_siblings(void)
{
	static const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				       CLONE_THREAD | CLONE_SYSVSEM;
	static const uint64_t sibling = CLONE_FS | CLONE_FILES | CLONE_PARENT | SIGCHLD;
	static const uint64_t extra[] = {
		CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
		CLONE_NEWPID, CLONE_NEWNET,    CLONE_PTRACE, CLONE_VFORK,  CLONE_PIDFD,
		CLONE_IO,     CLONE_UNTRACED,  1UL << 32,    1UL << 33};

	must_die("clone", 0, raw_attempt(__NR_clone, 0, 0, 0, 0, 0, 0));
	must_die("clone", SIGCHLD, raw_attempt(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0));
	must_die("clone", sibling & ~(uint64_t)CLONE_PARENT,
		 raw_attempt(__NR_clone, sibling & ~(uint64_t)CLONE_PARENT, 0, 0, 0, 0,
			     0));
	must_die(
		"clone", sibling & ~(uint64_t)CLONE_FILES,
		raw_attempt(__NR_clone, sibling & ~(uint64_t)CLONE_FILES, 0, 0, 0, 0, 0));
	for (size_t i = 0; i < sizeof(extra) / sizeof(*extra); i++) {
		must_die("clone", sibling | extra[i],
			 raw_attempt(__NR_clone, sibling | extra[i], 0, 0, 0, 0, 0));
		must_die("clone", thread | extra[i],
			 raw_attempt(__NR_clone, thread | extra[i], 0, 0, 0, 0, 0));
	}
	finish();
}

static void prctl_does_nothing_but_dispatch(void)
{
	for (uint64_t option = 0; option < 100; option++)
		if (option != PR_SET_SYSCALL_USER_DISPATCH)
			must_die("prctl", option,
				 raw_attempt(__NR_prctl, option, 1, 0, 0, 0, 0));
	must_die("prctl", PR_SET_VMA, raw_attempt(__NR_prctl, PR_SET_VMA, 0, 0, 0, 0, 0));
	must_die("prctl", PR_SET_PTRACER,
		 raw_attempt(__NR_prctl, PR_SET_PTRACER, 1, 0, 0, 0, 0));
	finish();
}

static void signals_other_than_the_kick_are_not_sent(void)
{
	for (uint64_t sig = 0; sig <= 64; sig++)
		if (sig != SIGURG)
			must_die("tgkill", sig,
				 raw_attempt(__NR_tgkill, 1, 1, sig, 0, 0, 0));
	finish();
}

static void ioctl_knows_terminals_only(void)
{
	static const unsigned int commands[] = {
		0,	    TIOCSTI,	 TIOCSCTTY,	  TIOCNOTTY,
		TIOCSETD,   TIOCLINUX,	 TIOCCONS,	  TIOCSPGRP,
		TIOCEXCL,   TIOCGPTPEER, TIOCSLCKTRMIOS,  FIONBIO,
		FIOASYNC,   FIOCLEX,	 FS_IOC_SETFLAGS, FS_IOC_GETFLAGS,
		FICLONE,    FIFREEZE,	 FITRIM,	  FS_IOC_FSSETXATTR,
		0x8914,	    0x8924,	 0x8946,	  0x89f0,
		BLKROSET,   0x400454ca,	 0xae01,	  0x4b4b,
		0xffffffff,
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		must_die("ioctl", commands[i],
			 raw_attempt(__NR_ioctl, 0, commands[i], 0, 0, 0, 0));
	finish();
}

static void fcntl_does_flags_and_locks_only(void)
{
	static const int commands[] = {
		F_DUPFD,     F_GETFD,	  F_SETFD,     F_GETLK,	 F_SETLK,
		F_SETLKW,    F_SETOWN,	  F_GETOWN,    F_SETSIG, F_GETSIG,
		F_SETLEASE,  F_GETLEASE,  F_NOTIFY,    1030,	 F_SETPIPE_SZ,
		F_ADD_SEALS, F_GET_SEALS, F_SETOWN_EX, -1,	 F_OFD_SETLKW};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		must_die("fcntl", (uint64_t)commands[i],
			 raw_attempt(__NR_fcntl, 0, (uint64_t)commands[i], 0, 0, 0, 0));
	finish();
}

static void flock_does_not_wait(void)
{
	static const int ops[] = {0,
				  LOCK_SH,
				  LOCK_EX,
				  LOCK_NB,
				  LOCK_UN | LOCK_NB,
				  LOCK_SH | LOCK_EX | LOCK_NB,
				  32 | LOCK_NB, /* LOCK_MAND */
				  -1};

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		must_die("flock", (uint64_t)ops[i],
			 raw_attempt(__NR_flock, 0, (uint64_t)ops[i], 0, 0, 0, 0));
	finish();
}

static void dies_as_socket(uint64_t family, uint64_t type, uint64_t protocol)
{
	must_die("socket", family << 32 | type << 12 | protocol,
		 raw_attempt(__NR_socket, family, type, protocol, 0, 0, 0));
}

static void sockets_are_tcp_udp_and_ping_only(void)
{
	static const uint64_t inet[] = {AF_INET, AF_INET6};

	for (uint64_t family = 0; family < 48; family++) {
		if (family == AF_INET || family == AF_INET6)
			continue;
		dies_as_socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		dies_as_socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
		dies_as_socket(family, SOCK_RAW | SOCK_CLOEXEC, 0);
	}
	for (size_t i = 0; i < sizeof(inet) / sizeof(*inet); i++) {
		for (uint64_t type = 0; type < 16; type++)
			if (type != SOCK_STREAM && type != SOCK_DGRAM)
				dies_as_socket(inet[i], type | SOCK_CLOEXEC, IPPROTO_TCP);
		for (uint64_t protocol = 0; protocol < 264; protocol += 3) {
			if (protocol != IPPROTO_TCP)
				dies_as_socket(inet[i], SOCK_STREAM | SOCK_CLOEXEC,
					       protocol);
			if (protocol !=
			    (inet[i] == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6))
				dies_as_socket(inet[i], SOCK_DGRAM | SOCK_CLOEXEC,
					       protocol);
		}
		dies_as_socket(inet[i], SOCK_STREAM | SOCK_CLOEXEC, 262);
		dies_as_socket(inet[i], SOCK_STREAM, IPPROTO_TCP);
		dies_as_socket(inet[i], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			       IPPROTO_TCP);
	}
	must_die("accept4", 0, raw_attempt(__NR_accept4, 0, 0, 0, 0, 0, 0));
	must_die("accept4", SOCK_NONBLOCK,
		 raw_attempt(__NR_accept4, 0, 0, 0, SOCK_NONBLOCK, 0, 0));
	finish();
}

static bool is_option(int level, int name)
{
	static const struct {
		int level, name;
	} options[] = {
#define SOCKET_OPTION(level, name) {level, name},
#include "host/socket_options.def"
#undef SOCKET_OPTION
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].level == level && options[i].name == name)
			return true;
	return false;
}

static void dies_as_option(int level, int name)
{
	if (is_option(level, name))
		return;
	must_die("setsockopt", (uint64_t)level << 32 | (uint32_t)name,
		 raw_attempt(__NR_setsockopt, 0, (uint64_t)level, (uint64_t)name, 0, 0,
			     0));
	must_die("getsockopt", (uint64_t)level << 32 | (uint32_t)name,
		 raw_attempt(__NR_getsockopt, 0, (uint64_t)level, (uint64_t)name, 0, 0,
			     0));
}

static void socket_options_are_those_listed(void)
{
	static const int levels[] = {SOL_SOCKET, SOL_IP, SOL_IPV6, SOL_TCP, SOL_UDP};
	static const int names[] = {-1, 80, 81, 90, 100, 105, 127, 128, 200, 255, 256};

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		for (int name = 0; name < 80; name++)
			dies_as_option(levels[i], name);
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++)
			dies_as_option(levels[i], names[j]);
	}
	for (int level = 2; level < 300; level += 7)
		if (level != SOL_TCP && level != SOL_UDP && level != SOL_IPV6)
			dies_as_option(level, 1);
	dies_as_option(-1, 1);
	finish();
}

static void other_arguments_are_checked(void)
{
	must_die("epoll_create1", 0, raw_attempt(__NR_epoll_create1, 0, 0, 0, 0, 0, 0));
	must_die("epoll_create1", 1, raw_attempt(__NR_epoll_create1, 1, 0, 0, 0, 0, 0));
	must_die("setitimer", ITIMER_REAL,
		 raw_attempt(__NR_setitimer, ITIMER_REAL, 0, 0, 0, 0, 0));
	must_die("mknodat", S_IFCHR,
		 raw_attempt(__NR_mknodat, (uint64_t)AT_FDCWD, (uint64_t) "wall.c-node",
			     S_IFCHR | 0600, makedev(1, 3), 0, 0));
	must_die("mknodat", S_IFBLK,
		 raw_attempt(__NR_mknodat, (uint64_t)AT_FDCWD, (uint64_t) "wall.c-node",
			     S_IFBLK | 0600, makedev(7, 0), 0, 0));
	finish();
}

/* ---- what is allowed finds nothing outside ---- */

static long host_open(const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags, .mode = flags & O_CREAT ? 0600 : 0, .resolve = resolve};

	return raw_call(__NR_openat2, (uint64_t)AT_FDCWD, (uint64_t)path, (uint64_t)&how,
			sizeof(how), 0, 0);
}

static void fails_to_open(const char *path, uint64_t flags)
{
	long fd = host_open(path, flags, 0);

	if (fd >= 0 || fd < -4095) {
		printf("# openat2(\"%s\", %#lx) = %ld\n", path, (unsigned long)flags, fd);
		failures++;
		(void)raw_call(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	}
}

static void the_hosts_files_cannot_be_opened(void)
{
	static const char *const hidden[] = {
		"/proc/1/environ",
		"/proc/1/mem",
		"/proc/self/mem",
		"/proc/self/exe",
		"/proc/1/root",
		"/proc/1/root/etc/passwd",
		"/proc/sys/kernel/core_pattern",
		"/proc/kcore",
		"/proc/self/status",
		"/sys/kernel/notes",
		"/dev/mem",
		"/dev/kmsg",
		"/dev/null",
		"/dev/pts/ptmx",
		"../../../../../../../../proc/self/status",
	};
	static const char *const new[] = {"/wall.c-new",	 "/tmp/wall.c-new",
					  "/root/wall.c-new",	 "/var/tmp/wall.c-new",
					  "/dev/shm/wall.c-new", "/etc/wall.c-new"};
	static const char *const there[] = {"/etc/passwd", "/etc/hostname",
					    "/usr/bin/env", "/etc"};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		fails_to_open(hidden[i], O_RDONLY);
	for (size_t i = 0; i < sizeof(new) / sizeof(*new); i++)
		fails_to_open(new[i], O_WRONLY | O_CREAT);
	for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++) {
		fails_to_open(there[i], O_WRONLY);
		fails_to_open(there[i], O_RDWR);
	}
	finish();
}

static void the_hosts_files_cannot_be_changed(void)
{
	const uint64_t cwd = (uint64_t)AT_FDCWD;

	CHECK(raw_call(__NR_mkdirat, cwd, (uint64_t) "/wall.c-dir", 0700, 0, 0, 0) < 0);
	CHECK(raw_call(__NR_mkdirat, cwd, (uint64_t) "/var/tmp/wall.c-dir", 0700, 0, 0,
		       0) < 0);
	CHECK(raw_call(__NR_symlinkat, (uint64_t) "/", cwd,
		       (uint64_t) "/var/tmp/wall.c-link", 0, 0, 0) < 0);
	CHECK(raw_call(__NR_mknodat, cwd, (uint64_t) "/var/tmp/wall.c-fifo",
		       S_IFIFO | 0600, 0, 0, 0) < 0);
	CHECK(raw_call(__NR_linkat, cwd, (uint64_t) "/etc/passwd", cwd,
		       (uint64_t) "/etc/wall.c-link", 0, 0) < 0);
	CHECK(raw_call(__NR_renameat2, cwd, (uint64_t) "/etc/hostname", cwd,
		       (uint64_t) "/etc/hostname.wall.c", 1, 0) < 0);
	CHECK(raw_call(__NR_fchmodat2, cwd, (uint64_t) "/etc/hostname", 0644, 0, 0, 0) <
	      0);
	CHECK(raw_call(__NR_fchownat, cwd, (uint64_t) "/etc/hostname", (uint64_t)-1,
		       (uint64_t)-1, 0, 0) <= 0);
}

/* Not even through a descriptor: the mount says no. Landlock alone would not. */
static void attributes_cannot_be_changed(void)
{
	static const char *const names[] = {"user.wall", "trusted.wall",
					    "security.capability",
					    "system.posix_acl_access"};
	static const uint32_t value[] = {2,   0x00060001, -1U, 0x00060004,
					 -1U, 0x00060020, -1U};
	long fd = host_open("/r/etc/passwd", O_RDONLY, 0);

	if (fd == -ENOENT) {
		printf("# no mount namespace here\n");
		return;
	}
	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CHECK(raw_call(__NR_fsetxattr, (uint64_t)fd, (uint64_t)names[i],
			       (uint64_t)value, sizeof(value), 0, 0) < 0);
		CHECK(raw_call(__NR_fremovexattr, (uint64_t)fd, (uint64_t)names[i], 0, 0,
			       0, 0) < 0);
	}
	CHECK(raw_call(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0) == 0);
}

/* Nobody else can be reached by a kick either. */
static void the_monitor_is_out_of_reach(void)
{
	CHECK(raw_call(__NR_sched_setaffinity, 0, 8,
		       (uint64_t) "\377\377\377\377\377\377\377\377", 0, 0, 0) <= 8);
	(void)raw_call(__NR_tgkill, 1, 1, SIGURG, 0, 0, 0);
	sleep_ms(20);
	CHECK(getpid() > 0);
}

static void still_alive(void)
{
	CHECK(getppid() > 0);
}

static void the_sandbox_has_survived(void)
{
	for (int i = 0; i < 20; i++)
		CHECK(in_child(still_alive) == 0);
}

RUN(TEST(a_jump_into_the_kernel_reaches_the_host), TEST(calls_not_listed_end_the_process),
    TEST(strange_numbers_end_the_process),
    TEST(clone_makes_nothing_but_threads_and_siblings),
    TEST(prctl_does_nothing_but_dispatch), TEST(signals_other_than_the_kick_are_not_sent),
    TEST(ioctl_knows_terminals_only), TEST(fcntl_does_flags_and_locks_only),
    TEST(flock_does_not_wait), TEST(sockets_are_tcp_udp_and_ping_only),
    TEST(socket_options_are_those_listed), TEST(other_arguments_are_checked),
    TEST(the_hosts_files_cannot_be_opened), TEST(the_hosts_files_cannot_be_changed),
    TEST(attributes_cannot_be_changed), TEST(the_monitor_is_out_of_reach),
    TEST(the_sandbox_has_survived))
