/* SPDX-License-Identifier: MIT */
/* A dynamic program that must lie at 0x400000. */
/* calls: execve brk mmap */
/* cflags: -no-pie -fno-pie */
#include "fixture.h"

static int data = 5, bss[5000];

static void code_and_data_lie_where_they_were_linked(void)
{
	CHECK((uintptr_t)code_and_data_lie_where_they_were_linked >= 0x400000);
	CHECK((uintptr_t)code_and_data_lie_where_they_were_linked < 0x500000);
	CHECK((uintptr_t)&data < 0x500000 && data == 5 && bss[4999] == 0);
}

static void the_heap_lies_above_the_program(void)
{
	CHECK((uintptr_t)sbrk(0) > (uintptr_t)&bss[4999]);
	CHECK(sbrk((intptr_t)PAGE) != (void *)-1);
}

static void low_memory_around_it_can_be_mapped(void)
{
	void *p = mmap((void *)0x200000, PAGE, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(p == (void *)0x200000 && munmap(p, PAGE) == 0);
	CHECK(mmap((void *)0x400000, PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		   0) == MAP_FAILED);
	CHECK(errno == EEXIST);
}

RUN(TEST(code_and_data_lie_where_they_were_linked), TEST(the_heap_lies_above_the_program),
    TEST(low_memory_around_it_can_be_mapped))
