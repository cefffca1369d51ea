/* SPDX-License-Identifier: MIT */
/* exec_strings.c - the arguments of an exec: what is copied, the limits, bad pointers. */
/* unit: loader/strings.c mm/usercopy.c base/slab.c base/page.c base/lock.c */
/* unit: base/waitq.c host/fake/missing.c */
/* unit: lib/string.c host/fake/thread.c host/fake/sleep.c host/fake/usercopy.c */
#include "../sys/test.h"
#include "loader/strings.h"

#include <sys/mman.h>

#include "abi/resource.h"
#include "base/slab.h"
#include "host/fake/fake.h"
#include "memory.h"
#include "mm/usercopy.h"

enum { REGION = 64 << 20, LONGEST = 32 * PAGE_SIZE };

static uint64_t stack_limit;

uint64_t rlimit_current(int resource)
{
	CHECK(resource == RLIMIT_STACK);
	return stack_limit;
}

static void start(void)
{
	memory_init(REGION);
	fake_task_begin(NULL);
	stack_limit = 8 << 20;
}

/* Guest memory must lie below USER_END, which the test's own heap may not. */
static char *guest_memory(size_t size)
{
	char *p = mmap((void *)0x200000000000UL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && (uaddr_t)p + size <= USER_END);
	return p;
}

static uint64_t ptr(const char *s)
{
	return (uint64_t)(uintptr_t)s;
}

static void strings_lie_one_after_the_other(void)
{
	static uint64_t argv[] = {0, 0, 0, 0};
	static uint64_t envp[] = {0, 0};
	static const char want[] = "a\0\0bcd\0E=1";
	struct exec_strings s;

	start();
	argv[0] = ptr("a");
	argv[1] = ptr("");
	argv[2] = ptr("bcd");
	envp[0] = ptr("E=1");
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, (uaddr_t)envp) == 0);
	CHECK(s.argc == 3 && s.envc == 1 && s.args_size == 7 && s.env_size == 4);
	CHECK(memcmp(s.data, want, sizeof(want)) == 0);
	exec_strings_fini(&s);
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == 0);
	CHECK(s.argc == 3 && s.envc == 0 && s.env_size == 0);
	exec_strings_fini(&s);
	fake_task_end();
}

static void no_arguments_become_one_empty_one(void)
{
	static uint64_t none[] = {0};
	static uint64_t envp[] = {0, 0};
	struct exec_strings s;

	start();
	envp[0] = ptr("E=1");
	CHECK(exec_strings_from_user(&s, 0, 0) == 0);
	CHECK(s.argc == 1 && s.args_size == 1 && !s.data[0]);
	exec_strings_fini(&s);
	CHECK(exec_strings_from_user(&s, (uaddr_t)none, (uaddr_t)envp) == 0);
	CHECK(s.argc == 1 && s.envc == 1 && !s.data[0] && strcmp(s.data + 1, "E=1") == 0);
	exec_strings_fini(&s);
	fake_task_end();
}

static void one_string_may_be_so_long(void)
{
	static uint64_t argv[2];
	char *text = guest_memory(LONGEST + PAGE_SIZE);
	struct exec_strings s;

	start();
	memset(text, 'x', LONGEST + PAGE_SIZE);
	text[LONGEST - 1] = 0;
	argv[0] = ptr(text);
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == 0);
	CHECK(s.args_size == LONGEST);
	exec_strings_fini(&s);
	text[LONGEST - 1] = 'x';
	text[LONGEST] = 0;
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == -E2BIG);
	CHECK(exec_strings_from_user(&s, 0, (uaddr_t)argv) == -E2BIG);
	CHECK(munmap(text, LONGEST + PAGE_SIZE) == 0);
	fake_task_end();
}

