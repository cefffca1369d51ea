/* SPDX-License-Identifier: MIT */
/* sys_select.c - select(2), pselect6(2). */
#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "event/poller.h"
#include "event/timeout.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/signal.h"

enum {
	SELECT_INSIDE = 12,	  /* descriptors watched without an allocation */
	SELECT_WORDS_INSIDE = 16, /* and words of each set: 1024 descriptors */
	SETS = 3,
};

/* What the three sets ask for. */
static const uint32_t set_bits[SETS] = {
	POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL,
	POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL,
	POLLPRI | POLLNVAL,
};

struct select {
	uaddr_t guest[SETS];
	uint64_t *set[SETS];
	size_t words; /* in each */
	unsigned watched;
};

static int sets_read(struct select *s)
{
	for (int k = 0; k < SETS; k++) {
		if (!s->guest[k])
			memset(s->set[k], 0, s->words * 8);
		else if (copy_from_user(s->set[k], s->guest[k], s->words * 8))
			return -EFAULT;
	}
	return 0;
}

static int sets_write(struct select *s)
{
	for (int k = 0; k < SETS; k++)
		if (s->guest[k] && copy_to_user(s->guest[k], s->set[k], s->words * 8))
			return -EFAULT;
	return 0;
}

static uint32_t bits_wanted(const struct select *s, size_t fd)
{
	uint32_t want = 0;

	for (int k = 0; k < SETS; k++)
		if (bitmap_test(s->set[k], fd))
			want |= set_bits[k];
	return want;
}

/* The first watched descriptor at or after fd, below n; n if there is none. */
static size_t watched_next(const struct select *s, size_t fd, size_t n)
{
	while (fd < n) {
		size_t w = fd / 64;
		uint64_t word =
			(s->set[0][w] | s->set[1][w] | s->set[2][w]) & ~0ULL << (fd % 64);

		if (word)
			return MIN(w * 64 + (size_t)__builtin_ctzll(word), n);
		fd = (w + 1) * 64;
	}
	return n;
}

/* Replaces what was asked by what is so: returns the number of bits. */
static long sets_fill(struct select *s, const struct poll_target *targets, size_t n)
{
	size_t fd = watched_next(s, 0, n);
	long count = 0;

	for (unsigned i = 0; i < s->watched; i++, fd = watched_next(s, fd + 1, n)) {
		for (int k = 0; k < SETS; k++) {
			if (!bitmap_test(s->set[k], fd))
				continue;
			if (targets[i].got & set_bits[k])
				count++;
			else
				bitmap_clear(s->set[k], fd);
		}
	}
	for (int k = 0; k < SETS; k++) /* bits of the last word beyond n */
		if (n % 64)
			s->set[k][n / 64] &= (1ULL << (n % 64)) - 1;
	return count;
}

/* A descriptor that cannot be waited for: true if it is one at all (O_PATH), and then
 * ready for anything. */
static bool bad_target(struct poll_target *t, int fd)
{
	struct fdref any = fd_get_any(fd);
	bool is_open = any.file;

	fd_put(any);
	t->got = POLLNVAL;
	return is_open;
}

static long select_run(struct select *s, struct poll_target *targets, size_t n,
		       nsec_t deadline, void *memory)
{
	struct poller p;
	size_t fd = 0;
	bool is_bad = false;
	long ret;

	poller_init(&p, targets, memory);
	for (unsigned i = 0; i < s->watched; i++, fd++) {
		fd = watched_next(s, fd, n);
		targets[i] = (struct poll_target){.ref = fd_get((int)fd)};
		targets[i].want = bits_wanted(s, fd);
		if (!targets[i].ref.file)
			is_bad |= !bad_target(&targets[i], (int)fd);
		poller_target_added(&p);
	}
	ret = is_bad ? -EBADF : poller_run(&p, deadline);
	poller_fini(&p);
	if (ret < 0)
		return ret;
	ret = sets_fill(s, targets, n);
	return sets_write(s) ? -EFAULT : ret;
}

static long select_sets(struct select *s, size_t n, nsec_t deadline)
{
	struct poll_target inside[SELECT_INSIDE];
	struct poll_target *targets = inside;
	long ret = sets_read(s);

	if (ret)
		return ret;
	s->watched = 0;
	for (size_t fd = watched_next(s, 0, n); fd < n; fd = watched_next(s, fd + 1, n))
		s->watched++;
	if (s->watched > SELECT_INSIDE) {
		targets = kmalloc(s->watched * sizeof(*targets));
		if (!targets)
			return -ENOMEM;
	}
	ret = select_run(s, targets, n, deadline, targets != inside ? targets : NULL);
	if (targets != inside)
		kfree(targets);
	return ret;
}

/* -ERESTARTNOHAND: interrupted. */
static long select_guest(struct task *t, int n, uaddr_t in, uaddr_t out, uaddr_t except,
			 nsec_t deadline)
{
	struct select s = {.guest = {in, out, except}};
	uint64_t inside[SETS * SELECT_WORDS_INSIDE];
	uint64_t *words = inside;
	long ret;

	if (n < 0)
		return -EINVAL;
	n = MIN(n, atomic_load_relaxed(
			   &t->fds->capacity)); /* higher ones are not looked at */
	s.words = BITMAP_WORDS((size_t)n);
	if (s.words > SELECT_WORDS_INSIDE) {
		words = kmalloc(SETS * s.words * 8);
		if (!words)
			return -ENOMEM;
	}
	for (size_t k = 0; k < SETS; k++)
		s.set[k] = words + k * s.words;
	ret = select_sets(&s, (size_t)n, deadline);
	if (words != inside)
		kfree(words);
	return ret;
}

long sys_select(struct task *t, int count, uaddr_t in, uaddr_t out, uaddr_t except,
		uaddr_t timeout)
{
	nsec_t deadline;
	long ret = deadline_from_timeval(timeout, &deadline);

	if (ret)
		return ret;
	ret = select_guest(t, count, in, out, except, deadline);
	return timeout_write_back(timeout, true, deadline, ret);
}

long sys_pselect6(struct task *t, int count, uaddr_t in, uaddr_t out, uaddr_t except,
		  uaddr_t timeout, uaddr_t mask)
{
	struct linux_sigset_argpack pack = {0, 0};
	nsec_t deadline;
	long ret;

	if (mask && COPY_IN(&pack, mask))
		return -EFAULT;
	ret = deadline_from_timespec(timeout, &deadline);
	if (ret)
		return ret;
	if (pack.mask) {
		ret = signal_set_mask_for_call(pack.mask, pack.size);
		if (ret)
			return ret;
	}
	ret = select_guest(t, count, in, out, except, deadline);
	return timeout_write_back(timeout, false, deadline, ret);
}
