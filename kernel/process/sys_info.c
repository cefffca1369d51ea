/* SPDX-License-Identifier: MIT */
/* sys_info.c - names and figures of the system, its log, random numbers. The sandbox has
 * a host name and a domain name of its own. The kernel log is empty. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/prctl.h"
#include "abi/random.h"
#include "abi/syscall.h"
#include "base/lock.h"
#include "host/host.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/system.h"
#include "process/task.h"
#include "process/task_life.h"
#include "process/time_ns.h"
#include "time/clock.h"

#define RANDOM_CHUNK 512

void (*memory_figures_hook)(struct memory_figures *out);

static struct lock names_lock = LOCK_INIT(RANK_LOG);
static struct linux_utsname names = {
	.sysname = "Linux",
	.nodename = "carbyne",
	.release = KERNEL_RELEASE,
	.version = KERNEL_VERSION,
	.machine = "x86_64",
	.domainname = "(none)",
};

void system_names(struct linux_utsname *out)
{
	lock_take(&names_lock);
	*out = names;
	lock_drop(&names_lock);
}

static void name_replace(char *field, size_t size, const char *name)
{
	lock_take(&names_lock);
	memset(field, 0, size);
	(void)string_copy(field, name, size);
	lock_drop(&names_lock);
}

void system_set_hostname(const char *name)
{
	name_replace(names.nodename, sizeof(names.nodename), name);
}

void system_set_domainname(const char *name)
{
	name_replace(names.domainname, sizeof(names.domainname), name);
}

/* A release for programs that know no other than 2.6: 6.13.0-x becomes 2.6.73-x. */
static void release_as_26(char release[UTS_LEN + 1])
{
	const char *rest = release;
	unsigned minor = 0, dots = 0;
	char text[UTS_LEN + 1];

	for (; (*rest >= '0' && *rest <= '9') || (*rest == '.' && dots < 2); rest++) {
		if (*rest == '.')
			dots++;
		else if (dots == 1)
			minor = minor * 10 + (unsigned)(*rest - '0');
	}
	(void)scnprintf(text, sizeof(text), "2.6.%u%s", minor + 60, rest);
	(void)string_copy(release, text, UTS_LEN + 1);
}

long sys_uname(struct task *t, uaddr_t out)
{
	uint32_t persona = t->personality;
	struct linux_utsname k;

	system_names(&k);
	if (persona & UNAME26)
		release_as_26(k.release);
	if ((persona & PER_MASK) == PER_LINUX32)
		(void)string_copy(k.machine, "i686", sizeof(k.machine));
	return COPY_OUT(out, &k);
}

static long name_set(char *name, uaddr_t from, int len)
{
	char k[UTS_LEN + 1] = {0};

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > UTS_LEN)
		return -EINVAL;
	if (copy_from_user(k, from, (size_t)len))
		return -EFAULT;
	lock_take(&names_lock);
	memcpy(name, k, sizeof(k));
	lock_drop(&names_lock);
	return 0;
}

long sys_sethostname(struct task *t, uaddr_t name, int len)
{
	(void)t;
	return name_set(names.nodename, name, len);
}

long sys_setdomainname(struct task *t, uaddr_t name, int len)
{
	(void)t;
	return name_set(names.domainname, name, len);
}

long sys_sysinfo(struct task *t, uaddr_t out)
{
	struct memory_figures m = {.total = 4UL << 30, .free = 2UL << 30};
	struct linux_sysinfo k;

	(void)t;
	if (memory_figures_hook)
		memory_figures_hook(&m);
	memset(&k, 0, sizeof(k));
	k.uptime = (time_ns_now(CLOCK_BOOTTIME) + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
	k.totalram = m.total;
	k.freeram = m.free;
	k.sharedram = m.shared;
	k.bufferram = m.buffers;
	k.totalswap = m.swap_total;
	k.freeswap = m.swap_free;
	k.procs = (uint16_t)MIN(process_count(), 0xffff);
	k.mem_unit = 1;
	return COPY_OUT(out, &k);
}

static bool is_interrupted(const struct task *t)
{
	return atomic_load_relaxed(&t->sleeper.work) & (WORK_SIGNAL | WORK_KILL);
}

long sys_getrandom(struct task *t, uaddr_t buf, size_t count, unsigned int flags)
{
	uint8_t chunk[RANDOM_CHUNK];
	size_t done = 0;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	count = MIN(count, (size_t)INT32_MAX);
	/* A signal ends it between pages. */
	while (done < count && !(done && done % PAGE_SIZE == 0 && is_interrupted(t))) {
		size_t size = MIN(count - done, sizeof(chunk));
		long got = host_getrandom(chunk, size);

		if (got <= 0 || (size_t)got > size)
			return done ? (long)done : -EAGAIN;
		if (copy_to_user(buf + done, chunk, (size_t)got))
			return done ? (long)done : -EFAULT;
		done += (size_t)got;
	}
	return (long)done;
}
