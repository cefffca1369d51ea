/* SPDX-License-Identifier: MIT */
/* calls: userfaultfd futex */
/* userfaultfd_futex.c - PI locks whose word cannot be written at once by who inherits
 * them. */
#include "asleep.h"
#include "uffd.h"

#include <linux/futex.h>

static uint32_t *word;
static int owns, leaves; /* atomic */

static long pi(int op)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
}

static void *owner(void *arg)
{
	(void)arg;
	CHECK(pi(FUTEX_LOCK_PI) == 0);
	__atomic_store_n(&owns, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&leaves, __ATOMIC_SEQ_CST))
		sleep_ms(1);
	return NULL;
}

struct waiter {
	pthread_t thread;
	pid_t tid; /* atomic */
	int lock;
};

static int error_of(long ret)
{
	return ret ? errno : 0;
}

static void *inherit(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->lock = error_of(pi(FUTEX_LOCK_PI));
	return NULL;
}

static void start(struct waiter *w)
{
	pid_t tid;

	*w = (struct waiter){0};
	CHECK(pthread_create(&w->thread, NULL, inherit, w) == 0);
	while (!(tid = __atomic_load_n(&w->tid, __ATOMIC_SEQ_CST)))
		sleep_ms(1);
	await_sleep(tid);
}

/* The owner dies when the page is such that a userfaultfd is asked first, or would be. */
static void owner_dies(uint64_t mode)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	struct uffd_msg m;
	struct waiter w[2];
	pthread_t t;

	word = (uint32_t *)pages(1);
	*word = 0;
	owns = leaves = 0;
	CHECK(uffd_register(fd, word, 1, mode) == 0);
	CHECK(pthread_create(&t, NULL, owner, NULL) == 0);
	while (!__atomic_load_n(&owns, __ATOMIC_SEQ_CST))
		sleep_ms(1);
	start(&w[0]);
	start(&w[1]);
	if (mode == UFFDIO_REGISTER_MODE_WP)
		CHECK(uffd_wp(fd, word, 1, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
	else
		CHECK(madvise(word, PAGE, MADV_DONTNEED) == 0);
	__atomic_store_n(&leaves, 1, __ATOMIC_SEQ_CST);
	CHECK(pthread_join(t, NULL) == 0);
	/* The second gets it from the first, which exits with it. */
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(w[i].thread, NULL) == 0 && w[i].lock == EFAULT);
	FAILS(EAGAIN, read(fd, &m, sizeof(m)));
	CHECK(close(fd) == 0);
}

static void an_heir_does_not_wait_for_the_page(void)
{
	owner_dies(UFFDIO_REGISTER_MODE_WP);
	owner_dies(UFFDIO_REGISTER_MODE_MISSING);
}

int main(void)
{
	const struct test all[] = {TEST(an_heir_does_not_wait_for_the_page)};

	return test_main(all, sizeof(all) / sizeof(all[0]));
}
