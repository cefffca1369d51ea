/* SPDX-License-Identifier: MIT */
/* special.c - see special.h: what such calls read and write. How it is printed is in
 * special_print.c. */
#include "core/trace/special.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/futex.h"
#include "abi/ioctl.h"
#include "abi/prctl.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "base/waitq.h"
#include "core/trace/capture.h"

enum way { IN, OUT };

/* Data that argument `which` points at when argument `which` - 1 is cmd. */
static const struct {
	uint16_t nr;
	uint8_t which;
	uint8_t way;
	uint32_t cmd;
	size_t size;
} data[] = {
	{NR_fcntl, 2, OUT, F_GETLK, sizeof(struct linux_flock)},
	{NR_fcntl, 2, IN, F_SETLK, sizeof(struct linux_flock)},
	{NR_fcntl, 2, IN, F_SETLKW, sizeof(struct linux_flock)},
	{NR_fcntl, 2, OUT, F_OFD_GETLK, sizeof(struct linux_flock)},
	{NR_fcntl, 2, IN, F_OFD_SETLK, sizeof(struct linux_flock)},
	{NR_fcntl, 2, IN, F_OFD_SETLKW, sizeof(struct linux_flock)},
	{NR_fcntl, 2, OUT, F_GETOWN_EX, 8},
	{NR_fcntl, 2, IN, F_SETOWN_EX, 8},
	{NR_ioctl, 2, OUT, TCGETS, 36},
	{NR_ioctl, 2, IN, TCSETS, 36},
	{NR_ioctl, 2, IN, TCSETSW, 36},
	{NR_ioctl, 2, IN, TCSETSF, 36},
	{NR_ioctl, 2, OUT, TIOCGWINSZ, 8},
	{NR_ioctl, 2, IN, TIOCSWINSZ, 8},
	{NR_ioctl, 2, OUT, FIONREAD, 4},
	{NR_ioctl, 2, OUT, TIOCOUTQ, 4},
	{NR_ioctl, 2, OUT, TIOCGPGRP, 4},
	{NR_ioctl, 2, IN, TIOCSPGRP, 4},
	{NR_ioctl, 2, OUT, TIOCGSID, 4},
	{NR_ioctl, 2, OUT, TIOCGPTN, 4},
	{NR_ioctl, 2, IN, TIOCSPTLCK, 4},
	{NR_ioctl, 2, IN, FIONBIO, 4},
	{NR_ioctl, 2, IN, FIOASYNC, 4},
	{NR_prctl, 1, IN, PR_SET_NAME, SPECIAL_STRING},
	{NR_prctl, 1, OUT, PR_GET_NAME, SPECIAL_STRING},
	{NR_prctl, 1, OUT, PR_GET_PDEATHSIG, 4},
	{NR_prctl, 1, OUT, PR_GET_CHILD_SUBREAPER, 4},
};

static bool futex_has_timeout(uint32_t op)
{
	switch (op & 0x7f) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI2:
		return true;
	default:
		return false;
	}
}

uint8_t special_outs(uint32_t nr, const uint64_t arg[6])
{
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		if (data[i].nr == nr && data[i].way == OUT &&
		    data[i].cmd == (uint32_t)arg[data[i].which - 1])
			return (uint8_t)(1 << data[i].which);
	return 0;
}

uint8_t special_needs(uint32_t nr)
{
	switch (nr) {
	case NR_fcntl:
	case NR_ioctl:
	case NR_prctl:
		return CAPTURE_ENTER | CAPTURE_LEAVE;
	case NR_futex:
	case NR_utime:
		return CAPTURE_ENTER;
	case NR_getresuid:
	case NR_getresgid:
	case NR_timer_create:
	case NR_rt_sigreturn:
		return CAPTURE_LEAVE;
	default:
		return 0;
	}
}

bool special_data(uint32_t nr, const uint64_t arg[6], bool is_leave, unsigned nth,
		  unsigned *which, size_t *size)
{
	if ((nr == NR_getresuid || nr == NR_getresgid) && is_leave && nth < 3) {
		*which = nth;
		*size = 4;
		return true;
	}
	if (nth > 0)
		return false;
	if (nr == NR_futex && !is_leave && futex_has_timeout((uint32_t)arg[1])) {
		*which = 3;
		*size = sizeof(struct linux_timespec);
		return true;
	}
	if (nr == NR_utime && !is_leave) {
		*which = 1;
		*size = sizeof(struct linux_utimbuf);
		return true;
	}
	if (nr == NR_timer_create && is_leave) {
		*which = 2;
		*size = 4;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		if (data[i].nr != nr || data[i].cmd != (uint32_t)arg[data[i].which - 1] ||
		    (data[i].way == OUT) != is_leave)
			continue;
		*which = data[i].which;
		*size = data[i].size;
		return true;
	}
	return false;
}

bool special_is_pair(uint32_t nr)
{
	return nr == NR_utimensat || nr == NR_utimes || nr == NR_futimesat;
}

bool special_shows_failed(uint32_t nr, long ret)
{
	return (nr == NR_nanosleep || nr == NR_clock_nanosleep) &&
	       (ret == -EINTR || ret == -ERESTART_RESTARTBLOCK || ret == -ERESTARTNOHAND);
}
