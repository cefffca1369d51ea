/* SPDX-License-Identifier: MIT */
/* option.c - socket options: those that the host may be asked for go to it. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/inet.h"
#include "net/inet/internal.h"
#include "process/creds.h"

/* Of which levels there are options for the host, and what their numbers are below. */
enum { LEVEL_NONE, LEVEL_SOCKET, LEVEL_IP, LEVEL_TCP, LEVEL_UDP, LEVEL_IPV6, LEVELS };
enum { NAMES = 128 };

#define LEVEL(level)                                                                     \
	((level) == SOL_SOCKET ? LEVEL_SOCKET                                            \
	 : (level) == SOL_TCP  ? LEVEL_TCP                                               \
	 : (level) == SOL_IP   ? LEVEL_IP                                                \
	 : (level) == SOL_IPV6 ? LEVEL_IPV6                                              \
	 : (level) == SOL_UDP  ? LEVEL_UDP                                               \
			       : LEVEL_NONE)

#define SOCKET_OPTION(level, name)                                                       \
	_Static_assert(LEVEL(level) != LEVEL_NONE && (name) < NAMES, #name);
#include "host/socket_options.def"
#undef SOCKET_OPTION

static const bool passed[LEVELS][NAMES] = {
#define SOCKET_OPTION(level, name) [LEVEL(level)][name] = true,
#include "host/socket_options.def"
#undef SOCKET_OPTION
};

static bool is_passed(int level, int name)
{
	return (unsigned int)name < NAMES && passed[LEVEL(level)][name];
}

/* Those that need a privilege which no host process has. */
static bool is_privileged(int level, int name)
{
	switch (level) {
	case SOL_SOCKET:
		return name == SO_MARK || name == SO_SNDBUFFORCE ||
		       name == SO_RCVBUFFORCE;
	case SOL_IP:
		return name == IP_TRANSPARENT;
	case SOL_IPV6:
		return name == IPV6_TRANSPARENT;
	case SOL_TCP:
		return name == TCP_REPAIR;
	default:
		return false;
	}
}

/* The rules of IPsec that a socket has for itself. */
static bool is_policy(int level, int name)
{
	return (level == SOL_IP && (name == IP_IPSEC_POLICY || name == IP_XFRM_POLICY)) ||
	       (level == SOL_IPV6 &&
		(name == IPV6_IPSEC_POLICY || name == IPV6_XFRM_POLICY));
}

/* What the host socket was told and we must know. */
static void remember(struct socket *s, int level, int name, const void *value, int len)
{
	struct inet_socket *i = inet_of(s);
	struct linux_linger l;

	if (level == SOL_TCP && name == TCP_INQ)
		atomic_store(&i->tells_more, true);
	/* The one value that there is: the socket is one of IPv4 from here on. */
	if (level == SOL_IPV6 && name == IPV6_ADDRFORM)
		s->family = AF_INET;
	if (level != SOL_SOCKET)
		return;
	switch (name) {
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMPING:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
	case SO_TIMESTAMPING_NEW:
		atomic_store(&i->tells_more, true);
		break;
	case SO_LINGER:
		if (len < (int)sizeof(l))
			break;
		memcpy(&l, value, sizeof(l));
		atomic_store(&i->lingers, l.l_onoff && l.l_linger);
		break;
	default:
		break;
	}
}

/* What Linux answers of itself, whatever the socket. True: *err is the answer. */
static bool set_by_us(struct socket *s, int level, int name, const void *value, int len,
		      int *err)
{
	int n = 0;

	if (level == SOL_SOCKET && socket_option_is_own(name)) {
		*err = socket_set_plain_option(s, name, value, len);
		return true;
	}
	if (is_policy(level, name)) {
		*err = -EPERM;
		return true;
	}
	if (level == SOL_SOCKET && name == SO_BSDCOMPAT) {
		*err = len < (int)sizeof(int) ? -EINVAL : 0;
		return true;
	}
	if (level == SOL_SOCKET && name == SO_RESERVE_MEM) { /* no cgroup accounts */
		memcpy(&n, value, (size_t)MIN(len, (int)sizeof(n)));
		*err = len < (int)sizeof(n) || n < 0 ? -EINVAL : -EOPNOTSUPP;
		return true;
	}
	if (level == SOL_TCP && name == TCP_ULP) { /* there is none */
		*err = len < 1 ? -EINVAL : -ENOENT;
		return true;
	}
	return false;
}

static int peer_name(struct socket *s, void *value, int *len)
{
	struct linux_sockaddr_storage name;
	int size = s->ops->name(s, &name, true);

	if (size < 0)
		return -ENOTCONN;
	if (size < *len)
		return -EINVAL;
	option_put(value, len, &name, (size_t)size);
	return 0;
}

bool inet_get_common(struct socket *s, int name, void *value, int *len, int *err)
{
	const struct linux_ucred nobody = {0, UINT32_MAX, UINT32_MAX};
	const uint64_t namespace = 1;
	const int zero = 0;

	*err = 0;
	switch (name) {
	case SO_PEERCRED:
		option_put(value, len, &nobody, sizeof(nobody));
		return true;
	case SO_PEERNAME:
		*err = peer_name(s, value, len);
		return true;
	case SO_PEERGROUPS:
	case SO_PEERPIDFD:
		*err = -ENODATA;
		return true;
	case SO_BSDCOMPAT:
	case SO_RESERVE_MEM:
		option_put(value, len, &zero, sizeof(zero));
		return true;
	case SO_NETNS_COOKIE:
		if (*len != (int)sizeof(namespace))
			*err = -EINVAL;
		else
			option_put(value, len, &namespace, sizeof(namespace));
		return true;
	default:
		return false;
	}
}

bool inet_level_is_foreign(const struct socket *s, int level)
{
	switch (level) {
	case SOL_SOCKET:
		return false;
	case SOL_IP:
		return s->family == AF_INET6 && s->type == SOCK_RAW;
	case SOL_IPV6:
		return s->family != AF_INET6;
	case SOL_TCP:
		return s->type != SOCK_STREAM;
	case SOL_UDP:
		return s->type != SOCK_DGRAM;
	default:
		return true;
	}
}

/* Who may go beyond the limits here may not on the host: they get what it allows. */
static int force_size(struct socket *s, int name, const void *value, int len)
{
	int fd = inet_option_fd(s);
	int size;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (len < (int)sizeof(size))
		return -EINVAL;
	if (fd < 0)
		return fd;
	memcpy(&size, value, sizeof(size));
	size = MAX(size, 0);
	return host_setsockopt(fd, SOL_SOCKET,
			       name == SO_SNDBUFFORCE ? SO_SNDBUF : SO_RCVBUF, &size,
			       sizeof(size));
}

int inet_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	int err;
	int fd;

	if (inet_level_is_foreign(s, level))
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET && len < (int)sizeof(int) && name != SO_BINDTODEVICE)
		return -EINVAL;
	if (level == SOL_SOCKET && (name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE))
		return force_size(s, name, value, len);
	if (is_privileged(level, name))
		return -EPERM;
	if (set_by_us(s, level, name, value, len, &err))
		return err;
	if (!is_passed(level, name)) /* of these two the length is looked at first */
		return (level == SOL_TCP || level == SOL_UDP) && len < (int)sizeof(int)
			       ? -EINVAL
			       : -ENOPROTOOPT;
	fd = inet_option_fd(s);
	err = fd < 0 ? fd : host_setsockopt(fd, level, name, value, len);
	if (!err)
		remember(s, level, name, value, len);
	return err;
}

