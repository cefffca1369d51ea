/* SPDX-License-Identifier: MIT */
/* net.c - /sys/class/net: the interfaces of the first network namespace, which mounted
 * the file system, as they are when somebody looks. All are shown as virtual devices:
 * what they are made of is not for the guest.
 *
 * A directory that an interface once had is kept for its next one of that name, hidden
 * as long as there is none. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/host_links.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"
#include "lib/printf.h"
#include "lib/string.h"

int (*host_links_get)(bool is_readers, struct host_link **out, size_t *count);

enum { OPERSTATES = 7, STATS = sizeof(struct linux_link_stats64) / sizeof(uint64_t) };

/* An interface that was seen: never freed. */
struct net_entry {
	struct net_entry *next;
	char name[LINK_NAME_SIZE];
	struct pseudo_node *device, *link;
};

struct net_file { /* what a node's show is told */
	const struct net_entry *entry;
	int what; /* of attributes[], or STATISTIC + of statistics[] */
};
enum { STATISTIC = 100 };

static struct pseudo_node *virtual_dir, *class_net;
static struct net_entry *entries;

static void show_bytes(struct text *t, const uint8_t *bytes, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		text_printf(t, i ? ":%02x" : "%02x", bytes[i]);
	text_putc(t, '\n');
}

static void show_operstate(struct text *t, const struct host_link *l)
{
	static const char *const names[OPERSTATES] = {
		"unknown", "notpresent", "down", "lowerlayerdown",
		"testing", "dormant",	 "up",
	};

	text_printf(t, "%s\n", names[l->operstate < OPERSTATES ? l->operstate : 0]);
}

enum attribute {
	FIXED,
	ADDR_LEN,
	ADDRESS,
	BROADCAST,
	CARRIER,
	CARRIER_CHANGES,
	CARRIER_DOWN,
	CARRIER_UP,
	FLAGS,
	ALIAS,
	INDEX,
	LOWER,
	LINK_MODE,
	MTU,
	GROUP,
	OPERSTATE,
	PROTO_DOWN,
	QUEUE_LENGTH,
	TYPE,
	UEVENT,
};

static const struct {
	const char *name;
	enum attribute what;
	const char *text; /* FIXED */
} attributes[] = {
	{"addr_assign_type", FIXED, "0\n"},
	{"addr_len", ADDR_LEN, NULL},
	{"address", ADDRESS, NULL},
	{"broadcast", BROADCAST, NULL},
	{"carrier", CARRIER, NULL},
	{"carrier_changes", CARRIER_CHANGES, NULL},
	{"carrier_down_count", CARRIER_DOWN, NULL},
	{"carrier_up_count", CARRIER_UP, NULL},
	{"dev_id", FIXED, "0x0\n"},
	{"dev_port", FIXED, "0\n"},
	{"dormant", FIXED, "0\n"},
	{"flags", FLAGS, NULL},
	{"gro_flush_timeout", FIXED, "0\n"},
	{"ifalias", ALIAS, NULL},
	{"ifindex", INDEX, NULL},
	{"iflink", LOWER, NULL},
	{"link_mode", LINK_MODE, NULL},
	{"mtu", MTU, NULL},
	{"name_assign_type", FIXED, "2\n"},
	{"netdev_group", GROUP, NULL},
	{"operstate", OPERSTATE, NULL},
	{"proto_down", PROTO_DOWN, NULL},
	{"testing", FIXED, "0\n"},
	{"tx_queue_len", QUEUE_LENGTH, NULL},
	{"type", TYPE, NULL},
	{"uevent", UEVENT, NULL},
};

/* In the order of struct linux_link_stats64. */
static const char *const statistics[STATS] = {
	"rx_packets",	    "tx_packets",	   "rx_bytes",
	"tx_bytes",	    "rx_errors",	   "tx_errors",
	"rx_dropped",	    "tx_dropped",	   "multicast",
	"collisions",	    "rx_length_errors",	   "rx_over_errors",
	"rx_crc_errors",    "rx_frame_errors",	   "rx_fifo_errors",
	"rx_missed_errors", "tx_aborted_errors",   "tx_carrier_errors",
	"tx_fifo_errors",   "tx_heartbeat_errors", "tx_window_errors",
	"rx_compressed",    "tx_compressed",	   "rx_nohandler",
};

static uint32_t number_of(const struct host_link *l, enum attribute what)
{
	switch (what) {
	case ADDR_LEN:
		return l->address_len;
	case CARRIER:
		return l->carrier;
	case CARRIER_CHANGES:
		return l->carrier_changes;
	case CARRIER_DOWN:
		return l->carrier_down;
	case CARRIER_UP:
		return l->carrier_up;
	case INDEX:
		return l->index;
	case LOWER:
		return l->lower;
	case LINK_MODE:
		return l->link_mode;
	case MTU:
		return l->mtu;
	case GROUP:
		return l->group;
	case PROTO_DOWN:
		return l->proto_down;
	case QUEUE_LENGTH:
		return l->queue_length;
	default:
		return l->type;
	}
}

