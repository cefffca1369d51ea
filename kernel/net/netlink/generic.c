/* SPDX-License-Identifier: MIT */
/* generic.c - NETLINK_GENERIC: the controller, which knows of itself alone. */
#include "abi/errno.h"
#include "lib/string.h"
#include "net/netlink/internal.h"

enum { CTRL_VERSION = 2, CTRL_ATTR_MAX = 10, OPS_GETFAMILY = 0xe, OPS_GETPOLICY = 0xc };

static void put_op(struct netlink_buffer *b, int index, uint32_t id, uint32_t flags)
{
	size_t op = netlink_nest_begin(b, index | NLA_NESTED);

	netlink_attribute_u32(b, CTRL_ATTR_OP_ID, id);
	netlink_attribute_u32(b, CTRL_ATTR_OP_FLAGS, flags);
	netlink_nest_end(b, op);
}

static void put_controller(struct netlink_request *r, uint16_t flags)
{
	const struct linux_genlmsghdr head = {CTRL_CMD_NEWFAMILY, CTRL_VERSION, 0};
	struct netlink_buffer *b = &r->out;
	size_t start = netlink_message_begin(b, GENL_ID_CTRL, flags, r);
	size_t nest;
	size_t group;

	netlink_buffer_put(b, &head, sizeof(head));
	netlink_attribute_string(b, CTRL_ATTR_FAMILY_NAME, "nlctrl");
	netlink_attribute_u16(b, CTRL_ATTR_FAMILY_ID, GENL_ID_CTRL);
	netlink_attribute_u32(b, CTRL_ATTR_VERSION, CTRL_VERSION);
	netlink_attribute_u32(b, CTRL_ATTR_HDRSIZE, 0);
	netlink_attribute_u32(b, CTRL_ATTR_MAXATTR, CTRL_ATTR_MAX);
	nest = netlink_nest_begin(b, CTRL_ATTR_OPS | NLA_NESTED);
	put_op(b, 1, CTRL_CMD_GETFAMILY, OPS_GETFAMILY);
	put_op(b, 2, CTRL_CMD_GETPOLICY, OPS_GETPOLICY);
	netlink_nest_end(b, nest);
	nest = netlink_nest_begin(b, CTRL_ATTR_MCAST_GROUPS | NLA_NESTED);
	group = netlink_nest_begin(b, 1 | NLA_NESTED);
	netlink_attribute_u32(b, CTRL_ATTR_MCAST_GRP_ID, GENL_ID_CTRL);
	netlink_attribute_string(b, CTRL_ATTR_MCAST_GRP_NAME, "notify");
	netlink_nest_end(b, group);
	netlink_nest_end(b, nest);
	netlink_message_end(b, start);
}

static bool is_controller(const char *name, size_t len)
{
	return len >= sizeof("nlctrl") - 1 && !memcmp(name, "nlctrl", 6) &&
	       (len == 6 || !name[6]);
}

static int get_family(struct netlink_request *r)
{
	size_t size;
	const void *data = netlink_payload(r, &size);
	const size_t head = sizeof(struct linux_genlmsghdr);
	size_t len;
	const void *id =
		netlink_find_attribute(data, size, head, CTRL_ATTR_FAMILY_ID, &len);
	int err = -EINVAL;
	uint16_t number;

	if (id) {
		if (len < sizeof(number))
			return -ERANGE;
		memcpy(&number, id, sizeof(number));
		err = number == GENL_ID_CTRL ? 0 : -ENOENT;
	}
	id = netlink_find_attribute(data, size, head, CTRL_ATTR_FAMILY_NAME, &len);
	if (id)
		err = is_controller(id, len) ? 0 : -ENOENT;
	if (!err)
		put_controller(r, 0);
	return err;
}

int netlink_generic_answer(struct netlink_request *r)
{
	size_t size;
	const struct linux_genlmsghdr *head = netlink_payload(r, &size);

	if (r->header->nlmsg_type != GENL_ID_CTRL)
		return -ENOENT;
	if (size < sizeof(*head))
		return -EINVAL;
	if (head->cmd != CTRL_CMD_GETFAMILY)
		return -EOPNOTSUPP;
	if ((r->header->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return get_family(r);
	r->is_dump = true;
	put_controller(r, NLM_F_MULTI);
	return 0;
}
