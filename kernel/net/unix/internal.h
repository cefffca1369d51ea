/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of net/unix/ alone.
 *
 * A socket that sends puts what it sends into the receiver's queue, under the receiver's
 * lock; the sender's own lock guards its state and, for packets, how much of its own lies
 * in others' queues. A stream's sender is limited by what lies in its peer's queue, so
 * that a message takes one lock.
 *
 * Locks: a socket's lock (RANK_OBJECT; two at once by address), then names_lock or
 * gc_lock (RANK_OBJECT2). The peer of a connected stream or seqpacket socket does not
 * change until it is released; only a datagram socket's needs the lock, and a reference,
 * to be used. */
#pragma once
#include "abi/socket.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "fs/path.h"
#include "lib/list.h"
#include "net/byte_chain.h"
#include "net/roll.h"
#include "net/socket.h"

struct creds;
struct unix_door;
struct net_ns;

enum unix_state { UNIX_IDLE, UNIX_LISTENING, UNIX_CONNECTED };

/* As in shutdown masks of Linux. */
enum { SHUT_RECEIVE = 1, SHUT_SEND = 2, SHUT_BOTH = 3 };

struct unix_address {
	struct ref refs;
	struct list link;	   /* of abstract ones in their bucket: names_lock */
	struct unix_socket *owner; /* names_lock: who is found under it; NULL: no more */
	const struct net_ns *net;  /* const: its owner's */
	int type;
	int len; /* with the family */
	struct linux_sockaddr_un name;
	char zero; /* ends the longest path */
};

/* What SCM_CREDENTIALS tells. */
struct unix_creds {
	pid_t pid; /* 0: nobody said */
	uid_t uid;
	gid_t gid;
};

/* The files of one SCM_RIGHTS message: gc.c. */
struct unix_rights {
	struct ref refs;
	struct list link;	    /* in holder->rights while queued: gc_lock */
	struct list queued_link;    /* of all that are queued and have sockets: gc_lock */
	struct unix_socket *holder; /* in whose queue it is, or NULL: gc_lock */
	bool collected; /* gc_lock: its files have been closed, as nobody can reach it */
	uint32_t count;
	uint32_t socket_count; /* how many are AF_UNIX sockets */
	struct file *files[];
};

/* Something about a stream's bytes from one on. */
struct unix_mark {
	struct list link;
	uint64_t at;  /* the first byte */
	uint64_t end; /* of the piece that the rights came with */
	bool has_creds;
	bool is_dead; /* the byte was urgent and has been read: nobody sees it again */
	struct unix_creds creds;
	struct unix_rights *rights; /* or NULL */
};

/* A stream's bytes on their way. */
struct unix_bytes {
	struct byte_chain chain;
	struct list marks;
	uint32_t mark_count;	      /* atomic to read */
	struct unix_creds head_creds; /* of the byte at head, unless a mark says so */
	struct unix_creds tail_creds; /* of the last byte */
};

enum { PACKET_INSIDE = 384 };

struct unix_packet {
	struct list link;
	struct unix_socket *sender; /* ref */
	uint32_t size;
	uint32_t charge; /* counted in sender->sent */
	nsec_t stamp;	 /* when it was sent, if the receiver wants to know, or 0 */
	struct unix_creds creds;
	struct unix_rights *rights; /* or NULL */
	uint8_t *data;		    /* inside or kmalloc'ed */
	bool was_seen;		    /* of no size, and MSG_PEEK has found it */
	uint8_t inside[PACKET_INSIDE];
};

