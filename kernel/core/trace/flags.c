/* SPDX-License-Identifier: MIT */
/* flags.c - see flags.h. */
#include "core/trace/flags.h"

#include "lib/printf.h"

const struct flag_set *flags_find(uint8_t kind)
{
	const struct flag_set *set = flags_of_files(kind);

	return set ? set : flags_of_processes(kind);
}

static const char *field_name(const struct flag_set *set, uint64_t number)
{
	for (size_t i = 0; i < set->count; i++) {
		uint64_t value = set->names[i].value;

		if (value == number && !(value & ~set->field))
			return set->names[i].name;
	}
	return NULL;
}

/* The number in the field. Writes nothing for an unnamed 0 that flags can stand for. */
static size_t format_field(char *buf, size_t size, const struct flag_set *set,
			   uint64_t value)
{
	uint64_t number = value & set->field;
	const char *name = field_name(set, number);

	if (name)
		return kscnprintf(buf, size, "%s", name);
	if (number == 0 && value != 0)
		return 0;
	if (number >= 0x10000 && number <= INT64_MAX)
		return kscnprintf(buf, size, "%#llx", (unsigned long long)number);
	return kscnprintf(buf, size, "%lld", (long long)number);
}

size_t flags_format(char *buf, size_t size, const struct flag_set *set, uint64_t value)
{
	uint64_t rest = value & ~set->field;
	size_t len = 0;

	if (set->field || value == 0)
		len = format_field(buf, size, set, value);
	for (size_t i = 0; i < set->count && rest; i++) {
		uint64_t flag = set->names[i].value;

		if (flag == 0 || (flag & rest) != flag)
			continue;
		len += kscnprintf(buf + len, size - len, "%s%s", len ? "|" : "",
				  set->names[i].name);
		rest &= ~flag;
	}
	if (rest)
		len += kscnprintf(buf + len, size - len,
				  set->is_mode ? "%s%#llo" : "%s%#llx", len ? "|" : "",
				  (unsigned long long)rest);
	return len;
}
