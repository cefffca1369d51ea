/* SPDX-License-Identifier: MIT */
/* wait.c - blocking, or not, in the host.
 *
 * net/options.c keeps SO_RCVTIMEO and SO_SNDTIMEO; the host socket gets them when a call
 * that may block finds that it has others. After an interruption for nothing (a kick that
 * came too late for what it was sent for) it gets what is left. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/time.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "net/inet/internal.h"
#include "signal/signal.h"
#include "time/clock.h"

/* Two tasks that want different things at once have F_SETFL of a third between them. */
int inet_set_nonblock(struct socket *s, bool nonblock)
{
	struct inet_socket *i = inet_of(s);
	int err;

	if (atomic_load_relaxed(&i->host_nonblock) == nonblock)
		return 0;
	err = host_fcntl_setfl(s->host_fd, O_RDWR | (nonblock ? O_NONBLOCK : 0));
	if (!err)
		atomic_store(&i->host_nonblock, nonblock);
	return err;
}

static int pass_timeout(struct socket *s, int name, nsec_t wanted, nsec_t *known)
{
	struct linux_timeval tv = {0, 0};
	int err;

	if (wanted != NSEC_NEVER) {
		tv.tv_sec = wanted / NSEC_PER_SEC;
		tv.tv_usec = (wanted % NSEC_PER_SEC + 999) / 1000;
		if (tv.tv_usec == 1000000) {
			tv.tv_sec++;
			tv.tv_usec = 0;
		}
	}
	atomic_store(&inet_of(s)->had_timeout, true);
	err = host_setsockopt(s->host_fd, SOL_SOCKET, name, &tv, sizeof(tv));
	if (!err)
		atomic_store(known, wanted);
	return err;
}

static int prepare(struct socket *s, int name, nsec_t wanted, nsec_t *known,
		   bool *may_block)
{
	int err = 0;

	*may_block = *may_block && wanted != 0;
	if (*may_block && unlikely(wanted != atomic_load_relaxed(known)))
		err = pass_timeout(s, name, wanted, known);
	return err;
}

int inet_may_receive(struct socket *s, bool *may_block)
{
	return prepare(s, SO_RCVTIMEO, atomic_load_relaxed(&s->receive_timeout),
		       &inet_of(s)->receive_timeout, may_block);
}

int inet_may_send(struct socket *s, bool *may_block)
{
	return prepare(s, SO_SNDTIMEO, atomic_load_relaxed(&s->send_timeout),
		       &inet_of(s)->send_timeout, may_block);
}

nsec_t inet_deadline(const nsec_t *timeout)
{
	return socket_deadline(timeout);
}

static int interrupted(struct socket *s, int name, nsec_t deadline, nsec_t *known)
{
	uint32_t work = atomic_load(&cpu_self()->sleeper->work) & WORK_INTERRUPTS;
	nsec_t now;

	if (work && deadline == NSEC_NEVER)
		return -ERESTARTSYS;
	if (work)
		return (work & WORK_STOP) || signal_is_pending() ? -EINTR
								 : -ERESTARTNOINTR;
	if (deadline == NSEC_NEVER)
		return 0;
	now = clock_now(CLOCK_MONOTONIC);
	return now < deadline ? pass_timeout(s, name, deadline - now, known) : -EAGAIN;
}

int inet_receive_interrupted(struct socket *s, nsec_t deadline)
{
	return interrupted(s, SO_RCVTIMEO, deadline, &inet_of(s)->receive_timeout);
}

int inet_send_interrupted(struct socket *s, nsec_t deadline)
{
	return interrupted(s, SO_SNDTIMEO, deadline, &inet_of(s)->send_timeout);
}
