/* SPDX-License-Identifier: MIT */
/* socket.h - socket families, types, addresses, messages and options. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define AF_UNSPEC  0
#define AF_UNIX	   1
#define AF_INET	   2
#define AF_BRIDGE  7
#define AF_INET6   10
#define AF_NETLINK 16
#define AF_PACKET  17
#define AF_ALG	   38
#define AF_VSOCK   40
#define AF_MAX	   46
#define AF_LOCAL   AF_UNIX

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_RDM       4
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC   02000000
#define SOCK_NONBLOCK  04000

#define IPPROTO_IP     0
#define IPPROTO_ICMP   1
#define IPPROTO_TCP    6
#define IPPROTO_UDP    17
#define IPPROTO_IPV6   41
#define IPPROTO_ICMPV6 58
#define IPPROTO_RAW    255

#define SHUT_RD	  0
#define SHUT_WR	  1
#define SHUT_RDWR 2
#define SOMAXCONN 4096

#define MSG_OOB		 0x1
#define MSG_PEEK	 0x2
#define MSG_DONTROUTE	 0x4
#define MSG_PROBE	 0x10
#define MSG_CTRUNC	 0x8
#define MSG_TRUNC	 0x20
#define MSG_DONTWAIT	 0x40
#define MSG_EOR		 0x80
#define MSG_WAITALL	 0x100
#define MSG_CONFIRM	 0x800
#define MSG_ERRQUEUE	 0x2000
#define MSG_NOSIGNAL	 0x4000
#define MSG_MORE	 0x8000
#define MSG_WAITFORONE	 0x10000
#define MSG_ZEROCOPY	 0x4000000
#define MSG_FASTOPEN	 0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

/* setsockopt(2) */
#define SOL_SOCKET	 1
#define SOL_IP		 0
#define SOL_TCP		 6
#define SOL_UDP		 17
#define SOL_IPV6	 41
#define SO_DEBUG	 1
#define SO_REUSEADDR	 2
#define SO_TYPE		 3
#define SO_ERROR	 4
#define SO_DONTROUTE	 5
#define SO_BROADCAST	 6
#define SO_SNDBUF	 7
#define SO_RCVBUF	 8
#define SO_KEEPALIVE	 9
#define SO_OOBINLINE	 10
#define SO_NO_CHECK	 11
#define SO_PRIORITY	 12
#define SO_LINGER	 13
#define SO_REUSEPORT	 15
#define SO_PASSCRED	 16
#define SO_PEERCRED	 17
#define SO_RCVLOWAT	 18
#define SO_SNDLOWAT	 19
#define SO_RCVTIMEO	 20
#define SO_SNDTIMEO	 21
#define SO_BINDTODEVICE	 25
#define SO_PEERNAME	 28
#define SO_TIMESTAMP	 29
#define SO_ACCEPTCONN	 30
#define SO_PEERSEC	 31
#define SO_SNDBUFFORCE	 32
#define SO_RCVBUFFORCE	 33
#define SO_PASSSEC	 34
#define SO_MARK		 36
#define SO_PROTOCOL	 38
#define SO_DOMAIN	 39
#define SO_PEEK_OFF	 42
#define SO_INCOMING_CPU	 49
#define SO_PEERGROUPS	 59
#define SO_PASSPIDFD	 76
#define SO_PEERPIDFD	 77
#define SO_RCVPRIORITY	 82
#define SO_PASSRIGHTS	 83
#define SO_INQ		 84
#define SCM_INQ		 SO_INQ
#define TCP_NODELAY	 1
#define TCP_MAXSEG	 2
#define TCP_CORK	 3
#define TCP_KEEPIDLE	 4
#define TCP_KEEPINTVL	 5
#define TCP_KEEPCNT	 6
#define TCP_SYNCNT	 7
#define TCP_DEFER_ACCEPT 9
#define TCP_INFO	 11
#define TCP_QUICKACK	 12
#define TCP_CONGESTION	 13
#define TCP_USER_TIMEOUT 18
#define TCP_FASTOPEN	 23
#define SCM_RIGHTS	 1
#define SCM_CREDENTIALS	 2
#define SCM_PIDFD	 4

/* ioctl(2) on sockets. */
#define SIOCATMARK     0x8905
#define FIOSETOWN      0x8901
#define SIOCSPGRP      0x8902
#define FIOGETOWN      0x8903
#define SIOCGPGRP      0x8904
#define SIOCGSKNS      0x894c
#define SIOCUNIXFILE   0x89e0
#define SIOCGIFNAME    0x8910
#define SIOCGIFCONF    0x8912
#define SIOCGIFFLAGS   0x8913
#define SIOCGIFADDR    0x8915
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMTU     0x8921
#define SIOCGIFHWADDR  0x8927
#define SIOCGIFINDEX   0x8933

struct linux_sockaddr {
	uint16_t sa_family;
	char sa_data[14];
};

#define UNIX_PATH_MAX 108
struct linux_sockaddr_un {
	uint16_t sun_family;
	char sun_path[UNIX_PATH_MAX];
};

_Static_assert(sizeof(struct linux_sockaddr_un) == 110, "struct sockaddr_un");

struct linux_sockaddr_in {
	uint16_t sin_family;
	uint16_t sin_port; /* big-endian, as is sin_addr */
	uint32_t sin_addr;
	uint8_t zero[8];
};

_Static_assert(sizeof(struct linux_sockaddr_in) == 16, "struct sockaddr_in");

struct linux_sockaddr_in6 {
	uint16_t sin6_family;
	uint16_t sin6_port;
	uint32_t sin6_flowinfo;
	uint8_t sin6_addr[16];
	uint32_t sin6_scope_id;
};

_Static_assert(sizeof(struct linux_sockaddr_in6) == 28, "struct sockaddr_in6");

struct linux_sockaddr_nl {
	uint16_t nl_family;
	uint16_t nl_pad;
	uint32_t nl_pid;
	uint32_t nl_groups;
};

struct linux_sockaddr_storage {
	uint16_t ss_family;
	uint8_t data[126];
} ALIGNED(8);

_Static_assert(sizeof(struct linux_sockaddr_storage) == 128, "struct sockaddr_storage");

struct linux_msghdr {
	uaddr_t msg_name;
	int32_t msg_namelen;
	int32_t pad0;
	uaddr_t msg_iov;
	uint64_t msg_iovlen;
	uaddr_t msg_control;
	uint64_t msg_controllen;
	uint32_t msg_flags;
	uint32_t pad1;
};

_Static_assert(sizeof(struct linux_msghdr) == 56, "struct user_msghdr");

struct linux_mmsghdr {
	struct linux_msghdr msg_hdr;
	uint32_t msg_len;
	uint32_t pad;
};

struct linux_cmsghdr {
	uint64_t cmsg_len; /* of the header and the data */
	int32_t cmsg_level;
	int32_t cmsg_type;
};

_Static_assert(sizeof(struct linux_cmsghdr) == 16, "struct cmsghdr");
#define LINUX_CMSG_ALIGN(len) (((len) + 7UL) & ~7UL)
#define SCM_MAX_FD	      253

struct linux_ucred {
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};

struct linux_linger {
	int32_t l_onoff;
	int32_t l_linger;
};
