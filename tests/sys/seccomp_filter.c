/* SPDX-License-Identifier: MIT */
/* seccomp_filter.c - which programs are taken, what they see, how several work together,
 * and who inherits them. */
/* calls: seccomp */
/* timeout: 120 */
#include "seccomp.h"

#include <spawn.h>

/* ---- which programs are taken ---- */

static bool is_taken(const struct sock_filter *insns, unsigned short count)
{
	CHILD(pid)
	{
		no_new_privs();
		if (install(&(struct sock_fprog){count, (struct sock_filter *)insns},
			    0) == 0)
			_exit(1);
		_exit(errno == EINVAL ? 0 : 2);
	}
	int status = wait_status(pid);

	/* one that has been taken may kill */
	CHECK(status == 0 || status == 1 << 8 || (status & 0x7f) == SIGSYS);
	return status != 0;
}

/* The opcodes of programs for calls; those with an operand in memory after a store. */
static const uint8_t codes[] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15,
	0x16, 0x1c, 0x1d, 0x20, 0x24, 0x25, 0x2c, 0x2d, 0x34, 0x35, 0x3c,
	0x3d, 0x44, 0x45, 0x4c, 0x4d, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c,
	0x74, 0x7c, 0x80, 0x81, 0x84, 0x87, 0xa4, 0xac,
};

static void opcodes_are_known_or_refused(void)
{
	for (unsigned code = 0; code < 0x120; code++) {
		struct sock_filter insns[] = {
			BPF_STMT(BPF_ST, 4),	   {(unsigned short)code, 0, 0, 4},
			RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ALLOW),
			RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ALLOW),
			RETURN(SECCOMP_RET_ALLOW),
		};
		bool want = code < 0x100 && memchr(codes, (int)code, sizeof(codes));

		if (is_taken(insns, 7) != want) {
			printf("not ok: opcode %#x\n", code);
			exit(1);
		}
	}
}

#define TAKEN(...)                                                                       \
	is_taken((struct sock_filter[]){__VA_ARGS__},                                    \
		 sizeof((struct sock_filter[]){__VA_ARGS__}) /                           \
			 sizeof(struct sock_filter))
#define OK RETURN(SECCOMP_RET_ALLOW)

static void operands_are_checked(void)
{
	CHECK(TAKEN(OK));
	CHECK(TAKEN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), OK));
	CHECK(TAKEN(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 31), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32), OK));
	CHECK(TAKEN(BPF_STMT(BPF_ST, 15), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_ST, 16), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_STX, 16), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_LD | BPF_MEM, 16), OK));
	CHECK(TAKEN(BPF_STMT(BPF_JMP | BPF_JA, 0), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_JMP | BPF_JA, 1), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_JMP | BPF_JA, -1), OK));
	CHECK(!TAKEN(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), OK));
	CHECK(!TAKEN(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), OK));
	CHECK(TAKEN(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), OK, OK));
	/* the last returns */
	CHECK(!TAKEN(OK, BPF_STMT(BPF_LD | BPF_IMM, 0)));
	CHECK(!TAKEN(BPF_STMT(BPF_JMP | BPF_JA, 0)));
	/* code that nobody comes to is looked at too */
	CHECK(!TAKEN(OK, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), OK));
}

static void memory_is_written_before_it_is_read(void)
{
	CHECK(!TAKEN(BPF_STMT(BPF_LD | BPF_MEM, 0), OK));
	CHECK(!TAKEN(BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LDX | BPF_MEM, 0), OK));
	CHECK(TAKEN(BPF_STMT(BPF_STX, 0), BPF_STMT(BPF_LDX | BPF_MEM, 0), OK));
	/* on one of two ways only */
	CHECK(!TAKEN(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 3),
		     BPF_STMT(BPF_LD | BPF_MEM, 3), OK));
	/* on both */
	CHECK(TAKEN(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), BPF_STMT(BPF_ST, 3),
		    BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_STX, 3),
		    BPF_STMT(BPF_LD | BPF_MEM, 3), OK));
	/* nobody comes past the jump */
	CHECK(TAKEN(BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_LD | BPF_MEM, 3), OK));
}

