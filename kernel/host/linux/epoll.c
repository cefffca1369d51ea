/* SPDX-License-Identifier: MIT */
/* epoll.c - the host's epolls, which wait for host descriptors on behalf of the guest's.
 */
#include "abi/epoll.h"
#include "abi/time.h"
#include "host/host.h"
#include "host/linux/internal.h"

int host_epoll_create(void)
{
	return (int)CALL(NR_epoll_create1, EPOLL_CLOEXEC);
}

int host_epoll_ctl(int epfd, int op, int fd, struct linux_epoll_event *ev)
{
	return (int)CALL(NR_epoll_ctl, epfd, op, fd, ev);
}

long host_epoll_wait(int epfd, struct linux_epoll_event *events, int max, nsec_t deadline)
{
	struct linux_timespec ts = {0, 0};
	nsec_t left = NSEC_NEVER;

	if (deadline == 0)
		return CALL(NR_epoll_pwait2, epfd, events, max, &ts, 0, 8);
	if (deadline != NSEC_NEVER)
		left = deadline - host_clock(CLOCK_MONOTONIC);
	return host_block_current(NR_epoll_pwait2, (uint64_t)epfd, (uint64_t)events,
				  (uint64_t)max, (uint64_t)timespec_from(&ts, left), 0,
				  8);
}
