/* SPDX-License-Identifier: MIT */
/* calls: gettimeofday time getcpu */
/* vsyscall.c - the vsyscall page: three addresses that old programs call, and which are
 * nothing but that (vsyscall=xonly, the default). */
#include "seccomp.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#define VSYSCALL 0xffffffffff600000UL
#define PAGE	 4096UL

static sigjmp_buf back;
static volatile siginfo_t last;
static volatile long last_ip, last_sp;

static long call(unsigned long offset, const void *a, const void *b, const void *c)
{
	return ((long (*)(const void *, const void *, const void *))(VSYSCALL + offset))(
		a, b, c);
}

static void keep_and_jump(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	last = *info;
	last_ip = uc->uc_mcontext.gregs[REG_RIP];
	last_sp = uc->uc_mcontext.gregs[REG_RSP];
	siglongjmp(back, 1);
}

/* The start of a page, with nothing mapped behind it. */
static char *last_page(int prot)
{
	char *p = mmap(NULL, 2 * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && munmap(p + PAGE, PAGE) == 0);
	return p;
}

static const char *text_of(const char *name)
{
	static char text[1 << 18];
	int fd = open(name, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	CHECK(fd >= 0);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	CHECK(n == 0 && close(fd) == 0);
	text[len] = 0;
	return text;
}

#define FAULTS(statement)                                                                \
	do {                                                                             \
		memset((void *)&last, 0, sizeof(last));                                  \
		if (sigsetjmp(back, 1) == 0) {                                           \
			statement;                                                       \
			CHECK(!"a fault");                                               \
		}                                                                        \
		CHECK(last.si_signo == SIGSEGV);                                         \
	} while (0)

static void calls_answer(void)
{
	struct timeval tv = {0, 0}, now;
	struct timezone tz = {77, 77};
	unsigned int cpu = 77, node = 77;
	time_t t = 0;

	CHECK(call(0, &tv, &tz, NULL) == 0 && tz.tz_minuteswest == 0);
	CHECK(gettimeofday(&now, NULL) == 0);
	CHECK(now.tv_sec - tv.tv_sec <= 60 && tv.tv_sec <= now.tv_sec);
	CHECK(call(0, NULL, NULL, NULL) == 0);
	/* time() reads the coarse clock: it may be a tick behind, in the second before.
	 */
	CHECK(call(0x400, &t, NULL, NULL) == t && t >= tv.tv_sec - 1 &&
	      t <= tv.tv_sec + 60);
	CHECK(call(0x400, NULL, NULL, NULL) >= t);
	CHECK(call(0x800, &cpu, &node, NULL) == 0 && cpu < 4096 && node < 64);
	CHECK(call(0x800, NULL, NULL, (void *)1) == 0);
	for (int i = 0; i < 1000; i++)
		CHECK(call(0x400, NULL, NULL, NULL) >= t);
}

/* Unlike a system call it leaves all registers but the result as they were. */
static void other_registers_are_kept(void)
{
	register unsigned long r10 __asm__("r10") = 10, r11 __asm__("r11") = 11;
	register unsigned long r8 __asm__("r8") = 8, r9 __asm__("r9") = 9;
	unsigned long rax = VSYSCALL + 0x400, rcx = 12, rdx = 13, rdi = 0, rsi = 14;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tcall *%%rax\n\tlea 128(%%rsp), %%rsp"
			 : "+a"(rax), "+c"(rcx), "+d"(rdx), "+D"(rdi), "+S"(rsi),
			   "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11)::"memory", "cc");
	CHECK(rax > 1000000000 && rcx == 12 && rdx == 13 && rdi == 0 && rsi == 14);
	CHECK(r8 == 8 && r9 == 9 && r10 == 10 && r11 == 11);
}

static void all_else_faults(void)
{
	handle_info(SIGSEGV, keep_and_jump, 0);
	FAULTS((void)*(const volatile char *)VSYSCALL);
	CHECK(last.si_addr == (void *)VSYSCALL);
	FAULTS(*(volatile char *)(VSYSCALL + 0x400) = 1);
	for (volatile unsigned long at = 0; at < 0x1000; at += 0x40) {
		if (at % 0x400 == 0 && at < 0xc00)
			continue;
		FAULTS(call(at, NULL, NULL, NULL));
		CHECK((unsigned long)last_ip == VSYSCALL + at);
		CHECK(last.si_code == SI_KERNEL && last.si_addr == NULL);
	}
	FAULTS(call(0x1000, NULL, NULL, NULL));
	FAULTS(call(-0x1000UL, NULL, NULL, NULL));
}

/* Not EFAULT: the page has never known that. */
static void bad_pointers_fault(void)
{
	static void *const bad[] = {(void *)0x10, (void *)0x7ff000000000,
				    (void *)0x7ffffffff000, (void *)0x800000000000,
				    (void *)-16L};
	char *ro = last_page(PROT_READ), *edge = last_page(PROT_READ | PROT_WRITE) + PAGE;
	unsigned int cpu;

	handle_info(SIGSEGV, keep_and_jump, 0);
	FAULTS(call(0x400, ro, NULL, NULL));
	FAULTS(call(0, edge, NULL, NULL));
	FAULTS(call(0, edge - 8, NULL, NULL));
	FAULTS(call(0, NULL, edge - 4, NULL));
	FAULTS(call(0x800, &cpu, edge, NULL));
	for (volatile size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		FAULTS(call(0, bad[i], NULL, NULL));
		FAULTS(call(0x400, bad[i], NULL, NULL));
		CHECK((unsigned long)last_ip == VSYSCALL + 0x400);
		FAULTS(call(0x800, NULL, bad[i], NULL));
	}
	FAULTS(call(0x800, (void *)0xffff800000000000UL, NULL, NULL));
	CHECK(last.si_code == SEGV_MAPERR &&
	      last.si_addr == (void *)0xffff800000000000UL);
}

/* The return address is the caller's to keep. */
static void a_bad_stack_faults(void)
{
	static char stack[16384];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};

	CHECK(sigaltstack(&ss, NULL) == 0);
	handle_info(SIGSEGV, keep_and_jump, SA_ONSTACK);
	FAULTS(__asm__ volatile("mov $16, %%esp\n\tjmp *%0" ::"a"(VSYSCALL + 0x400)
				: "memory"));
	CHECK(last_sp == 16 && (unsigned long)last_ip == VSYSCALL + 0x400);
}