/* ---- what a program computes ---- */

/* Runs a program, whose result in A becomes the errno of getppid(a0 … a5). */
static int result_of(const struct sock_filter *body, size_t count)
{
	CHILD(pid)
	{
		struct sock_filter insns[64];
		size_t n = 0;

		insns[n++] = (struct sock_filter)LOAD(nr);
		insns[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							  SYS_getppid, 1, 0);
		insns[n++] = (struct sock_filter)OK;
		insns[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
		memcpy(&insns[n], body, count * sizeof(*body));
		n += count;
		insns[n++] =
			(struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff);
		insns[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K,
							  SECCOMP_RET_ERRNO);
		insns[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
		no_new_privs();
		CHECK(install(&(struct sock_fprog){(unsigned short)n, insns}, 0) == 0);
		errno = 0;
		(void)!syscall(SYS_getppid, 0x1122334455667788L, -2L, 3L, 4L, 5L, 0x66L);
		_exit(errno);
	}
	return WEXITSTATUS(wait_status(pid));
}
#define RESULT(...)                                                                      \
	result_of((struct sock_filter[]){__VA_ARGS__},                                   \
		  sizeof((struct sock_filter[]){__VA_ARGS__}) /                          \
			  sizeof(struct sock_filter))
#define LD(k)	   BPF_STMT(BPF_LD | BPF_IMM, k)
#define LDX(k)	   BPF_STMT(BPF_LDX | BPF_IMM, k)
#define ALU(op, k) BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define ALUX(op)   BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define TOP	   BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 24)

static void the_computer_computes(void)
{
	CHECK(RESULT(LD(200), ALU(BPF_ADD, 100)) == 44);
	CHECK(RESULT(LD(5), ALU(BPF_SUB, 7)) == 254);
	CHECK(RESULT(LD(0x12345), ALU(BPF_MUL, 3)) == (0x12345 * 3 & 0xff));
	CHECK(RESULT(LD(0xfffffffe), ALU(BPF_DIV, 0x1000000)) == 0xff);
	CHECK(RESULT(LD(0xf0), ALU(BPF_XOR, 0xff)) == 0x0f);
	CHECK(RESULT(LD(0x11), ALU(BPF_OR, 0x22)) == 0x33);
	CHECK(RESULT(LD(1), ALU(BPF_LSH, 31), TOP) == 0x80);
	CHECK(RESULT(LD(0x80000000), ALU(BPF_RSH, 25)) == 0x40);
	CHECK(RESULT(LD(1), BPF_STMT(BPF_ALU | BPF_NEG, 0)) == 0xff);
	CHECK(RESULT(LDX(7), LD(6), ALUX(BPF_MUL)) == 42);
	CHECK(RESULT(LDX(7), LD(50), ALUX(BPF_DIV)) == 7);
	CHECK(RESULT(LDX(33), LD(1), ALUX(BPF_LSH)) == 2);
	CHECK(RESULT(LDX(33), LD(4), ALUX(BPF_RSH)) == 2);
	CHECK(RESULT(LD(9), BPF_STMT(BPF_MISC | BPF_TAX, 0), LD(0),
		     BPF_STMT(BPF_MISC | BPF_TXA, 0)) == 9);
	CHECK(RESULT(LD(77), BPF_STMT(BPF_ST, 15), LD(0),
		     BPF_STMT(BPF_LD | BPF_MEM, 15)) == 77);
	CHECK(RESULT(LDX(78), BPF_STMT(BPF_STX, 0), LDX(0),
		     BPF_STMT(BPF_LDX | BPF_MEM, 0),
		     BPF_STMT(BPF_MISC | BPF_TXA, 0)) == 78);
	CHECK(RESULT(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)) == 64);
	CHECK(RESULT(BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
		     BPF_STMT(BPF_MISC | BPF_TXA, 0)) == 64);
	CHECK(RESULT(LD(0x80000001),
		     BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0x80000000, 0, 1), LD(1),
		     LD(2)) == 2);
	CHECK(RESULT(LD(0x80000001), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 5, 1, 0), LD(1),
		     ALU(BPF_AND, 3)) == 1);
	CHECK(RESULT(LD(6), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 6, 1, 0), LD(1),
		     ALU(BPF_ADD, 1)) == 7);
	CHECK(RESULT(LD(6), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 8, 0, 1), LD(1),
		     ALU(BPF_ADD, 1)) == 7);
	CHECK(RESULT(LDX(6), LD(6), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), LD(1),
		     ALU(BPF_ADD, 1)) == 7);
}

