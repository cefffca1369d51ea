/* SPDX-License-Identifier: MIT */
/*
 * patch_plan.c - patches snippets of real code and runs them.
 *
 * Each snippet runs unpatched, with a real system call, then patched, with an entry that
 * gives the same result: all registers and flags must come out alike. Then once more from
 * every displaced instruction (through SIGILL), and once for every step in the
 * trampoline, continued at the site instead, as after a signal.
 */
/* unit: arch/x86_64/decode.c arch/x86_64/patch_plan.c */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "../sys/test.h"
#include "arch/x86_64/patch_plan.h"

enum {
	SITE_OFF = 0x1100, /* where snippets begin, about, in the code area */
	STUB_OFF = 0x1800,
	CODE_SIZE = 0x4000,
	AREA_DELTA = 0x06000000,
	AREA_SIZE = 4 << 20,
	FLAG_TF = 0x100,
	FLAGS_SEEN = 0xcd5, /* status and direction flags */
};

struct regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t flags;
};

struct snippet {
	const char *name;
	const char *code;
	uint8_t len;
	uint8_t site; /* offset of the syscall */
	uint8_t kind;
	uint8_t mask;
	uint8_t align; /* low four bits of the site's address */
	const char
		*prelude; /* pushes to run before; each displaced instruction pops one */
};

/* Sets the registers of *regs, calls target, puts what it left there. */
void run_asm(struct regs *regs, uint64_t target);
void fake_entry(void);
extern uint64_t fake_result, seen_nr, seen_rcx;
uint64_t fake_result, seen_nr, seen_rcx, run_target, run_regs, run_tmp, run_flags;

__asm__(".text\n"
	"fake_entry:\n"
	"	mov	%rcx, seen_rcx(%rip)\n"
	"	mov	%rax, seen_nr(%rip)\n"
	"	mov	fake_result(%rip), %rax\n"
	"	mov	$0x1234567, %r11\n"
	"	jmp	*%rcx\n"
	"run_asm:\n"
	"	push	%rbx\n	push %rbp\n	push %r12\n"
	"	push	%r13\n	push %r14\n	push %r15\n	push %rax\n"
	"	mov	%rsi, run_target(%rip)\n"
	"	mov	%rdi, run_regs(%rip)\n"
	"	mov	0(%rdi), %rax\n	mov 8(%rdi), %rbx\n	mov 16(%rdi), %rcx\n"
	"	mov	24(%rdi), %rdx\n	mov 32(%rdi), %rsi\n	mov 48(%rdi), "
	"%rbp\n"
	"	mov	56(%rdi), %r8\n	mov 64(%rdi), %r9\n	mov 72(%rdi), %r10\n"
	"	mov	80(%rdi), %r11\n	mov 88(%rdi), %r12\n	mov 96(%rdi), "
	"%r13\n"
	"	mov	104(%rdi), %r14\n	mov 112(%rdi), %r15\n"
	"	push	120(%rdi)\n	popfq\n"
	"	mov	40(%rdi), %rdi\n"
	"	call	*run_target(%rip)\n"
	"	mov	%rdi, run_tmp(%rip)\n"
	"	pushfq\n	pop %rdi\n	mov %rdi, run_flags(%rip)\n"
	"	push	$0x202\n	popfq\n"
	"	mov	run_regs(%rip), %rdi\n"
	"	mov	%rax, 0(%rdi)\n	mov %rbx, 8(%rdi)\n	mov %rcx, 16(%rdi)\n"
	"	mov	%rdx, 24(%rdi)\n	mov %rsi, 32(%rdi)\n	mov %rbp, "
	"48(%rdi)\n"
	"	mov	%r8, 56(%rdi)\n	mov %r9, 64(%rdi)\n	mov %r10, 72(%rdi)\n"
	"	mov	%r11, 80(%rdi)\n	mov %r12, 88(%rdi)\n	mov %r13, "
	"96(%rdi)\n"
	"	mov	%r14, 104(%rdi)\n	mov %r15, 112(%rdi)\n"
	"	mov	run_tmp(%rip), %rax\n	mov %rax, 40(%rdi)\n"
	"	mov	run_flags(%rip), %rax\n	mov %rax, 120(%rdi)\n"
	"	pop	%rax\n	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop	%r12\n	pop %rbp\n	pop %rbx\n	ret\n");

static uint8_t *code_area;
static uint8_t *tramp_area;

