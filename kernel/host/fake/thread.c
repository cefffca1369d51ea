/* SPDX-License-Identifier: MIT */
/* thread.c - processors, tasks, kicks, failures and the end by panic. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/log.h"
#include "base/panic.h"
#include "host/fake/fake.h"
#include "host/fake/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "process/task.h"

_Thread_local struct cpu *cpu_of_thread;
_Thread_local char fake_panic_text[512];
void (*panic_hook)(void);

static _Thread_local jmp_buf panic_jump;
static _Thread_local bool panic_is_expected;
static int next_tid;
static uint64_t fail_countdown;

struct task *fake_task_begin(struct mm *mm)
{
	struct cpu *c = calloc(1, sizeof(*c));
	struct task *t = calloc(1, sizeof(*t));

	if (!c || !t)
		abort();
	t->mm = mm;
	t->cpu = c;
	t->tid = atomic_add(&next_tid, 1) + 1;
	t->sleeper.host_eventfd = -1;
	c->self = c;
	c->task = t;
	c->work = &t->sleeper.work;
	c->sleeper = &t->sleeper;
	c->host_tid = t->tid;
	c->host_pid = 1;
	cpu_of_thread = c;
	fake_sleep_begin(c->host_tid);
	return t;
}

/* Tasks are type-stable memory: a late wake-up may still look at one. So it is never
 * freed, only kept. */
void fake_task_end(void)
{
	static struct task *ended;
	struct task *t = cpu_of_thread->task;

	fake_sleep_end();
	t->vfork_parent = atomic_xchg(&ended, t); /* a chain that leak checkers see */
	free(cpu_of_thread);
	cpu_of_thread = NULL;
}

void fake_kick(struct task *t, uint32_t work)
{
	(void)atomic_or(&t->sleeper.work, work);
	host_kick(1, t->tid);
}

jmp_buf *fake_panic_expect(void)
{
	panic_is_expected = true;
	return &panic_jump;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(fake_panic_text, sizeof(fake_panic_text), fmt, args);
	va_end(args);
	if (!panic_is_expected) {
		(void)fprintf(stderr, "kernel panic: %s\n", fake_panic_text);
		abort();
	}
	panic_is_expected = false;
	longjmp(panic_jump, 1);
}

void log_print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

void fake_fail_at(uint64_t n)
{
	atomic_store(&fail_countdown, n);
}

bool fake_must_fail(void)
{
	uint64_t n = atomic_load_relaxed(&fail_countdown);

	while (n)
		if (atomic_try_cas(&fail_countdown, &n, n - 1))
			return n == 1;
	return false;
}
