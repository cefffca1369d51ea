/* SPDX-License-Identifier: MIT */
/* socket.h - what every socket has, and what a family of them provides.
 *
 * net/socket.c makes sockets and their files; net/sys_*.c are the system calls, which
 * check and copy the guest's arguments once for all families; net/unix/ holds AF_UNIX,
 * net/inet/ the host's AF_INET and AF_INET6, net/netlink/ AF_NETLINK. */
#pragma once
#include "abi/socket.h"
#include "abi/types.h"
#include "base/lock.h"
#include "fs/uio.h"

struct file;
struct net_ns;
struct poll_table;
struct socket;
struct socket_filter;
struct task;
struct vm_object;

/* A message on its way: what send reads, or receive fills. */
struct message {
	struct uio *data;
	/* send: the address, NULL for none. receive: where to put it, or NULL. */
	struct linux_sockaddr_storage *name;
	int name_len;	  /* in; out of receive: the true length, 0 for none */
	bool wants_flags; /* receive: out_flags and control messages will be told */
	uint32_t flags; /* MSG_*; O_NONBLOCK and UIO_NONBLOCK are in it as MSG_DONTWAIT */
	uint32_t out_flags; /* receive: msg_flags: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB
			       … */
	/* send: the control data, in kernel memory. Walk it with message_next_control().
	 */
	const uint8_t *control;
	size_t control_size;
	/* receive: where in guest memory the next control message goes, and how much room
	 * is left: used by message_put_control() and message_put_files() alone. 0: the
	 * caller wants none. */
	uaddr_t control_to;
	size_t control_left;
};

/* send: the control message at *off, which moves on; NULL with *err 0 at the end, or
 * with -EINVAL when the lengths are wrong. */
const struct linux_cmsghdr *message_next_control(const struct message *m, size_t *off,
						 int *err);
/* receive: appends one control message; what does not fit is cut, with MSG_CTRUNC. */
void message_put_control(struct message *m, int level, int type, const void *data,
			 size_t size);
/* receive: gives the current task descriptors of the files (which stay the caller's) and
 * appends SCM_RIGHTS; what does not fit is left out, with MSG_CTRUNC. */
void message_put_files(struct message *m, struct file *const *files, size_t count);

/* send: an SCM_CREDENTIALS message, which may tell what the current task is, or may
 * pretend: 0, -EINVAL, -EPERM, -ESRCH. */
int message_check_creds(const struct linux_cmsghdr *c,
			struct linux_ucred *out) MUST_CHECK;

/* A send that found the other side closed: -EPIPE, and SIGPIPE unless MSG_NOSIGNAL. */
int message_broken_pipe(const struct message *m);

struct socket_name {
	struct linux_sockaddr_storage addr;
	int len; /* 0: none */
};

/* What a family does. All may sleep. Addresses and option values are kernel memory.
 * Returned errors are Linux's; -ERESTARTSYS when interrupted. NULL: -EOPNOTSUPP. */
