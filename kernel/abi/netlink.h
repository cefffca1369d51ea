/* SPDX-License-Identifier: MIT */
/* netlink.h - netlink(7): messages, options, and the numbers of its protocols. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define NETLINK_ROUTE	       0
#define NETLINK_USERSOCK       2
#define NETLINK_SOCK_DIAG      4
#define NETLINK_XFRM	       6
#define NETLINK_AUDIT	       9
#define NETLINK_FIB_LOOKUP     10
#define NETLINK_CONNECTOR      11
#define NETLINK_NETFILTER      12
#define NETLINK_KOBJECT_UEVENT 15
#define NETLINK_GENERIC	       16
#define NETLINK_CRYPTO	       21
#define NETLINK_PROTOCOLS      32

/* setsockopt(2) */
#define SOL_NETLINK		 270
#define NETLINK_ADD_MEMBERSHIP	 1
#define NETLINK_DROP_MEMBERSHIP	 2
#define NETLINK_PKTINFO		 3
#define NETLINK_BROADCAST_ERROR	 4
#define NETLINK_NO_ENOBUFS	 5
#define NETLINK_LISTEN_ALL_NSID	 8
#define NETLINK_LIST_MEMBERSHIPS 9
#define NETLINK_CAP_ACK		 10
#define NETLINK_EXT_ACK		 11
#define NETLINK_GET_STRICT_CHK	 12

struct linux_nlmsghdr {
	uint32_t nlmsg_len; /* with the header */
	uint16_t nlmsg_type;
	uint16_t nlmsg_flags;
	uint32_t nlmsg_seq;
	uint32_t nlmsg_pid;
};

_Static_assert(sizeof(struct linux_nlmsghdr) == 16, "struct nlmsghdr");
#define NLMSG_ALIGN_OF(len) (((len) + 3U) & ~3U)

#define NLM_F_REQUEST	    0x01
#define NLM_F_MULTI	    0x02
#define NLM_F_ACK	    0x04
#define NLM_F_DUMP_INTR	    0x10
#define NLM_F_DUMP_FILTERED 0x20
#define NLM_F_ROOT	    0x100
#define NLM_F_MATCH	    0x200
#define NLM_F_DUMP	    0x300
#define NLM_F_REPLACE	    0x100 /* of requests for something new, as the next two */
#define NLM_F_EXCL	    0x200
#define NLM_F_CREATE	    0x400
#define NLM_F_CAPPED	    0x100 /* of acknowledgements, as the next */
#define NLM_F_ACK_TLVS	    0x200

#define NLMSG_NOOP     1
#define NLMSG_ERROR    2
#define NLMSG_DONE     3
#define NLMSG_MIN_TYPE 0x10

#define NLMSGERR_ATTR_MSG  1
#define NLMSGERR_ATTR_OFFS 2

struct linux_nlattr {
	uint16_t nla_len; /* with the header */
	uint16_t nla_type;
};

#define NLA_NESTED    0x8000
#define NLA_TYPE_MASK 0x3fff

/* NETLINK_GENERIC */
struct linux_genlmsghdr {
	uint8_t cmd;
	uint8_t version;
	uint16_t reserved;
};

#define GENL_ID_CTRL		 0x10
#define GENL_ID_FIRST		 0x13 /* of those that are given out */
#define CTRL_CMD_NEWFAMILY	 1
#define CTRL_CMD_GETFAMILY	 3
#define CTRL_CMD_GETPOLICY	 10
#define CTRL_ATTR_FAMILY_ID	 1
#define CTRL_ATTR_FAMILY_NAME	 2
#define CTRL_ATTR_VERSION	 3
#define CTRL_ATTR_HDRSIZE	 4
#define CTRL_ATTR_MAXATTR	 5
#define CTRL_ATTR_OPS		 6
#define CTRL_ATTR_MCAST_GROUPS	 7
#define CTRL_ATTR_OP_ID		 1
#define CTRL_ATTR_OP_FLAGS	 2
#define CTRL_ATTR_MCAST_GRP_NAME 1
#define CTRL_ATTR_MCAST_GRP_ID	 2