static void registers_start_at_zero(void)
{
	CHILD(pid)
	{
		struct sock_filter insns[] = {
			/* X + A is the answer to all: 0 kills a thread */
			BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};

		no_new_privs();
		CHECK(install(PROGRAM(insns), 0) == 0);
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSYS);
	CHILD(divided)
	{
		struct sock_filter insns[] = {
			BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW),
			BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
			RETURN(SECCOMP_RET_ALLOW),
		};

		no_new_privs();
		CHECK(install(PROGRAM(insns), 0) == 0);
		_exit(0);
	}
	WAIT_SIGNAL(divided, SIGSYS);
}

static void arguments_are_seen_in_halves(void)
{
#define WORD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
	CHECK(RESULT(WORD(0)) == SYS_getppid);
	CHECK(RESULT(WORD(4), TOP) == AUDIT_ARCH_X86_64 >> 24);
	CHECK(RESULT(WORD(4)) == (AUDIT_ARCH_X86_64 & 0xff));
	CHECK(RESULT(WORD(16)) == 0x88);
	CHECK(RESULT(WORD(16), TOP) == 0x55);
	CHECK(RESULT(WORD(20)) == 0x44);
	CHECK(RESULT(WORD(20), TOP) == 0x11);
	CHECK(RESULT(WORD(24)) == 0xfe);
	CHECK(RESULT(WORD(28), TOP) == 0xff);
	CHECK(RESULT(WORD(32)) == 3);
	CHECK(RESULT(WORD(40)) == 4);
	CHECK(RESULT(WORD(48)) == 5);
	CHECK(RESULT(WORD(56)) == 0x66);
	CHECK(RESULT(WORD(60)) == 0);
}

/* Two sites, of which a filter knows one. */
extern char here_return[];
static __attribute__((noinline)) long getppid_here(void)
{
	long ret;

	__asm__ volatile("syscall\n"
			 ".globl here_return\n"
			 "here_return:"
			 : "=a"(ret)
			 : "a"(SYS_getppid)
			 : "rcx", "r11", "memory");
	return ret;
}

