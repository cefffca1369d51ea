/* SPDX-License-Identifier: MIT */
/* Calls for who owns the machine, asked by who does not. A kernel that is built without
 * one answers ENOSYS. Nothing is tried that could succeed. */
/* calls: init_module finit_module delete_module kexec_load kexec_file_load iopl ioperm */
/* calls: bpf perf_event_open modify_ldt */
#include "fixture.h"

#include <asm/ldt.h>
#include <linux/perf_event.h>

/* call fails with want, or is not there. */
#define REFUSED(want, call)                                                              \
	do {                                                                             \
		errno = 0;                                                               \
		long r_ = (long)(call);                                                  \
		if (r_ != -1 || (errno != (want) && errno != ENOSYS)) {                  \
			printf("not ok: %s:%d: %s = %ld, errno %d, want %s\n", __FILE__, \
			       __LINE__, #call, r_, errno, #want);                       \
			exit(1);                                                         \
		}                                                                        \
	} while (0)

static char zeros[8192];

static void modules(void)
{
	become_user();
	REFUSED(EPERM, syscall(SYS_init_module, zeros, 10UL, ""));
	REFUSED(EPERM, syscall(SYS_finit_module, -1, "", 0));
	REFUSED(EPERM, syscall(SYS_finit_module, 0, "", -1));
	REFUSED(EPERM, syscall(SYS_delete_module, "absent", 0));
	FOR_BAD(p)
	{
		REFUSED(EPERM, syscall(SYS_init_module, p, 10UL, p));
		REFUSED(EPERM, syscall(SYS_finit_module, -1, p, 0));
		REFUSED(EPERM, syscall(SYS_delete_module, p, 0));
	}
}

static void kernels(void)
{
	become_user();
	REFUSED(EPERM, syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL));
	REFUSED(EPERM, syscall(SYS_kexec_load, 0UL, 99UL, bad_address(3), -1UL));
	REFUSED(EPERM, syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, 0UL));
	REFUSED(EPERM, syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, -1UL));
}

static void ports(void)
{
	become_user();
	REFUSED(EINVAL, syscall(SYS_iopl, 4));
	REFUSED(EINVAL, syscall(SYS_iopl, -1));
	for (int level = 1; level < 4; level++)
		REFUSED(EPERM, syscall(SYS_iopl, level));
	REFUSED(EINVAL, syscall(SYS_ioperm, 0UL, 0UL, 1));
	REFUSED(EINVAL, syscall(SYS_ioperm, 65536UL, 1UL, 1));
	REFUSED(EINVAL, syscall(SYS_ioperm, 1UL, 65536UL, 0));
	REFUSED(EINVAL, syscall(SYS_ioperm, 2UL, -1UL, 1));
	REFUSED(EPERM, syscall(SYS_ioperm, 0UL, 1UL, 1));
	REFUSED(EPERM, syscall(SYS_ioperm, 0UL, 65536UL, 1));
	if (syscall(SYS_ioperm, 0UL, 1UL, 0) != 0)
		CHECK(errno == ENOSYS);
}

static void programs(void)
{
	enum { BPF_PROG_LOAD_CMD = 5 };

	become_user();
	REFUSED(E2BIG, syscall(SYS_bpf, BPF_PROG_LOAD_CMD, zeros, 4097));
	zeros[4000] = 1;
	REFUSED(E2BIG, syscall(SYS_bpf, BPF_PROG_LOAD_CMD, zeros, 4096));
	zeros[4000] = 0;
	FOR_BAD(p)
	{
		REFUSED(EFAULT, syscall(SYS_bpf, BPF_PROG_LOAD_CMD, p, 72));
		REFUSED(EFAULT, syscall(SYS_bpf, 999, p, 72));
	}
	REFUSED(EINVAL, syscall(SYS_bpf, 999, zeros, 72));
	REFUSED(EINVAL, syscall(SYS_bpf, -1, zeros, 72));
	REFUSED(EPERM, syscall(SYS_bpf, BPF_PROG_LOAD_CMD, zeros, 72));
	REFUSED(EPERM, syscall(SYS_bpf, BPF_PROG_LOAD_CMD, zeros, 4096));
}

static long perf(void *attr, unsigned long flags)
{
	return syscall(SYS_perf_event_open, attr, 0, -1, -1, flags);
}

