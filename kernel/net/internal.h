/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of net/ alone. */
#pragma once
#include "abi/socket.h"
#include "abi/types.h"
#include "abi/uio.h"
#include "fs/fdtable.h"
#include "fs/uio.h"
#include "net/socket.h"

/* A descriptor's socket for the time of a call: NULL with -EBADF or -ENOTSOCK in err. */
struct socket_ref {
	struct fdref fd;
	struct socket *socket;
	int err;
};
struct socket_ref socket_get(int fd) MUST_CHECK;
void socket_put(struct socket_ref ref);

/* Some reference to a socket's file has gone: what only sockets hold is looked for. */
void socket_closed(void);

/* ---- message.c ---- */

/* An address from the guest: 0, -EINVAL (len), -EFAULT. out is zero-filled after it. */
int address_import(struct linux_sockaddr_storage *out, uaddr_t addr, int len) MUST_CHECK;
/* To the guest: as much as *len_at allows, then the true length there. */
int address_export(const struct linux_sockaddr_storage *name, int len, uaddr_t addr,
		   uaddr_t len_at) MUST_CHECK;

enum { CONTROL_FAST = 64 };

/* A guest's struct msghdr in kernel memory. */
struct guest_message {
	struct message m;
	struct linux_msghdr header;
	uaddr_t at;
	struct uio data;
	struct uio_vec vec;
	struct linux_sockaddr_storage name;
	uint64_t control_fast[CONTROL_FAST / 8];
	struct scratch control_more; /* data: NULL: that is enough */
};

/* Reads the header at addr and all it names. 0 or -errno, when nothing is to be freed. */
int message_import_send(struct guest_message *g, uaddr_t addr, uint32_t flags) MUST_CHECK;
int message_import_receive(struct guest_message *g, uaddr_t addr,
			   uint32_t flags) MUST_CHECK;
/* After receiving: tells the guest what is not yet told. */
int message_export(struct guest_message *g) MUST_CHECK;
void message_fini(struct guest_message *g);

/* ---- sys_message.c ---- */

enum { MSG_CMSG_COMPAT = 0x80000000U };

/* The message whose header the guest has at msg. */
ssize_t message_send_one(struct socket *s, uaddr_t msg, uint32_t flags) MUST_CHECK;
ssize_t message_receive_one(struct socket *s, uaddr_t msg, uint32_t flags) MUST_CHECK;

/* net_sysctl.c: start-up: /proc/sys/net. */
void net_sysctl_init(void);
