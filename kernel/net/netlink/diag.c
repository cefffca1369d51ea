/* SPDX-License-Identifier: MIT */
/* diag.c - NETLINK_SOCK_DIAG (sock_diag(7)): knows no family yet. */
#include "abi/errno.h"
#include "net/netlink/internal.h"

int netlink_diag_answer(struct netlink_request *r)
{
	(void)r;
	return -ENOENT;
}
