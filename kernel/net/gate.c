/* SPDX-License-Identifier: MIT */
/* gate.c - see gate.h.
 *
 * One question at a time is under way. Whoever is interrupted while he waits leaves the
 * answer lie: it is known by its number, and the next one closes what came with it. */
#include "net/gate.h"

#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/uio.h"
#include "base/claim.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "host/gate.h"
#include "host/host.h"
#include "lib/string.h"
#include "time/clock.h"

enum { VOLUMES_MAX = 64, PATIENCE_SECONDS = 10 };

static int gate_fd = -1;
static const struct gate_rule *rules;
static uint32_t rule_count;
static struct {
	struct superblock *sb; /* ref: it is mounted for ever, as far as we care */
	uint32_t number;
} volumes[VOLUMES_MAX];
static uint32_t volume_count;

static struct lock gate_lock = LOCK_INIT(RANK_OBJECT);
static struct waitq gate_free;
static bool is_busy;	 /* gate_lock */
static uint32_t last_id; /* of who is busy */

void gate_init(int fd, const struct gate_rule *r, uint32_t count)
{
	gate_fd = fd;
	rules = r;
	rule_count = count;
	waitq_init(&gate_free);
}

void gate_add_volume(struct superblock *sb, uint32_t number)
{
	if (volume_count == VOLUMES_MAX)
		return;
	sb_get(sb);
	volumes[volume_count].sb = sb;
	volumes[volume_count++].number = number;
}

/* ---- what may be asked ---- */

static bool matches(const struct gate_rule *r, uint32_t family, const uint8_t *addr,
		    uint32_t port)
{
	if (r->family != family || port < r->port_first || port > r->port_last)
		return false;
	for (uint32_t bit = 0; bit < r->prefix; bit++)
		if ((r->addr[bit / 8] ^ addr[bit / 8]) & 0x80U >> bit % 8)
			return false;
	return true;
}

bool gate_allows(const struct linux_sockaddr_storage *addr, int len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *at = (const uint8_t *)addr;
	uint32_t port = (uint32_t)at[2] << 8 | at[3];
	uint32_t family = addr->ss_family;

	if (likely(!rule_count) || (family != AF_INET && family != AF_INET6) ||
	    len < (family == AF_INET ? 16 : 24))
		return false;
	at += family == AF_INET ? 4 : 8;
	if (family == AF_INET6 && !memcmp(at, mapped, sizeof(mapped))) {
		family = AF_INET;
		at += sizeof(mapped);
	}
	for (uint32_t i = 0; i < rule_count; i++)
		if (matches(&rules[i], family, at, port))
			return true;
	return false;
}

bool gate_has_volumes(void)
{
	return volume_count != 0;
}

bool gate_name(struct gate_request *q, const struct path *p)
{
	struct path root = {p->mount, p->mount->root};
	const struct superblock *sb = p->mount->sb;
	long len;

	for (uint32_t i = 0; i < volume_count; i++) {
		if (volumes[i].sb != sb || p->mount->root != sb->root)
			continue;
		q->volume = (uint16_t)volumes[i].number;
		len = path_print(p, &root, q->path, sizeof(q->path));
		if (len < 2 || q->path[0] != '/')
			return false;
		memmove(q->path, q->path + 1, (size_t)len); /* with its NUL */
		return true;
	}
	return false;
}

/* ---- asking ---- */

/* One whose turn it was is dead. What the gate answers him is taken for no other's. */
static void turn_abandon(struct claim *c)
{
	(void)c;
	lock_take(&gate_lock);
	is_busy = false;
	lock_drop(&gate_lock);
	waitq_wake_one(&gate_free, 0);
}

static int gate_take(struct claim *turn)
{
	int err = 0;

	lock_take(&gate_lock);
	while (is_busy && !err)
		err = waitq_sleep(&gate_free, &gate_lock, NSEC_NEVER);
	if (!err) {
		is_busy = true;
		claim_begin(turn, turn_abandon);
	}
	lock_drop(&gate_lock);
	return err;
}

static void gate_drop(struct claim *turn)
{
	lock_take(&gate_lock);
	is_busy = false;
	claim_end(turn);
	lock_drop(&gate_lock);
	waitq_wake_one(&gate_free, 0);
}

/* The descriptor that came with a message, or -1. */
static int descriptor_of(const struct linux_msghdr *h, const uint8_t *control)
{
	struct linux_cmsghdr c;
	int fd;

	if (h->msg_controllen < sizeof(c) + sizeof(fd))
		return -1;
	memcpy(&c, control, sizeof(c));
	if (c.cmsg_level != SOL_SOCKET || c.cmsg_type != SCM_RIGHTS ||
	    c.cmsg_len != sizeof(c) + sizeof(fd))
		return -1;
	memcpy(&fd, control + sizeof(c), sizeof(fd));
	return fd;
}

/* One message of size bytes at most, without waiting: its size, or -errno. */
long gate_receive(int from, void *data, size_t size, int *fd)
{
	uint8_t control[32] ALIGNED(8) = {0};
	struct linux_iovec iov = {(uaddr_t)data, size};
	struct linux_msghdr h = {
		.msg_iov = (uaddr_t)&iov,
		.msg_iovlen = 1,
		.msg_control = (uaddr_t)control,
		.msg_controllen = sizeof(control),
	};
	long got = host_recvmsg(from, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*fd = got < 0 ? -1 : descriptor_of(&h, control);
	return got;
}

/* Waits for the answer to last_id. work: what ends that. */
static int wait_for_answer(int *fd, uint32_t work)
{
	nsec_t deadline = clock_now(CLOCK_MONOTONIC) + PATIENCE_SECONDS * NSEC_PER_SEC;

	for (;;) {
		struct linux_pollfd pfd = {.fd = gate_fd, .events = POLLIN};
		struct gate_reply r = {0};
		long got = gate_receive(gate_fd, &r, sizeof(r), fd);

		if (got == (long)sizeof(r) && r.id == last_id) {
			if (r.error)
				return r.error < 0 && r.error >= -4095 ? r.error : -EIO;
			return *fd < 0 ? -EIO : 0;
		}
		if (*fd >= 0) /* of who waits no more */
			(void)host_close(*fd);
		if (got == (long)sizeof(r))
			continue;
		if (got != -EAGAIN && got != -EINTR)
			return -EIO;
		got = host_poll_until(&pfd, 1, deadline, work);
		if (got == 0)
			return -EIO;
		if (got == -EINTR && (atomic_load(&cpu_self()->sleeper->work) & work))
			return -ERESTARTSYS;
	}
}

int gate_ask(struct gate_request *q, int *fd)
{
	/* What has a door is another file, and a file is made only once. */
	uint32_t work = q->operation == GATE_BIND_PATH ? WORK_KILL : WORK_INTERRUPTS;
	struct claim turn;
	int err;
	int got = -1;

	if (gate_fd < 0)
		return -EIO;
	err = gate_take(&turn);
	if (err)
		return err;
	q->id = ++last_id;
	if (host_send(gate_fd, (uaddr_t)q, sizeof(*q), MSG_DONTWAIT) != (long)sizeof(*q))
		err = -EIO;
	if (!err)
		err = wait_for_answer(&got, work);
	gate_drop(&turn);
	if (!err)
		*fd = got;
	else if (got >= 0)
		(void)host_close(got);
	return err;
}