/* The most strings "x" that go in: each takes two bytes and a pointer. */
static void all_together_may_be_so_long(void)
{
	static const struct {
		uint64_t stack_limit;
		size_t total;
	} cases[] = {
		{8 << 20, 2 << 20},    /* a quarter of the stack */
		{UINT64_MAX, 6 << 20}, /* no limit: three quarters of 8 MiB */
		{1 << 30, 6 << 20},    {4096, LONGEST}, /* never less */
		{0, LONGEST},
	};
	uint64_t *argv = (uint64_t *)(void *)guest_memory(8 << 20);

	start();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t most = cases[i].total / 10;
		struct exec_strings s;

		stack_limit = cases[i].stack_limit;
		for (size_t n = 0; n < most; n++)
			argv[n] = ptr("x");
		argv[most] = 0;
		CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == 0);
		CHECK(s.argc == most && s.args_size == 2 * most);
		exec_strings_fini(&s);
		argv[most] = ptr("x");
		argv[most + 1] = 0;
		CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == -E2BIG);
		/* both vectors count */
		CHECK(exec_strings_from_user(&s, (uaddr_t)(argv + most / 2),
					     (uaddr_t)argv) == -E2BIG);
	}
	CHECK(munmap(argv, 8 << 20) == 0);
	fake_task_end();
}

static void bad_pointers_are_told_and_nothing_leaks(void)
{
	static uint64_t argv[3];
	static char hole[64] ALIGNED(64);
	struct exec_strings s;
	size_t used;

	start();
	used = used_pages();
	memset(hole, 'x', sizeof(hole));
	argv[0] = ptr("a");
	argv[1] = 0x7ff000000000;
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == -EFAULT);
	CHECK(exec_strings_from_user(&s, 0, (uaddr_t)argv) == -EFAULT);
	CHECK(exec_strings_from_user(&s, USER_END - 4, 0) == -EFAULT);
	CHECK(exec_strings_from_user(&s, UINT64_MAX, 0) == -EFAULT);
	argv[1] = USER_END - 1;
	fake_user_hole((uaddr_t)hole + 32, 32);
	argv[1] = ptr(hole); /* runs into the hole before its NUL */
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == -EFAULT);
	argv[1] = 0;
	fake_user_hole((uaddr_t)&argv[1], 8);
	CHECK(exec_strings_from_user(&s, (uaddr_t)argv, 0) == -EFAULT);
	fake_user_hole(0, 0);
	CHECK(used_pages() == used || used == 0);
	fake_task_end();
}

static void a_failing_allocation_is_told(void)
{
	static uint64_t argv[2];
	struct exec_strings s;
	int n = 1;
	int err;

	start();
	argv[0] = ptr("a");
	for (;; n++) {
		alloc_fail_at((uint64_t)n);
		err = exec_strings_from_user(&s, (uaddr_t)argv, 0);
		alloc_fail_at(0);
		if (!err)
			break;
		CHECK(err == -ENOMEM && !s.data);
	}
	exec_strings_fini(&s);
	fake_task_end();
}

static void a_scripts_words_replace_the_first(void)
{
	static char *argv[] = {"script", "x", "y", NULL};
	static char *envp[] = {"E=1", NULL};
	static const char *const front[] = {"/bin/sh", "-e", "./script"};
	static const char want[] = "/bin/sh\0-e\0./script\0x\0y\0E=1";
	struct exec_strings s;

	start();
	CHECK(exec_strings_from_kernel(&s, argv, envp) == 0);
	CHECK(s.argc == 3 && s.envc == 1);
	alloc_fail_at(1);
	CHECK(exec_strings_prepend(&s, front, 3) == -ENOMEM);
	alloc_fail_at(0);
	CHECK(s.argc == 3 && strcmp(s.data, "script") == 0);
	CHECK(exec_strings_prepend(&s, front, 3) == 0);
	CHECK(s.argc == 5 && s.envc == 1 && s.args_size + s.env_size == sizeof(want));
	CHECK(memcmp(s.data, want, sizeof(want)) == 0);
	exec_strings_fini(&s);
	fake_task_end();
}

RUN(TEST(strings_lie_one_after_the_other), TEST(no_arguments_become_one_empty_one),
    TEST(one_string_may_be_so_long), TEST(all_together_may_be_so_long),
    TEST(bad_pointers_are_told_and_nothing_leaks), TEST(a_failing_allocation_is_told),
    TEST(a_scripts_words_replace_the_first))
