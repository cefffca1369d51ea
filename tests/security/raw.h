/* SPDX-License-Identifier: MIT */
/* raw.h - a hostile guest's way to the host: it jumps to a `syscall; ret` in the kernel's
 * text, where Syscall User Dispatch lets the host run the call. What is left in the way
 * is the filter. */
#pragma once
#include "../sys/fixture.h"

#include <setjmp.h>

#define KERNEL_TEXT 0x7ff000000000UL
#define KERNEL_DATA 0x7ff000400000UL

struct raw {
	uint64_t nr, arg[6];
	uint64_t gadget;
};

/* Everything that is not loaded from *raw and that the caller needs is on the stack. */
long raw_jump(const struct raw *raw);
__asm__(".text\n"
	".type raw_jump, @function\n"
	"raw_jump:\n"
	"	movq	56(%rdi), %r11\n"
	"	movq	0(%rdi), %rax\n"
	"	movq	16(%rdi), %rsi\n"
	"	movq	24(%rdi), %rdx\n"
	"	movq	32(%rdi), %r10\n"
	"	movq	40(%rdi), %r8\n"
	"	movq	48(%rdi), %r9\n"
	"	movq	8(%rdi), %rdi\n"
	"	jmp	*%r11\n"); /* the gadget returns to our caller */

static sigjmp_buf raw_search_end;

HELPER void raw_search_fault(int sig)
{
	(void)sig;
	siglongjmp(raw_search_end, 1);
}

/* The address of a `syscall; ret` in the kernel's text, 0 if none can be seen. */
HELPER uint64_t raw_gadget(void)
{
	const unsigned char *const text = (const unsigned char *)KERNEL_TEXT;
	static volatile uint64_t found;

	signal(SIGSEGV, raw_search_fault);
	signal(SIGBUS, raw_search_fault);
	if (sigsetjmp(raw_search_end, 1) == 0)
		for (size_t i = 0; i < KERNEL_DATA - KERNEL_TEXT && !found; i++)
			if (text[i] == 0x0f && text[i + 1] == 0x05 && text[i + 2] == 0xc3)
				found = KERNEL_TEXT + i;
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return found;
}

/* In this process, for better or worse. */
HELPER long raw_call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		     uint64_t e, uint64_t f)
{
	static uint64_t gadget;
	struct raw raw = {nr, {a, b, c, d, e, f}, 0};

	if (!gadget)
		gadget = raw_gadget();
	CHECK(gadget);
	raw.gadget = gadget;
	return raw_jump(&raw);
}

/* How a child ended that made the call: killed by SIGKILL is what the filter makes of it.
 */
HELPER int raw_attempt(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		       uint64_t e, uint64_t f)
{
	pid_t pid;

	(void)raw_gadget();
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)raw_call(nr, a, b, c, d, e, f);
		_exit(42);
	}
	return child_wait(pid);
}