/* The patch in force, for the signal handlers. */
static struct patch_record record;
static uaddr_t site_addr;
static unsigned long ill_count;
static long teleport_at; /* step in the trampoline at which to go to the site */
static long steps_seen;

static void on_ill(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	uaddr_t to;

	(void)sig, (void)info;
	ill_count++;
	if (!patch_to_tramp(&record, site_addr, (uaddr_t)g[REG_RIP], &to))
		_exit(99);
	g[REG_RIP] = (greg_t)to;
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	uaddr_t slot = site_addr + (uaddr_t)(int64_t)record.slot_delta;
	uaddr_t rip = (uaddr_t)g[REG_RIP];
	uaddr_t to;

	(void)sig, (void)info;
	if (rip - slot >= record.tramp_len)
		return;
	if (!patch_to_site(&record, site_addr, rip, &to))
		_exit(98);
	if (steps_seen++ == teleport_at) {
		g[REG_RIP] = (greg_t)to;
		g[REG_EFL] &= ~FLAG_TF;
	}
}

static void init(void)
{
	struct sigaction ill = {.sa_sigaction = on_ill, .sa_flags = SA_SIGINFO};
	struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	int prot = PROT_READ | PROT_WRITE | PROT_EXEC;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
	uint8_t *base = (uint8_t *)0x200000000000;

	code_area = mmap(base, CODE_SIZE, prot, flags, -1, 0);
	CHECK(code_area == base);
	tramp_area = mmap(base + AREA_DELTA, AREA_SIZE, prot, flags, -1, 0);
	CHECK(tramp_area == base + AREA_DELTA);
	CHECK(sigaction(SIGILL, &ill, NULL) == 0);
	CHECK(sigaction(SIGTRAP, &trap, NULL) == 0);
}

static uint64_t scratch[64];

static struct regs start_regs(uint64_t nr, uint64_t flags)
{
	struct regs r = {
		.rax = nr,
		.rbx = (uint64_t)&scratch[8],
		.rcx = 3,
		.rdx = 0x1111222233334444,
		.rsi = 5,
		.rdi = 0xfffffff7, /* no descriptor */
		.rbp = (uint64_t)&scratch[32],
		.r8 = 0x88,
		.r9 = 0x99,
		.r10 = 0xaa,
		.r11 = 0xbb,
		.r12 = (uint64_t)&scratch[20],
		.r13 = 0xdd,
		.r14 = 0xee,
		.r15 = 0xffff0000ffff0000,
		.flags = 0x202 | flags,
	};

	for (size_t i = 0; i < 64; i++)
		scratch[i] = 0x0101010101010101 * i;
	return r;
}

/* Runs from target behind the snippet's prelude, without its last skip pushes; *mem sums
 * up what memory holds after. */
static struct regs run(const struct snippet *s, uint8_t *target, size_t skip, uint64_t nr,
		       uint64_t flags, uint64_t *mem)
{
	struct regs r = start_regs(nr, flags);
	uint8_t *stub = code_area + STUB_OFF;
	size_t n = s->prelude ? strlen(s->prelude) - skip : 0;
	int32_t rel = (int32_t)(target - (stub + n + 5));

	memcpy(stub, s->prelude ? s->prelude : "", n);
	stub[n] = 0xe9;
	memcpy(stub + n + 1, &rel, 4);
	run_asm(&r, (uint64_t)stub);
	r.rcx = r.r11 = 0; /* the system call's to destroy */
	r.flags &= FLAGS_SEEN;
	*mem = 0;
	for (size_t i = 0; i < 64; i++)
		*mem = *mem * 31 + scratch[i];
	return r;
}

static void print_diff(const struct regs *a, const struct regs *b)
{
	const uint64_t *x = (const uint64_t *)a;
	const uint64_t *y = (const uint64_t *)b;

	for (size_t i = 0; i < sizeof *a / 8; i++)
		if (x[i] != y[i])
			printf("# word %zu: %lx, patched %lx\n", i, x[i], y[i]);
}

static void same(const struct snippet *s, const char *what, const struct regs *a,
		 const struct regs *b, uint64_t mem_a, uint64_t mem_b)
{
	if (memcmp(a, b, sizeof *a) == 0 && mem_a == mem_b)
		return;
	printf("not ok: %s differs %s\n", s->name, what);
	print_diff(a, b);
	exit(1);
}

static struct patch_request request(const struct snippet *s, const uint8_t *code,
				    uint32_t nr)
{
	return (struct patch_request){
		.site = (uaddr_t)(code + s->site),
		.code = code - 64,
		.before = 64u + s->site,
		.after = 64,
		.nr = nr,
	};
}