struct unix_socket {
	struct ref refs;  /* its file, its peer, packets on their way */
	struct lock lock; /* RANK_OBJECT */
	int type;	  /* const */
	/* const: whose abstract names it sees. Borrowed from a socket that lives as long
	 * as this is in any list, but no longer. */
	const struct net_ns *net;
	enum unix_state state;
	struct socket *socket;	      /* lock: NULL before accept and after release */
	struct unix_socket *peer;     /* ref */
	struct unix_address *address; /* ref; set once */
	struct path path;   /* where it is bound: {NULL, NULL} unless it is. names_lock */
	uint32_t shutdown;  /* lock to write: SHUT_RECEIVE, SHUT_SEND */
	bool is_dead;	    /* lock: released */
	bool passes_creds;  /* SO_PASSCRED or SO_PASSPIDFD: senders say who they are */
	bool tells_creds;   /* SO_PASSCRED */
	bool tells_pidfd;   /* SO_PASSPIDFD */
	bool passes_labels; /* SO_PASSSEC */
	bool takes_rights;  /* SO_PASSRIGHTS */
	bool tells_size;    /* SO_INQ, of streams */
	int error;	    /* atomic: SO_ERROR */
	int64_t peek_off;   /* lock: SO_PEEK_OFF; -1: off */
	uint64_t sent;	    /* lock: charges of its packets in others' queues */
	uint32_t send_size; /* atomic: SO_SNDBUF */

	struct unix_bytes bytes;  /* lock: of streams */
	struct unix_mark *urgent; /* lock: of the byte that MSG_OOB brings, or NULL */
	uint32_t dead_bytes;	  /* lock: how many of bytes are dead */
	struct list packets;	  /* lock: struct unix_packet, or embryos of a listener */
	struct list embryo_link;  /* listener's lock */
	uint32_t queued;	  /* lock: entries of packets */
	uint32_t backlog;	  /* lock: it is full with more than that */
	struct unix_packet *spare; /* atomic: one to use again */

	struct waitq readable;
	struct waitq writable;
	struct waitq room; /* others wait here for room in packets */
	/* Pollers of a datagram socket whose peer was full: peer's lock. */
	struct list full_senders; /* of full_link */
	struct list full_link;

	/* SO_PEERCRED: lock */
	pid_t peer_pid;
	struct creds *peer_creds; /* ref, or NULL */

	/* gc.c: gc_lock */
	uint32_t in_flight; /* how often it lies in queues */
	struct list flight_link;
	struct list rights;	      /* that lie in its queue */
	struct unix_socket *listener; /* of an embryo (atomic); else NULL */
	struct list kin; /* embryos with rights in their listener's kin list */
	bool is_reached;
	struct list reach_link;

	struct roll_entry all_entry; /* unix_all_lock */

	/* outside.c */
	struct socket *carrier; /* atomic, set once: whose other side is outside; or NULL
				 */
	struct linux_sockaddr_un outside_name; /* of that side: before carrier */
	int outside_name_len;
	struct unix_door *door; /* atomic, set once: lets outsiders in; or NULL */
};

/* ---- socket.c ---- */

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
extern struct roll unix_all; /* unix_all_lock */
extern struct lock unix_all_lock;

static inline struct unix_socket *unix_of(const struct socket *s)
{
	return s->private;
}

struct unix_socket *unix_create(const struct net_ns *net, int type) MUST_CHECK;
void unix_get(struct unix_socket *u);
void unix_put(struct unix_socket *u);
/* Says that u is dead, tells its peer, and drops its first reference. */
void unix_release(struct unix_socket *u, bool is_embryo);
/* Ties u to s, which has no file yet. */
void unix_attach(struct unix_socket *u, struct socket *s);
/* O_ASYNC: u->lock held. */
void unix_sigio(struct unix_socket *u, uint32_t band);
int unix_take_error(struct unix_socket *u);
/* A reference to the peer, or NULL. */
struct unix_socket *unix_peer_get(struct unix_socket *u) MUST_CHECK;
/* u leaves its datagram peer: takes the reference that u had. */
void unix_peer_drop(struct unix_socket *u, struct unix_socket *peer);
/* Room has come up in u's packets: those who wait for it are told. lock held or u dead.
 */
