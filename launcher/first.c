/* SPDX-License-Identifier: MIT */
/* first.c - the first host process: walls itself in and becomes the kernel.
 *
 * The kernel unmaps this program and its libc, so nothing may be left that the host would
 * still touch there: the raw clone that made this process left no robust list and no
 * thread id to clear, the rseq area is given back. Every signal is blocked until the
 * kernel has its handlers. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<sys/rseq.h>) /* glibc: musl registers none */
#include <sys/rseq.h>
#endif

#include "inherited.h"
#include "launch.h"
#include "message.h"
#include "segment.h"
#include "wall.h"

static void rseq_release(void)
{
#ifdef RSEQ_SIG
	unsigned int sizes[] = {32, __rseq_size, (__rseq_size + 31) & ~31U};
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size == 0)
		return;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (syscall(SYS_rseq, area, sizes[i], RSEQ_FLAG_UNREGISTER, RSEQ_SIG) ==
		    0)
			return;
	}
	fail("cannot give back the restartable sequence: %s", strerror(errno));
#endif
}

static _Noreturn void kernel_enter(uint64_t entry, uint64_t stack, uint64_t params)
{
	__asm__ volatile("movq %1, %%rsp\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "jmpq *%0"
			 :
			 : "a"(entry), "d"(stack), "D"(params)
			 : "memory");
	__builtin_unreachable();
}

/* All 64, past libc, which keeps two for itself. What the caller ignored does not matter
 * then. */
static void block_signals(void)
{
	uint64_t all = UINT64_MAX;

	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
}

void first_main(struct launch *l)
{
	struct boot_params *p = boot_params();

	block_signals();
	for (int fd = 0; fd < 3; fd++) {
		if (p->stdio_fd[fd] < 0)
			close(fd);
	}
	inherited_close_gaps(p);
	image_map(&l->image);
	segment_map(l->segment_fd);
	close(l->image.file_fd);
	if (!wall_confine_files(l->has_namespaces) && !l->has_namespaces)
		fail("the host denies user namespaces and has no Landlock: nothing would "
		     "hold "
		     "the programs in");
	/* All host threads inherit it: the guest sets a slack of its own, which is an
	 * upper bound; the host's 50 us on top would make timers later than they are
	 * natively. */
	(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	rseq_release();
	p->first_host_tid = (int32_t)syscall(SYS_gettid);
	kernel_enter(l->image.entry, boot_stack_top(), BOOT_PARAMS_ADDR);
}
