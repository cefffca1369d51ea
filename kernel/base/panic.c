/* SPDX-License-Identifier: MIT */
/* panic.c - see panic.h. */
#include "base/panic.h"

#include <stdarg.h>

#include "base/cpu.h"
#include "base/log.h"
#include "base/symbols.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/printf.h"

void (*panic_hook)(void);
static uint32_t panicking;

static void print_symbol(uint64_t addr)
{
	uint64_t offset = 0;
	const char *name = symbol_find(addr, &offset);

	log_raw("  %#lx %s+%#lx\n", addr, name ? name : "?", offset);
}

static bool is_kernel_stack(uint64_t addr)
{
	return addr >= 0x7ff000000000UL && (addr & 7) == 0;
}

static void print_backtrace(uint64_t rip, uint64_t rbp)
{
	print_symbol(rip);
	for (int i = 0; i < 24 && is_kernel_stack(rbp); i++) {
		const uint64_t *frame =
			(const uint64_t *)rbp; // NOLINT(performance-no-int-to-ptr)

		if (frame[1] < 0x7ff000000000UL)
			break;
		print_symbol(frame[1]);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

static NORETURN void finish(void)
{
	if (panic_hook)
		panic_hook();
	host_abort(125);
}

/* Only the first to panic prints; the others wait for their end. */
static void enter(void)
{
	if (atomic_xchg(&panicking, 1) != 0)
		host_abort(125);
}

void panic(const char *fmt, ...)
{
	char text[512];
	va_list args;

	enter();
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_print("kernel panic: %s", text);
	print_backtrace((uint64_t)__builtin_return_address(0),
			(uint64_t)__builtin_frame_address(0));
	finish();
}

void panic_fault(const struct regs *regs, int signo, uint64_t fault_addr)
{
	const uint64_t *r = (const uint64_t *)regs;
	static const char *const name[] = {
		"r15", "r14", "r13", "r12", "rbp", "rbx",  "r11", "r10", "r9", "r8",
		"rax", "rcx", "rdx", "rsi", "rdi", "orig", "rip", "rfl", "rsp"};

	enter();
	log_print("kernel panic: signal %d at %#lx, address %#lx", signo, r[16],
		  fault_addr);
	for (size_t i = 0; i < ARRAY_SIZE(name); i++)
		log_raw("%5s %016lx%s", name[i], r[i], i % 4 == 3 ? "\n" : "");
	log_raw("\n");
	print_backtrace(r[16], r[4]);
	finish();
}
