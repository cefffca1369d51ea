/* SPDX-License-Identifier: MIT */
/* timer_object.h - a timer that sends signals; for this folder alone. */
#pragma once
#include "process/cpu_clock.h"
#include "process/task.h"
#include "time/timer.h"
#include "time/wall_clock.h"

/* Ids of timer_create(2) are 0 and up; those of setitimer(2) have these. */
#define ITIMER_ID(which) (-1 - (which))
#define CPU_LIMIT_ID	 (-4) /* RLIMIT_CPU */
#define RT_LIMIT_ID	 (-5) /* RLIMIT_RTTIME */

/* All but timer: process->lock. */
struct posix_timer {
	struct timer timer;
	struct sigqueue entry; /* its own, so that sending cannot fail */
	struct task *holder; /* whose queue entry is on, when it is; NULL: the process' */
	struct list link;    /* process->posix_timers */
	struct process *process; /* const, as all up to target */
	int id;
	bool is_cpu;
	int clock;		  /* !is_cpu */
	struct clock_watch watch; /* of one that the clock's jumps concern */
	struct cpu_clock
		cpu; /* is_cpu; id: a thread of the process, 0: the process, or */
	struct process *cpu_process; /* ref: another one, whose time it is; or NULL */
	nsec_t seen;		     /* that one's time when it could be read last */
	int notify;		     /* SIGEV_* */
	pid_t target;		     /* SIGEV_THREAD_ID */
	bool active;
	int run_clock;	 /* !is_cpu: CLOCK_MONOTONIC for a relative CLOCK_REALTIME */
	nsec_t expiry;	 /* on its clock; stays until the signal is taken */
	nsec_t interval; /* 0: once */
	nsec_t cpu_step; /* is_cpu: how long to wait before the next look */
	int32_t overrun; /* of the signal taken last */
};

struct timer_setting {
	nsec_t value; /* until it expires; 0: off */
	nsec_t interval;
};

/* A timer that is off, not yet on its process' list; NULL: no memory. */
struct posix_timer *posix_timer_alloc(struct process *p, int id);
/* Takes t, which is off the list, out of use and frees it. No locks are held. */
void posix_timer_free(struct posix_timer *t);
/* With process->lock held: */
struct posix_timer *posix_timer_find_locked(struct process *p, int id);
void posix_timer_set_locked(struct posix_timer *t, const struct timer_setting *s,
			    bool absolute);
/* cpu_limit.c: CPU_LIMIT_ID has expired. */
void cpu_limit_expired_locked(struct posix_timer *t, nsec_t now);
/* RT_LIMIT_ID has. */
void rt_limit_expired_locked(struct posix_timer *t);
/* The current task looks at what it has used. */
void rt_limit_look_locked(struct task *t);
void posix_timer_get_locked(struct posix_timer *t, struct timer_setting *out);
