/* SPDX-License-Identifier: MIT */
/* extension.c - matches and targets by name, and whether they fit the rule that has one.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "net/netfilter/internal.h"

int nf_kind_find(const struct nf_kind *kinds, uint32_t count, bool is_v4,
		 const struct linux_xt_extension *x, uint32_t *place)
{
	int err = -ENOENT;

	if (strnlen(x->name, sizeof(x->name)) == sizeof(x->name))
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (!(kinds[i].families & (is_v4 ? NF_FOR_V4 : NF_FOR_V6)) ||
		    strcmp(kinds[i].name, x->name) != 0)
			continue;
		if (kinds[i].revision == x->revision) {
			*place = i;
			return 0;
		}
		err = -EPROTOTYPE;
	}
	return err;
}

/* What of a match's data is ours a program sees as zeroes. */
int nf_extension_check(const struct nf_kind *kinds, uint32_t count,
		       const struct nf_rule_facts *f, struct linux_xt_extension *x)
{
	const struct nf_kind *k;
	uint32_t place;
	int err = nf_kind_find(kinds, count, f->is_v4, x, &place);

	if (err)
		return err;
	k = &kinds[place];
	if ((k->size + NF_ALIGN - 1U) / NF_ALIGN * NF_ALIGN != x->size - sizeof(*x))
		return -EINVAL;
	if ((k->only_filter && f->table != NF_FILTER) ||
	    (k->hooks && (f->hooks & ~k->hooks)) ||
	    (k->protocol && k->protocol != f->protocol))
		return -EINVAL;
	err = k->check ? k->check(f, x + 1) : 0;
	if (!err)
		x->name[NF_PLACE] = (char)place;
	return err;
}
