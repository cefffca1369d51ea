/* SPDX-License-Identifier: MIT */
/* generic.c - NETLINK_GENERIC: the families, and the controller, which tells of them. */
#include "abi/errno.h"
#include "abi/taskstats.h"
#include "lib/string.h"
#include "net/netlink/internal.h"

/* What CTRL_ATTR_OP_FLAGS says of a command. */
enum {
	OP_ADMIN = 1 << 0,
	OP_DO = 1 << 1,
	OP_DUMP = 1 << 2,
	OP_HAS_POLICY = 1 << 3,
	OPS_MAX = 2,
};

struct family_op {
	uint8_t cmd; /* 0: none */
	uint32_t flags;
	int (*answer)(struct netlink_request *r);
};

struct family {
	uint16_t id;
	const char *name;
	uint32_t version;
	const char *group; /* the one multicast group, or NULL */
	struct family_op ops[OPS_MAX];
};

static int get_family(struct netlink_request *r);

static int get_policy(struct netlink_request *r)
{
	(void)r;
	return -EOPNOTSUPP;
}

static const struct family families[] = {
	{.id = GENL_ID_CTRL,
	 .name = "nlctrl",
	 .version = 2,
	 .group = "notify",
	 .ops = {{CTRL_CMD_GETFAMILY, OP_DO | OP_DUMP | OP_HAS_POLICY, get_family},
		 {CTRL_CMD_GETPOLICY, OP_DUMP | OP_HAS_POLICY, get_policy}}},
	{.id = GENL_ID_FIRST,
	 .name = TASKSTATS_GENL_NAME,
	 .version = TASKSTATS_GENL_VERSION,
	 .ops = {{TASKSTATS_CMD_GET, OP_ADMIN | OP_DO | OP_HAS_POLICY,
		  netlink_taskstats_get}}},
};

/* ---- the controller ---- */

static void put_ops(struct netlink_buffer *b, const struct family *f)
{
	size_t nest = netlink_nest_begin(b, CTRL_ATTR_OPS);

	for (int i = 0; i < OPS_MAX && f->ops[i].cmd; i++) {
		size_t op = netlink_nest_begin(b, i + 1);

		netlink_attribute_u32(b, CTRL_ATTR_OP_ID, f->ops[i].cmd);
		netlink_attribute_u32(b, CTRL_ATTR_OP_FLAGS, f->ops[i].flags);
		netlink_nest_end(b, op);
	}
	netlink_nest_end(b, nest);
}

static void put_group(struct netlink_buffer *b, const struct family *f)
{
	size_t nest = netlink_nest_begin(b, CTRL_ATTR_MCAST_GROUPS);
	size_t group = netlink_nest_begin(b, 1);

	netlink_attribute_u32(b, CTRL_ATTR_MCAST_GRP_ID, f->id);
	netlink_attribute_string(b, CTRL_ATTR_MCAST_GRP_NAME, f->group);
	netlink_nest_end(b, group);
	netlink_nest_end(b, nest);
}

static void put_family(struct netlink_request *r, uint16_t flags, const struct family *f)
{
	const struct linux_genlmsghdr head = {CTRL_CMD_NEWFAMILY, 2, 0};
	struct netlink_buffer *b = &r->out;
	size_t start = netlink_message_begin(b, GENL_ID_CTRL, flags, r);

	netlink_buffer_put(b, &head, sizeof(head));
	netlink_attribute_string(b, CTRL_ATTR_FAMILY_NAME, f->name);
	netlink_attribute_u16(b, CTRL_ATTR_FAMILY_ID, f->id);
	netlink_attribute_u32(b, CTRL_ATTR_VERSION, f->version);
	netlink_attribute_u32(b, CTRL_ATTR_HDRSIZE, 0);
	netlink_attribute_u32(b, CTRL_ATTR_MAXATTR, 0);
	put_ops(b, f);
	if (f->group)
		put_group(b, f);
	netlink_message_end(b, start);
}

static const struct family *family_by_id(uint16_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i].id == id)
			return &families[i];
	return NULL;
}

/* The name may come without its NUL. */
static const struct family *family_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t want = strlen(families[i].name);

		if (len >= want && !memcmp(name, families[i].name, want) &&
		    (len == want || !name[want]))
			return &families[i];
	}
	return NULL;
}

static int get_family(struct netlink_request *r)
{
	size_t size;
	const void *data = netlink_payload(r, &size);
	const size_t head = sizeof(struct linux_genlmsghdr);
	const struct family *f = NULL;
	size_t len;
	const void *by_id =
		netlink_find_attribute(data, size, head, CTRL_ATTR_FAMILY_ID, &len);
	const void *by_name;
	uint16_t number;

	if (by_id) {
		if (len < sizeof(number))
			return -ERANGE;
		memcpy(&number, by_id, sizeof(number));
		f = family_by_id(number);
	}
	by_name = netlink_find_attribute(data, size, head, CTRL_ATTR_FAMILY_NAME, &len);
	if (by_name)
		f = family_by_name(by_name, len);
	if (!f)
		return by_id || by_name ? -ENOENT : -EINVAL;
	put_family(r, 0, f);
	return 0;
}

static int dump_families(struct netlink_request *r)
{
	r->is_dump = true;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		put_family(r, NLM_F_MULTI, &families[i]);
	return 0;
}

int netlink_generic_answer(struct netlink_request *r)
{
	size_t size;
	const struct linux_genlmsghdr *head = netlink_payload(r, &size);
	const struct family *f = family_by_id(r->header->nlmsg_type);
	bool is_dump = (r->header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	if (!f)
		return -ENOENT;
	if (size < sizeof(*head))
		return -EINVAL;
	for (int i = 0; i < OPS_MAX && f->ops[i].cmd; i++) {
		if (f->ops[i].cmd != head->cmd)
			continue;
		if (!is_dump)
			return f->ops[i].answer(r);
		return f->ops[i].answer == get_family ? dump_families(r) : -EOPNOTSUPP;
	}
	return -EOPNOTSUPP;
}
