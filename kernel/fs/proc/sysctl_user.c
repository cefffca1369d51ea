/* SPDX-License-Identifier: MIT */
/* sysctl_user.c - how many namespaces each user of the user namespace that a file was
 * opened in may make: user.max_KIND_namespaces (namespaces(7)). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "fs/proc/generated.h"
#include "fs/proc/pseudo.h"
#include "fs/proc/sysctl.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/user_ns.h"

static const char *const paths[NS_COUNT_KINDS] = {
	[NS_COUNT_USER] = "user/max_user_namespaces",
	[NS_COUNT_TIME] = "user/max_time_namespaces",
	[NS_COUNT_NET] = "user/max_net_namespaces",
};

static int *max_of(struct namespace *ns, void *kind)
{
	return &container_of(ns, struct user_ns, ns)->counts.max[(uintptr_t)kind];
}

static int max_show(struct text *t, struct namespace *ns, void *arg)
{
	text_printf(t, "%d\n", atomic_load_relaxed(max_of(ns, arg)));
	return 0;
}

static int max_store(char *data, size_t len, struct namespace *ns, void *arg)
{
	uint32_t value;

	if (len && data[len - 1] == '\n')
		len--;
	data[len] = '\0';
	if (!parse_u32(data, &value) || value > INT32_MAX)
		return -EINVAL;
	atomic_store(max_of(ns, arg), (int)value);
	return 0;
}

static bool is_owned(const struct namespace *ns)
{
	return ns_capable(container_of(ns, struct user_ns, ns), CAP_SYS_RESOURCE);
}

static struct namespace *current_ns(void)
{
	return &current_user_ns()->ns;
}

static const struct pseudo_scope user_scope = {is_owned, current_ns};

void sysctl_add_user(struct pseudo_node *sys)
{
	for (uintptr_t i = 0; i < NS_COUNT_KINDS; i++)
		(void)pseudo_scoped_file(sys, paths[i], 0644, &user_scope, max_show,
					 max_store,
					 (void *)i); // NOLINT(performance-no-int-to-ptr)
}
