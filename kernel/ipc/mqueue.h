/* SPDX-License-Identifier: MIT */
/* mqueue.h - POSIX message queues (mq_overview(7)): the objects, and the file system that
 * they are the files of. */
#pragma once
#include "abi/ipc.h"
#include "abi/types.h"

struct deadline;
struct file;
struct linux_sigevent;
struct netlink_notice;

/* Registers the type "mqueue". Once, at start-up. */
int mqueue_init(void) MUST_CHECK;

/* /proc/sys/fs/mqueue. atomic */
extern int mq_queues_max, mq_msg_max, mq_msgsize_max, mq_msg_default, mq_msgsize_default;

#define MQ_PRIO_MAX 32768

/* A file of a queue, with a reference. attr: of a queue that is made; NULL: the defaults.
 */
int mqueue_open(const char *name, uint32_t flags, uint32_t mode,
		const struct linux_mq_attr *attr, struct file **out) MUST_CHECK;
int mqueue_unlink(const char *name) MUST_CHECK;

bool file_is_mqueue(const struct file *f);
/* buf and prio are guest addresses. */
long mqueue_send(struct file *f, uaddr_t buf, size_t size, uint32_t prio,
		 const struct deadline *deadline);
long mqueue_receive(struct file *f, uaddr_t buf, size_t size, uaddr_t prio,
		    const struct deadline *deadline);
/* event NULL: no longer. notice: of SIGEV_THREAD; taken over when the answer is 0. */
int mqueue_notify(struct file *f, const struct linux_sigevent *event,
		  struct netlink_notice *notice);
void mqueue_get_attr(struct file *f, struct linux_mq_attr *out);
