/* SPDX-License-Identifier: MIT */
/* time.h - clocks, time structures and timer calls. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

struct linux_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

struct linux_timeval {
	int64_t tv_sec;
	int64_t tv_usec;
};

struct linux_timezone {
	int32_t tz_minuteswest;
	int32_t tz_dsttime;
};

struct linux_itimerval {
	struct linux_timeval it_interval;
	struct linux_timeval it_value;
};

struct linux_itimerspec {
	struct linux_timespec it_interval;
	struct linux_timespec it_value;
};

struct linux_utimbuf {
	int64_t actime;
	int64_t modtime;
};

/* times(2): in units of 1 / USER_HZ seconds. */
#define USER_HZ 100
struct linux_tms {
	int64_t tms_utime;
	int64_t tms_stime;
	int64_t tms_cutime;
	int64_t tms_cstime;
};

struct linux_timex {
	uint32_t modes;
	uint32_t pad0;
	int64_t offset;
	int64_t freq;
	int64_t maxerror;
	int64_t esterror;
	int32_t status;
	int32_t pad1;
	int64_t constant;
	int64_t precision;
	int64_t tolerance;
	struct linux_timeval time;
	int64_t tick;
	int64_t ppsfreq;
	int64_t jitter;
	int32_t shift;
	int32_t pad2;
	int64_t stabil;
	int64_t jitcnt;
	int64_t calcnt;
	int64_t errcnt;
	int64_t stbcnt;
	int32_t tai;
	int32_t pad3[11];
};

_Static_assert(sizeof(struct linux_timex) == 208, "struct timex");

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_BOOTTIME		 7
#define CLOCK_REALTIME_ALARM	 8
#define CLOCK_BOOTTIME_ALARM	 9
#define CLOCK_SGI_CYCLE		 10
#define CLOCK_TAI		 11
#define MAX_CLOCKS		 16

/* A negative clock id is (~pid << 3) | kind, or (~fd << 3) | CLOCKFD. */
#define CPUCLOCK_PROF		0
#define CPUCLOCK_VIRT		1
#define CPUCLOCK_SCHED		2
#define CPUCLOCK_CLOCK_MASK	3
#define CPUCLOCK_PERTHREAD_MASK 4
#define CLOCKFD			3

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

#define TIMER_ABSTIME		1
#define TFD_TIMER_ABSTIME	0x1
#define TFD_TIMER_CANCEL_ON_SET 0x2
#define TFD_CLOEXEC		02000000
#define TFD_NONBLOCK		04000
#define TFD_IOC_SET_TICKS	0x40085400U

/* Special tv_nsec values of utimensat(2). */
#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

#define ADJ_OFFSET	      0x1
#define ADJ_FREQUENCY	      0x2
#define ADJ_MAXERROR	      0x4
#define ADJ_ESTERROR	      0x8
#define ADJ_STATUS	      0x10
#define ADJ_TIMECONST	      0x20
#define ADJ_TAI		      0x80
#define ADJ_SETOFFSET	      0x100
#define ADJ_MICRO	      0x1000
#define ADJ_NANO	      0x2000
#define ADJ_TICK	      0x4000
#define ADJ_ADJTIME	      0x8000 /* adjtime(3): with ADJ_OFFSET; READONLY: only tells */
#define ADJ_OFFSET_READONLY   0x2000
#define ADJ_OFFSET_SINGLESHOT 0x8001
#define ADJ_OFFSET_SS_READ    0xa001
#define TIME_OK		      0
#define TIME_INS	      1
#define TIME_DEL	      2
#define TIME_OOP	      3
#define TIME_WAIT	      4
#define TIME_ERROR	      5
#define STA_PLL		      0x1
#define STA_FLL		      0x8
#define STA_INS		      0x10
#define STA_DEL		      0x20
#define STA_UNSYNC	      0x40
#define STA_FREQHOLD	      0x80
#define STA_CLOCKERR	      0x1000
#define STA_MODE	      0x4000
#define STA_RONLY	      0xff00 /* PPS signals, CLOCKERR, NANO, MODE, CLK */
#define STA_NANO	      0x2000