static void *calls_for_a_while(void *arg)
{
	long end = now_ms() + 200;
	time_t t;

	(void)arg;
	while (now_ms() < end)
		CHECK(call(0x400, &t, NULL, NULL) == t);
	return NULL;
}

static void on_tick(int sig)
{
	(void)sig;
	CHECK(call(0x400, NULL, NULL, NULL) > 0);
}

static void threads_and_signals(void)
{
	struct itimerval it = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
	pthread_t th[2];

	CHECK(signal(SIGALRM, on_tick) != SIG_ERR);
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&th[i], NULL, calls_for_a_while, NULL) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(th[i], NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
}

static void a_child(void)
{
	CHECK(call(0x400, NULL, NULL, NULL) > 0);
}

static void children_have_it(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		a_child();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* ---- filters ---- */

static volatile sig_atomic_t trapped;

static void on_sys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	CHECK(sig == SIGSYS && info->si_code == 1 && info->si_syscall == SYS_time);
	CHECK(info->si_call_addr == (void *)(VSYSCALL + 0x400));
	CHECK(uc->uc_mcontext.gregs[REG_RAX] == SYS_time);
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
	trapped++;
}

static void filters_are_asked(void)
{
	struct sock_filter insns[] = {
		LOAD(instruction_pointer),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)VSYSCALL, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | 5),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)VSYSCALL + 0x400, 0, 1),
		RETURN(SECCOMP_RET_TRAP),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct timeval tv;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		handle_info(SIGSYS, on_sys, 0);
		no_new_privs();
		CHECK(install(PROGRAM(insns), 0) == 0);
		CHECK(call(0, &tv, NULL, NULL) == -5);
		CHECK(call(0x400, NULL, NULL, NULL) == 4711 && trapped == 1);
		CHECK(call(0x800, NULL, NULL, NULL) == 0);
		CHECK(syscall(SYS_gettimeofday, &tv, NULL) == 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void a_filter_may_kill(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		CHECK(filter_call(SYS_time, SECCOMP_RET_KILL_PROCESS, 0) == 0);
		(void)call(0x400, NULL, NULL, NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* ---- /proc ---- */

static void maps_and_smaps_show_it_last(void)
{
	static const char wanted[] = "ffffffffff600000-ffffffffff601000 --xp 00000000 "
				     "00:00 0                  [vsyscall]\n";
	const char *text = text_of("/proc/self/maps");
	const char *line = strstr(text, "ffffffffff600000");

	CHECK(line && strcmp(line, wanted) == 0);
	text = text_of("/proc/self/smaps");
	line = strstr(text, wanted);
	CHECK(line && strstr(line, "\nSize:                  4 kB\n"));
	CHECK(strstr(line, "\nRss:                   0 kB\n"));
	CHECK(strstr(line, "\nVmFlags: ex \n"));
	text = text_of("/proc/self/numa_maps");
	CHECK(!strstr(text, "ffffffffff600000"));
}

static void memory_calls_know_nothing_of_it(void)
{
	void *p = (void *)VSYSCALL;
	unsigned char vec;

	FAILS(EINVAL, munmap(p, PAGE));
	FAILS(ENOMEM, mprotect(p, PAGE, PROT_READ));
	FAILS(ENOMEM, mincore(p, PAGE, &vec));
	FAILS(EFAULT, write(1, p, 1));
}

RUN(TEST(calls_answer), TEST(other_registers_are_kept), TEST(all_else_faults),
    TEST(bad_pointers_fault), TEST(a_bad_stack_faults), TEST(threads_and_signals),
    TEST(children_have_it), TEST(filters_are_asked), TEST(a_filter_may_kill),
    TEST(maps_and_smaps_show_it_last), TEST(memory_calls_know_nothing_of_it))
