/* SPDX-License-Identifier: MIT */
/* trace_set.c - see trace_set.h. */
#include "trace_set.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "abi/syscall.h"
#include "message.h"

_Static_assert(SYSCALL_LIMIT <= TRACE_SET_WORDS * 64, "boot.h: TRACE_SET_WORDS");

static const struct {
	const char *name;
	int nr;
	uint8_t kind[7];
} calls[] = {
#define K(kind)					   ARG_##kind
#define SYS0(nr, name, st)			   {#name, nr, {0}},
#define SYS1(nr, name, st, k1, a1)		   {#name, nr, {K(k1)}},
#define SYS2(nr, name, st, k1, a1, k2, a2)	   {#name, nr, {K(k1), K(k2)}},
#define SYS3(nr, name, st, k1, a1, k2, a2, k3, a3) {#name, nr, {K(k1), K(k2), K(k3)}},
#define SYS4(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4)                               \
	{#name, nr, {K(k1), K(k2), K(k3), K(k4)}},
#define SYS5(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5)                       \
	{#name, nr, {K(k1), K(k2), K(k3), K(k4), K(k5)}},
#define SYS6(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5, k6, a6)               \
	{#name, nr, {K(k1), K(k2), K(k3), K(k4), K(k5), K(k6)}},
#include "abi/syscalls.def"
};

/* What arguments do not tell: a class's members by name; a star stands for any end. */
static const struct {
	const char *name;
	const char *members;
} classes[] = {
	{"process",
	 "fork vfork clone clone3 execve execveat exit exit_group wait4 waitid "
	 "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo "
	 "pidfd_send_signal unshare "},
	{"network",
	 "socket socketpair connect accept accept4 bind listen sendto recvfrom "
	 "sendmsg recvmsg sendmmsg recvmmsg shutdown getsockname getpeername "
	 "setsockopt getsockopt getpmsg putpmsg "},
	{"signal", "rt_sig* sigaltstack kill tkill tgkill pause signalfd signalfd4 "
		   "pidfd_send_signal "},
	{"ipc", "shm* sem* msg* "},
	{"memory", "mmap munmap mremap mprotect pkey_mprotect brk madvise msync mlock "
		   "mlock2 munlock mlockall munlockall mincore mbind move_pages "
		   "migrate_pages get_mempolicy set_mempolicy process_madvise "
		   "remap_file_pages shmat shmdt "},
	{"creds",
	 "getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid "
	 "setresgid getresuid getresgid setfsuid setfsgid getgroups setgroups "
	 "capget capset prctl "},
	{"clock", "clock_* gettimeofday settimeofday time adjtimex "},
};

static void set_call(struct trace_set *set, int nr)
{
	set->words[nr / 64] |= 1UL << (nr % 64);
}

static bool has_kind(const uint8_t *kind, const uint8_t *wanted)
{
	for (; *kind != ARG_END; kind++)
		if (memchr(wanted, *kind, strlen((const char *)wanted)))
			return true;
	return false;
}

static bool is_member(const char *call, const char *members)
{
	while (*members) {
		size_t len = strcspn(members, " ");
		bool is_prefix = len > 0 && members[len - 1] == '*';

		if (is_prefix ? strncmp(call, members, len - 1) == 0
			      : strlen(call) == len && strncmp(call, members, len) == 0)
			return true;
		members += len + 1;
	}
	return false;
}

static bool add_class(struct trace_set *set, const char *name)
{
	static const uint8_t paths[] = {ARG_PATH, 0};
	static const uint8_t descriptors[] = {ARG_FD, ARG_DIRFD, ARG_FDPAIR, 0};
	const char *members = NULL;
	const uint8_t *kinds = NULL;

	if (strcmp(name, "file") == 0)
		kinds = paths;
	if (strcmp(name, "desc") == 0)
		kinds = descriptors;
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (strcmp(name, classes[i].name) == 0)
			members = classes[i].members;
	if (!kinds && !members)
		return false;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (kinds ? has_kind(calls[i].kind, kinds)
			  : is_member(calls[i].name, members))
			set_call(set, calls[i].nr);
	return true;
}

static bool add_call(struct trace_set *set, const char *name)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(name, calls[i].name) == 0) {
			set_call(set, calls[i].nr);
			return true;
		}
	}
	return false;
}

void trace_set_fill(struct trace_set *set)
{
	memset(set->words, 0xff, sizeof set->words);
	set->has_unknown = TRACE_UNKNOWN;
}

static void add_name(struct trace_set *set, const char *name)
{
	if (strcmp(name, "all") == 0)
		trace_set_fill(set);
	else if (strcmp(name, "none") != 0 &&
		 !(name[0] == '%' ? add_class(set, name + 1)
				  : add_call(set, name) || add_class(set, name)))
		fail("-e trace=%s: neither a system call nor a class of them", name);
}

void trace_set_parse(struct trace_set *set, const char *text)
{
	const char *list = strncmp(text, "trace=", 6) == 0 ? text + 6 : text;
	bool is_inverse = *list == '!';
	char *copy = strdup(list + is_inverse);
	char *rest = copy;
	const char *name;

	if (!copy)
		fail("out of memory");
	if (strchr(copy, '='))
		fail("-e %s: only trace=… is known", text);
	memset(set, 0, sizeof *set);
	while ((name = strsep(&rest, ",")))
		add_name(set, name);
	free(copy);
	if (!is_inverse)
		return;
	for (size_t i = 0; i < TRACE_SET_WORDS; i++)
		set->words[i] = ~set->words[i];
	set->has_unknown ^= TRACE_UNKNOWN;
}
