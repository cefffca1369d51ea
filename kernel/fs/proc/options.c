/* SPDX-License-Identifier: MIT */
/* options.c - what a mount of procfs shows to whom: hidepid, gid and subset (proc(5)). */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/mount_options.h"
#include "fs/proc/access.h"
#include "fs/proc/internal.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"

static const struct {
	const char *number, *name;
	uint32_t value;
} hiding[] = {
	{"0", "off", HIDEPID_OFF},
	{"1", "noaccess", HIDEPID_NO_ACCESS},
	{"2", "invisible", HIDEPID_INVISIBLE},
	{"4", "ptraceable", HIDEPID_PTRACEABLE},
};

static bool hiding_parse(const char *text, uint32_t *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(hiding); i++) {
		if (!string_equal(hiding[i].number, text) &&
		    !string_equal(hiding[i].name, text))
			continue;
		*out = hiding[i].value;
		return true;
	}
	return false;
}

/* -ENOENT: no such option; -EINVAL: no such value. */
static int option_apply(void *to, const char *key, const char *value)
{
	struct proc_options *o = to;
	bool is_gid = string_equal(key, "gid");
	bool is_subset = string_equal(key, "subset");

	if (!is_gid && !is_subset && !string_equal(key, "hidepid"))
		return -ENOENT;
	if (!value)
		return -EINVAL;
	if (is_gid)
		return parse_u32(value, &o->gid) ? 0 : -EINVAL;
	if (!is_subset)
		return hiding_parse(value, &o->hidepid) ? 0 : -EINVAL;
	o->only_pids = string_equal(value, "pid");
	return o->only_pids ? 0 : -EINVAL;
}

int proc_takes(const char *key, const char *value)
{
	struct proc_options o;

	return option_apply(&o, key, value);
}

int proc_options_parse(struct proc_options *o, const char *text)
{
	return mount_options_parse(text, option_apply, o) ? -EINVAL : 0;
}

void proc_show_options(struct superblock *sb, char *buf, size_t size)
{
	const struct proc_options *o = sb->private;
	size_t at = 0;

	buf[0] = '\0';
	if (o->gid)
		at = scnprintf(buf, size, ",gid=%u", o->gid);
	for (size_t i = 1; i < ARRAY_SIZE(hiding); i++)
		if (hiding[i].value == o->hidepid)
			at += scnprintf(buf + at, size - at, ",hidepid=%s",
					hiding[i].name);
	if (o->only_pids)
		scnprintf(buf + at, size - at, ",subset=pid");
}

int proc_remount(struct superblock *sb, const char *options)
{
	struct proc_options *o = sb->private;
	struct proc_options now = *o;
	int err = proc_options_parse(&now, options);

	if (err)
		return err;
	/* Which files there are stays as it was. */
	o->hidepid = now.hidepid;
	o->gid = now.gid;
	return 0;
}

bool proc_may_see(const struct superblock *sb, struct task *t, enum hidepid least)
{
	const struct proc_options *o = sb->private;

	if (likely(!o->hidepid))
		return true;
	if (o->hidepid != HIDEPID_PTRACEABLE) {
		if (o->hidepid < least || creds_in_group(current_creds(), o->gid))
			return true;
	}
	return pid_may_access(t) == 0;
}