void unix_room_changed(struct unix_socket *u);
static inline bool unix_is_full(const struct unix_socket *u)
{
	return u->queued > u->backlog;
}

/* ---- show.c ---- */

struct text;
/* /proc/net/unix. */
int unix_show_all(struct text *t, void *arg);

/* ---- options.c ---- */

int unix_set_option(struct socket *s, int level, int name, const void *value, int len);
int unix_get_option(struct socket *s, int level, int name, void *value, int *len);
/* A descriptor for the process with that number, or -errno. */
int unix_pidfd(pid_t pid);
/* The current task as SO_PEERCRED tells it. lock held. */
void unix_set_peer_creds(struct unix_socket *u, pid_t pid, struct creds *c);

/* ---- name.c ---- */

int unix_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len);
int unix_autobind(struct unix_socket *u) MUST_CHECK;
int unix_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer);
/* Whom addr names to u, of its type: a reference, or -errno. */
int unix_find(const struct unix_socket *u, const struct linux_sockaddr_storage *addr,
	      int len, struct unix_socket **out) MUST_CHECK;
int unix_check_address(const struct linux_sockaddr_storage *addr, int len) MUST_CHECK;
int unix_copy_address(struct unix_socket *u, struct linux_sockaddr_storage *out);
/* SIOCUNIXFILE: a descriptor of what it is bound to, or -errno. */
long unix_path_file(struct unix_socket *u);
/* A released socket is found no more. */
void unix_forget_name(struct unix_socket *u);
/* An accepted socket is bound to what its listener is, but not found there. */
void unix_share_path(struct unix_socket *listener, struct unix_socket *fresh);
void unix_address_get(struct unix_address *a);
void unix_address_put(struct unix_address *a);

/* ---- connect.c ---- */

int unix_connect_stream(struct socket *s, const struct linux_sockaddr_storage *addr,
			int len, bool nonblock);
int unix_connect_dgram(struct socket *s, const struct linux_sockaddr_storage *addr,
		       int len, bool nonblock);
int unix_listen(struct socket *s, int backlog);
int unix_accept(struct socket *s, struct socket *fresh, bool nonblock,
		struct socket_name *peer);
bool unix_has_nobody(struct socket *s);
int unix_pair(struct socket *a, struct socket *b);
int unix_shutdown(struct socket *s, int how);
/* The datagram socket u leaves its peer, if that is (still) old. */
void unix_dgram_disconnect(struct unix_socket *u, struct unix_socket *old);
/* May u send to target, which is locked? */
bool unix_may_send(const struct unix_socket *u, const struct unix_socket *target);

/* ---- stream.c: its bytes, and what is marked in them ---- */

enum { MARK_CHARGE = 512 };
static inline size_t unix_bytes_used(const struct unix_bytes *b)
{
	return byte_chain_used(&b->chain);
}
/* What counts against the sender's SO_SNDBUF. */
static inline size_t unix_bytes_charge(const struct unix_bytes *b)
{
	return unix_bytes_used(b) +
	       (size_t)__atomic_load_n(&b->mark_count, __ATOMIC_RELAXED) * MARK_CHARGE;
}
struct unix_mark *unix_mark_create(void) MUST_CHECK;
void unix_mark_destroy(struct unix_mark *m);

/* ---- urgent.c: MSG_OOB ---- */

/* The mark of the byte that is read next: may it be read? */
enum unix_urgent { URGENT_READ, URGENT_SKIP, URGENT_STOP };
enum unix_urgent unix_urgent_at(const struct unix_socket *u, const struct unix_mark *mark,
				bool has_copied, bool is_inline);
ssize_t unix_urgent_receive(struct socket *s, struct message *m);
/* The last byte that was put into peer's queue is urgent. peer's lock held. */
void unix_urgent_put(struct unix_socket *peer, struct unix_mark *mark);
long unix_at_mark(struct unix_socket *u);

