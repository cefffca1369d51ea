/* SPDX-License-Identifier: MIT */
/* gate_rules.c - the command line of the gate: ADDRESS[/PREFIX]:PORT[-PORT]. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "host/gate.h"
#include "message.h"
#include "options.h"

enum { PORT_MAX = 65535 };

static bool parse_number(const char **at, unsigned long max, unsigned long *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtoul(*at, &end, 10);
	*at = end;
	return *out <= max;
}

static bool parse_ports(const char *text, struct gate_rule *r)
{
	unsigned long first, last;

	if (!strcmp(text, "*")) {
		r->port_first = 1;
		r->port_last = PORT_MAX;
		return true;
	}
	if (!parse_number(&text, PORT_MAX, &first) || first == 0)
		return false;
	last = first;
	if (*text == '-') {
		text++;
		if (!parse_number(&text, PORT_MAX, &last))
			return false;
	}
	r->port_first = (uint16_t)first;
	r->port_last = (uint16_t)last;
	return *text == '\0' && first <= last;
}

/* The bits beyond the prefix do not count: they are cleared, as Linux shows networks. */
static void mask_address(struct gate_rule *r)
{
	for (unsigned int bit = r->prefix; bit < 128; bit++)
		r->addr[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
}

/* ::ffff:0:0/96 is IPv4, as in the destinations that are compared. */
static void unmap(struct gate_rule *r)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (r->family != AF_INET6 || r->prefix < 96 ||
	    memcmp(r->addr, mapped, sizeof mapped) != 0)
		return;
	r->family = AF_INET;
	r->prefix -= 96;
	memmove(r->addr, r->addr + 12, 4);
	memset(r->addr + 4, 0, 12);
}

static bool parse_rule(char *text, struct gate_rule *r)
{
	char *ports = strrchr(text, ':');
	unsigned long prefix;

	memset(r, 0, sizeof *r);
	if (!ports)
		return false;
	*ports++ = '\0';
	char *slash = strrchr(text, '/');
	if (slash)
		*slash++ = '\0';
	size_t len = strlen(text);
	bool has_brackets = len > 1 && text[0] == '[' && text[len - 1] == ']';
	if (has_brackets) {
		text[len - 1] = '\0';
		text++;
	}
	r->family = has_brackets ? AF_INET6 : AF_INET;
	if (inet_pton((int)r->family, text, r->addr) != 1)
		return false;
	prefix = r->family == AF_INET ? 32 : 128;
	if (slash) {
		const char *at = slash;

		if (!parse_number(&at, prefix, &prefix) || *at)
			return false;
	}
	r->prefix = (uint32_t)prefix;
	mask_address(r);
	unmap(r);
	return parse_ports(ports, r);
}

void gate_parse(struct options *o, const char *text)
{
	struct gate_rule *grown =
		reallocarray(o->rules, o->rule_count + 1, sizeof *grown);
	char *copy = strdup(text);

	if (!grown || !copy)
		fail("out of memory");
	o->rules = grown;
	if (!parse_rule(copy, &grown[o->rule_count]))
		fail("--allow-connect %s: ADDRESS[/PREFIX]:PORT is wanted, with a range "
		     "of ports or * (an IPv6 address in brackets)",
		     text);
	if (++o->rule_count > GATE_RULES_MAX)
		fail("--allow-connect: more than %d", GATE_RULES_MAX);
	free(copy);
}