struct socket_ops {
	int (*bind)(struct socket *s, const struct linux_sockaddr_storage *addr, int len);
	int (*connect)(struct socket *s, const struct linux_sockaddr_storage *addr,
		       int len, bool nonblock);
	int (*listen)(struct socket *s, int backlog);
	/* Fills fresh, for which family, type and protocol are set and create was not
	 * called: sets its ops, private and host_fd. Nothing is to be undone on error.
	 * Who is killed meanwhile leaves a host_fd that is closed, or what release
	 * undoes. peer (may be NULL): who it is, where the name that fresh would tell of
	 * its peer goes when he does; else left as it was. */
	int (*accept)(struct socket *s, struct socket *fresh, bool nonblock,
		      struct socket_name *peer);
	/* An accept that does not wait would answer -EAGAIN now. NULL: who knows. */
	bool (*has_nobody)(struct socket *s);
	/* Own name, or the peer's. Returns its length or -errno. */
	int (*name)(struct socket *s, struct linux_sockaddr_storage *addr, bool peer);
	/* Plain data as of file_ops.read_plain; flags: MSG_DONTWAIT, MSG_NOSIGNAL.
	 * -EINTR: the next two shall do it. NULL: always so. */
	ssize_t (*receive_plain)(struct socket *s, uaddr_t data, size_t size,
				 uint32_t flags);
	ssize_t (*send_plain)(struct socket *s, uaddr_t data, size_t size,
			      uint32_t flags);
	/* A plain send went by the direct descriptor (socket_set_direct()), which was
	 * taken away meanwhile. Or NULL. */
	void (*sent)(struct socket *s);
	ssize_t (*send)(struct socket *s, struct message *m);
	ssize_t (*receive)(struct socket *s, struct message *m);
	/* Would the next two move any, as s is now? NULL: no; then they are not there. */
	bool (*moves_many)(const struct socket *s);
	/* recvmmsg and sendmmsg, all with the first one's flags: as many as go in one
	 * piece; a receive waits for the first alone. sizes: what each call for one would
	 * have returned. How many, 0 (to be moved one by one) or -errno. */
	int (*receive_many)(struct socket *s, struct message *const *m, unsigned count,
			    uint32_t *sizes);
	int (*send_many)(struct socket *s, struct message *const *m, unsigned count,
			 uint32_t *sizes);
	/* sendfile of what the host has (file_ops.put_host_data). NULL: it is copied. */
	ssize_t (*send_host_file)(struct socket *s, int host_fd, int64_t *pos,
				  size_t count, bool nonblock);
	int (*shutdown)(struct socket *s, int how);
	/* Options that net/options.c does not answer for all families: it keeps
	 * SO_RCVTIMEO and SO_SNDTIMEO, and tells SO_TYPE, SO_DOMAIN and SO_PROTOCOL.
	 * Families in memory pass SOL_SOCKET's on to socket_set_plain_option(). */
	int (*set_option)(struct socket *s, int level, int name, const void *value,
			  int len);
	/* len: room in value, then its size, which may be cut to the room. After -ERANGE
	 * the guest is told the size too. */
	int (*get_option)(struct socket *s, int level, int name, void *value, int *len);
	/* NULL: the host descriptor alone says what is ready. */
	uint32_t (*poll)(struct socket *s, struct poll_table *pt);
	long (*ioctl)(struct socket *s, unsigned int cmd, uint64_t arg);
	/* mmap(2): what is to be mapped, with a reference. NULL: -ENODEV. */
	int (*map)(struct socket *s, uint64_t off, size_t size, struct vm_object **out);
	/* F_SETFL is about to store flags. */
	int (*set_flags)(struct socket *s, uint32_t flags);
	/* The owner of the file wants SIGURG; O_ASYNC is being set. NULL: the family
	 * looks at both when there is something to tell. */
	int (*set_async)(struct socket *s, bool is_owned, bool is_async);
	/* The last descriptor has gone. Frees s->private. s->file may be NULL, when there
	 * was no memory for one, or accept(2) did not come to an end. */
	void (*release)(struct socket *s);
};

enum socket_flags { /* plain options, and what they are by default */
		    SOCKET_DEBUG = 1 << 0,
		    SOCKET_REUSEADDR = 1 << 1,
		    SOCKET_DONTROUTE = 1 << 2,
		    SOCKET_BROADCAST = 1 << 3,
		    SOCKET_KEEPALIVE = 1 << 4,
		    SOCKET_OOBINLINE = 1 << 5,
		    SOCKET_TIMESTAMP = 1 << 6,
		    SOCKET_LINGER = 1 << 7,
		    SOCKET_NO_CHECK = 1 << 8,
		    SOCKET_TIMESTAMPNS = 1 << 9,
		    SOCKET_RXQ_OVFL = 1 << 10,
		    SOCKET_SELECT_ERR_QUEUE = 1 << 11,
		    SOCKET_RCVMARK = 1 << 12,
		    SOCKET_FILTER_LOCKED = 1 << 13, /* SO_LOCK_FILTER */
		    SOCKET_PREFER_BUSY_POLL = 1 << 14,
		    SOCKET_RCVPRIORITY = 1 << 15,
		    SOCKET_WIFI_STATUS = 1 << 16,
		    SOCKET_NOFCS = 1 << 17,
};