static void counters(void)
{
	struct {
		struct perf_event_attr a;
		char more[3000];
	} big = {.a = {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK}};

	become_user();
	big.a.size = sizeof(big.a);
	REFUSED(EINVAL, perf(&big, 0x10));
	REFUSED(EINVAL, perf(bad_address(3), 1UL << 63));
	FOR_BAD(p) REFUSED(EFAULT, perf(p, 0));
	big.a.size = 63;
	REFUSED(E2BIG, perf(&big, 0));
	CHECK(big.a.size >= 64 && big.a.size % 8 == 0);
	big.a.size = 4097;
	REFUSED(E2BIG, perf(&big, 0));
	big.a.size = sizeof(big);
	big.more[2000] = 1;
	REFUSED(E2BIG, perf(&big, 0));
	CHECK(big.a.size < sizeof(big));
	big.a.size = sizeof(big.a); /* what the kernel does is not for users */
	REFUSED(EACCES, perf(&big, 0));
	big.a.size = 0;
	REFUSED(EACCES, perf(&big, 0));
}

/* The result is an int that is not extended. */
static long ldt(int func, void *ptr, unsigned long size)
{
	long ret = syscall(SYS_modify_ldt, func, ptr, size);

	return ret == -1 ? -errno : (int)ret;
}

static void segments(void)
{
	struct user_desc d = {.read_exec_only = 1, .seg_not_present = 1};
	char buf[256];

	if (ldt(0, NULL, 0) == -ENOSYS)
		return;
	CHECK(ldt(0, buf, sizeof(buf)) == 0);
	CHECK(ldt(0, bad_address(3), 8) == 0);
	memset(buf, 'x', sizeof(buf));
	CHECK(ldt(2, buf, sizeof(buf)) == 128 && !buf[0] && !buf[127] && buf[128] == 'x');
	CHECK(ldt(2, buf, 5) == 5);
	CHECK(ldt(3, buf, 16) == -ENOSYS && ldt(-1, buf, 16) == -ENOSYS);
	CHECK(ldt(1, buf, 8) == -EINVAL && ldt(0x11, buf, 17) == -EINVAL);
	FOR_BAD(p)
	{
		CHECK(ldt(2, p, 8) == -EFAULT);
		CHECK(ldt(1, p, 16) == -EFAULT && ldt(0x11, p, 16) == -EFAULT);
		CHECK(ldt(1, p, 15) == -EINVAL);
	}
	d.entry_number = 8192;
	CHECK(ldt(1, &d, sizeof(d)) == -EINVAL && ldt(0x11, &d, sizeof(d)) == -EINVAL);
	d.entry_number = 0;
	d.contents = 3;
	CHECK(ldt(1, &d, sizeof(d)) == -EINVAL);
	d.seg_not_present = 0;
	CHECK(ldt(0x11, &d, sizeof(d)) == -EINVAL);
	d.contents = 0;
	d.seg_not_present = 1;
	CHECK(ldt(0x11, &d, sizeof(d)) == 0); /* an empty one */
}

static void modules_are_not_his(void)
{
	CHECK(in_child(modules) == 0);
}

static void other_kernels_are_not_his(void)
{
	CHECK(in_child(kernels) == 0);
}

static void ports_are_not_his(void)
{
	CHECK(in_child(ports) == 0);
}

static void programs_for_the_kernel_are_not_his(void)
{
	CHECK(in_child(programs) == 0);
}

static void counters_of_the_kernel_are_not_his(void)
{
	CHECK(in_child(counters) == 0);
}

static void a_table_of_segments_can_be_read(void)
{
	CHECK(in_child(segments) == 0);
}

/* Linux itself has them no more, or never had them. */
static void what_is_gone_is_gone(void)
{
	static const long gone[] = {
		SYS__sysctl,	SYS_create_module, SYS_get_kernel_syms, SYS_query_module,
		SYS_nfsservctl, SYS_getpmsg,	   SYS_putpmsg,		SYS_afs_syscall,
		SYS_tuxcall,	SYS_security,	   SYS_vserver,		SYS_epoll_ctl_old,
		SYS_uselib,	SYS_epoll_wait_old};

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		FAILS(ENOSYS, syscall(gone[i], 0, 0, 0, 0, 0));
	FAILS(ENOSYS, syscall(SYS_set_thread_area, zeros));
	FAILS(ENOSYS, syscall(SYS_get_thread_area, zeros));
	FAILS(ENOSYS, syscall(1000, 0));
	FAILS(ENOSYS, syscall(-2, 0));
}

RUN(TEST(modules_are_not_his), TEST(other_kernels_are_not_his), TEST(ports_are_not_his),
    TEST(programs_for_the_kernel_are_not_his), TEST(counters_of_the_kernel_are_not_his),
    TEST(a_table_of_segments_can_be_read), TEST(what_is_gone_is_gone))
