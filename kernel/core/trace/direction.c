/* SPDX-License-Identifier: MIT */
/* direction.c - which of its arguments a call writes: those are shown when it has ended.
 */
#include "core/trace/capture.h"
#include "core/trace/special.h"

#define OUTS_ALWAYS                                                                      \
	(KIND(OBUF) | KIND(FDPAIR) | KIND(RUSAGE) | KIND(STAT) | KIND(STATFS) |          \
	 KIND(STATX) | KIND(STATUSPTR) | KIND(SYSINFO) | KIND(TMS) | KIND(UTSNAME) |     \
	 KIND(LENPTR) | KIND(OFFPTR))
#define KIND(kind) (1ULL << ARG_##kind)
_Static_assert(ARG_UTSNAME < 64 && ARG_OBUF < 64, "one word holds the pointer kinds");

static const struct {
	uint16_t nr;
	uint8_t args;
} outs[] = {
	{NR_rt_sigaction, 1 << 2},
	{NR_rt_sigprocmask, 1 << 2},
	{NR_readv, 1 << 1},
	{NR_preadv, 1 << 1},
	{NR_preadv2, 1 << 1},
	{NR_nanosleep, 1 << 1},
	{NR_getitimer, 1 << 1},
	{NR_setitimer, 1 << 2},
	{NR_accept, 1 << 1},
	{NR_accept4, 1 << 1},
	{NR_getsockname, 1 << 1},
	{NR_getpeername, 1 << 1},
	{NR_recvfrom, 1 << 4},
	{NR_recvmsg, 1 << 1},
	{NR_gettimeofday, 1 << 0},
	{NR_getrlimit, 1 << 1},
	{NR_prlimit64, 1 << 3},
	{NR_getgroups, 1 << 1},
	{NR_getresuid, 7},
	{NR_getresgid, 7},
	{NR_rt_sigpending, 1 << 0},
	{NR_rt_sigtimedwait, 1 << 1},
	{NR_sigaltstack, 1 << 1},
	{NR_sched_getparam, 1 << 1},
	{NR_sched_rr_get_interval, 1 << 1},
	{NR_sched_getaffinity, 1 << 2},
	{NR_sched_getattr, 1 << 1},
	{NR_clock_gettime, 1 << 1},
	{NR_clock_getres, 1 << 1},
	{NR_clock_nanosleep, 1 << 3},
	{NR_timer_create, 1 << 2},
	{NR_timer_settime, 1 << 3},
	{NR_timer_gettime, 1 << 1},
	{NR_timerfd_settime, 1 << 3},
	{NR_timerfd_gettime, 1 << 1},
	{NR_epoll_wait, 1 << 1},
	{NR_epoll_pwait, 1 << 1},
	{NR_epoll_pwait2, 1 << 1},
	{NR_waitid, 1 << 2},
};

uint8_t capture_outs(uint32_t nr, const struct syscall *s, const uint64_t arg[6])
{
	uint8_t mask = 0;

	for (unsigned i = 0; s && i < 6 && s->kind[i] != ARG_END; i++)
		if (s->kind[i] < 64 && (OUTS_ALWAYS >> s->kind[i] & 1))
			mask |= (uint8_t)(1 << i);
	for (size_t i = 0; i < ARRAY_SIZE(outs); i++)
		if (outs[i].nr == nr)
			mask |= outs[i].args;
	return mask | special_outs(nr, arg);
}