/* The flags that the interface itself has: what it says of its state is told apart. */
enum { FLAG_UP = 1, FLAGS_OWN = 0x13bf };

static int show_attribute(struct text *t, const struct host_link *l, int i)
{
	switch (attributes[i].what) {
	case ADDRESS:
		show_bytes(t, l->address, l->address_len);
		return 0;
	case BROADCAST:
		show_bytes(t, l->broadcast, l->address_len);
		return 0;
	case CARRIER:
		if (!(l->flags & FLAG_UP))
			return -EINVAL;
		break;
	case FLAGS:
		text_printf(t, "0x%x\n", l->flags & FLAGS_OWN);
		return 0;
	case ALIAS:
		text_printf(t, l->alias[0] ? "%s\n" : "%s", l->alias);
		return 0;
	case OPERSTATE:
		show_operstate(t, l);
		return 0;
	case UEVENT:
		text_printf(t, "INTERFACE=%s\nIFINDEX=%u\n", l->name, l->index);
		return 0;
	default:
		break;
	}
	text_printf(t, "%u\n", number_of(l, attributes[i].what));
	return 0;
}

static int show_one(struct text *t, const struct host_link *l, int what)
{
	uint64_t count;

	if (what < STATISTIC)
		return show_attribute(t, l, what);
	memcpy(&count, (const char *)&l->stats + (size_t)(what - STATISTIC) * 8, 8);
	text_printf(t, "%lu\n", count);
	return 0;
}

static int net_show(struct text *t, void *arg)
{
	const struct net_file *f = arg;
	struct host_link *links;
	size_t count;
	int err = host_links_get ? host_links_get(false, &links, &count) : -ENODEV;

	if (err)
		return err;
	err = -ENODEV;
	for (size_t i = 0; i < count && err == -ENODEV; i++)
		if (!strcmp(links[i].name, f->entry->name))
			err = show_one(t, &links[i], f->what);
	kfree(links);
	return err;
}

/* ---- which there are ---- */

static void add_file(const struct net_entry *e, struct pseudo_node *dir, const char *name,
		     struct net_file *f, int what)
{
	*f = (struct net_file){e, what};
	(void)pseudo_file(dir, name, 0444, net_show, NULL, f);
}

static void add_files(struct net_entry *e)
{
	struct net_file *f = kmalloc_array(ARRAY_SIZE(attributes) + STATS, sizeof(*f));
	struct pseudo_node *counts = pseudo_dir(e->device, "statistics");

	for (size_t i = 0; f && i < ARRAY_SIZE(attributes); i++) {
		if (attributes[i].text)
			(void)pseudo_text(e->device, attributes[i].name,
					  attributes[i].text);
		else
			add_file(e, e->device, attributes[i].name, f++, (int)i);
	}
	for (size_t i = 0; f && counts && i < STATS; i++)
		add_file(e, counts, statistics[i], f++, STATISTIC + (int)i);
	(void)pseudo_link(e->device, "subsystem", "../../../../class/net");
}

static struct net_entry *entry_create(const char *name)
{
	struct net_entry *e = kmalloc_zeroed(sizeof(*e));
	char target[48];
	char *copy;

	if (!e)
		return NULL;
	strlcpy(e->name, name, sizeof(e->name));
	(void)scnprintf(target, sizeof(target), "../../devices/virtual/net/%s", name);
	copy = kstrdup(target);
	e->device = pseudo_dir(virtual_dir, e->name);
	e->link = copy ? pseudo_link(class_net, e->name, copy) : NULL;
	if (!e->device || !e->link) {
		kfree(copy);
		return e;
	}
	add_files(e);
	return e;
}

static struct net_entry *entry_find(const char *name)
{
	struct net_entry *e = entries;

	while (e && strcmp(e->name, name) != 0)
		e = e->next;
	return e;
}

static void entry_show(struct net_entry *e, bool is_there)
{
	if (e->device)
		e->device->is_hidden = !is_there;
	if (e->link)
		e->link->is_hidden = !is_there;
}

/* Only one does it at a time. */
static void update(const struct host_link *links, size_t count)
{
	for (struct net_entry *e = entries; e; e = e->next) {
		bool is_there = false;

		for (size_t i = 0; i < count && !is_there; i++)
			is_there = !strcmp(links[i].name, e->name);
		entry_show(e, is_there);
	}
	for (size_t i = 0; i < count; i++) {
		struct net_entry *e;

		if (entry_find(links[i].name))
			continue;
		e = entry_create(links[i].name);
		if (!e)
			continue;
		e->next = entries;
		entries = e;
	}
}

static void refresh(void)
{
	struct host_link *links;
	size_t count;

	if (!host_links_get || host_links_get(false, &links, &count))
		return;
	pseudo_update_begin();
	update(links, count);
	pseudo_update_end();
	kfree(links);
}

void sysfs_add_net(struct pseudo_node *devices, struct pseudo_node *class)
{
	virtual_dir = pseudo_dir(devices, "virtual/net");
	class_net = pseudo_dir(class, "net");
	if (!virtual_dir || !class_net)
		return;
	virtual_dir->refresh = refresh;
	class_net->refresh = refresh;
}
