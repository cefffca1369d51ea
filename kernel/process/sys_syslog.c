/* SPDX-License-Identifier: MIT */
/* sys_syslog.c - syslog(2): the kernel's log as text, a priority and a time before each
 * line. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/syscall.h"
#include "abi/utsname.h"
#include "base/page.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/klog.h"

#define TEXT_MAX      2048 /* of a record with its priorities and times */
#define LEVEL_MIN     1
#define LEVEL_DEFAULT 4

/* What readers need at once, too large for the stack. */
struct scratch {
	struct klog_record record;
	char text[TEXT_MAX];
};
_Static_assert(sizeof(struct scratch) <= PAGE_SIZE, "page_alloc");

/* klog_lock: where the next SYSLOG_ACTION_READ goes on, and how much of that it has told
 * already. */
static struct klog_cursor shared;
static size_t shared_partial;
/* klog_lock: what is kept for a console that there is not. */
static int console_level = LEVEL_DEFAULT;
static int saved_level = -1;

int klog_check(int type)
{
	bool is_for_all =
		!atomic_load(&klog_restrict) &&
		(type == SYSLOG_ACTION_READ_ALL || type == SYSLOG_ACTION_SIZE_BUFFER);

	return is_for_all || capable(CAP_SYSLOG) ? 0 : -EPERM;
}

/* Each line with what comes before it. As much as there is room for. */
static size_t record_text(struct scratch *w)
{
	const struct klog_record *r = &w->record;
	size_t at = 0;
	size_t len = 0;

	do {
		const char *line = r->text + at;
		const char *newline = memchr(line, '\n', r->len - at);
		size_t part = newline ? (size_t)(newline - line) : r->len - at;
		size_t room = sizeof(w->text) - len;

		if (room < part + 64)
			break;
		len += scnprintf(w->text + len, room, "<%u>[%5llu.%06llu] ",
				 r->facility << 3 | r->level,
				 (unsigned long long)(r->time / NSEC_PER_SEC),
				 (unsigned long long)(r->time % NSEC_PER_SEC / 1000));
		memcpy(w->text + len, line, part);
		len += part;
		w->text[len++] = '\n';
		at += part + 1;
	} while (at <= r->len && at - 1 < r->len);
	return len;
}

/* ---- SYSLOG_ACTION_READ ---- */

/* Takes the next piece, not more than size: its length, with its place in w->text. 0:
 * there is no more, or it does not fit behind what was told before. */
static size_t take_shared(struct scratch *w, size_t size, bool is_first, size_t *start)
{
	struct klog_cursor c = shared;
	size_t len;

	if (!klog_next(&c, &w->record))
		return 0;
	if (w->record.seq != shared.seq)
		shared_partial = 0; /* the rest of that one is gone */
	len = record_text(w);
	*start = MIN(shared_partial, len);
	if (len - *start <= size) {
		shared = c;
		shared_partial = 0;
		return len - *start;
	}
	if (!is_first)
		return 0;
	shared_partial = *start + size;
	return size;
}

long klog_shared_read(char *buf, size_t size)
{
	struct scratch *w = page_alloc(0);
	uint64_t seq;
	size_t done = 0;
	int err = w ? 0 : -ENOMEM;

	while (!err && done < size) {
		size_t start = 0;
		size_t part;

		lock_take(&klog_lock);
		while (!done && !klog_has_next(&shared, &seq) && !err)
			err = waitq_sleep(&klog_changed, &klog_lock, NSEC_NEVER);
		part = err ? 0 : take_shared(w, size - done, !done, &start);
		lock_drop(&klog_lock);
		if (!part)
			break;
		memcpy(buf + done, w->text + start, part);
		done += part;
	}
	if (w)
		page_free(w, 0);
	return done ? (long)done : err;
}

/* Of all from c on. klog_lock held. */
static size_t text_size(struct scratch *w, struct klog_cursor c)
{
	size_t size = 0;

	while (klog_next(&c, &w->record))
		size += record_text(w);
	return size;
}

