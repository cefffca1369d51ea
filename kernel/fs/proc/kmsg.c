/* SPDX-License-Identifier: MIT */
/* kmsg.c - /proc/kmsg: the kernel's log as text, of which each record is told once. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/utsname.h"
#include "base/page.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pseudo.h"
#include "fs/uio.h"
#include "process/klog.h"

static int kmsg_open(struct inode *inode, struct file *f)
{
	(void)inode, (void)f;
	return klog_check(SYSLOG_ACTION_OPEN);
}

static ssize_t kmsg_read(struct file *f, struct uio *u, int64_t *pos)
{
	char *text;
	long len;

	(void)pos;
	if (!u->left)
		return 0;
	if (!file_may_block(f, u) && !klog_shared_unread())
		return -EAGAIN;
	text = page_alloc(0);
	if (!text)
		return -ENOMEM;
	len = klog_shared_read(text, MIN(u->left, (size_t)PAGE_SIZE));
	if (len > 0 && uio_copy_out(u, text, (size_t)len) != (size_t)len)
		len = -EFAULT;
	page_free(text, 0);
	return len;
}

static uint32_t kmsg_poll(struct file *f, struct poll_table *pt)
{
	(void)f;
	poll_wait(pt, &klog_changed);
	return klog_shared_unread() ? POLLIN | POLLRDNORM : 0;
}

static const struct file_ops kmsg_ops = {
	.open = kmsg_open,
	.read = kmsg_read,
	.poll = kmsg_poll,
};

void proc_add_kmsg(void)
{
	struct pseudo_node *node =
		pseudo_file(&proc_root, "kmsg", 0400, NULL, NULL, NULL);

	if (node)
		node->fops = &kmsg_ops;
}
