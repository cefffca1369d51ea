/* SPDX-License-Identifier: MIT */
/* kmsg.c - /dev/kmsg: each read is one record of the kernel's log, each write makes one.
 * Each open file has a place of its own. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/utsname.h"
#include "base/slab.h"
#include "fs/chrdev.h"
#include "fs/dev/internal.h"
#include "fs/file.h"
#include "fs/proc/proc.h"
#include "fs/uio.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/klog.h"
#include "time/clock.h"

#define RATE_BURST 10
#define RATE_TIME  (5 * NSEC_PER_SEC)
#define TEXT_MAX   (4 * KLOG_TEXT_MAX + 64) /* a record with all of it escaped */

struct kmsg {
	struct klog_cursor at; /* klog_lock */
	nsec_t rate_since;     /* klog_lock, as the next */
	unsigned rate_count;
};

static int kmsg_open(struct inode *inode, struct file *f)
{
	uint32_t access = f->flags & O_ACCMODE;
	struct kmsg *k;
	int err = access == O_WRONLY ? 0 : klog_check(SYSLOG_ACTION_READ_ALL);

	(void)inode;
	if (err)
		return err;
	k = kmalloc(sizeof(*k));
	if (!k)
		return -ENOMEM;
	*k = (struct kmsg){.rate_count = 0};
	lock_take(&klog_lock);
	klog_first(&k->at);
	lock_drop(&klog_lock);
	f->private = k;
	return 0;
}

static void kmsg_release(struct file *f)
{
	kfree(f->private);
}

static size_t format(const struct klog_record *r, char *text, size_t size)
{
	size_t len = scnprintf(text, size, "%u,%lu,%lu,-;", r->facility << 3 | r->level,
			       r->seq, (uint64_t)r->time / 1000);

	for (size_t i = 0; i < r->len; i++) {
		uint8_t c = (uint8_t)r->text[i];

		if (c < ' ' || c >= 127 || c == '\\')
			len += scnprintf(text + len, size - len, "\\x%02x", c);
		else
			text[len++] = (char)c;
	}
	text[len++] = '\n';
	return len;
}

/* Waits for the next record and takes it. -EPIPE: some before it are gone; the next read
 * goes on with it. */
static int take(struct file *f, const struct uio *u, struct klog_record *r)
{
	struct kmsg *k = f->private;
	uint64_t seq;
	int err = 0;

	lock_take(&klog_lock);
	while (!klog_has_next(&k->at, &seq) && !err)
		err = file_may_block(f, u)
			      ? waitq_sleep(&klog_changed, &klog_lock, NSEC_NEVER)
			      : -EAGAIN;
	if (!err && seq != k->at.seq) {
		klog_first(&k->at);
		err = -EPIPE;
	}
	if (!err)
		(void)klog_next(&k->at, r);
	lock_drop(&klog_lock);
	return err;
}

/* It did not fit, or could not be copied: it is still to be read. */
static void put_back(struct kmsg *k, const struct klog_cursor *was)
{
	lock_take(&klog_lock);
	k->at = *was;
	lock_drop(&klog_lock);
}

static ssize_t kmsg_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct kmsg *k = f->private;
	struct klog_record *r = kmalloc(sizeof(*r));
	char *text = kmalloc(TEXT_MAX);
	struct klog_cursor was = k->at;
	ssize_t ret = r && text ? take(f, u, r) : -ENOMEM;
	size_t len;

	(void)pos;
	if (!ret) {
		len = format(r, text, TEXT_MAX);
		if (len > u->left) {
			put_back(k, &was);
			ret = -EINVAL;
		} else {
			ret = uio_copy_out(u, text, len) == len ? (ssize_t)len : -EFAULT;
		}
	}
	kfree(text);
	kfree(r);
	return ret;
}

/* kernel.printk_devkmsg: all are taken, none, or ten in five seconds of each file. */
static bool is_wanted(struct kmsg *k)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	char setting[16];
	bool ok;

	proc_setting("kernel/printk_devkmsg", setting, sizeof(setting));
	if (string_equal(setting, "on") || string_equal(setting, "off"))
		return string_equal(setting, "on");
	lock_take(&klog_lock);
	if (now - k->rate_since >= RATE_TIME) {
		k->rate_since = now;
		k->rate_count = 0;
	}
	ok = k->rate_count++ < RATE_BURST;
	lock_drop(&klog_lock);
	return ok;
}

/* "<N>" at its start is the priority: returns how long that is. */
static size_t parse_priority(const char *text, size_t len, uint32_t *facility,
			     uint32_t *level)
{
	uint32_t n = 0;
	size_t i = 1;

	if (!len || text[0] != '<')
		return 0;
	while (i < len && text[i] >= '0' && text[i] <= '9')
		n = n * 10 + (uint32_t)(text[i++] - '0');
	if (i == len || text[i] != '>')
		return 0;
	*level = n & 7;
	if (n >> 3)
		*facility = n >> 3 & 0x3ff;
	return i + 1;
}

static ssize_t kmsg_write(struct file *f, struct uio *u, int64_t *pos)
{
	uint32_t facility = KLOG_USER;
	uint32_t level = KLOG_WARNING;
	size_t size = u->left;
	size_t len;
	size_t skip;
	char *text;
	int err;

	(void)pos;
	if (size > KLOG_TEXT_MAX)
		return -EINVAL;
	if (!is_wanted(f->private)) {
		uio_advance(u, size);
		return (ssize_t)size;
	}
	err = uio_copy_in_text(u, size, &text);
	if (err)
		return err;
	skip = parse_priority(text, size, &facility, &level);
	len = strlen(text + skip); /* as what is printed, it ends at a NUL */
	if (len && text[skip + len - 1] == '\n')
		len--;
	klog_write(facility, level, text + skip, len);
	kfree(text);
	return (ssize_t)size;
}

static int64_t kmsg_lseek(struct file *f, int64_t off, int whence)
{
	struct kmsg *k = f->private;
	int err = 0;

	if (off)
		return -ESPIPE;
	lock_take(&klog_lock);
	if (whence == SEEK_SET)
		klog_first(&k->at);
	else if (whence == SEEK_DATA)
		klog_cleared(&k->at);
	else if (whence == SEEK_END)
		klog_end(&k->at);
	else
		err = -EINVAL;
	lock_drop(&klog_lock);
	return err;
}

static uint32_t kmsg_poll(struct file *f, struct poll_table *pt)
{
	struct kmsg *k = f->private;
	uint32_t events = 0;
	uint64_t seq;

	poll_wait(pt, &klog_changed);
	lock_take(&klog_lock);
	if (klog_has_next(&k->at, &seq))
		events =
			POLLIN | POLLRDNORM | (seq != k->at.seq ? POLLERR | POLLPRI : 0U);
	lock_drop(&klog_lock);
	return events;
}

static const struct file_ops kmsg_ops = {
	.open = kmsg_open,
	.release = kmsg_release,
	.read = kmsg_read,
	.write = kmsg_write,
	.lseek = kmsg_lseek,
	.poll = kmsg_poll,
};

static struct chrdev kmsg_device = {
	.major = MEM_MAJOR,
	.minor = MEM_KMSG,
	.minor_count = 1,
	.name = "mem",
	.ops = &kmsg_ops,
};

void kmsg_device_register(void)
{
	chrdev_register(&kmsg_device);
	proc_sysctl_number("kernel/dmesg_restrict", &klog_restrict, 0, 1);
}