/* ---- stream.c, packet.c ---- */

ssize_t unix_stream_send(struct socket *s, struct message *m);
ssize_t unix_stream_receive(struct socket *s, struct message *m);
ssize_t unix_packet_send(struct socket *s, struct message *m);
ssize_t unix_packet_receive(struct socket *s, struct message *m);
/* No lock held. */
void unix_packet_destroy(struct unix_packet *p);
/* Frees a chain of packets taken off a queue. */
void unix_packets_purge(struct list *packets);
void unix_packet_free_spare(struct unix_packet *p);

/* ---- rights.c: control messages ---- */

struct unix_control {
	bool has_creds; /* SCM_CREDENTIALS was given */
	struct unix_creds creds;
	struct unix_rights *rights; /* owned, or NULL */
};

/* Reads m's control messages. 0 or -errno, when nothing is held. */
int unix_control_import(struct unix_control *c, const struct message *m) MUST_CHECK;
void unix_control_fini(struct unix_control *c);
/* The current task. */
struct unix_creds unix_creds_current(void);
/* Gives what was received to the receiver. rights may be NULL and is dropped. */
void unix_control_export(struct unix_socket *u, struct message *m,
			 const struct unix_creds *creds, struct unix_rights *rights);
struct unix_rights *unix_rights_create(uint32_t count) MUST_CHECK;
/* Closes the files of rights that are in no queue; NULL is fine. No lock held. */
void unix_rights_drop(struct unix_rights *r);
/* The same for a list (of link), taking a reference to each over, without unix_gc(). Has
 * any had sockets? */
bool unix_rights_close(struct list *rights);

/* ---- outside.c: what leads to programs of the host's ---- */

/* s becomes a socket with a carrier: 0; -ECONNREFUSED: addr leads nowhere there either.
 */
int unix_connect_outside(struct socket *s, const struct linux_sockaddr_storage *addr,
			 int len, bool nonblock) MUST_CHECK;
/* One datagram for who is bound there. */
int unix_send_outside(const struct linux_sockaddr_storage *addr, int len,
		      const void *data, size_t size) MUST_CHECK;
/* Of sockets that have a carrier: */
ssize_t unix_outside_send(struct socket *s, struct message *m);
ssize_t unix_outside_receive(struct socket *s, struct message *m);
int unix_outside_name(const struct unix_socket *u, struct linux_sockaddr_storage *out);
/* u is being bound to p, a socket file. 0: that is for outsiders too, and there is
 * another one in its place now: *out is the caller's, for u->door. -ECONNREFUSED: it is
 * not. Other errors: nobody knows which file is there. */
int unix_door_open(struct unix_socket *u, const struct path *p,
		   struct unix_door **out) MUST_CHECK;
/* Nobody can reach d any more. */
void unix_door_close(struct unix_door *d);
/* Of sockets that have a door: u listens. */
void unix_door_listen(struct unix_socket *u, uint32_t backlog);
/* There may be somebody there, and room for him. */
void unix_door_knock(struct unix_door *d);
void unix_outside_release(struct unix_socket *u);

/* ---- gc.c: rights in queues ---- */

/* r goes into holder's queue: holder's lock held. */
void unix_rights_queue(struct unix_rights *r, struct unix_socket *holder);
/* r is out of the queue, or is about to go: it belongs to the caller again. */
void unix_rights_unqueue(struct unix_rights *r);
/* A copy of queued rights, for MSG_PEEK; NULL: no memory, or nothing left. */
struct unix_rights *unix_rights_copy(struct unix_rights *r) MUST_CHECK;
/* The embryo u has been accepted, or dies. */
void unix_gc_born(struct unix_socket *u);
/* After it nobody here knows the former listener u. */
void unix_gc_sync(void);
/* Collects sockets that nobody can reach, if any are in flight. No lock held. */
void unix_gc(void);
struct unix_socket *unix_of_file(const struct file *f);
