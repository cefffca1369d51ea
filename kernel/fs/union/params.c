/* SPDX-License-Identifier: MIT */
/* params.c - the mount options of overlayfs. Directories are looked up when they are
 * named. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/union/internal.h"
#include "fs/union/union.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

struct union_params *union_params_create(void)
{
	struct union_params *p = kmalloc_zeroed(sizeof(*p));

	if (p)
		p->options.redirect = REDIRECT_FOLLOW;
	return p;
}

static void named_drop(struct union_named *n)
{
	path_put(&n->path);
	kfree(n->name);
	*n = (struct union_named){.name = NULL};
}

static void lowers_drop(struct union_params *p)
{
	for (uint32_t i = 0; i < p->lower_count; i++)
		named_drop(&p->lowers[i]);
	kfree(p->lowers);
	kfree(p->lower_text);
	p->lowers = NULL;
	p->lower_text = NULL;
	p->lower_count = 0;
}

void union_params_free(struct union_params *p)
{
	if (!p)
		return;
	lowers_drop(p);
	named_drop(&p->upper);
	named_drop(&p->work);
	kfree(p);
}

static int complain(struct fs_param *param, const char *what, const char *word,
		    const char *rest)
{
	(void)snprintf(param->message, sizeof(param->message), "%s%s%s", what, word,
		       rest);
	return -EINVAL;
}

/* ---- directories ---- */

/* A backslash makes the next character an ordinary one. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		*to++ = *s;
	}
	*to = '\0';
}

static int directory_check(struct fs_param *param, const struct path *at,
			   const char *name, bool is_upper)
{
	struct superblock *sb = at->dentry->sb;

	if (atomic_load_relaxed(&sb->flags) & (SB_NO_DCACHE | SB_INTERNAL))
		return complain(param, "filesystem on ", name, " not supported");
	if (!S_ISDIR(path_inode(at)->mode))
		return complain(param, "", name, " is not a directory");
	/* Whiteouts are devices, and what belongs to us is in attributes. */
	if (is_upper && (sb->stack_depth || !path_inode(at)->ops->setxattr ||
			 !path_inode(at)->ops->mknod || !path_inode(at)->ops->rename))
		return complain(param, "filesystem on ", name,
				" not supported as upperdir");
	if (is_upper && mount_want_write(at->mount))
		return complain(param, "filesystem on ", name, " is read-only");
	return 0;
}

/* name: taken over, also on failure; with at it is what is shown. */
static int named_set(struct union_named *n, struct fs_param *param, char *name,
		     const struct path *at, bool is_upper)
{
	struct path p;
	int err = name ? 0 : -ENOMEM;

	if (!err && at) {
		p = *at;
		path_get(&p);
	} else if (!err) {
		err = *name ? path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &p) : -EINVAL;
		if (err)
			(void)complain(param, "failed to resolve '", name, "'");
	}
	if (err) {
		kfree(name);
		return err;
	}
	err = directory_check(param, &p, name, is_upper);
	if (err) {
		path_put(&p);
		kfree(name);
		return err;
	}
	named_drop(n);
	*n = (struct union_named){.path = p, .name = name};
	return 0;
}

/* The name of a directory that a descriptor leads to. */
static char *place_name(const struct path *at)
{
	char *page = kmalloc(PATH_MAX);
	char *name = NULL;

	if (page && path_print(at, NULL, page, PATH_MAX) > 0)
		name = kstrdup(page);
	kfree(page);
	return name;
}

static int top_set(struct union_named *n, struct fs_param *param, bool is_upper)
{
	char *name = param->at ? place_name(param->at) : kstrdup(param->value);

	if (name && !param->at)
		unescape(name);
	return named_set(n, param, name, param->at, is_upper);
}

