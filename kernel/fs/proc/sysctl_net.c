/* SPDX-License-Identifier: MIT */
/* sysctl_net.c - settings that are only remembered, but for each network namespace by
 * itself: net.ipv4 and net.ipv6. In a new one all are as they are at first. */
#include "abi/capability.h"
#include "base/lock.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/proc/sysctl.h"
#include "lib/list.h"
#include "lib/string.h"
#include "process/namespace.h"
#include "process/task.h"
#include "process/user_ns.h"

struct kept {
	struct list link;
	const struct namespace *net; /* borrowed: proc_forget_net() */
	const struct sysctl_setting *of;
	char *value; /* or NULL: as at first */
};
static struct list all_kept = LIST_INIT(all_kept); /* sysctl_lock */

bool sysctl_is_of_net(const struct sysctl_setting *s)
{
	return string_starts_with(s->path, "net/ipv4/") ||
	       string_starts_with(s->path, "net/ipv6/");
}

char **sysctl_value(struct sysctl_setting *s, const struct namespace *net, bool is_new)
{
	struct kept *k;
	struct list *pos;

	if (!net || net == first_nsproxy.net)
		return &s->now;
	list_for_each (pos, &all_kept) {
		k = list_entry(pos, struct kept, link);
		if (k->net == net && k->of == s)
			return &k->value;
	}
	k = is_new ? kmalloc(sizeof(*k)) : NULL;
	if (!k)
		return NULL;
	k->net = net;
	k->of = s;
	k->value = NULL;
	list_add_tail(&all_kept, &k->link);
	return &k->value;
}

void proc_forget_net(const struct namespace *net)
{
	struct list *pos;
	struct list *next;

	generated_forget(net);
	lock_take(&sysctl_lock);
	for (pos = all_kept.next; pos != &all_kept; pos = next) {
		struct kept *k = list_entry(pos, struct kept, link);

		next = pos->next;
		if (k->net != net)
			continue;
		list_remove(pos);
		kfree(k->value);
		kfree(k);
	}
	lock_drop(&sysctl_lock);
}

static bool owns_net(const struct namespace *net)
{
	uid_t euid = current_creds()->euid;

	return ns_capable(net->owner, CAP_NET_ADMIN) ||
	       euid == make_kuid(net->owner, 0) || !euid;
}

static struct namespace *current_net(void)
{
	const struct nsproxy *n = current()->ns;

	return n ? n->net : first_nsproxy.net;
}

const struct pseudo_scope sysctl_net_scope = {owns_net, current_net};
