/* SPDX-License-Identifier: MIT */
/* taskstats.c - the generic netlink family TASKSTATS: what tasks and processes have used
 * so far.
 *
 * Limits against Linux: nobody can have himself told of the tasks that end
 * (TASKSTATS_CMD_ATTR_REGISTER_CPUMASK); cgroups have no statistics. */
#include "fs/proc/taskstats.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "lib/string.h"
#include "net/netlink/internal.h"
#include "process/creds.h"
#include "process/task.h"

/* An id: 0, -ENOENT when there is none, -ERANGE. */
static int id_of(const struct netlink_request *r, int type, pid_t *id)
{
	size_t size;
	const void *data = netlink_payload(r, &size);
	size_t len;
	const void *value = netlink_find_attribute(
		data, size, sizeof(struct linux_genlmsghdr), type, &len);

	if (!value)
		return -ENOENT;
	if (len < sizeof(*id))
		return -ERANGE;
	memcpy(id, value, sizeof(*id));
	return 0;
}

static void put_answer(struct netlink_request *r, bool whole, pid_t id,
		       const struct linux_taskstats *s)
{
	const struct linux_genlmsghdr head = {TASKSTATS_CMD_NEW, TASKSTATS_GENL_VERSION,
					      0};
	struct netlink_buffer *b = &r->out;
	size_t start = netlink_message_begin(b, r->header->nlmsg_type, 0, r);
	size_t nest;

	netlink_buffer_put(b, &head, sizeof(head));
	nest = netlink_nest_begin(b, whole ? TASKSTATS_TYPE_AGGR_TGID
					   : TASKSTATS_TYPE_AGGR_PID);
	netlink_attribute_u32(b, whole ? TASKSTATS_TYPE_TGID : TASKSTATS_TYPE_PID,
			      (uint32_t)id);
	netlink_attribute(b, TASKSTATS_TYPE_STATS, s, sizeof(*s));
	netlink_nest_end(b, nest);
	netlink_message_end(b, start);
}

int netlink_taskstats_get(struct netlink_request *r)
{
	struct linux_taskstats stats;
	pid_t pid = 0;
	pid_t tgid = 0;
	int no_pid = id_of(r, TASKSTATS_CMD_ATTR_PID, &pid);
	int no_tgid = id_of(r, TASKSTATS_CMD_ATTR_TGID, &tgid);
	bool whole = no_pid;
	struct task *t;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (no_pid == -ERANGE || no_tgid == -ERANGE)
		return -ERANGE;
	if (no_pid && no_tgid)
		return -EINVAL;
	t = task_lookup(whole ? tgid : pid);
	if (!t)
		return -ESRCH;
	if (whole)
		taskstats_of_process(t->process, &stats);
	else
		taskstats_of_task(t, &stats);
	task_put(t);
	put_answer(r, whole, whole ? tgid : pid, &stats);
	return 0;
}
