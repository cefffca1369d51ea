/* SPDX-License-Identifier: MIT */
/* pid_settings.c - what of a process or task can be set by writing to its files.
 *
 * Audit is not there: its settings are kept. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/creds.h"
#include "process/sched_policy.h"
#include "process/system.h"
#include "process/task.h"
#include "process/user_ns.h"

enum { OOM_ADJ_MAX = 15, OOM_DISABLE = -17, OOM_SCORE_ADJ_MAX = 1000 };

static size_t trimmed(const char *data, size_t len)
{
	while (len && (data[len - 1] == '\n' || data[len - 1] == ' ' ||
		       data[len - 1] == '\t' || data[len - 1] == '\0'))
		len--;
	return len;
}

static bool number_of(char *data, size_t len, int64_t *out)
{
	while (len && (*data == ' ' || *data == '\t')) {
		data++;
		len--;
	}
	data[trimmed(data, len)] = '\0';
	return parse_i64(data, out);
}

/* As strtoul with base 0 takes it. */
static bool unsigned_of(char *data, size_t len, uint64_t *out)
{
	unsigned base = 10;
	uint64_t value = 0;

	data[trimmed(data, len)] = '\0';
	if (data[0] == '0' && (data[1] == 'x' || data[1] == 'X')) {
		base = 16;
		data += 2;
	} else if (data[0] == '0' && data[1]) {
		base = 8;
		data++;
	}
	if (!*data)
		return false;
	for (; *data; data++) {
		unsigned digit =
			*data >= '0' && *data <= '9'   ? (unsigned)(*data - '0')
			: *data >= 'a' && *data <= 'f' ? (unsigned)(*data - 'a') + 10
			: *data >= 'A' && *data <= 'F' ? (unsigned)(*data - 'A') + 10
						       : base;
		if (digit >= base || value >> 32)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return value <= UINT32_MAX;
}

/* ---- out of memory ---- */

/* As Linux reckons it: by the share of memory, moved by oom_score_adj, of 2000, 2/3.
 * Who may never be chosen has none. */
int pid_show_oom_score(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);
	struct memory_figures m = {.total = PAGE_SIZE};
	struct mm_use use = {.at = 0};
	int64_t total;
	int64_t points;

	(void)i;
	if (memory_figures_hook)
		memory_figures_hook(&m);
	if (mm)
		memory_use_get(t, mm, 0, &use);
	total = (int64_t)MAX(m.total / PAGE_SIZE, 1UL);
	points = (int64_t)(use.anon + use.file + use.shmem + use.swap) +
		 t->process->oom_score_adj * total / OOM_SCORE_ADJ_MAX;
	text_printf(out, "%lld\n",
		    mm && t->process->oom_score_adj > -OOM_SCORE_ADJ_MAX
			    ? (long long)MAX(0, (1000 + points * 1000 / total) * 2 / 3)
			    : 0);
	mm_put(mm);
	return 0;
}

int pid_show_oom_score_adj(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%d\n", t->process->oom_score_adj);
	return 0;
}

/* Going below `least` takes a capability, and sets how far others may go back. */
static int score_adj_set(struct task *t, int64_t value, int least)
{
	bool may = capable(CAP_SYS_RESOURCE);

	if (value < least && !may)
		return -EACCES;
	t->process->oom_score_adj = (int)value;
	if (may)
		t->process->oom_score_adj_min = (int)value;
	return 0;
}

int pid_store_oom_score_adj(struct task *t, const struct pid_inode *i, char *data,
			    size_t len)
{
	int64_t value;

	(void)i;
	if (!number_of(data, len, &value) || value < -OOM_SCORE_ADJ_MAX ||
	    value > OOM_SCORE_ADJ_MAX)
		return -EINVAL;
	return score_adj_set(t, value, t->process->oom_score_adj_min);
}

