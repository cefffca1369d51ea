/* SPDX-License-Identifier: MIT */
/* sys_fsopen.c - fsopen(2), fsconfig(2), fsmount(2), fspick(2): a file system is named,
 * told its parameters one by one, made, and mounted on a tree of its own.
 *
 * A context keeps the parameters as the text that mount(2) would have; what a type does
 * not take is said when it is set, in the message that read(2) gives. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mount.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "base/lock.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/uio.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"

enum phase { SETTING, AWAITING_MOUNT, MOUNTED, PICKED, FAILED };
enum { MESSAGES = 8, TEXT_MAX = 256 };

struct fs_config {
	struct lock lock; /* RANK_FILE_POS: all below; held while file systems are made */
	enum phase phase;
	bool read_only;
	struct file_system_type *type; /* const */
	struct superblock *sb;	       /* ref: once made or picked */
	char *source;		       /* owned, or NULL */
	char *options;		       /* PAGE_SIZE */
	void *params;		       /* owned: of a type that has its own, or NULL */
	char *messages[MESSAGES];      /* owned: the oldest first */
};

static void config_free(struct fs_config *c)
{
	for (size_t i = 0; i < MESSAGES; i++)
		kfree(c->messages[i]);
	sb_put(c->sb);
	kfree(c->source);
	if (c->params)
		c->type->params_free(c->params);
	if (c->options)
		page_free(c->options, 0);
	kfree(c);
}

static void config_release(struct file *f)
{
	config_free(f->private);
}

/* What went wrong, one message at a time. */
static ssize_t config_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct fs_config *c = f->private;
	char *message;
	size_t len;
	int err = 0;

	(void)pos;
	lock_take(&c->lock);
	message = c->messages[0];
	len = message ? strlen(message) : 0;
	if (!message)
		err = -ENODATA;
	else if (u->left < len)
		err = -EMSGSIZE;
	if (!err) {
		for (size_t i = 0; i + 1 < MESSAGES; i++)
			c->messages[i] = c->messages[i + 1];
		c->messages[MESSAGES - 1] = NULL;
	}
	lock_drop(&c->lock);
	if (err)
		return err;
	err = uio_copy_out(u, message, len) == len ? 0 : -EFAULT;
	kfree(message);
	return err ? err : (ssize_t)len;
}

static const struct file_ops config_ops = {
	.read = config_read,
	.release = config_release,
};

/* Leaves a message for read(2); returns -EINVAL. */
static int leave_message(struct fs_config *c, const char *text)
{
	size_t n = 0;

	while (n < MESSAGES && c->messages[n])
		n++;
	if (n == MESSAGES) {
		kfree(c->messages[0]);
		for (n = 0; n + 1 < MESSAGES; n++)
			c->messages[n] = c->messages[n + 1];
	}
	c->messages[n] = kstrdup(text);
	return -EINVAL;
}

static int complain(struct fs_config *c, const char *what, const char *word)
{
	char text[TEXT_MAX + 64];

	(void)snprintf(text, sizeof(text), word ? "e %s: %s '%s'\n" : "e %s: %s\n",
		       c->type->name, what, word);
	return leave_message(c, text);
}

static int config_install(struct file_system_type *type, struct superblock *sb,
			  bool cloexec)
{
	struct fs_config *c = kmalloc_zeroed(sizeof(*c));
	struct file *f;
	int err = -ENOMEM;

	if (!c)
		return err;
	lock_init(&c->lock, RANK_FILE_POS);
	c->type = type;
	c->options = page_alloc_zeroed(0);
	if (sb) {
		sb_get(sb);
		c->sb = sb;
		c->phase = PICKED;
		c->read_only = sb->flags & SB_RDONLY;
	}
	if (!sb && type->params_create)
		c->params = type->params_create();
	if (c->options && (c->params || sb || !type->params_create))
		err = file_create_anon_inode("[fscontext]", &config_ops, O_RDWR, c, &f);
	if (err) {
		config_free(c);
		return err;
	}
	return fd_install_or_put(f, cloexec ? O_CLOEXEC : 0);
}

long sys_fsopen(struct task *t, uaddr_t name, unsigned int flags)
{
	struct file_system_type *type;
	char text[TEXT_MAX];
	long len;

	(void)t;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned int)FSOPEN_CLOEXEC)
		return -EINVAL;
	len = strncpy_from_user(text, name, sizeof(text));
	if (len < 0 && len != -ENAMETOOLONG)
		return len;
	type = len < 0 ? NULL : fs_find(text);
	return type ? config_install(type, NULL, flags & FSOPEN_CLOEXEC) : -ENODEV;
}

