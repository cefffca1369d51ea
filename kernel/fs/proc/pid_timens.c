/* SPDX-License-Identifier: MIT */
/* pid_timens.c - /proc/PID/timens_offsets: of the time namespace that the children of a
 * process will be in (time_namespaces(7)). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "process/user_ns.h"
#include "time/clock.h"

#define NAME_MAX_LEN 9 /* of a clock: the rest is the next word */

/* The namespace: a reference, or NULL when t has ended. */
static struct time_ns *ns_of(struct task *t)
{
	struct namespace *ns = task_namespace(t, CLONE_NEWTIME, true);

	return ns ? container_of(ns, struct time_ns, ns) : NULL;
}

static void show(struct text *out, const char *name, nsec_t t)
{
	struct linux_timespec ts = nsec_to_timespec(t);

	if (ts.tv_nsec < 0) {
		ts.tv_nsec += NSEC_PER_SEC;
		ts.tv_sec--;
	}
	text_printf(out, "%-10s %10lld %9ld\n", name, (long long)ts.tv_sec,
		    (long)ts.tv_nsec);
}

int pid_show_timens(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct time_ns *ns = ns_of(t);
	struct time_offsets o;

	(void)i;
	if (!ns)
		return -ESRCH;
	o = time_ns_offsets(ns);
	time_ns_put(ns);
	show(out, "monotonic", o.monotonic);
	show(out, "boottime", o.boottime);
	return 0;
}

/* ---- writing ---- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip_spaces(const char *p)
{
	while (is_space(*p))
		p++;
	return p;
}

/* A decimal number, which wraps around: false when there is none. */
static bool number_take(const char **at, bool may_be_negative, int64_t *out)
{
	const char *p = skip_spaces(*at);
	bool is_negative = may_be_negative && *p == '-';
	uint64_t value = 0;

	p += is_negative;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	*out = (int64_t)(is_negative ? -value : value);
	*at = p;
	return true;
}

static int clock_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		int clock;
	} clocks[] = {
		{"monotonic", CLOCK_MONOTONIC},
		{"1", CLOCK_MONOTONIC},
		{"boottime", CLOCK_BOOTTIME},
		{"7", CLOCK_BOOTTIME},
	};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (strlen(clocks[i].name) == len &&
		    memcmp(clocks[i].name, name, len) == 0)
			return clocks[i].clock;
	return -1;
}

/* "CLOCK SECONDS NANOSECONDS"; what comes behind does not matter. */
static int line_parse(const char *line, struct time_offset *out)
{
	const char *name = skip_spaces(line);
	const char *p = name;

	while (*p && !is_space(*p) && p - name < NAME_MAX_LEN)
		p++;
	out->clock = clock_of(name, (size_t)(p - name));
	if (out->clock < 0 || !number_take(&p, true, &out->sec) ||
	    !number_take(&p, false, &out->nsec) || out->nsec < 0 ||
	    out->nsec >= NSEC_PER_SEC)
		return -EINVAL;
	return 0;
}

/* Up to two lines. *used: how much of it that was. */
static int lines_parse(char *data, size_t size, struct time_offset out[2], size_t *count,
		       size_t *used)
{
	char *line = data;
	int err = 0;

	*used = size;
	for (*count = 0; line && *count < 2 && !err; (*count)++) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		err = line_parse(line, &out[*count]);
		line = end && end[1] ? end + 1 : NULL;
	}
	if (line)
		*used = (size_t)(line - data);
	return err;
}

/* For who may have opened f. */
static int set(struct file *f, struct task *t, const struct time_offset *offsets,
	       size_t count)
{
	struct time_ns *ns = ns_of(t);
	int err;

	if (!ns)
		return -ESRCH;
	err = creds_ns_capable(f->creds, ns->ns.owner, CAP_SYS_TIME)
		      ? time_ns_set_offsets(ns, offsets, count)
		      : -EPERM;
	time_ns_put(ns);
	return err;
}

static ssize_t timens_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct time_offset offsets[2];
	size_t size = u->left;
	size_t count, used;
	struct task *t;
	char *data;
	int err;

	if (*pos || size >= PAGE_SIZE)
		return -EINVAL;
	err = uio_copy_in_text(u, size, &data);
	if (err)
		return err;
	err = lines_parse(data, size, offsets, &count, &used);
	kfree(data);
	if (err)
		return err;
	t = pid_task(pid_inode_of(f->inode));
	err = t ? set(f, t, offsets, count) : -ESRCH;
	task_put(t);
	return err ? err : (ssize_t)used;
}

const struct file_ops pid_timens_ops = {
	.read = generated_read,
	.write = timens_write,
	.lseek = generated_lseek,
	.release = generated_release,
	.no_splice = true,
};