static void the_calls_address_is_seen(void)
{
	uint64_t at = (uintptr_t)here_return;
	struct sock_filter insns[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 5),
		LOAD(instruction_pointer),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)at, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(at >> 32), 0, 1),
		RETURN(SECCOMP_RET_ERRNO | 99),
		OK,
	};

	CHILD(pid)
	{
		/* whatever is learnt about the sites is known before */
		for (int i = 0; i < 5; i++)
			CHECK(getppid_here() == getppid());
		no_new_privs();
		CHECK(install(PROGRAM(insns), 0) == 0);
		for (int i = 0; i < 5; i++) {
			CHECK(getppid_here() == -99);
			CHECK(getppid() > 0);
		}
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* ---- several ---- */

static void the_strictest_answer_counts(void)
{
	static const uint32_t order[] = {
		SECCOMP_RET_ALLOW,	  SECCOMP_RET_LOG,  SECCOMP_RET_TRACE,
		SECCOMP_RET_ERRNO | 7,	  SECCOMP_RET_TRAP, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_KILL_PROCESS,
	};

	for (size_t i = 0; i < 7; i++) {
		for (size_t j = 0; j < 7; j++) {
			uint32_t want = order[i > j ? i : j];

			CHILD(pid)
			{
				CHECK(filter_call(SYS_getppid, order[i], 0) == 0);
				CHECK(filter_call(SYS_getppid, order[j], 0) == 0);
				errno = 0;
				(void)!syscall(SYS_getppid);
				_exit(errno);
			}
			int status = wait_status(pid) & ~0x80;

			if (want == SECCOMP_RET_TRACE)
				CHECK(status == ENOSYS << 8);
			else if (want == (SECCOMP_RET_ERRNO | 7))
				CHECK(status == 7 << 8);
			else if (want >= SECCOMP_RET_TRACE &&
				 want != SECCOMP_RET_KILL_PROCESS)
				CHECK(status == 0);
			else
				CHECK(status == SIGSYS);
		}
	}
}

static void of_equals_the_last_counts(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 1, 0) == 0);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 2, 0) == 0);
		FAILS(2, syscall(SYS_getppid));
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ALLOW, 0) == 0);
		FAILS(2, syscall(SYS_getppid));
		CHECK(filter_call(SYS_getpid, SECCOMP_RET_ERRNO | 3, 0) == 0);
		FAILS(3, syscall(SYS_getpid));
		CHECK(status_field("self", "Seccomp") == 2);
		CHECK(status_field("self", "Seccomp_filters") == 4);
		CHECK(status_field("self", "NoNewPrivs") == 1);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* Calls that have been allowed often are allowed no more. */
static void a_new_filter_counts_at_once(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getuid, SECCOMP_RET_ERRNO | 1, 0) == 0);
		for (int i = 0; i < 100; i++)
			CHECK(syscall(SYS_getppid) > 0);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 2, 0) == 0);
		FAILS(2, syscall(SYS_getppid));
		FAILS(1, syscall(SYS_getuid));
		/* and may forbid further ones */
		CHECK(filter_call(SYS_seccomp, SECCOMP_RET_ERRNO | 3, 0) == 0);
		FAILS(3, filter_call(SYS_getpid, SECCOMP_RET_ALLOW, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* What Linux counts of a chain: each program as it is translated, and 4 more for those
 * before. */
static int chain_length(const struct sock_fprog *program)
{
	CHILD(pid)
	{
		int n = 0;

		no_new_privs();
		while (install(program, 0) == 0)
			n++;
		CHECK(errno == ENOMEM);
		CHECK(status_field("self", "Seccomp_filters") == n);
		CHECK(n < 32768);
		_exit(n % 251);
	}
	int status = wait_status(pid);

	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void chains_are_limited(void)
{
	static struct sock_filter insns[BPF_MAXINSNS];

	/* n programs weigh n * w + (n - 1) * 4 */
	for (int i = 0; i < BPF_MAXINSNS; i++)
		insns[i] = (struct sock_filter)OK;
	CHECK(chain_length(&(struct sock_fprog){1000, insns}) == 32772 / 2007 % 251);
	for (int i = 0; i < 1000; i++)
		insns[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
	CHECK(chain_length(&(struct sock_fprog){1001, insns}) == 32772 / 1009 % 251);
	for (int i = 0; i < 1000; i++)
		insns[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0);
	insns[899] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 1);
	CHECK(chain_length(&(struct sock_fprog){102, insns + 899}) == 32772 / 510 % 251);
	for (int i = 0; i < 1000; i++)
		insns[i] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 1);
	CHECK(chain_length(&(struct sock_fprog){1002, insns}) == 32772 / 2011 % 251);
	for (int i = 0; i < 1000; i++)
		insns[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K,
							0x80000000, 1, 0);
	CHECK(chain_length(&(struct sock_fprog){1002, insns}) == 32772 / 2011 % 251);
	for (int i = 0; i < 1000; i++)
		insns[i] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 1);
	CHECK(chain_length(&(struct sock_fprog){1002, insns}) == 32772 / 1011 % 251);
	for (int i = 0; i < 1000; i++)
		insns[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
							0x80000000, 0, 1);
	CHECK(chain_length(&(struct sock_fprog){1002, insns}) == 32772 / 3011 % 251);
}

/* ---- who inherits ---- */

static void *thread_sees_filters(void *arg)
{
	(void)arg;
	FAILS(5, syscall(SYS_getppid));
	CHECK(status_field("thread-self", "Seccomp_filters") == 1);
	/* one's own filters are one's own */
	CHECK(filter_call(SYS_getuid, SECCOMP_RET_ERRNO | 6, 0) == 0);
	FAILS(6, syscall(SYS_getuid));
	return NULL;
}

static void children_and_threads_inherit(void)
{
	CHILD(pid)
	{
		pthread_t thread;

		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 5, 0) == 0);
		CHILD(inner)
		{
			FAILS(5, syscall(SYS_getppid));
			CHECK(prctl(PR_GET_SECCOMP) == 2);
			CHECK(status_field("self", "Seccomp_filters") == 1);
			_exit(0);
		}
		WAIT_EXIT(inner, 0);
		CHECK(pthread_create(&thread, NULL, thread_sees_filters, NULL) == 0);
		pthread_join(thread, NULL);
		CHECK((long)syscall(SYS_getuid) >= 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static char self[PATH_MAX];

static void exec_keeps_filters(void)
{
	char *args[] = {self, "filtered", NULL};

	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 5, 0) == 0);
		execv(self, args);
		_exit(1);
	}
	WAIT_EXIT(pid, 0);
	CHILD(spawner)
	{
		pid_t spawned;

		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 5, 0) == 0);
		CHECK(posix_spawn(&spawned, self, NULL, NULL, args, NULL) == 0);
		WAIT_EXIT(spawned, 0);
		_exit(0);
	}
	WAIT_EXIT(spawner, 0);
}

