/* SPDX-License-Identifier: MIT */
/* bind_device.c - SO_BINDTODEVICE and SO_BINDTOIFINDEX of families that use no device: it
 * is kept, by its index (socket(7)). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/netdevice.h"
#include "abi/socket.h"
#include "host/host.h"
#include "lib/string.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/socket.h"
#include "process/user_ns.h"

struct request {
	char name[IFNAMSIZ];
	int32_t index;
	uint8_t rest[20];
};

/* Of the host's network. */
static int ask_host(unsigned int cmd, struct request *r)
{
	int fd = host_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	long err;

	if (fd < 0)
		return fd;
	err = host_ioctl(fd, cmd, r);
	(void)host_close(fd);
	return err < 0 ? (int)err : 0;
}

static int index_of(const struct net_ns *net, const char *name, uint32_t *index)
{
	struct request r = {.index = 0};
	int err;

	if (!net->is_host) {
		*index = LO_INDEX;
		return strcmp(name, "lo") != 0 ? -ENODEV : 0;
	}
	strlcpy(r.name, name, sizeof(r.name));
	err = ask_host(SIOCGIFINDEX, &r);
	*index = (uint32_t)r.index;
	return err;
}

static int name_of(const struct net_ns *net, uint32_t index, char name[IFNAMSIZ])
{
	struct request r = {.index = (int32_t)index};
	int err;

	if (!net->is_host) {
		strlcpy(name, "lo", IFNAMSIZ);
		return index != LO_INDEX ? -ENODEV : 0;
	}
	err = ask_host(SIOCGIFNAME, &r);
	memcpy(name, r.name, IFNAMSIZ);
	name[IFNAMSIZ - 1] = 0;
	return err;
}

int socket_device_bind(struct socket *s, uint32_t index)
{
	if (s->device && !ns_capable(s->net->ns.owner, CAP_NET_RAW))
		return -EPERM;
	if ((int)index < 0)
		return -EINVAL;
	s->device = index;
	return 0;
}

int socket_device_bind_name(struct socket *s, const void *value, int len)
{
	char name[IFNAMSIZ] = {0};
	uint32_t index = 0;
	int err = 0;

	memcpy(name, value, (size_t)MIN(len, IFNAMSIZ - 1));
	if (name[0])
		err = index_of(s->net, name, &index);
	return err ? err : socket_device_bind(s, index);
}

int socket_device_name(const struct socket *s, void *value, int *len)
{
	char name[IFNAMSIZ] = {0};
	int err = 0;

	if (!s->device) {
		*len = 0;
		return 0;
	}
	if (*len < IFNAMSIZ)
		return -EINVAL;
	err = name_of(s->net, s->device, name);
	if (!err)
		option_put(value, len, name, strlen(name) + 1);
	return err;
}
