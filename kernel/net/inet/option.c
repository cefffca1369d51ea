/* SPDX-License-Identifier: MIT */
/* option.c - socket options: those that the host may be asked for go to it. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/internal.h"

static const struct {
	uint8_t level, name;
} passed[] = {
#define SOCKET_OPTION(level, name) {level, name},
#include "host/socket_options.def"
#undef SOCKET_OPTION
};

static bool is_passed(int level, int name)
{
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		if (passed[i].level == level && passed[i].name == name)
			return true;
	return false;
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

/* What the host socket was told and we must know. */
static void remember(struct socket *s, int level, int name, const void *value, int len)
{
	struct inet_socket *i = inet_of(s);
	struct linux_linger l;

	if (level == SOL_TCP && name == TCP_INQ)
		atomic_store(&i->tells_more, true);
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

int inet_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	int err;

	if (is_privileged(level, name))
		return -EPERM;
	if (!is_passed(level, name))
		return -ENOPROTOOPT;
	err = host_setsockopt(s->host_fd, level, name, value, len);
	if (!err)
		remember(s, level, name, value, len);
	return err;
}

int inet_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	int room = *len;
	int err;

	if (is_privileged(level, name)) { /* never set */
		if (name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE)
			return -ENOPROTOOPT;
		memset(value, 0, (size_t)MIN(room, (int)sizeof(int)));
		*len = MIN(room, (int)sizeof(int));
		return 0;
	}
	if (!is_passed(level, name))
		return -ENOPROTOOPT;
	err = host_getsockopt(s->host_fd, level, name, value, len);
	if (*len < 0 || *len > room)
		*len = room;
	return err;
}
