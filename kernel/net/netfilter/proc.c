/* SPDX-License-Identifier: MIT */
/* proc.c - /proc/net/ip_tables_names and its kin: which tables the reader's network has,
 * and which matches and targets there are. */
#include "fs/proc/proc.h"
#include "fs/proc/generated.h"
#include "lib/atomic.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"

static int show_names(struct text *t, void *arg)
{
	struct netfilter *nf = atomic_load(&current_net_ns()->netfilter);
	bool is_v4 = arg != NULL;

	for (uint32_t i = NF_TABLES; nf && i--;) {
		enum nf_table_kind kind = (enum nf_table_kind)i;
		struct nf_hold h;

		if (!nf_rules_get(nf, is_v4, kind, &h))
			continue;
		nf_hold_end(&h);
		text_printf(t, "%s\n", nf_table_name(kind));
	}
	return 0;
}

static void show_kinds(struct text *t, const struct nf_kind *kinds, uint32_t count,
		       bool is_v4)
{
	for (uint32_t i = 0; i < count; i++)
		if (kinds[i].name[0] &&
		    (kinds[i].families & (is_v4 ? NF_FOR_V4 : NF_FOR_V6)))
			text_printf(t, "%s\n", kinds[i].name);
}

static int show_matches(struct text *t, void *arg)
{
	show_kinds(t, nf_matches, nf_match_count, arg != NULL);
	return 0;
}

static int show_targets(struct text *t, void *arg)
{
	show_kinds(t, nf_targets, nf_target_count, arg != NULL);
	return 0;
}

void nf_show_init(void)
{
	static char is_v4; /* its address is all that is asked for */

	proc_net_add("ip_tables_names", show_names, &is_v4);
	proc_net_add("ip_tables_matches", show_matches, &is_v4);
	proc_net_add("ip_tables_targets", show_targets, &is_v4);
	proc_net_add("ip6_tables_names", show_names, NULL);
	proc_net_add("ip6_tables_matches", show_matches, NULL);
	proc_net_add("ip6_tables_targets", show_targets, NULL);
}
