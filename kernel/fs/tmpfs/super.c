/* SPDX-License-Identifier: MIT */
/* super.c - tmpfs superblocks and their options. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/mount_options.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"

uint64_t tmpfs_default_pages = 1ULL << 21; /* 8 GiB */

static struct file_system_type tmpfs_type, ramfs_type;

struct options {
	uint64_t pages;
	uint64_t inodes;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
};

/* "123k" and the like; percent only where it makes sense. */
static bool parse_size(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t value;
	unsigned shift = 0;

	if (!parse_u64_base(s, &end, 10, &value))
		return false;
	switch (*end) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	case '%':
		/* Of the memory; the default is half of it. */
		if (end[1] || value > 1000)
			return false;
		*out = tmpfs_default_pages * 2 * value / 100 * PAGE_SIZE;
		return true;
	default:
		break;
	}
	if (*end && (!shift || end[1]))
		return false;
	if (shift && value >> (64 - shift))
		return false;
	*out = value << shift;
	return true;
}

static bool parse_number(const char *s, unsigned base, uint32_t *out)
{
	uint64_t value;

	if (!parse_u64_base(s, NULL, base, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool option_set(struct options *o, const char *key, const char *value)
{
	uint64_t size;

	if (string_equal(key, "size")) {
		if (!parse_size(value, &size))
			return false;
		o->pages = (size + PAGE_SIZE - 1) / PAGE_SIZE;
		return true;
	}
	if (string_equal(key, "nr_blocks"))
		return parse_size(value, &o->pages);
	if (string_equal(key, "nr_inodes"))
		return parse_size(value, &o->inodes);
	if (string_equal(key, "mode"))
		return parse_number(value, 8, &o->mode) && o->mode <= 07777;
	if (string_equal(key, "uid"))
		return parse_number(value, 10, &o->uid);
	if (string_equal(key, "gid"))
		return parse_number(value, 10, &o->gid);
	return string_equal(key, "huge") || string_equal(key, "inode64") ||
	       string_equal(key, "inode32") || string_equal(key, "noswap");
}

static int option_apply(void *to, const char *key, const char *value)
{
	return option_set(to, key, value ? value : "") ? 0 : -EINVAL;
}

static int tmpfs_statfs(struct superblock *sb, struct linux_statfs *out)
{
	struct tmpfs_sb *s = sb->private;
	uint64_t used = atomic_load_relaxed(&s->used_pages);

	if (s->max_pages) {
		out->f_blocks = s->max_pages;
		out->f_bfree = s->max_pages > used ? s->max_pages - used : 0;
		out->f_bavail = out->f_bfree;
	}
	used = atomic_load_relaxed(&s->used_inodes);
	if (s->max_inodes) {
		out->f_files = s->max_inodes;
		out->f_ffree = s->max_inodes > used ? s->max_inodes - used : 0;
	}
	return 0;
}

static void tmpfs_show_options(struct superblock *sb, char *buf, size_t size)
{
	struct tmpfs_sb *s = sb->private;
	size_t at = 0;

	buf[0] = '\0';
	if (s->max_pages && s->max_pages != tmpfs_default_pages)
		at = scnprintf(buf, size, ",size=%luk",
			       (unsigned long)(s->max_pages * 4));
	if (s->max_inodes)
		at += scnprintf(buf + at, size - at, ",nr_inodes=%lu",
				(unsigned long)s->max_inodes);
	if (s->mode != (sb->type == &ramfs_type ? 0755 : 01777))
		at += scnprintf(buf + at, size - at, ",mode=%03o", s->mode);
	if (s->uid)
		at += scnprintf(buf + at, size - at, ",uid=%u", s->uid);
	if (s->gid)
		scnprintf(buf + at, size - at, ",gid=%u", s->gid);
}

static int tmpfs_remount(struct superblock *sb, const char *text)
{
	struct tmpfs_sb *s = sb->private;
	struct options o = {.pages = s->max_pages, .inodes = s->max_inodes};
	int err = mount_options_parse(text, option_apply, &o);

	if (err)
		return err;
	if (o.pages && o.pages < atomic_load(&s->used_pages))
		return -EINVAL;
	s->max_pages = o.pages;
	s->max_inodes = o.inodes;
	return 0;
}

static void tmpfs_sb_release(struct superblock *sb)
{
	kfree(sb->private);
}

static const struct sb_ops tmpfs_sb_ops = {
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show_options,
	.remount = tmpfs_remount,
	.release = tmpfs_sb_release,
};

static int make(const struct file_system_type *type, uint32_t magic,
		const struct options *o, struct superblock **out)
{
	struct tmpfs_sb *s = kmalloc_zeroed(sizeof(*s));
	struct superblock *sb;
	struct inode *root;
	int err;

	if (!s)
		return -ENOMEM;
	s->max_pages = o->pages;
	s->max_inodes = o->inodes;
	s->mode = o->mode;
	s->uid = o->uid;
	s->gid = o->gid;
	sb = sb_create(type, &tmpfs_sb_ops, magic, s);
	if (!sb) {
		kfree(s);
		return -ENOMEM;
	}
	err = tmpfs_inode_create(sb, NULL, S_IFDIR | o->mode, 0, &root);
	if (!err) {
		root->uid = o->uid;
		root->gid = o->gid;
		err = sb_set_root(sb, root);
	}
	if (err) {
		sb_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

static void owner_default(struct options *o)
{
	if (!current() || !current()->creds)
		return;
	o->uid = current_creds()->fsuid;
	o->gid = current_creds()->fsgid;
}

static int tmpfs_mount(const char *source, const char *text, void *data,
		       struct superblock **out)
{
	struct options o = {.pages = tmpfs_default_pages, .mode = 01777};
	int err;

	(void)source;
	(void)data;
	owner_default(&o);
	err = mount_options_parse(text, option_apply, &o);
	return err ? err : make(&tmpfs_type, TMPFS_MAGIC, &o, out);
}

/* Nothing is limited, and what is not known is not looked at. */
static int ramfs_mount(const char *source, const char *text, void *data,
		       struct superblock **out)
{
	struct options o = {.mode = 0755};
	const char *mode = strstr(text, "mode=");
	uint64_t value;

	(void)source;
	(void)data;
	owner_default(&o);
	if (mode && (mode == text || mode[-1] == ',') &&
	    parse_u64_base(mode + 5, NULL, 8, &value))
		o.mode = (uint32_t)value & 07777;
	return make(&ramfs_type, RAMFS_MAGIC, &o, out);
}

static int tmpfs_takes(const char *key, const char *value)
{
	static const char *const known[] = {
		"size", "nr_blocks", "nr_inodes", "mode",    "uid",
		"gid",	"huge",	     "inode32",	  "inode64", "noswap"};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (string_equal(known[i], key))
			return option_apply(&o, key, value);
	return -ENOENT;
}

static int ramfs_takes(const char *key, const char *value)
{
	struct options o;

	if (!string_equal(key, "mode"))
		return 0;
	return option_apply(&o, key, value);
}

static struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.flags = FS_NODEV | FS_USERNS | FS_EXPORT,
	.takes = tmpfs_takes,
	.mount = tmpfs_mount,
};

static struct file_system_type ramfs_type = {
	.name = "ramfs",
	.flags = FS_NODEV,
	.takes = ramfs_takes,
	.mount = ramfs_mount,
};

void tmpfs_init(void)
{
	fs_register(&tmpfs_type);
	fs_register(&ramfs_type);
}