/* ---- SECCOMP_FILTER_FLAG_TSYNC ---- */

static pthread_barrier_t barrier;
static volatile pid_t other_tid;
static volatile int other_errno, other_nnp, stay;

static void *synced_thread(void *arg)
{
	other_tid = (pid_t)syscall(SYS_gettid);
	if (arg) {
		CHECK(filter_call(SYS_getuid, SECCOMP_RET_ERRNO | 8, 0) == 0);
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	errno = 0;
	(void)!syscall(SYS_getppid);
	other_errno = errno;
	other_nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	return NULL;
}

static void filters_spread_to_all_threads(void)
{
	CHILD(pid)
	{
		pthread_t thread;

		pthread_barrier_init(&barrier, NULL, 2);
		CHECK(pthread_create(&thread, NULL, synced_thread, NULL) == 0);
		pthread_barrier_wait(&barrier);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 9,
				  SECCOMP_FILTER_FLAG_TSYNC) == 0);
		pthread_barrier_wait(&barrier);
		pthread_join(thread, NULL);
		CHECK(other_errno == 9 && other_nnp == 1);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void other_filters_are_in_the_way(void)
{
	CHILD(pid)
	{
		pthread_t thread;

		pthread_barrier_init(&barrier, NULL, 2);
		CHECK(pthread_create(&thread, NULL, synced_thread, &barrier) == 0);
		pthread_barrier_wait(&barrier);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 9,
				  SECCOMP_FILTER_FLAG_TSYNC) == other_tid);
		FAILS(ESRCH, filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 9,
					 SECCOMP_FILTER_FLAG_TSYNC |
						 SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
		FAILS(ESRCH, filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 9,
					 SECCOMP_FILTER_FLAG_TSYNC |
						 SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
						 SECCOMP_FILTER_FLAG_NEW_LISTENER));
		CHECK(syscall(SYS_getppid) > 0 && prctl(PR_GET_SECCOMP) == 0);
		pthread_barrier_wait(&barrier);
		pthread_join(thread, NULL);
		CHECK(other_errno == 0);
		/* it is in nobody's way any more */
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 9,
				  SECCOMP_FILTER_FLAG_TSYNC) == 0);
		FAILS(9, syscall(SYS_getppid));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void *coming_and_going(void *arg)
{
	(void)arg;
	return NULL;
}

