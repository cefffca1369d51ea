/* SPDX-License-Identifier: MIT */
/* gen-seccomp - prints seccomp_filter.h: the filters that kernel/host/linux/calls.def
 * asks for, with internet sockets and without, and traps for calls into the host's
 * vsyscall page, which are no host calls of ours: the host asks the filter before it
 * answers them. usage: gen-seccomp >build/gen/seccomp_filter.h */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
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

enum { TESTS = 3, IP = offsetof(struct seccomp_data, instruction_pointer) };
#define VSYSCALL_PAGE 0xffffffffff600000UL

struct row {
	const char *name;
	bool is_net;
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
#define HOST_CALL(call)		    {#call, false, 0, {{0}}},
#define HOST_CALL_IF(call, ...)	    {#call, false, COUNT(__VA_ARGS__), {__VA_ARGS__}},
#define HOST_CALL_NET_IF(call, ...) {#call, true, COUNT(__VA_ARGS__), {__VA_ARGS__}},

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

/* What is called by way of the vsyscall page. */
static const char *const vsyscalls[] = {"gettimeofday", "time", "getcpu"};

static void add_vsyscall(scmp_filter_ctx filter, const char *name)
{
	int err = seccomp_rule_add_exact_array(
		filter, SCMP_ACT_TRAP,
		seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name), 0, NULL);

	if (err < 0)
		die(name, -err);
}

static scmp_filter_ctx build(bool has_net)
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
		if (has_net || !rows[i].is_net)
			add_row(filter, &rows[i]);
	for (size_t i = 0; i < sizeof vsyscalls / sizeof vsyscalls[0]; i++)
		add_vsyscall(filter, vsyscalls[i]);
	return filter;
}

/* The library knows no condition on where a call comes from. A trap becomes a jump to
 * these, which are behind the rest, so that nobody else is slower for it. */
static const struct sock_filter from_page[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP + 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VSYSCALL_PAGE >> 32, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfffff000),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VSYSCALL_PAGE & 0xffffffff, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static void print_insn(struct sock_filter insn)
{
	printf("\t{0x%02x, %u, %u, 0x%08x},\n", insn.code, insn.jt, insn.jf, insn.k);
}

static void print(int fd, const char *name)
{
	struct sock_filter insn[BPF_MAXINSNS];
	ssize_t size = read(fd, insn, sizeof insn);

	if (size <= 0 || size % (ssize_t)sizeof insn[0])
		die("read", EIO);
	printf("\nstatic const struct seccomp_insn %s[] = {\n", name);
	uint32_t count = (uint32_t)((size_t)size / sizeof insn[0]);

	for (uint32_t i = 0; i < count; i++) {
		if (insn[i].code == (BPF_RET | BPF_K) && insn[i].k == SECCOMP_RET_TRAP)
			insn[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
							       count - i - 1);
		print_insn(insn[i]);
	}
	for (size_t i = 0; i < sizeof from_page / sizeof from_page[0]; i++)
		print_insn(from_page[i]);
	puts("};");
}

static void print_filter(bool has_net, const char *name)
{
	scmp_filter_ctx filter = build(has_net);
	int fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd_create", errno);
	int err = seccomp_export_bpf(filter, fd);
	if (err < 0)
		die("seccomp_export_bpf", -err);
	if (lseek(fd, 0, SEEK_SET) < 0)
		die("lseek", errno);
	print(fd, name);
	close(fd);
	seccomp_release(filter);
}

int main(void)
{
	puts("/* SPDX-License-Identifier: MIT */\n"
	     "/* seccomp_filter.h - made by tools/gen-seccomp from "
	     "kernel/host/linux/calls.def. */\n"
	     "#pragma once\n"
	     "#include <stdint.h>\n\n"
	     "struct seccomp_insn {\n"
	     "\tuint16_t code;\n"
	     "\tuint8_t jt, jf;\n"
	     "\tuint32_t k;\n"
	     "};");
	print_filter(true, "seccomp_filter");
	print_filter(false, "seccomp_filter_no_net");
	return fflush(stdout) ? 1 : 0;
}
