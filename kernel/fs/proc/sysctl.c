/* SPDX-License-Identifier: MIT */
/* sysctl.c - /proc/sys.
 *
 * Most settings are remembered and change nothing: sysctl_settings.c. Those that the
 * kernel heeds have functions of their own. Modes hold for root too. */
#include "fs/proc/sysctl.h"
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/lock.h"
#include "base/panic.h"
#include "base/slab.h"
#include "fs/dnotify.h"
#include "fs/lease.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/pipe_limits.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/commit.h"
#include "mm/map.h"
#include "process/creds.h"
#include "process/system.h"
#include "process/task.h"
#include "process/user_ns.h"

struct lock sysctl_lock = LOCK_INIT(RANK_OBJECT);

/* ---- settings that are only remembered ---- */

static int net_setting_show(struct text *t, struct namespace *net, void *arg)
{
	struct sysctl_setting *s = arg;
	char **now;

	lock_take(&sysctl_lock);
	now = sysctl_value(s, net, false);
	text_puts(t, now && *now ? *now : s->first);
	lock_drop(&sysctl_lock);
	text_putc(t, '\n');
	return 0;
}

static int setting_show(struct text *t, void *arg)
{
	return net_setting_show(t, NULL, arg);
}

void proc_setting(const char *path, char *buf, size_t size)
{
	buf[0] = '\0';
	lock_take(&sysctl_lock);
	for (size_t i = 0; i < sysctl_setting_count; i++) {
		const struct sysctl_setting *s = &sysctl_settings[i];

		if (strcmp(s->path, path) == 0)
			(void)snprintf(buf, size, "%s", s->now ? s->now : s->first);
	}
	lock_drop(&sysctl_lock);
}

static size_t without_newline(const char *data, size_t len)
{
	while (len && (data[len - 1] == '\n' || data[len - 1] == '\0'))
		len--;
	return len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Numbers alone, separated by white space. */
static bool is_numbers(const char *s)
{
	bool any = false;

	for (; *s; s++) {
		if (is_space(*s))
			continue;
		if (*s == '-' && s[1] >= '0' && s[1] <= '9')
			s++;
		if (*s < '0' || *s > '9')
			return false;
		any = true;
		while (s[1] >= '0' && s[1] <= '9')
			s++;
		if (s[1] && !is_space(s[1]))
			return false;
	}
	return any;
}

/* The next field of *s, which moves past it: its length; 0: there is none. */
static size_t field_next(const char **s, const char **field)
{
	size_t len = 0;

	while (is_space(**s))
		++*s;
	*field = *s;
	while ((*field)[len] && !is_space((*field)[len]))
		len++;
	*s += len;
	return len;
}

/* As many numbers as old has, of which the first come from data. NULL: no memory. */
static char *numbers_merge(const char *old, const char *data)
{
	struct text t = {.buf = NULL};
	const char *was;
	const char *is;
	size_t was_len;

	while ((was_len = field_next(&old, &was))) {
		size_t is_len = field_next(&data, &is);

		if (t.len)
			text_putc(&t, '\t');
		text_write(&t, is_len ? is : was, is_len ? is_len : was_len);
	}
	text_putc(&t, '\0');
	if (t.is_failed)
		text_fini(&t);
	return t.buf;
}

int core_uses_pid;

static int net_setting_store(char *data, size_t len, struct namespace *net, void *arg)
{
	struct sysctl_setting *s = arg;
	bool has_numbers = is_numbers(s->first);
	char *copy = NULL;
	char *old = NULL;
	char **now;

	data[without_newline(data, len)] = '\0';
	if (has_numbers && !is_numbers(data))
		return -EINVAL;
	lock_take(&sysctl_lock);
	now = sysctl_value(s, net, true);
	if (now) {
		old = *now;
		copy = has_numbers ? numbers_merge(old ? old : s->first, data)
				   : kstrdup(data);
	}
	if (copy)
		*now = copy;
	lock_drop(&sysctl_lock);
	if (!copy)
		return -ENOMEM;
	kfree(old);
	return 0;
}

static int setting_store(char *data, size_t len, void *arg)
{
	return net_setting_store(data, len, NULL, arg);
}

/* Says something to do, which there is not: caches are not dropped, nothing compacted. */
static int action_store(char *data, size_t len, void *arg)
{
	(void)arg;
	data[without_newline(data, len)] = '\0';
	return is_numbers(data) ? 0 : -EINVAL;
}

static void setting_add(struct pseudo_node *sys, struct sysctl_setting *s)
{
	bool may_write = s->mode & 0222;

	if (!(s->mode & 0444))
		(void)pseudo_file(sys, s->path, s->mode, NULL, action_store, NULL);
	else if (sysctl_is_of_net(s))
		(void)pseudo_scoped_file(sys, s->path, s->mode, &sysctl_net_scope,
					 net_setting_show,
					 may_write ? net_setting_store : NULL, s);
	else
		(void)pseudo_file(sys, s->path, s->mode, setting_show,
				  may_write ? setting_store : NULL, s);
}

/* One directory each for all interfaces, new ones, and the loopback. */
static void conf_add(struct pseudo_node *sys, const char *dir,
		     const struct sysctl_first *first)
{
	static const char *const names[] = {"all", "default", "lo"};

	for (; first->name; first++) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			struct sysctl_setting *s = kmalloc(sizeof(*s));
			char path[100];
			size_t len = scnprintf(path, sizeof(path), "%s/%s/%s", dir,
					       names[i], first->name);

			if (!s)
				return;
			*s = (struct sysctl_setting){kstrndup(path, len), first->value,
						     0644, NULL};
			if (s->path)
				setting_add(sys, s);
		}
	}
}

