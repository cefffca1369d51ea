/* SPDX-License-Identifier: MIT */
/* gen-seccomp - prints seccomp_filter.h: the filter that kernel/host/linux/calls.def asks
 * for. usage: gen-seccomp >build/gen/seccomp_filter.h */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <asm/ioctls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* What libc's headers may be too old for. */
#include "abi/inet.h"
#include "abi/socket.h"

/* Thread ids written into the sandbox's own memory, and its own thread pointer. */
#define CLONE_SETTIDS                                                                    \
	(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS)

enum { TESTS = 3 };

struct row {
	const char *name;
	unsigned int test_count;
	struct scmp_arg_cmp tests[TESTS];
};

#define BITS(n, mask, value)                                                             \
	{                                                                                \
		n, SCMP_CMP_MASKED_EQ, mask, value                                       \
	}
#define IS(n, value) BITS(n, 0xffffffffU, (uint32_t)(value))
#define COUNT(...)                                                                       \
	(sizeof((struct scmp_arg_cmp[]){__VA_ARGS__}) / sizeof(struct scmp_arg_cmp))
#define HOST_CALL(call)		{#call, 0, {{0}}},
#define HOST_CALL_IF(call, ...) {#call, COUNT(__VA_ARGS__), {__VA_ARGS__}},

static const struct row rows[] = {
#include "host/linux/calls.def"
};

static _Noreturn void die(const char *what, int err)
{
	(void)fprintf(stderr, "gen-seccomp: %s: %s\n", what, strerror(err));
	exit(1);
}

static void add_row(scmp_filter_ctx filter, const struct row *row)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, row->name);

	if (nr < 0)
		die(row->name, ENOSYS);
	int err = seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW, nr,
					       row->test_count, row->tests);
	if (err < 0)
		die(row->name, -err);
}

static scmp_filter_ctx build(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!filter)
		die("seccomp_init", ENOMEM);
	int err =
		seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err) /* a binary tree over the numbers */
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (err < 0)
		die("seccomp_attr_set", -err);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		add_row(filter, &rows[i]);
	return filter;
}

static void print(int fd)
{
	struct sock_filter insn;

	puts("/* SPDX-License-Identifier: MIT */\n"
	     "/* seccomp_filter.h - made by tools/gen-seccomp from "
	     "kernel/host/linux/calls.def. */\n"
	     "#pragma once\n"
	     "#include <stdint.h>\n\n"
	     "static const struct {\n"
	     "\tuint16_t code;\n"
	     "\tuint8_t jt, jf;\n"
	     "\tuint32_t k;\n"
	     "} seccomp_filter[] = {");
	while (read(fd, &insn, sizeof insn) == sizeof insn)
		printf("\t{0x%02x, %u, %u, 0x%08x},\n", insn.code, insn.jt, insn.jf,
		       insn.k);
	puts("};");
}

int main(void)
{
	scmp_filter_ctx filter = build();
	int fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd_create", errno);
	int err = seccomp_export_bpf(filter, fd);
	if (err < 0)
		die("seccomp_export_bpf", -err);
	if (lseek(fd, 0, SEEK_SET) < 0)
		die("lseek", errno);
	print(fd);
	seccomp_release(filter);
	return fflush(stdout) ? 1 : 0;
}
