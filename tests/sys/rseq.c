/* SPDX-License-Identifier: MIT */
/* rseq.c - restartable sequences, as the library registers them for each thread. */
#include "proc.h"
#include <sys/rseq.h>

static volatile struct rseq *mine(void)
{
	return (volatile struct rseq *)((char *)__builtin_thread_pointer() +
					__rseq_offset);
}

static bool is_registered(void)
{
	return __rseq_size > 0 && (int)mine()->cpu_id >= 0;
}

static void cpu_number_is_kept_up_to_date(void)
{
	for (int i = 0; i < 100; i++) {
		unsigned int before = 0;
		unsigned int after = 1;
		unsigned int cpu;

		do {
			CHECK(syscall(SYS_getcpu, &before, NULL, NULL) == 0);
			cpu = mine()->cpu_id;
			CHECK(syscall(SYS_getcpu, &after, NULL, NULL) == 0);
		} while (before != after);
		CHECK(cpu == before && mine()->cpu_id_start == mine()->cpu_id);
		sched_yield();
	}
}

static void *check_thread(void *arg)
{
	CHECK(is_registered());
	cpu_number_is_kept_up_to_date();
	return arg;
}

static void threads_and_children_have_their_own(void)
{
	pthread_t t;

	thread_start(&t, check_thread, NULL);
	thread_join(t);
	CHILD(pid)
	{
		check_thread(NULL);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Loops in a critical section that only an abort can leave; returns true if it came. */
static bool aborted(void)
{
	bool result;

	__asm__ volatile(".pushsection __rseq_cs, \"aw\"\n\t"
			 ".balign 32\n"
			 "3:\t.long 0, 0\n\t.quad 1f, (2f - 1f), 4f\n\t"
			 ".popsection\n\t"
			 "lea 3b(%%rip), %%rax\n\t"
			 "mov %%rax, %[cs]\n"
			 "1:\tpause\n\tjmp 1b\n"
			 "2:\tmov $0, %b[result]\n\tjmp 5f\n\t"
			 ".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053\n"
			 "4:\tmov $1, %b[result]\n"
			 "5:"
			 : [result] "=&r"(result), [cs] "=m"(mine()->rseq_cs)
			 :
			 : "rax", "memory", "cc");
	return result;
}

static void a_signal_aborts_the_section(void)
{
	pid_t pest;

	handle(SIGUSR1, on_signal, 0);
	pest = pester_start(SIGUSR1, 5);
	for (int i = 0; i < 10; i++)
		CHECK(aborted());
	pester_stop(pest);
}

static void registering_again_is_refused(void)
{
	struct rseq other __attribute__((aligned(32)));

	memset(&other, 0, sizeof(other));
	FAILS(EBUSY, syscall(SYS_rseq, mine(), 32, 0, 0x53053053));
	FAILS(EPERM, syscall(SYS_rseq, mine(), 32, 0, 0x11111111));
	FAILS(EINVAL, syscall(SYS_rseq, &other, 32, 0, 0x53053053));
	FAILS(EINVAL, syscall(SYS_rseq, mine(), 32, 8, 0x53053053));
}

static void it_can_be_taken_back_and_given_again(void)
{
	CHILD(pid)
	{
		CHECK(syscall(SYS_rseq, mine(), 32, 1, 0x53053053) == 0);
		CHECK((int)mine()->cpu_id < 0);
		FAILS(EINVAL, syscall(SYS_rseq, (char *)mine() + 4, 32, 0, 0x53053053));
		CHECK(syscall(SYS_rseq, mine(), 32, 0, 0x53053053) == 0);
		cpu_number_is_kept_up_to_date();
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static const struct test all[] = {
	TEST(cpu_number_is_kept_up_to_date),
	TEST(threads_and_children_have_their_own),
	TEST(a_signal_aborts_the_section),
	TEST(registering_again_is_refused),
	TEST(it_can_be_taken_back_and_given_again),
};

int main(void)
{
	if (!is_registered())
		return 77;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