/* ---- numbers that the kernel heeds ---- */

struct number {
	const char *path;
	int *value; /* atomic */
	int min;
	int max;
};

static const struct number numbers[] = {
	{"kernel/core_uses_pid", &core_uses_pid, 0, INT32_MAX},
	{"vm/admin_reserve_kbytes", &commit_admin_reserve, 0, INT32_MAX},
	{"vm/max_map_count", &mm_max_areas, 0, INT32_MAX},
	{"vm/mmap_min_addr", &mm_min_addr, 0, INT32_MAX},
	{"vm/overcommit_kbytes", &commit_kbytes, 0, INT32_MAX},
	{"vm/overcommit_memory", &commit_policy, OVERCOMMIT_GUESS, OVERCOMMIT_NEVER},
	{"vm/overcommit_ratio", &commit_ratio, 0, INT32_MAX},
	{"vm/user_reserve_kbytes", &commit_user_reserve, 0, INT32_MAX},
	{"fs/suid_dumpable", &suid_dumpable, 0, 2},
	{"kernel/overflowgid", &overflow_ids[ID_GROUP], 0, UINT16_MAX},
	{"kernel/overflowuid", &overflow_ids[ID_USER], 0, UINT16_MAX},
	{"kernel/pid_max", &pid_max, PID_RESERVED + 1, PID_MAX},
	{"kernel/sched_rr_timeslice_ms", &sched_rr_timeslice_ms, 1, INT32_MAX},
	{"kernel/threads-max", &threads_max, 1, THREADS_MAX},
	{"fs/dir-notify-enable", &dnotify_enabled, 0, INT32_MAX},
	{"fs/mount-max", &mounts_max, 1, INT32_MAX},
	{"fs/fanotify/max_queued_events", &notify_limits[FANOTIFY_QUEUED_EVENTS], 0,
	 INT32_MAX},
	{"fs/fanotify/max_user_groups", &notify_limits[FANOTIFY_USER_GROUPS], 0,
	 INT32_MAX},
	{"fs/fanotify/max_user_marks", &notify_limits[FANOTIFY_USER_MARKS], 0, INT32_MAX},
	{"user/max_fanotify_groups", &notify_limits[FANOTIFY_USER_GROUPS], 0, INT32_MAX},
	{"user/max_fanotify_marks", &notify_limits[FANOTIFY_USER_MARKS], 0, INT32_MAX},
	{"user/max_inotify_instances", &notify_limits[INOTIFY_USER_INSTANCES], 0,
	 INT32_MAX},
	{"user/max_inotify_watches", &notify_limits[INOTIFY_USER_WATCHES], 0, INT32_MAX},
	{"fs/inotify/max_queued_events", &notify_limits[INOTIFY_QUEUED_EVENTS], 0,
	 INT32_MAX},
	{"fs/inotify/max_user_instances", &notify_limits[INOTIFY_USER_INSTANCES], 0,
	 INT32_MAX},
	{"fs/inotify/max_user_watches", &notify_limits[INOTIFY_USER_WATCHES], 0,
	 INT32_MAX},
	{"fs/epoll/max_user_watches", &notify_limits[EPOLL_USER_WATCHES], 0, INT32_MAX},
	{"fs/lease-break-time", &lease_break_seconds, 0, INT32_MAX},
	{"fs/leases-enable", &lease_enabled, 0, INT32_MAX},
	{"fs/nr_open", &nr_open, NR_OPEN_MIN, NR_OPEN_MAX},
	{"fs/pipe-max-size", &pipe_max_size, PAGE_SIZE, 1 << 30},
	{"fs/pipe-user-pages-hard", &pipe_pages_hard, 0, INT32_MAX},
	{"fs/pipe-user-pages-soft", &pipe_pages_soft, 0, INT32_MAX},
	{"fs/protected_fifos", &protected_fifos, 0, 2},
	{"fs/protected_hardlinks", &protected_hardlinks, 0, 1},
	{"fs/protected_regular", &protected_regular, 0, 2},
	{"fs/protected_symlinks", &protected_symlinks, 0, 1},
};