long sys_fspick(struct task *t, int dir, uaddr_t path, uint32_t flags)
{
	uint32_t lookup = flags & FSPICK_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	long err;

	(void)t;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(uint32_t)(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW |
				FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	if (flags & FSPICK_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = path_lookup_user(dir, path, lookup, &p);
	if (err)
		return err;
	if (p.dentry != p.mount->root)
		err = -EINVAL;
	else
		err = config_install(fs_find(p.mount->sb->type->name), p.mount->sb,
				     flags & FSPICK_CLOEXEC);
	path_put(&p);
	return err;
}

/* ---- parameters ---- */

/* Parameters of all file systems. */
static bool set_common(struct fs_config *c, const char *key)
{
	static const char *const ignored[] = {"async",	"sync",	    "dirsync",	 "mand",
					      "nomand", "lazytime", "nolazytime"};

	if (string_equal(key, "ro") || string_equal(key, "rw")) {
		c->read_only = key[1] == 'o';
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (string_equal(key, ignored[i]))
			return true;
	return false;
}

static int set_source(struct fs_config *c, const char *value)
{
	if (!value)
		return leave_message(c, "e Non-string source\n");
	if (c->source)
		return leave_message(c, "e Multiple sources\n");
	c->source = kstrdup(value);
	return c->source ? 0 : -ENOMEM;
}

/* For types that make something of their own of them. */
static int set_own(struct fs_config *c, struct fs_param *p)
{
	int err;

	if (!c->params)
		return complain(c, "No changes allowed in reconfigure", NULL);
	err = c->type->params_set(c->params, p);
	if (!err)
		return 0;
	if (p->message[0])
		(void)complain(c, p->message, NULL);
	else if (err == -ENOENT)
		return complain(c, "Unknown parameter", p->key);
	else if (err == -EINVAL)
		return complain(c, "Bad value for", p->key);
	return err;
}

static int set_parameter(struct fs_config *c, struct fs_param *p)
{
	const char *key = p->key;
	const char *value = p->value;
	size_t len = strlen(c->options);
	size_t more;

	if (c->phase != SETTING && c->phase != PICKED)
		return -EBUSY;
	if (!p->at && set_common(c, key))
		return 0;
	if (!p->at && string_equal(key, "source"))
		return set_source(c, value);
	if (c->type->params_create)
		return set_own(c, p);
	if (p->at)
		return complain(c, "Unknown parameter", key);
	switch (c->type->takes ? c->type->takes(key, value) : -ENOENT) {
	case 0:
		break;
	case -ENOENT:
		return complain(c, "Unknown parameter", key);
	default:
		return complain(c, "Bad value for", key);
	}
	more = strlen(key) + (value ? strlen(value) + 1 : 0) + 2;
	if (len + more > PAGE_SIZE)
		return -ENOMEM;
	(void)snprintf(c->options + len, PAGE_SIZE - len, "%s%s%s%s", len ? "," : "", key,
		       value ? "=" : "", value ? value : "");
	return 0;
}

static int create(struct fs_config *c)
{
	int err;

	if (c->phase != SETTING)
		return -EBUSY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = c->type->mount(c->source ? c->source : "none", c->options, c->params,
			     &c->sb);
	if (!err && c->read_only)
		err = sb_set_read_only(c->sb, true);
	c->phase = err ? FAILED : AWAITING_MOUNT;
	return err;
}

static int reconfigure(struct fs_config *c)
{
	int err = 0;

	if (c->phase != PICKED && c->phase != MOUNTED)
		return -EBUSY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (c->sb->ops && c->sb->ops->remount)
		err = c->sb->ops->remount(c->sb, c->options);
	if (!err)
		err = sb_set_read_only(c->sb, c->read_only);
	c->phase = err ? FAILED : PICKED;
	c->options[0] = '\0';
	return err;
}

/* Which arguments a command has. */
static int check_arguments(unsigned int cmd, uaddr_t key, uaddr_t value, int aux)
{
	bool ok;

	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		ok = key && !value && !aux;
		break;
	case FSCONFIG_SET_STRING:
		ok = key && value && !aux;
		break;
	case FSCONFIG_SET_BINARY:
		ok = key && value && aux > 0 && aux <= 1024 * 1024;
		break;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		ok = key && value && (aux == AT_FDCWD || aux >= 0);
		break;
	case FSCONFIG_SET_FD:
		ok = key && !value && aux >= 0;
		break;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL:
	case FSCONFIG_CMD_RECONFIGURE:
		ok = !key && !value && !aux;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return ok ? 0 : -EINVAL;
}

static int text_get(char text[static TEXT_MAX], uaddr_t addr)
{
	long len = strncpy_from_user(text, addr, TEXT_MAX);

	return len == -ENAMETOOLONG ? -EINVAL : len < 0 ? (int)len : 0;
}

/* The place that a parameter names. *out: references, or nothing. */
static int place_get(unsigned int cmd, uaddr_t value, int aux, struct path *out)
{
	uint32_t lookup = LOOKUP_FOLLOW;
	struct fdref ref;

	*out = (struct path){NULL, NULL};
	if (cmd == FSCONFIG_SET_FD) {
		ref = fd_get_any(aux);
		if (!ref.file)
			return -EBADF;
		*out = ref.file->path;
		path_get(out);
		fd_put(ref);
		return 0;
	}
	if (cmd == FSCONFIG_SET_PATH_EMPTY)
		lookup |= LOOKUP_EMPTY;
	else if (cmd != FSCONFIG_SET_PATH)
		return 0;
	return path_lookup_user(aux, value, lookup, out);
}

static int command(struct fs_config *c, unsigned int cmd, struct fs_param *p)
{
	switch (cmd) {
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL: /* nothing is ever found made already */
		return create(c);
	case FSCONFIG_CMD_RECONFIGURE:
		return reconfigure(c);
	case FSCONFIG_SET_FLAG:
	case FSCONFIG_SET_STRING:
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
	case FSCONFIG_SET_FD:
		return set_parameter(c, p);
	default: /* no file system here takes such */
		return c->phase == SETTING || c->phase == PICKED
			       ? complain(c, "Unknown parameter", p->key)
			       : -EBUSY;
	}
}

static int configure(struct fs_config *c, unsigned int cmd, uaddr_t key, uaddr_t value,
		     int aux)
{
	char key_text[TEXT_MAX];
	char value_text[TEXT_MAX];
	struct fs_param p = {.key = key_text};
	struct path at;
	int err = key ? text_get(key_text, key) : 0;

	if (!err && cmd == FSCONFIG_SET_STRING) {
		err = text_get(value_text, value);
		p.value = value_text;
	}
	if (!err)
		err = place_get(cmd, value, aux, &at);
	if (err)
		return err;
	if (at.dentry)
		p.at = &at;
	lock_take(&c->lock);
	err = command(c, cmd, &p);
	lock_drop(&c->lock);
	path_put(&at);
	return err;
}

long sys_fsconfig(struct task *t, int fd, unsigned int cmd, uaddr_t key, uaddr_t value,
		  int aux)
{
	struct fdref ref;
	int err;

	(void)t;
	if (fd < 0)
		return -EINVAL;
	err = check_arguments(cmd, key, value, aux);
	if (err)
		return err;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	err = ref.file->ops == &config_ops
		      ? configure(ref.file->private, cmd, key, value, aux)
		      : -EINVAL;
	fd_put(ref);
	return err;
}

/* ---- fsmount ---- */

static int mount_made(struct fs_config *c, uint32_t flags, struct mount **out)
{
	if (c->phase != AWAITING_MOUNT)
		return c->sb ? -EBUSY : -EINVAL;
	*out = mount_create(c->sb, c->sb->root, c->source, flags);
	if (!*out)
		return -ENOMEM;
	c->phase = MOUNTED;
	c->options[0] = '\0';
	return 0;
}

long sys_fsmount(struct task *t, int fd, unsigned int flags, unsigned int attr)
{
	uint32_t ms_flags;
	struct fs_config *c;
	struct fdref ref;
	struct mount *m;
	int err;

	(void)t;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned int)FSMOUNT_CLOEXEC)
		return -EINVAL;
	err = mount_attr_flags(attr, &ms_flags);
	if (err)
		return err;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	c = ref.file->private;
	err = -EINVAL;
	if (ref.file->ops == &config_ops) {
		lock_take(&c->lock);
		err = mount_made(c, ms_flags, &m);
		lock_drop(&c->lock);
	}
	fd_put(ref);
	if (err)
		return err;
	mount_own(m);
	return mount_file_install(m, flags & FSMOUNT_CLOEXEC);
}
