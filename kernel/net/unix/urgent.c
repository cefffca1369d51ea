/* SPDX-License-Identifier: MIT */
/* urgent.c - MSG_OOB on AF_UNIX streams: one byte that is read apart from the others.
 *
 * It lies among the bytes, with a mark. Until it is read, a receive of what comes before
 * stops there, and one that begins there passes it over, unless SO_OOBINLINE says that it
 * is data. Read with MSG_OOB it is dead: its place stays a mark. The next urgent byte
 * makes an unread one plain. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/sigio.h"
#include "lib/atomic.h"
#include "net/unix/internal.h"

enum unix_urgent unix_urgent_at(const struct unix_socket *u, const struct unix_mark *mark,
				bool has_copied, bool is_inline)
{
	if (mark->is_dead)
		return has_copied ? URGENT_STOP : URGENT_SKIP;
	if (mark != u->urgent)
		return URGENT_READ;
	if (has_copied)
		return URGENT_STOP;
	return is_inline ? URGENT_READ : URGENT_SKIP;
}

void unix_urgent_put(struct unix_socket *peer, struct unix_mark *mark)
{
	struct file *f = peer->socket ? peer->socket->file : NULL;

	peer->urgent = mark;
	if (!f)
		return;
	file_send_sigurg(f);
	file_send_sigio(f, POLLPRI);
}

/* lock held */
static ssize_t urgent_take(struct unix_socket *u, struct message *m)
{
	struct unix_mark *mark = u->urgent;
	size_t skip;

	if (!mark)
		return -EINVAL;
	skip = (size_t)(mark->at - u->bytes.chain.head);
	if (m->data->left && byte_chain_copy(&u->bytes.chain, m->data, skip, 1) != 1)
		return -EFAULT;
	m->out_flags |= MSG_OOB;
	if (!(m->flags & MSG_PEEK)) {
		mark->is_dead = true;
		u->dead_bytes++;
		u->urgent = NULL;
	}
	return 1;
}

ssize_t unix_urgent_receive(struct socket *s, struct message *m)
{
	struct unix_socket *u = unix_of(s);
	ssize_t size = -EINVAL;

	lock_take(&u->lock);
	if (!(atomic_load_relaxed(&s->flags) & SOCKET_OOBINLINE))
		size = urgent_take(u, m);
	lock_drop(&u->lock);
	return size;
}

/* Is the next byte one that was urgent? */
long unix_at_mark(struct unix_socket *u)
{
	const struct unix_mark *first = NULL;
	bool is_there;

	lock_take(&u->lock);
	if (u->bytes.mark_count)
		first = list_entry(list_first(&u->bytes.marks), struct unix_mark, link);
	is_there = first && first->at == u->bytes.chain.head &&
		   (first == u->urgent || first->is_dead);
	lock_drop(&u->lock);
	return is_there;
}