static void *making_threads(void *arg)
{
	(void)arg;
	while (!stay) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, coming_and_going, NULL) == 0)
			pthread_join(thread, NULL);
	}
	/* whoever was made, when ever, has the filter now */
	errno = 0;
	(void)!syscall(SYS_getppid);
	other_errno = errno;
	return NULL;
}

static void threads_come_and_go_meanwhile(void)
{
	for (int round = 0; round < 10; round++) {
		CHILD(pid)
		{
			pthread_t thread[2];

			for (int i = 0; i < 2; i++)
				CHECK(pthread_create(&thread[i], NULL, making_threads,
						     NULL) == 0);
			for (int i = 0; i < 20; i++) {
				CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 9,
						  SECCOMP_FILTER_FLAG_TSYNC) == 0);
				sched_yield();
			}
			stay = 1;
			for (int i = 0; i < 2; i++)
				pthread_join(thread[i], NULL);
			CHECK(other_errno == 9);
			_exit(0);
		}
		WAIT_EXIT(pid, 0);
	}
}

/* ---- /proc/sys/kernel/seccomp ---- */

static const char *read_all(const char *name)
{
	static char text[256];
	int fd = open(name, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = 0;
	close(fd);
	return text;
}

static long store(const char *text)
{
	int fd = open("/proc/sys/kernel/seccomp/actions_logged", O_WRONLY);
	long ret = fd < 0 ? -1 : write(fd, text, strlen(text));
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ret;
}

static void actions_have_names(void)
{
	char logged[256];

	CHECK(strcmp(read_all("/proc/sys/kernel/seccomp/actions_avail"),
		     "kill_process kill_thread trap errno user_notif trace log "
		     "allow\n") == 0);
	strcpy(logged, read_all("/proc/sys/kernel/seccomp/actions_logged"));
	CHECK(strstr("kill_process kill_thread trap errno user_notif trace log\n",
		     logged));
	CHECK(access("/proc/sys/kernel/seccomp/actions_avail", W_OK) == -1 ||
	      geteuid() == 0);
	if (geteuid() != 0) {
		FAILS(EACCES, store(logged));
		return;
	}
	CHECK(store(logged) == (long)strlen(logged));
	FAILS(EINVAL, store("allow\n"));
	FAILS(EINVAL, store("trap kill\n"));
	FAILS(EINVAL, store("trap,errno\n"));
	CHECK(strcmp(read_all("/proc/sys/kernel/seccomp/actions_logged"), logged) == 0);
}

static int role(void)
{
	FAILS(5, syscall(SYS_getppid));
	CHECK(status_field("self", "Seccomp_filters") == 1);
	return 0;
}

static const struct test all[] = {
	TEST(opcodes_are_known_or_refused),
	TEST(operands_are_checked),
	TEST(memory_is_written_before_it_is_read),
	TEST(the_computer_computes),
	TEST(registers_start_at_zero),
	TEST(arguments_are_seen_in_halves),
	TEST(the_calls_address_is_seen),
	TEST(the_strictest_answer_counts),
	TEST(of_equals_the_last_counts),
	TEST(a_new_filter_counts_at_once),
	TEST(chains_are_limited),
	TEST(children_and_threads_inherit),
	TEST(exec_keeps_filters),
	TEST(filters_spread_to_all_threads),
	TEST(other_filters_are_in_the_way),
	TEST(threads_come_and_go_meanwhile),
	TEST(actions_have_names),
};

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return role();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