static int lower_add(struct union_params *p, struct fs_param *param, char *name,
		     const struct path *at, bool is_data)
{
	uint32_t n = p->lower_count;
	int err;

	if (n == UNION_LOWERS_MAX) {
		kfree(name);
		return complain(param, "too many lower directories", "", "");
	}
	if (n % 8 == 0) {
		struct union_named *more = kmalloc_zeroed((n + 8) * sizeof(*more));

		if (!more) {
			kfree(name);
			return -ENOMEM;
		}
		if (n)
			memcpy(more, p->lowers, n * sizeof(*more));
		kfree(p->lowers);
		p->lowers = more;
	}
	err = named_set(&p->lowers[n], param, name, at, false);
	if (err)
		return err;
	p->lowers[n].is_data = is_data;
	p->lower_count = n + 1;
	return 0;
}

static bool has_data_layers(const struct union_params *p)
{
	return p->lower_count && p->lowers[p->lower_count - 1].is_data;
}

static int lower_append(struct union_params *p, struct fs_param *param, bool is_data)
{
	char *name;

	if (p->lower_text)
		return complain(param, "", "lowerdir+ and datadir+",
				" cannot follow lowerdir");
	if (!is_data && has_data_layers(p))
		return complain(param, "regular lower layers cannot follow data ",
				"layers", "");
	name = param->at ? place_name(param->at) : kstrdup(param->value);
	return lower_add(p, param, name, param->at, is_data);
}

/* One directory of "a:b::data": up to the next colon that no backslash makes ordinary.
 * Returns what follows it, or NULL at the end. */
static const char *lower_next(const char *s, size_t *len)
{
	const char *end = s;

	while (*end && *end != ':')
		end += *end == '\\' && end[1] ? 2 : 1;
	*len = (size_t)(end - s);
	return *end ? end + 1 : NULL;
}

static int lowers_parse(struct union_params *p, struct fs_param *param)
{
	const char *s = param->value;
	bool is_data = false;
	int err = 0;

	lowers_drop(p);
	if (*s == ':')
		return complain(param, "cannot append lower layer", "", "");
	p->lower_text = *s ? kstrdup(s) : NULL;
	if (*s && !p->lower_text)
		return -ENOMEM;
	while (s && *s && !err) {
		size_t len;
		const char *next = lower_next(s, &len);
		char *name = kstrndup(s, len);

		if (name)
			unescape(name);
		if (next && !*next) {
			kfree(name);
			return complain(param, "unescaped trailing colons in ",
					"lowerdir mount option", "");
		}
		if (!is_data && has_data_layers(p)) {
			kfree(name);
			return complain(param, "regular lower layers cannot follow data ",
					"lower layers", "");
		}
		err = lower_add(p, param, name, NULL, is_data);
		is_data = next && *next == ':';
		s = is_data ? next + 1 : next;
	}
	return err;
}

/* ---- words ---- */

static int choose(const char *value, const char *const words[], int count)
{
	for (int i = 0; value && i < count; i++)
		if (words[i] && string_equal(words[i], value))
			return i;
	return -EINVAL;
}

static int on_off(const char *value, bool *out)
{
	static const char *const words[] = {"off", "on"};
	int which = choose(value, words, 2);

	if (which < 0)
		return which;
	*out = which;
	return 0;
}

static int redirect_set(struct union_options *o, const char *value)
{
	static const char *const words[] = {"off", "nofollow", "follow", "on"};
	int which = choose(value, words, 4);

	if (which < 0)
		return which;
	/* Off is to make none, and to follow those that are there. */
	o->redirect =
		which == REDIRECT_OFF ? REDIRECT_FOLLOW : (enum union_redirect)which;
	o->has_redirect = true;
	return 0;
}

static int uuid_set(struct union_options *o, const char *value)
{
	static const char *const words[] = {"auto", "off", "null", "on"};
	int which = choose(value, words, 4);

	if (which < 0)
		return which;
	o->uuid = (enum union_uuid)which;
	return 0;
}