static void patch(const struct snippet *s, uint8_t *code, uint32_t nr)
{
	struct patch_request req = request(s, code, nr);
	uaddr_t entry_ptr = (uaddr_t)tramp_area;
	struct patch_shape shape;
	struct patch_plan plan;
	size_t off = 0;

	*(void (**)(void))tramp_area = fake_entry;
	CHECK(patch_analyse(&req, &shape));
	if (shape.kind != s->kind || (shape.invalid_mask != s->mask))
		printf("# %s: kind %d mask %d\n", s->name, shape.kind,
		       shape.invalid_mask);
	CHECK(shape.kind == s->kind && shape.invalid_mask == s->mask);
	CHECK(patch_find_slot(&shape, entry_ptr, (uaddr_t)tramp_area, AREA_SIZE, 8, NULL,
			      &off));
	CHECK(off >= 8 && off % PATCH_SLOT_ALIGN == 0);
	CHECK(patch_emit(&shape, (uaddr_t)tramp_area + off, entry_ptr, &plan));
	CHECK(plan.record.tramp_len == patch_tramp_len(&shape));
	memcpy(tramp_area + off, plan.tramp, plan.record.tramp_len);
	memcpy(code + s->site + plan.record.start, plan.bytes, plan.record.len);
	record = plan.record;
	site_addr = req.site;
}

/* Where, from the site on, does a displaced instruction start? */
static bool is_start(int off)
{
	uaddr_t to;

	return patch_to_tramp(&record, site_addr, site_addr + (uaddr_t)off, &to);
}

static void put(const struct snippet *s, uint8_t *code)
{
	memset(code_area + 0x1000, 0xcc, 0x800);
	memset(code_area + 0x1000, 0x90, 0x100);
	memcpy(code, s->code, s->len);
}

static uint64_t step_through(const struct snippet *s, uint8_t *code, uint64_t nr,
			     const struct regs *want, uint64_t want_mem)
{
	uint64_t mem;

	for (teleport_at = 0;; teleport_at++) {
		steps_seen = 0;

		struct regs r = run(s, code, 0, nr, FLAG_TF | 0x801, &mem);

		same(s, "after going back to the site", want, &r, want_mem, mem);
		if (steps_seen <= teleport_at)
			return (uint64_t)steps_seen;
	}
}

static void try_snippet(const struct snippet *s)
{
	uint8_t *code = code_area + SITE_OFF;
	uint64_t nr = SYS_getpid;
	struct regs want[2], from[8];
	uint64_t mem[2], from_mem[8], m;
	size_t skip = 0;

	while (((uaddr_t)code + s->site) % 16 != s->align)
		code++;
	put(s, code);
	want[0] = run(s, code, 0, nr, 0, &mem[0]);
	want[1] = run(s, code, 0, nr, 0x801, &mem[1]);
	fake_result = (uint64_t)getpid();
	for (int i = 2; i < 8; i++) {
		/* Only what will be displaced is known to be a start: ask a trial patch.
		 */
		put(s, code);
		patch(s, code, (uint32_t)nr);
		bool start = is_start(i);
		put(s, code);
		if (start)
			from[i] = run(s, code + s->site + i, skip++, 77, 0x40,
				      &from_mem[i]);
	}
	skip = 0;
	patch(s, code, (uint32_t)nr);
	for (int i = 0; i < 2; i++) {
		seen_nr = 0;

		struct regs r = run(s, code, 0, nr, i ? 0x801 : 0, &m);

		same(s, "patched", &want[i], &r, mem[i], m);
		CHECK(seen_nr == nr);
	}
	if (s->kind == PATCH_A) {
		CHECK(seen_rcx == site_addr + 2);
	} else {
		int32_t delta;

		memcpy(&delta, (void *)(seen_rcx - 4), 4);
		CHECK(seen_rcx + (uint64_t)(int64_t)delta == site_addr + 2);
	}
	for (int i = 2; i < 8; i++) {
		unsigned long before = ill_count;

		if (!is_start(i))
			continue;

		struct regs r = run(s, code + s->site + i, skip++, 77, 0x40, &m);

		same(s, "entered at a displaced instruction", &from[i], &r, from_mem[i],
		     m);
		CHECK(ill_count > before);
	}
	CHECK(step_through(s, code, nr, &want[1], mem[1]) >= 2);
}

#define SNIPPET(n, bytes, ...)                                                           \
	{                                                                                \
		.name = n, .code = bytes, .len = sizeof(bytes) - 1, __VA_ARGS__          \
	}