size_t klog_shared_unread(void)
{
	struct scratch *w = page_alloc(0);
	size_t size;
	uint64_t seq;

	if (!w)
		return 0;
	lock_take(&klog_lock);
	size = text_size(w, shared);
	if (klog_has_next(&shared, &seq) && seq == shared.seq)
		size -= MIN(shared_partial, size);
	lock_drop(&klog_lock);
	page_free(w, 0);
	return size;
}

/* ---- SYSLOG_ACTION_READ_ALL ---- */

/* The last records that fit, since the log was cleared. */
static long read_all(uaddr_t buf, size_t size, bool clear)
{
	struct scratch *w = page_alloc(0);
	struct klog_cursor c;
	size_t done = 0;
	size_t total;
	int err = 0;

	if (!w)
		return -ENOMEM;
	lock_take(&klog_lock);
	klog_cleared(&c);
	total = text_size(w, c);
	while (total > size && klog_next(&c, &w->record))
		total -= record_text(w);
	while (!err && klog_next(&c, &w->record)) {
		size_t part = record_text(w);

		if (done + part > size)
			break;
		lock_drop(&klog_lock);
		err = copy_to_user(buf + done, w->text, part);
		done += part;
		lock_take(&klog_lock);
	}
	lock_drop(&klog_lock);
	page_free(w, 0);
	if (clear && !err)
		klog_clear();
	return err ? err : (long)done;
}

/* ---- the console ---- */

static long set_level(int type, int level)
{
	int err = 0;

	lock_take(&klog_lock);
	if (type == SYSLOG_ACTION_CONSOLE_OFF) {
		if (saved_level < 0)
			saved_level = console_level;
		console_level = LEVEL_MIN;
	} else if (type == SYSLOG_ACTION_CONSOLE_ON) {
		if (saved_level >= 0)
			console_level = saved_level;
		saved_level = -1;
	} else if (level < 1 || level > 8) {
		err = -EINVAL;
	} else {
		console_level = level;
		saved_level = -1;
	}
	lock_drop(&klog_lock);
	return err;
}

/* By pages: what could not be copied is lost, as it is on Linux. */
static long read_shared(uaddr_t buf, size_t size)
{
	char *text = page_alloc(0);
	long len = text ? klog_shared_read(text, MIN(size, (size_t)PAGE_SIZE)) : -ENOMEM;

	if (len > 0 && copy_to_user(buf, text, (size_t)len))
		len = -EFAULT;
	if (text)
		page_free(text, 0);
	return len;
}

static long read_action(int type, uaddr_t buf, int size)
{
	if (!buf || size < 0)
		return -EINVAL;
	if (!size)
		return 0;
	if (!user_range_ok(buf, (size_t)size))
		return -EFAULT;
	if (type == SYSLOG_ACTION_READ)
		return read_shared(buf, (size_t)size);
	return read_all(buf, (size_t)size, type == SYSLOG_ACTION_READ_CLEAR);
}

long sys_syslog(struct task *t, int type, uaddr_t buf, int size)
{
	int err = klog_check(type);

	(void)t;
	if (err)
		return err;
	switch (type) {
	case SYSLOG_ACTION_CLOSE:
	case SYSLOG_ACTION_OPEN:
		return 0;
	case SYSLOG_ACTION_READ:
	case SYSLOG_ACTION_READ_ALL:
	case SYSLOG_ACTION_READ_CLEAR:
		return read_action(type, buf, size);
	case SYSLOG_ACTION_CLEAR:
		klog_clear();
		return 0;
	case SYSLOG_ACTION_CONSOLE_OFF:
	case SYSLOG_ACTION_CONSOLE_ON:
	case SYSLOG_ACTION_CONSOLE_LEVEL:
		return set_level(type, size);
	case SYSLOG_ACTION_SIZE_UNREAD:
		return (long)klog_shared_unread();
	case SYSLOG_ACTION_SIZE_BUFFER:
		return KLOG_SIZE;
	default:
		return -EINVAL;
	}
}