static int xino_set(struct union_options *o, const char *value)
{
	static const char *const words[] = {"off", "auto", "on"};
	int which = choose(value, words, 3);

	if (which < 0)
		return which;
	o->xino = (enum union_xino)which;
	return 0;
}

static int word_set(struct union_options *o, const char *key, const char *value)
{
	static const char *const verity[] = {"off", "on"}; /* "require" cannot be had */

	if (string_equal(key, "redirect_dir"))
		return redirect_set(o, value);
	if (string_equal(key, "index")) {
		o->has_index = true;
		return on_off(value, &o->index);
	}
	if (string_equal(key, "metacopy")) {
		o->has_metacopy = true;
		return on_off(value, &o->metacopy);
	}
	if (string_equal(key, "nfs_export"))
		return on_off(value, &o->nfs_export);
	if (string_equal(key, "uuid"))
		return uuid_set(o, value);
	if (string_equal(key, "xino"))
		return xino_set(o, value);
	if (string_equal(key, "verity"))
		return MIN(choose(value, verity, 2), 0);
	return -ENOENT;
}

static int flag_set(struct union_params *p, const char *key)
{
	static const char *const ignored[] = {
		"override_creds", "nooverride_creds", "async", "sync",	 "dirsync",
		"lazytime",	  "nolazytime",	      "mand",  "nomand", "silent"};

	if (string_equal(key, "default_permissions"))
		p->options.default_permissions = true;
	else if (string_equal(key, "userxattr"))
		p->options.user_xattr = true;
	else if (string_equal(key, "volatile"))
		p->options.is_volatile = true;
	else if (string_equal(key, "ro") || string_equal(key, "rw"))
		p->read_only = key[1] == 'o';
	else
		return choose(key, ignored, ARRAY_SIZE(ignored)) < 0 ? -ENOENT : 0;
	return 0;
}

int union_params_set(struct union_params *p, struct fs_param *param)
{
	const char *key = param->key;
	bool takes_place = true;
	int err;

	if (param->value || param->at) {
		if (string_equal(key, "upperdir"))
			return top_set(&p->upper, param, true);
		if (string_equal(key, "workdir"))
			return top_set(&p->work, param, true);
		if (string_equal(key, "lowerdir+") || string_equal(key, "datadir+"))
			return lower_append(p, param, key[0] == 'd');
		takes_place = false;
	}
	if (param->at && !takes_place)
		return -ENOENT;
	if (param->value && string_equal(key, "lowerdir"))
		return lowers_parse(p, param);
	err = param->value ? word_set(&p->options, key, param->value) : flag_set(p, key);
	if (err != -ENOENT)
		return err;
	/* A value that is missing, or too much? */
	if (param->value)
		return flag_set(p, key) ? -ENOENT : -EINVAL;
	if (string_equal(key, "lowerdir") || string_equal(key, "upperdir") ||
	    string_equal(key, "workdir") || string_equal(key, "lowerdir+") ||
	    string_equal(key, "datadir+"))
		return -EINVAL;
	return word_set(&p->options, key, "") == -ENOENT ? -ENOENT : -EINVAL;
}

/* ---- all at once ---- */

static int parse_one(struct union_params *p, char *text)
{
	struct fs_param param = {.key = text};
	char *value = strchr(text, '=');
	int err;

	if (!*text)
		return 0;
	if (value) {
		*value = '\0';
		param.value = value + 1;
	}
	err = union_params_set(p, &param);
	return err == -ENOENT && !param.message[0] ? -EINVAL : err;
}

int union_params_parse(struct union_params *p, const char *text)
{
	char *copy = kstrdup(text);
	char *s = copy;
	int err = copy ? 0 : -ENOMEM;

	while (s && *s && !err) {
		char *end = s;

		while (*end && *end != ',')
			end += *end == '\\' && end[1] ? 2 : 1;
		if (*end)
			*end++ = '\0';
		err = parse_one(p, s);
		s = end;
	}
	kfree(copy);
	return err;
}