/* The older scale, -17 (never) to 15. */
int pid_show_oom_adj(struct text *out, struct task *t, const struct pid_inode *i)
{
	int value = t->process->oom_score_adj;

	(void)i;
	if (value == OOM_SCORE_ADJ_MAX)
		value = OOM_ADJ_MAX;
	else
		value = value * -OOM_DISABLE / OOM_SCORE_ADJ_MAX;
	text_printf(out, "%d\n", MIN(value, OOM_ADJ_MAX));
	return 0;
}

int pid_store_oom_adj(struct task *t, const struct pid_inode *i, char *data, size_t len)
{
	int64_t value;

	(void)i;
	if (!number_of(data, len, &value) ||
	    ((value < -16 || value > OOM_ADJ_MAX) && value != OOM_DISABLE))
		return -EINVAL;
	if (value == OOM_ADJ_MAX)
		value = OOM_SCORE_ADJ_MAX;
	else
		value = value * OOM_SCORE_ADJ_MAX / -OOM_DISABLE;
	return score_adj_set(t, value, t->process->oom_score_adj);
}

/* ---- others ---- */

int pid_show_timerslack(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	if (t != current() && !pid_capable(t, CAP_SYS_NICE))
		return -EPERM;
	text_printf(out, "%lu\n", t->timer_slack);
	return 0;
}

int pid_store_timerslack(struct task *t, const struct pid_inode *i, char *data,
			 size_t len)
{
	int64_t value;

	(void)i;
	if (!number_of(data, len, &value) || value < 0)
		return -EINVAL;
	if (t != current() && !pid_capable(t, CAP_SYS_NICE))
		return -EPERM;
	if (t->policy == SCHED_DEADLINE || policy_is_realtime(t->policy))
		return 0; /* they have none */
	t->timer_slack = value ? (uint64_t)value : t->timer_slack_default;
	return 0;
}

int pid_show_coredump_filter(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);

	(void)i;
	if (mm)
		text_printf(out, "%08x\n", t->process->coredump_filter);
	mm_put(mm);
	return 0;
}

int pid_store_coredump_filter(struct task *t, const struct pid_inode *i, char *data,
			      size_t len)
{
	uint64_t value;

	(void)i;
	if (!unsigned_of(data, len, &value))
		return -EINVAL;
	t->process->coredump_filter = (uint32_t)value & 0x1ff;
	return 0;
}

int pid_show_loginuid(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%u", from_kuid(text_user_ns(out), t->process->loginuid));
	return 0;
}

int pid_show_sessionid(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%u", t->process->sessionid);
	return 0;
}

/* Once, by the process itself; another time takes a capability. */
int pid_store_loginuid(struct task *t, const struct pid_inode *i, char *data, size_t len)
{
	static uint32_t last_session; /* atomic */
	struct process *p = t->process;
	int64_t value;
	uid_t uid;

	(void)i;
	if (p != current()->process)
		return -EPERM;
	if (!number_of(data, len, &value) || value < 0 || value > UINT32_MAX)
		return -EINVAL;
	uid = uid_in((uid_t)value);
	if (uid == NO_ID && value != NO_ID)
		return -EINVAL;
	if (p->loginuid != UINT32_MAX && !capable(CAP_AUDIT_CONTROL))
		return -EPERM;
	p->loginuid = uid;
	p->sessionid = value == UINT32_MAX
			       ? UINT32_MAX
			       : __atomic_add_fetch(&last_session, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Writing resets counts of scheduling that are not kept. */
int pid_store_sched(struct task *t, const struct pid_inode *i, char *data, size_t len)
{
	(void)t;
	(void)i;
	(void)data;
	(void)len;
	return 0;
}

/* No security module: attr/. */
int pid_show_attr(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)out;
	(void)t;
	(void)i;
	return -EINVAL;
}

int pid_store_attr(struct task *t, const struct pid_inode *i, char *data, size_t len)
{
	(void)i;
	(void)data;
	(void)len;
	return t == current() ? -EINVAL : -EACCES;
}