static struct number added[32]; /* by other folders, before the first look */
static size_t added_count;

void proc_sysctl_number(const char *path, int *value, int min, int max)
{
	kassert(added_count < ARRAY_SIZE(added));
	added[added_count++] = (struct number){path, value, min, max};
}

enum { OWN_FILES_MAX = 4 };
static struct {			       /* of later folders */
	const struct proc_file *files; /* or */
	const struct proc_net_file *net_files;
	size_t count;
} own_files[OWN_FILES_MAX];
static size_t own_file_lists;

static void add_files(const struct proc_file *files,
		      const struct proc_net_file *net_files, size_t count)
{
	if (own_file_lists == OWN_FILES_MAX)
		return;
	own_files[own_file_lists].files = files;
	own_files[own_file_lists].net_files = net_files;
	own_files[own_file_lists++].count = count;
}

void proc_sysctl_files(const struct proc_file *files, size_t count)
{
	add_files(files, NULL, count);
}

void proc_sysctl_net_files(const struct proc_net_file *files, size_t count)
{
	add_files(NULL, files, count);
}

static void own_file_add(struct pseudo_node *sys, size_t list, size_t at)
{
	const struct proc_file *f = own_files[list].files;
	const struct proc_net_file *n = own_files[list].net_files;

	if (f)
		(void)pseudo_file(sys, f[at].path, f[at].mode, f[at].show, f[at].store,
				  f[at].arg);
	else
		(void)pseudo_scoped_file(sys, n[at].path, n[at].mode, &sysctl_net_scope,
					 n[at].show, n[at].store, n[at].arg);
}

void proc_files(const struct proc_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)pseudo_file(&proc_root, files[i].path, files[i].mode, files[i].show,
				  files[i].store, files[i].arg);
}

static int number_show(struct text *t, void *arg)
{
	const struct number *n = arg;

	text_printf(t, "%d\n", atomic_load_relaxed(n->value));
	return 0;
}

static int number_store(char *data, size_t len, void *arg)
{
	const struct number *n = arg;
	int64_t value = 0;
	size_t i = 0;

	len = without_newline(data, len);
	if (!len)
		return -EINVAL;
	for (; i < len && value <= INT32_MAX; i++) {
		if (data[i] < '0' || data[i] > '9')
			return -EINVAL;
		value = value * 10 + (data[i] - '0');
	}
	if (value < n->min || value > n->max)
		return -EINVAL;
	if (n->value == &pipe_max_size)
		value = 1L << (64 - __builtin_clzl((uint64_t)value - 1));
	if (n->value == &commit_ratio) /* one of them counts: the one set last */
		atomic_store(&commit_kbytes, 0);
	if (n->value == &commit_kbytes)
		atomic_store(&commit_ratio, 0);
	atomic_store(n->value, (int)value);
	return 0;
}

static void number_add(struct pseudo_node *sys, const struct number *n)
{
	bool is_fixed = n->min > n->max;

	(void)pseudo_file(sys, n->path, is_fixed ? 0444 : 0644, number_show,
			  is_fixed ? NULL : number_store, (void *)(uintptr_t)n);
}

static int last_pid_show(struct text *t, void *arg)
{
	(void)arg;
	text_printf(t, "%d\n", task_last_id());
	return 0;
}