static const struct snippet snippets[] = {
	SNIPPET("mov; syscall", "\xb8\x27\x00\x00\x00\x0f\x05\xc3", .site = 5,
		.kind = PATCH_A),
	SNIPPET("mov rax; syscall", "\x48\xc7\xc0\x27\x00\x00\x00\x0f\x05\xc3", .site = 7,
		.kind = PATCH_A),
	SNIPPET("mov; mov; xor; syscall",
		"\xb8\x27\x00\x00\x00\x48\x89\xde\x31\xd2\x0f\x05\xc3", .site = 10,
		.kind = PATCH_A),
	SNIPPET("load with a disp8 like an opcode before the mov",
		"\x48\x8b\x73\x08\xb8\x27\x00\x00\x00\x0f\x05\x48\x01\xf0\xc3", .site = 9,
		.kind = PATCH_A),
	SNIPPET("mov; rip-relative load; push; pop; syscall",
		"\xb8\x27\x00\x00\x00\x8b\x15\x02\x00\x00\x00\x56\x41\x5a\x0f\x05\xc3",
		.site = 14, .kind = PATCH_A),
	SNIPPET("cmp; ja", "\x0f\x05\x48\x3d\x00\xf0\xff\xff\x77\x01\xc3\x48\xf7\xd8\xc3",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("cmp eax", "\x0f\x05\x3d\x00\xf0\xff\xff\x0f\x97\xc2\xc3",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("nr too far away",
		"\xb8\x27\x00\x00\x00\x90\x90\x90\x90\x90\x90\x0f\x05"
		"\x48\x83\xf8\x03\x19\xc9\xc3",
		.site = 11, .kind = PATCH_B, .mask = 2),
	SNIPPET("test; jz taken or not", "\x0f\x05\x85\xc0\x74\x03\x83\xc0\x07\xc3",
		.kind = PATCH_B, .mask = 2 | 8),
	SNIPPET("test; jnz", "\x0f\x05\x85\xc0\x75\x03\x83\xc0\x07\xc3", .kind = PATCH_B,
		.mask = 2 | 8),
	SNIPPET("jnz rel32", "\x0f\x05\x0f\x85\x03\x00\x00\x00\x83\xc0\x07\xc3",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("jmp rel8, padding",
		"\x0f\x05\xeb\x0c\x0f\x1f\x80\x00\x00\x00\x00\x90\x90\x90\x90\x90\xff\xc0"
		"\xc3",
		.kind = PATCH_B, .mask = 2, .align = 5),
	SNIPPET("jmp rel32", "\x0f\x05\xe9\x01\x00\x00\x00\xcc\xff\xc0\xc3",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("ret, nops", "\x0f\x05\xc3\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00\xcc",
		.kind = PATCH_B, .mask = 2, .align = 3),
	SNIPPET("ret, int3", "\x0f\x05\xc3\xcc\xcc\xcc", .kind = PATCH_B, .mask = 2,
		.align = 7),
	SNIPPET("ret, jmp", "\x0f\x05\xc3\xe9\x01\x00\x00\x00\xcc\x29\xc0\xc3",
		.kind = PATCH_B, .mask = 2 | 4),
	SNIPPET("pop; ret, nop", "\x0f\x05\x5b\xc3\x0f\x1f\x00", .kind = PATCH_B,
		.mask = 2 | 4, .align = 9, .prelude = "\x53"),
	SNIPPET("pop; pop; pop; ret", "\x0f\x05\x5b\x5d\x58\xc3", .kind = PATCH_B,
		.mask = 2 | 4 | 8, .prelude = "\x53\x55\x50"),
	SNIPPET("pop; long pop; ret", "\x0f\x05\x5b\x41\x5f\xc3", .kind = PATCH_B,
		.mask = 2 | 4, .prelude = "\x53\x55"),
	SNIPPET("rip-relative load",
		"\x0f\x05\x8b\x15\x01\x00\x00\x00\xc3\x11\x22\x33\x44", .kind = PATCH_B,
		.mask = 2),
	SNIPPET("rip-relative compare with an immediate",
		"\x0f\x05\x83\x3d\x01\x00\x00\x00\x11\xc3\x11\x00\x00\x00",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("rip-relative lea", "\x0f\x05\x4c\x8d\x05\x10\x00\x00\x00\xc3",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("fs", "\x0f\x05\x64\x48\x8b\x14\x25\x00\x00\x00\x00\xc3", .kind = PATCH_B,
		.mask = 2),
	SNIPPET("store; store", "\x0f\x05\x89\x03\x89\x43\x10\xc3", .kind = PATCH_B,
		.mask = 2 | 8),
	SNIPPET("red zone", "\x0f\x05\x48\x89\x44\x24\xf8\x48\x8b\x54\x24\xf8\xc3",
		.kind = PATCH_B, .mask = 2),
	SNIPPET("imul", "\x0f\x05\x69\x45\x08\xe8\x03\x00\x00\xc3", .kind = PATCH_B,
		.mask = 2),
	SNIPPET("mov $nr,%r8d is not the nr",
		"\x41\xb8\x27\x00\x00\x00\x0f\x05\x48\x3d\x00\xf0\xff\xff\xc3", .site = 6,
		.kind = PATCH_B, .mask = 2),
	SNIPPET("movl $nr,-72(%rbp) is not the nr",
		"\xc7\x45\xb8\x27\x00\x00\x00\x0f\x05\x48\x3d\x00\xf0\xff\xff\xc3",
		.site = 7, .kind = PATCH_B, .mask = 2),
	SNIPPET("jmp *%rdx", "\x0f\x05\x48\x8d\x15\x02\x00\x00\x00\xff\xe2\xc3",
		.kind = PATCH_B, .mask = 2),
};

static void patched_snippets_do_what_they_did(void)
{
	for (size_t i = 0; i < sizeof snippets / sizeof snippets[0]; i++)
		try_snippet(&snippets[i]);
}

/* ---- refusals ---- */

static const char hopeless[][10] = {
	"\x0f\x05\xe8\x00\x00\x00\x00",		/* call: its return address shows */
	"\x0f\x05\x0f\x05\x0f\x05\x90\x90",	/* another system call */
	"\x0f\x05\xc5\xf8\x77\x90\x90\x90",	/* not on the white list */
	"\x0f\x05\xc3\x89\xc7\x89\xc7\x89\xc7", /* another block behind the ret */
	"\x0f\x05\xeb\x10\x31\xc0\x31\xc0\x31", /* another block behind the jmp */
	"\x0f\x05\xc3\xf3\x90\xeb\xfc\x90\x90", /* a spin loop, no padding */
	"\x0f\x34\x48\x3d\x00\xf0\xff\xff\x90", /* not a syscall */
};

static void hopeless_sites_are_left_alone(void)
{
	for (size_t i = 0; i < sizeof hopeless / sizeof hopeless[0]; i++) {
		uint8_t code[160];
		struct patch_request req = {.site = 0x400003,
					    .code = code,
					    .before = 64,
					    .after = 64,
					    .nr = 39};
		struct patch_shape shape;

		memset(code, 0x90, sizeof code);
		memset(code + 64, 0, 96);
		for (int n = 0; n < 9; n++)
			code[64 + n] = (uint8_t)hopeless[i][n];
		CHECK(!patch_analyse(&req, &shape));
	}
}

static void numbers_must_match_and_be_sane(void)
{
	uint8_t code[16] = "\xb8\x27\x00\x00\x00\x0f\x05\xcd\x80";
	struct patch_request req = {
		.site = 0x400005, .code = code, .before = 5, .after = 11, .nr = 39};
	struct patch_shape shape;

	CHECK(patch_analyse(&req, &shape) && shape.kind == PATCH_A);
	req.nr = 40;
	CHECK(!patch_analyse(&req, &shape));
	code[1] = 15;
	req.nr = 15; /* rt_sigreturn */
	CHECK(!patch_analyse(&req, &shape));
	memcpy(code + 1, "\x27\x00\x00\x40", 4);
	req.nr = 0x40000027; /* x32 */
	CHECK(!patch_analyse(&req, &shape));
}

static void only_readable_bytes_are_looked_at(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, (size_t)page * 3, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *p = map + page;
	uint64_t seed = 88172645463325252;

	CHECK(map != MAP_FAILED);
	CHECK(mprotect(p, (size_t)page, PROT_READ | PROT_WRITE) == 0);
	for (int i = 0; i < 300000; i++) {
		uint32_t before = (uint32_t)(seed % 9);
		uint32_t after = (uint32_t)(seed / 9 % 12);
		uint8_t *code = i % 2 ? p : p + page - before - after;
		struct patch_shape shape;

		for (uint32_t n = 0; n < before + after; n++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			code[n] = (uint8_t)seed;
		}
		if (after >= 2)
			memcpy(code + before, "\x0f\x05", 2);
		if (before >= 5 && i % 3)
			memcpy(code + before - 5, "\xb8\x27\x00\x00\x00", 5);

		struct patch_request req = {.site = seed & 0x7fffffff,
					    .code = code,
					    .before = before,
					    .after = after,
					    .nr = 39};

		if (!patch_analyse(&req, &shape))
			continue;
		CHECK(shape.start >= -(int)before);
		CHECK(shape.start + shape.len <= (int)after);
		CHECK(patch_tramp_len(&shape) <= PATCH_TRAMP_MAX);
	}
	CHECK(munmap(map, (size_t)page * 3) == 0);
}

/* ---- slots ---- */

static struct patch_shape shape_of(const char *code, size_t len, uaddr_t site)
{
	struct patch_request req = {.site = site,
				    .code = (const uint8_t *)code,
				    .after = (uint32_t)len,
				    .nr = 39};
	struct patch_shape shape;

	CHECK(patch_analyse(&req, &shape));
	return shape;
}

static void find_slot_agrees_with_slot_ok(void)
{
	static const char *const codes[] = {"\x0f\x05\x48\x3d\x00\xf0\xff\xff",
					    "\x0f\x05\x5b\x41\x5f\xc3\x90\x90",
					    "\x0f\x05\x85\xc0\x74\x03\x90\x90"};
	uint64_t seed = 12345;

	for (int i = 0; i < 60; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;

		uaddr_t site = 0x7f0000000000 + (seed >> 40);
		uaddr_t area = site + AREA_DELTA - (seed >> 20) % 0x4000000;
		size_t size = 0x20000;
		uint8_t used[0x20000 / 64] = {0};
		struct patch_shape s = shape_of(codes[i % 3], 8, site);
		size_t len = patch_tramp_len(&s);
		size_t want, got = 0;

		for (size_t n = 0; n < sizeof used; n++)
			used[n] =
				(uint8_t)((seed >> (n % 57)) & (seed >> (n % 41)) & 0x11);
		for (want = 0; want + len <= size; want += PATCH_SLOT_ALIGN) {
			bool free = true;

			for (size_t o = want / 8; o <= (want + len - 1) / 8; o++)
				free &= !(used[o / 8] >> o % 8 & 1);
			if (free && patch_slot_ok(&s, area + want, area))
				break;
		}
		bool found = patch_find_slot(&s, area, area, size, 0, used, &got);

		CHECK(found == (want + len <= size));
		CHECK(!found || got == want);
	}
}

static void any_64_kib_serve_a_simple_site(void)
{
	for (uaddr_t d = 0; d < 0x40000000; d += 0x1234567) {
		struct patch_shape s = shape_of("\x0f\x05\x48\x3d\x00\xf0\xff\xff", 8,
						0x550000001000 + d);
		size_t off;

		CHECK(patch_find_slot(&s, 0x550000000000, 0x550000000000, 0x10000, 8,
				      NULL, &off));
	}
}

static void what_is_out_of_reach_is_refused(void)
{
	struct patch_shape s = shape_of("\x0f\x05\x48\x3d\x00\xf0\xff\xff", 8, 0x10000);
	struct patch_shape rip =
		shape_of("\x0f\x05\x8b\x05\x00\x00\x00\x80", 8, 0x90000000);
	uaddr_t near = 0x10000 + 5 + 0x600;
	size_t off;

	CHECK(patch_slot_ok(&s, near, 0x10000));
	CHECK(!patch_slot_ok(&s, near, 0x10000 + (1ULL << 32)));
	CHECK(!patch_slot_ok(&s, near + (1ULL << 31), near + (1ULL << 31)));
	CHECK(!patch_slot_ok(&s, near + (1ULL << 32), near + (1ULL << 32)));
	CHECK(!patch_find_slot(&s, 0x7f0000000000, 0x7f0000000000, 0x10000, 0, NULL,
			       &off));
	CHECK(!patch_slot_ok(&rip, 0x90000005 + 0x600, 0x90000000));
	CHECK(patch_slot_ok(&rip, 0x90000005 - 0x10000 + 0x600, 0x90000000));
}

RUN(TEST(init), TEST(patched_snippets_do_what_they_did),
    TEST(hopeless_sites_are_left_alone), TEST(numbers_must_match_and_be_sane),
    TEST(only_readable_bytes_are_looked_at), TEST(find_slot_agrees_with_slot_ok),
    TEST(any_64_kib_serve_a_simple_site), TEST(what_is_out_of_reach_is_refused))
