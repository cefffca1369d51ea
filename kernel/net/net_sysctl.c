/* SPDX-License-Identifier: MIT */
/* net_sysctl.c - settings of /proc/sys/net that each network namespace has for itself and
 * the kernel heeds: those of the namespace that the file was opened in.
 *
 * In the host's network ports are the host's business: there what is said of them is only
 * kept. */
#include "abi/errno.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "net/internal.h"
#include "net/net_ns.h"

enum { PORT_MAX = 65535, NUMBERS_MAX = 2 };

struct setting {
	size_t at[NUMBERS_MAX]; /* of its numbers in struct net_settings */
	unsigned count;
	int min, max;
};

#define AT(member) offsetof(struct net_settings, member)

static const struct setting port_start = {{AT(port_start)}, 1, 0, PORT_MAX};
static const struct setting port_range = {
	{AT(port_first), AT(port_last)}, 2, 1, PORT_MAX};
static const struct setting somaxconn = {{AT(somaxconn)}, 1, 0, INT32_MAX};
static const struct setting tw_reuse = {{AT(tw_reuse)}, 1, 0, 2};
static const struct setting max_waits = {{AT(max_waits)}, 1, 0, INT32_MAX};
static const struct setting fin_timeout = {{AT(fin_timeout)}, 1, 0, INT32_MAX / 1000};

static int *number_of(struct namespace *net, const struct setting *s, unsigned i)
{
	return (int *)((uint8_t *)&net_ns_of(net)->settings + s->at[i]);
}

static int setting_show(struct text *t, struct namespace *net, void *arg)
{
	const struct setting *s = arg;

	for (unsigned i = 0; i < s->count; i++)
		text_printf(t, i ? "\t%d" : "%d",
			    atomic_load_relaxed(number_of(net, s, i)));
	text_putc(t, '\n');
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The next number at *at, which moves past it: 1, 0 at the end, -EINVAL. */
static int read_number(const char **at, const struct setting *s, int *out)
{
	int64_t n = 0;
	const char *c = *at;

	while (is_space(*c))
		c++;
	if (!*c)
		return 0;
	for (*at = c; *c >= '0' && *c <= '9' && n <= INT32_MAX; c++)
		n = n * 10 + (*c - '0');
	if (c == *at || (*c && !is_space(*c)) || n < s->min || n > s->max)
		return -EINVAL;
	*at = c;
	*out = (int)n;
	return 1;
}

/* The range that ports are chosen from is one, and above those that need a privilege. */
static bool fits(struct namespace *net, const struct setting *s, const int *values)
{
	const struct net_settings *now = &net_ns_of(net)->settings;

	if (s == &port_range)
		return values[0] <= values[1] &&
		       values[0] >= atomic_load_relaxed(&now->port_start);
	return s != &port_start || values[0] <= atomic_load_relaxed(&now->port_first);
}

/* Who says fewer numbers than there are leaves the others as they are. */
static int setting_store(char *data, size_t len, struct namespace *net, void *arg)
{
	const struct setting *s = arg;
	const char *at = data;
	int values[NUMBERS_MAX] = {0};

	(void)len;
	for (unsigned i = 0; i < s->count; i++) {
		int got = read_number(&at, s, &values[i]);

		if (got < 0 || (!got && !i))
			return -EINVAL;
		if (!got)
			values[i] = atomic_load_relaxed(number_of(net, s, i));
	}
	if (!fits(net, s, values))
		return -EINVAL;
	for (unsigned i = 0; i < s->count; i++)
		atomic_store_relaxed(number_of(net, s, i), values[i]);
	return 0;
}

#define SETTING(path, of)                                                                \
	{                                                                                \
		path, 0644, setting_show, setting_store, (void *)(uintptr_t) & (of)      \
	}

void net_sysctl_init(void)
{
	static const struct proc_net_file files[] = {
		SETTING("net/ipv4/ip_unprivileged_port_start", port_start),
		SETTING("net/ipv4/ip_local_port_range", port_range),
		SETTING("net/core/somaxconn", somaxconn),
		SETTING("net/ipv4/tcp_tw_reuse", tw_reuse),
		SETTING("net/ipv4/tcp_max_tw_buckets", max_waits),
		SETTING("net/ipv4/tcp_fin_timeout", fin_timeout),
	};

	proc_sysctl_net_files(files, ARRAY_SIZE(files));
}
