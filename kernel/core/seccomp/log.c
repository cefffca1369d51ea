/* SPDX-License-Identifier: MIT */
/* log.c - what the kernel's log says of calls that filters have not simply allowed: in
 * the words of Linux's audit, as it prints them when no daemon listens. */
#include "abi/signal.h"
#include "base/page.h"
#include "core/seccomp/internal.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/object.h"
#include "process/creds.h"
#include "process/klog.h"
#include "process/task.h"
#include "time/clock.h"

/* As bits of seccomp_logged. */
static uint32_t bit_of(uint32_t action)
{
	static const uint32_t in_order[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
		SECCOMP_RET_ERRNO,	  SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_TRACE,
		SECCOMP_RET_LOG,
	};

	for (size_t i = 0; i < ARRAY_SIZE(in_order); i++)
		if (in_order[i] == action)
			return 1U << i;
	return 1; /* what is no action kills */
}

static bool always_counts(uint32_t action)
{
	return action != SECCOMP_RET_TRAP && action != SECCOMP_RET_ERRNO &&
	       action != SECCOMP_RET_USER_NOTIF && action != SECCOMP_RET_TRACE;
}

/* In quotes, or in hexadecimal if it has characters that are not for a log. */
static void quote(char *out, size_t size, const char *s)
{
	size_t len = 0;

	for (const char *p = s; *p; p++) {
		if (*p > ' ' && *p != '"' && *p < 0x7f)
			continue;
		for (p = s; *p && len + 3 <= size; p++)
			len += scnprintf(out + len, size - len, "%02X", (uint8_t)*p);
		return;
	}
	(void)snprintf(out, size, "\"%s\"", s);
}

static void describe_program(struct mm *mm, char *out, size_t size)
{
	char *path = page_alloc(0);
	uint64_t dev;
	uint64_t ino;

	(void)snprintf(out, size, "(null)");
	if (!path)
		return;
	path[0] = '\0';
	if (mm->exe && mm->exe->ops->describe)
		mm->exe->ops->describe(mm->exe, path, PAGE_SIZE, &dev, &ino);
	if (path[0])
		quote(out, size, path);
	page_free(path, 0);
}

void seccomp_log(struct task *t, const struct linux_seccomp_data *data, int signo,
		 uint32_t action, bool is_asked_for)
{
	static uint32_t serial; /* atomic */
	nsec_t now;
	char comm[2 * TASK_COMM_LEN + 3];
	char exe[256];

	if (!(is_asked_for || always_counts(action)) ||
	    !(atomic_load(&seccomp_logged) & bit_of(action)) || !klog_ratelimit())
		return;
	now = clock_now(CLOCK_REALTIME);
	quote(comm, sizeof(comm), t->comm);
	describe_program(t->mm, exe, sizeof(exe));
	klog_print(KLOG_NOTICE,
		   "audit: type=1326 audit(%ld.%03ld:%u): auid=%u uid=%u gid=%u ses=%u "
		   "pid=%d comm=%s exe=%s sig=%d arch=%x syscall=%d compat=%d ip=0x%lx "
		   "code=0x%x",
		   (long)(now / NSEC_PER_SEC), (long)(now % NSEC_PER_SEC / 1000000),
		   atomic_add(&serial, 1) + 1, t->process->loginuid, t->creds->uid,
		   t->creds->gid, t->process->sessionid, t->tid, comm, exe, signo,
		   data->arch, data->nr, data->arch != AUDIT_ARCH_X86_64,
		   data->instruction_pointer, action);
}
