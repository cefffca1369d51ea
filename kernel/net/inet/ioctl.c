/* SPDX-License-Identifier: MIT */
/* ioctl.c - what is queued, and what the host's interfaces are (netdevice(7)). */
#include "abi/ioctl.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/inet/inet.h"
#include "net/inet/internal.h"
#include "net/net_ns.h"

enum {
	REQUEST_SIZE = 40,  /* struct ifreq */
	LIST_MAX = 1 << 16, /* more than 1600 interfaces */
};

struct interface_list { /* struct ifconf */
	int32_t size;
	int32_t pad;
	uaddr_t data;
};

static long list_interfaces(int host_fd, uint64_t arg)
{
	struct interface_list l;
	uaddr_t to;
	void *data = NULL;
	long err;

	if (COPY_IN(&l, arg))
		return -EFAULT;
	to = l.data;
	l.data = 0;
	if (to) {
		if (l.size < 0)
			return -EINVAL;
		l.size = MIN(l.size, (int)LIST_MAX);
		data = kmalloc_zeroed((size_t)l.size + 1);
		if (!data)
			return -ENOMEM;
		l.data = (uaddr_t)data;
	}
	err = host_ioctl(host_fd, SIOCGIFCONF, &l);
	if (!err && to && (l.size < 0 || l.size > LIST_MAX))
		err = -EIO;
	if (!err && to)
		err = copy_to_user(to, data, (size_t)l.size);
	if (!err)
		err = put_user_u32(arg, (uint32_t)l.size);
	kfree(data);
	return err;
}

static long ask_interface(int host_fd, unsigned int cmd, uint64_t arg)
{
	uint8_t request[REQUEST_SIZE] ALIGNED(8);
	long err;

	if (COPY_IN(&request, arg))
		return -EFAULT;
	err = host_ioctl(host_fd, cmd, request);
	return err < 0 ? err : COPY_OUT(arg, &request);
}

/* host_fd: -1: a socket is made for it. */
static long ask(int host_fd, unsigned int cmd, uint64_t arg)
{
	int fd = host_fd;
	long result;

	if (fd < 0)
		fd = host_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	if (fd < 0)
		return fd;
	result = cmd == SIOCGIFCONF ? list_interfaces(fd, arg)
				    : ask_interface(fd, cmd, arg);
	if (host_fd < 0)
		(void)host_close(fd);
	return result;
}

/* What interfaces are made of is not told: ethtool and wireless requests. -ENODEV: there
 * is none of that name. */
static long unsupported(int host_fd, uint64_t arg)
{
	uint8_t request[REQUEST_SIZE];
	long err;

	if (COPY_IN(&request, arg))
		return -EFAULT;
	err = ask(host_fd, SIOCGIFINDEX, arg);
	if (err)
		return err;
	return COPY_OUT(arg, &request) ? -EFAULT : -EOPNOTSUPP;
}

long inet_device_ioctl(int host_fd, unsigned int cmd, uint64_t arg)
{
	uint8_t request[REQUEST_SIZE];

	if ((cmd >= SIOCETHTOOL && cmd <= SIOCSMIIREG) ||
	    (cmd >= SIOCDEVPRIVATE && cmd <= SIOCDEVPRIVATE + 15) ||
	    (cmd >= SIOCIWFIRST && cmd <= SIOCIWLAST))
		return unsupported(host_fd, arg);
	switch (cmd) {
	case SIOCGIFNAME:
	case SIOCGIFCONF:
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMETRIC:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFINDEX:
	case SIOCGIFTXQLEN:
	case SIOCGIFMAP:
		break;
	case SIOCADDRT: /* need a privilege that no host process has */
	case SIOCDELRT:
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFNAME:
	case SIOCSIFHWADDR:
	case SIOCSIFTXQLEN:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
		return COPY_IN(&request, arg) ? -EFAULT : -EPERM;
	default:
		return -ENOTTY;
	}
	return ask(host_fd, cmd, arg);
}

long inet_ioctl(struct socket *s, unsigned int cmd, uint64_t arg)
{
	uint32_t value = 0;
	long err;

	switch (cmd) {
	case FIONREAD:
	case TIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		err = host_ioctl(s->host_fd, cmd, &value);
		return err < 0 ? err : put_user_u32(arg, value);
	default:
		/* The interfaces of a network in memory are not the host's. */
		return s->net->is_host ? inet_device_ioctl(s->host_fd, cmd, arg)
				       : -ENOTTY;
	}
}
