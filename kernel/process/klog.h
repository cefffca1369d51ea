/* SPDX-License-Identifier: MIT */
/* klog.h - the log of the sandbox's kernel, as guests read it (syslog(2), kmsg): records
 * in a ring, of which the oldest go first.
 *
 * Whoever reads has a cursor of his own. Messages of Carbyne itself to the host are
 * base/log.h. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "base/waitq.h"

#define KLOG_SIZE     (1U << 17)
#define KLOG_TEXT_MAX 1024

enum klog_level { KLOG_EMERG, KLOG_ERR = 3, KLOG_WARNING, KLOG_NOTICE, KLOG_INFO };
enum klog_facility { KLOG_KERN, KLOG_USER };

struct klog_record {
	uint64_t seq;
	nsec_t time; /* CLOCK_MONOTONIC */
	uint32_t facility, level;
	size_t len;
	char text[KLOG_TEXT_MAX];
};

/* Stands before a record, or behind the last. All zero: before the first there ever was.
 */
struct klog_cursor {
	uint64_t seq, pos;
};

extern struct lock klog_lock;
extern struct waitq klog_changed; /* woken when there is a new record */
extern int klog_restrict;	  /* atomic: kernel.dmesg_restrict */

/* Adds a record, without its newline; longer ones are cut. Sleeps not, takes klog_lock.
 */
void klog_write(uint32_t facility, uint32_t level, const char *text, size_t len);
void klog_print(uint32_t level, const char *fmt, ...) PRINTF(2, 3);
/* False when too many messages came lately: five seconds have ten. */
bool klog_ratelimit(void);

/* With klog_lock held. The next record, which the cursor passes; false: none yet. What is
 * gone is skipped: out->seq tells. */
bool klog_next(struct klog_cursor *c, struct klog_record *out);
/* Whether klog_next() would be true; *seq is then its number. */
bool klog_has_next(const struct klog_cursor *c, uint64_t *seq);
void klog_first(struct klog_cursor *c);
void klog_end(struct klog_cursor *c);
/* Before the first since it was cleared. */
void klog_cleared(struct klog_cursor *c);
/* SYSLOG_ACTION_CLEAR. Takes klog_lock. */
void klog_clear(void);

/* What the current task needs for an action of syslog(2): 0 or -EPERM. */
int klog_check(int type) MUST_CHECK;
/* SYSLOG_ACTION_READ and _SIZE_UNREAD, whose position all share. Waits for the first
 * record, then takes as much as there is and fits: -ERESTARTSYS, -ENOMEM. */
long klog_shared_read(char *buf, size_t size) MUST_CHECK;
size_t klog_shared_unread(void);