static int last_pid_store(char *data, size_t len, void *arg)
{
	uint32_t id;

	(void)arg;
	if (!capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	data[without_newline(data, len)] = '\0';
	if (!parse_u32(data, &id) || id > (uint32_t)atomic_load_relaxed(&pid_max))
		return -EINVAL;
	task_set_last_id((pid_t)id);
	return 0;
}

/* ---- names ---- */

static int name_show(struct text *t, void *arg)
{
	struct linux_utsname names;

	system_names(&names);
	text_printf(t, "%s\n", (const char *)&names + (size_t)arg);
	return 0;
}

static int hostname_store(char *data, size_t len, void *arg)
{
	(void)arg;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	data[without_newline(data, len)] = '\0';
	system_set_hostname(data);
	return 0;
}

static int domainname_store(char *data, size_t len, void *arg)
{
	(void)arg;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	data[without_newline(data, len)] = '\0';
	system_set_domainname(data);
	return 0;
}

static void name_add(const char *path, uint32_t mode, size_t at,
		     int (*store)(char *data, size_t len, void *arg))
{
	(void)pseudo_file(&proc_root, path, mode, name_show, store, (void *)at);
}

/* ---- random ---- */

static void uuid_format(struct text *t, uint8_t b[16])
{
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++)
		text_printf(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			    b[i]);
	text_putc(t, '\n');
}

static int uuid_show(struct text *t, void *arg)
{
	uint8_t bytes[16] = {0};

	(void)arg;
	if (host_getrandom(bytes, sizeof(bytes)) != sizeof(bytes))
		return -EIO;
	uuid_format(t, bytes);
	return 0;
}

static int boot_id_show(struct text *t, void *arg)
{
	static uint8_t id[16]; /* sysctl_lock */
	static bool is_made;   /* sysctl_lock */
	uint8_t copy[16];
	bool ok;

	(void)arg;
	lock_take(&sysctl_lock);
	if (!is_made)
		is_made = host_getrandom(id, sizeof(id)) == sizeof(id);
	ok = is_made;
	memcpy(copy, id, sizeof(copy));
	lock_drop(&sysctl_lock);
	if (!ok)
		return -EIO;
	uuid_format(t, copy);
	return 0;
}

static void sys_fill(void)
{
	struct pseudo_node *sys = pseudo_dir(&proc_root, "sys");

	if (!sys)
		return;
	sys->is_strict = true;
	for (size_t i = 0; i < sysctl_setting_count; i++)
		setting_add(sys, &sysctl_settings[i]);
	conf_add(sys, "net/ipv4/conf", sysctl_ipv4_conf);
	conf_add(sys, "net/ipv6/conf", sysctl_ipv6_conf);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		number_add(sys, &numbers[i]);
	for (size_t i = 0; i < added_count; i++)
		number_add(sys, &added[i]);
	for (size_t i = 0; i < own_file_lists; i++)
		for (size_t k = 0; k < own_files[i].count; k++)
			own_file_add(sys, i, k);
	sysctl_add_seccomp(sys);
	sysctl_add_user(sys);
	(void)pseudo_file(sys, "kernel/ns_last_pid", 0666, last_pid_show, last_pid_store,
			  NULL);
	name_add("sys/kernel/hostname", 0644, offsetof(struct linux_utsname, nodename),
		 hostname_store);
	name_add("sys/kernel/domainname", 0644,
		 offsetof(struct linux_utsname, domainname), domainname_store);
	name_add("sys/kernel/ostype", 0444, offsetof(struct linux_utsname, sysname),
		 NULL);
	name_add("sys/kernel/osrelease", 0444, offsetof(struct linux_utsname, release),
		 NULL);
	name_add("sys/kernel/version", 0444, offsetof(struct linux_utsname, version),
		 NULL);
	(void)pseudo_file(&proc_root, "sys/kernel/random/uuid", 0444, uuid_show, NULL,
			  NULL);
	(void)pseudo_file(&proc_root, "sys/kernel/random/boot_id", 0444, boot_id_show,
			  NULL, NULL);
}

void proc_add_sysctl(void)
{
	struct pseudo_node *sys = pseudo_dir(&proc_root, "sys");

	if (sys)
		pseudo_fill_later(sys, sys_fill);
}