struct socket {
	/* A cache line of what sending and receiving look at. */
	const struct socket_ops *ops;
	void *private;	   /* of the family */
	struct file *file; /* borrowed: the socket belongs to it */
	int host_fd;	   /* of families that the host serves, else -1 */
	int family, type, protocol;
	nsec_t receive_timeout, send_timeout; /* atomic: SO_RCVTIMEO; NSEC_NEVER: none */
	struct net_ns *net; /* ref: where it was made; accepted: the listener's. const */
	/* For families in memory (socket_set_plain_option): atomic. */
	uint32_t flags;			  /* enum socket_flags */
	int kept_error;			  /* any family's: socket_keep_error() */
	uint32_t send_size, receive_size; /* SO_SNDBUF, SO_RCVBUF, as read */
	uint32_t priority, mark, low_water;
	uint32_t device;	      /* SO_BINDTODEVICE: kept */
	uint32_t stamping, busy_poll; /* SO_TIMESTAMPING, SO_BUSY_POLL: kept */
	uint64_t pacing_rate;	      /* SO_MAX_PACING_RATE: kept, as the next four */
	uint32_t tx_clock, tx_flags;  /* SO_TXTIME */
	int incoming_cpu;
	uint32_t buffer_lock; /* SO_BUF_LOCK */
	uint64_t cookie;      /* SO_COOKIE: const */
	int linger_time;
	bool is_indirect;	      /* atomic: socket_set_direct() gives it none */
	struct socket_filter *filter; /* atomic, ref, or NULL: filter.c */
};

struct socket_family {
	int family;
	/* Checks type (without flags) and protocol and fills s->ops, ->private,
	 * ->host_fd. */
	int (*create)(struct socket *s, int type, int protocol);
	/* Takes a host socket over, which has what create was told: fills the same. Or
	 * NULL. */
	int (*adopt)(struct socket *s, int host_fd);
	/* socketpair(2): both are fresh and created. NULL: -EOPNOTSUPP. */
	int (*pair)(struct socket *a, struct socket *b);
	/* Some descriptor of a socket was closed, and its reference is gone. Or NULL. */
	void (*closed)(void);
};

/* Before net_init() is done. */
void socket_family_register(const struct socket_family *f);

struct monitor_box;
/* Start-up. box: the monitor's (host/monitor.h). has_own_network: the host sockets live
 * in a network namespace of the sandbox's own. */
void net_init(struct monitor_box *box, bool has_own_network);

/* How many there are. */
unsigned socket_count(void);

/* The socket of a file; NULL: it is none. */
struct socket *socket_of_file(const struct file *f);
/* A new socket in a new file. type may carry SOCK_NONBLOCK; SOCK_CLOEXEC is the caller's.
 * -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EINVAL, -ENOMEM … */
int socket_create_file(int family, int type, int protocol, struct file **out) MUST_CHECK;
/* A file on a socket of the host, which is taken over on success. AF_UNIX: as a stream of
 * the host's; descriptors do not pass through it. -EAFNOSUPPORT, -ENOMEM. */
int socket_adopt_file(int host_fd, int family, int type, int protocol,
		      struct file **out) MUST_CHECK;
/* A socket without a file, of AF_UNIX, that the host serves: takes host_fd over on
 * success. */
int socket_carrier_create(int host_fd, int type, struct socket **out) MUST_CHECK;
void socket_carrier_destroy(struct socket *s);
/* accept(2): a new socket of listener's next connection, in a new file. flags:
 * SOCK_NONBLOCK. *out, NULL before, is the file from when it is made: part of a claim of
 * the caller's, which puts it. */