/* Of these the value says what is asked for. */
bool inet_option_has_question(int level, int name)
{
	switch (level) {
	case SOL_IP:
		return name == IP_MSFILTER || name == MCAST_MSFILTER;
	case SOL_IPV6:
		return name == MCAST_MSFILTER || name == IPV6_FLOWLABEL_MGR;
	default:
		return false;
	}
}

/* Linux writes as many sources as the value says that there is room for, whatever the
 * length is: not beyond ours. */
static void limit_sources(int level, int name, void *value, int len)
{
	bool is_ip = level == SOL_IP && name == IP_MSFILTER;
	uint32_t head = is_ip ? 16 : 144; /* ends with the number of sources */
	uint32_t each = is_ip ? 4 : 128;
	uint32_t count;
	uint8_t *at = (uint8_t *)value + head - sizeof(count);

	if (!is_ip && ((level != SOL_IP && level != SOL_IPV6) || name != MCAST_MSFILTER))
		return;
	if (len < (int)head) /* refused by the host */
		return;
	memcpy(&count, at, sizeof(count));
	count = MIN(count, ((uint32_t)len - head) / each);
	memcpy(at, &count, sizeof(count));
}

int inet_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	int room = *len;
	int err;
	int fd;

	if (inet_level_is_foreign(s, level))
		return s->family == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
	if (is_privileged(level, name)) { /* never set */
		if (name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE)
			return -ENOPROTOOPT;
		memset(value, 0, (size_t)MIN(room, (int)sizeof(int)));
		*len = MIN(room, (int)sizeof(int));
		return 0;
	}
	if (level == SOL_SOCKET && inet_get_common(s, name, value, len, &err))
		return err;
	if (level == SOL_SOCKET && socket_option_is_own(name))
		return socket_get_plain_option(s, name, value, len);
	if (level == SOL_TCP && name == TCP_ULP && s->type == SOCK_STREAM) {
		*len = 0; /* there is none */
		return 0;
	}
	if (!is_passed(level, name))
		return -ENOPROTOOPT;
	if (unlikely(inet_of(s)->outside != NULL) && level == SOL_SOCKET &&
	    name == SO_ERROR) {
		err = inet_outside_error(s);
		option_put(value, len, &err, sizeof(err));
		return 0;
	}
	limit_sources(level, name, value, room);
	fd = inet_option_fd(s);
	err = fd < 0 ? fd : host_getsockopt(fd, level, name, value, len);
	if (*len < 0 || *len > room)
		*len = room;
	return err;
}