int socket_accept_file(struct socket *listener, uint32_t flags, bool nonblock,
		       struct socket_name *peer, struct file **out) MUST_CHECK;
/* Two that are connected with each other. */
int socket_create_pair(int family, int type, int protocol,
		       struct file *out[2]) MUST_CHECK;

/* When a wait that begins now must end; timeout: of SO_RCVTIMEO and its like, read
 * anew. */
nsec_t socket_deadline(const nsec_t *timeout);
/* What a wait with such a deadline that ended with err (-ETIMEDOUT, -ERESTARTSYS)
 * answers: -EAGAIN, -EINTR, -ERESTARTSYS. */
int socket_wait_error(int err, nsec_t deadline);

/* Sends and receives for all calls: add what the file's and the guest's flags say. */
ssize_t socket_send(struct socket *s, struct message *m);
ssize_t socket_receive(struct socket *s, struct message *m);
/* The same of plain data: see socket_ops.receive_plain. */
ssize_t socket_send_plain(struct file *f, uaddr_t data, size_t size, uint32_t flags);
ssize_t socket_receive_plain(struct file *f, uaddr_t data, size_t size, uint32_t flags);
/* fd does all that a call with plain data which does not wait asks for, whatever else is
 * set; -1: the family is asked. Then of a socket nothing but its file is touched. */
void socket_set_direct(struct socket *s, int fd);
/* socket_ops.send_many and receive_many, which the family has: one message at least. */
int socket_send_many(struct socket *s, struct message *const *m, unsigned count,
		     uint32_t *sizes);
int socket_receive_many(struct socket *s, struct message *const *m, unsigned count,
			uint32_t *sizes);

/* The next call that sends, receives or asks for SO_ERROR is told of err, -errno, as of
 * Linux's sk_err: what ended a recvmmsg(2) that had received something. */
void socket_keep_error(struct socket *s, int err);
/* 0 or -errno, which is told. */
static inline int socket_take_kept(struct socket *s)
{
	if (likely(!__atomic_load_n(&s->kept_error, __ATOMIC_RELAXED)))
		return 0;
	return -__atomic_exchange_n(&s->kept_error, 0, __ATOMIC_SEQ_CST);
}

/* options.c. value in kernel memory; the rest as setsockopt(2). */
int socket_set_option(struct socket *s, int level, int name, const void *value,
		      int len) MUST_CHECK;
int socket_get_option(struct socket *s, int level, int name, void *value,
		      int *len) MUST_CHECK;
/* SOL_SOCKET options that a family in memory keeps but does nothing with, and the sizes
 * and times above. -ENOPROTOOPT. */
int socket_set_plain_option(struct socket *s, int name, const void *value,
			    int len) MUST_CHECK;
int socket_get_plain_option(struct socket *s, int name, void *value, int *len) MUST_CHECK;
/* SO_BINDTODEVICE, a name that may be cut off, or none; and by its index: kept for
 * families that use no device. */
int socket_device_bind_name(struct socket *s, const void *value, int len) MUST_CHECK;
int socket_device_bind(struct socket *s, uint32_t index) MUST_CHECK;
int socket_device_name(const struct socket *s, void *value, int *len) MUST_CHECK;
/* May the current task give s, or a message of its, that priority? */
bool socket_may_have_priority(const struct socket *s, int priority);
/* Options that are the kernel's also where the host has the rest. */
bool socket_option_is_own(int name);
/* to gets what those two have set of from. */
void socket_plain_copy(struct socket *to, const struct socket *from);
/* SCM_TIMESTAMP or its kin, of a message that came at (CLOCK_REALTIME), if s asks for it.
 */
void socket_put_stamp(struct socket *s, struct message *m, nsec_t at);
/* *len is cut to size, and as much of data is copied. */
void option_put(void *value, int *len, const void *data, size_t size);
