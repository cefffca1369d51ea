/* SPDX-License-Identifier: MIT */
/* name.c - names of AF_UNIX sockets: in the file system, abstract ones, and those chosen
 * by the kernel.
 *
 * A socket with a path holds the path, so that its inode stays where it is and leads to
 * it. Abstract names are in one table, apart by network namespace and type. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/unix/internal.h"
#include "process/creds.h"
#include "process/user_ns.h"

enum { BUCKETS = 256, AUTOBIND_MAX = 0x100000 };
#define PATH_AT ((int)offsetof(struct linux_sockaddr_un, sun_path))

static struct lock names_lock = LOCK_INIT(RANK_OBJECT2);
static struct list table[BUCKETS]; /* names_lock: abstract addresses; {NULL} is empty */
static uint32_t next_auto;	   /* names_lock */

static const struct linux_sockaddr_un *name_of(const struct linux_sockaddr_storage *addr)
{
	return (const struct linux_sockaddr_un *)addr;
}

int unix_check_address(const struct linux_sockaddr_storage *addr, int len)
{
	if (len <= PATH_AT || len > (int)sizeof(struct linux_sockaddr_un) ||
	    addr->ss_family != AF_UNIX)
		return -EINVAL;
	return 0;
}

/* ---- addresses ---- */

/* For u. */
static struct unix_address *address_create(const struct unix_socket *u,
					   const struct linux_sockaddr_un *name, int len)
{
	struct unix_address *a = kmalloc_zeroed(sizeof(*a));

	if (!a)
		return NULL;
	ref_init(&a->refs);
	list_init(&a->link);
	a->net = u->net;
	a->type = u->type;
	a->len = len;
	memcpy(&a->name, name, MIN((size_t)len, sizeof(a->name)));
	return a;
}

void unix_address_get(struct unix_address *a)
{
	ref_get(&a->refs);
}

void unix_address_put(struct unix_address *a)
{
	if (a && ref_put(&a->refs))
		kfree(a);
}

int unix_copy_address(struct unix_socket *u, struct linux_sockaddr_storage *out)
{
	struct unix_address *a = atomic_load(&u->address);

	if (!a)
		return 0;
	memcpy(out, &a->name, (size_t)a->len);
	return a->len;
}

int unix_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	struct unix_socket *u = unix_of(s);
	struct unix_socket *other = NULL;
	int len;

	if (peer && unlikely(atomic_load(&u->carrier) != NULL))
		return unix_outside_name(u, addr);
	if (peer) {
		other = unix_peer_get(u);
		if (!other)
			return -ENOTCONN;
	}
	len = unix_copy_address(peer ? other : u, addr);
	if (!len) {
		addr->ss_family = AF_UNIX;
		len = PATH_AT;
	}
	unix_put(other);
	return len;
}

/* ---- abstract names: names_lock held ---- */

static struct list *bucket_of(const struct net_ns *net, int type,
			      const struct linux_sockaddr_un *name, int len)
{
	uint64_t hash = hash_bytes(name->sun_path, (size_t)(len - PATH_AT),
				   (uaddr_t)net ^ (uint64_t)type);
	struct list *b = &table[hash % BUCKETS];

	if (!b->next)
		list_init(b);
	return b;
}

/* As u sees them. */
static struct unix_socket *find_abstract(const struct unix_socket *u,
					 const struct linux_sockaddr_un *name, int len)
{
	struct list *bucket = bucket_of(u->net, u->type, name, len);
	struct list *pos;

	list_for_each (pos, bucket) {
		struct unix_address *a = list_entry(pos, struct unix_address, link);

		if (a->net == u->net && a->type == u->type && a->len == len &&
		    memcmp(a->name.sun_path, name->sun_path, (size_t)(len - PATH_AT)) ==
			    0)
			return a->owner;
	}
	return NULL;
}

static void enter_abstract(struct unix_socket *u, struct unix_address *a)
{
	list_add_tail(bucket_of(a->net, a->type, &a->name, a->len), &a->link);
	a->owner = u;
	atomic_store(&u->address, a);
}

/* ---- binding ---- */

static int bind_abstract(struct unix_socket *u, const struct linux_sockaddr_un *name,
			 int len)
{
	struct unix_address *a = address_create(u, name, len);
	int err = 0;

	if (!a)
		return -ENOMEM;
	lock_take(&names_lock);
	if (u->address)
		err = -EINVAL;
	else if (find_abstract(u, name, len))
		err = -EADDRINUSE;
	else
		enter_abstract(u, a);
	lock_drop(&names_lock);
	if (err)
		unix_address_put(a);
	return err;
}

int unix_autobind(struct unix_socket *u)
{
	struct linux_sockaddr_un name = {.sun_family = AF_UNIX};
	struct unix_address *a = address_create(u, &name, PATH_AT + 6);
	int err;

	if (!a)
		return -ENOMEM;
	lock_take(&names_lock);
	for (int i = 0; i < AUTOBIND_MAX && !u->address; i++) {
		next_auto = (next_auto + 1) % AUTOBIND_MAX;
		snprintf(a->name.sun_path + 1, 6, "%05x", next_auto);
		if (!find_abstract(u, &a->name, a->len))
			enter_abstract(u, a);
	}
	err = u->address ? 0 : -ENOSPC;
	if (u->address != a)
		unix_address_put(a);
	lock_drop(&names_lock);
	return err;
}

/* The file at *p has been made for u. If there is a door, the file is another one after
 * that. */
static int open_door(struct unix_socket *u, const char *name, struct path *p,
		     struct unix_door **door)
{
	int err = unix_door_open(u, p, door);

	if (err)
		return err == -ECONNREFUSED ? 0 : err;
	path_put(p);
	*p = (struct path){NULL, NULL};
	return path_lookup(AT_FDCWD, name, 0, p);
}

/* u is found at p, and let outsiders in through door (or NULL), from now on. */
static int enter_path(struct unix_socket *u, struct unix_address *a, const struct path *p,
		      struct unix_door *door)
{
	int err = 0;

	lock_take(&names_lock);
	if (u->address) {
		err = -EINVAL;
	} else {
		u->path = *p;
		path_inode(p)->socket = u;
		a->owner = u;
		atomic_store(&u->door, door);
		atomic_store(&u->address, a);
	}
	lock_drop(&names_lock);
	return err;
}

static int bind_path(struct unix_socket *u, const struct linux_sockaddr_un *name, int len)
{
	uint32_t mode = S_IFSOCK | (u->socket->file->inode->mode & S_IRWXUGO);
	struct unix_address *a = address_create(u, name, len);
	struct unix_door *door = NULL;
	struct path p;
	int err;

	if (!a)
		return -ENOMEM;
	a->len = PATH_AT + (int)strlen(a->name.sun_path) + 1;
	err = vfs_mknod_get(AT_FDCWD, a->name.sun_path, mode, 0, &p);
	if (err) {
		unix_address_put(a);
		return err == -EEXIST ? -EADDRINUSE : err;
	}
	/* Before the file becomes one that leads outside. */
	if (atomic_load(&u->address))
		err = -EINVAL;
	if (!err)
		err = open_door(u, a->name.sun_path, &p, &door);
	if (!err)
		err = enter_path(u, a, &p, door);
	if (err) {
		int undo = vfs_unlink(AT_FDCWD, a->name.sun_path);

		(void)undo; /* somebody else may have been quicker */
		if (door)
			unix_door_close(door);
		path_put(&p);
		unix_address_put(a);
	}
	return err;
}

int unix_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	struct unix_socket *u = unix_of(s);
	int err;

	if (len == PATH_AT && addr->ss_family == AF_UNIX)
		return unix_autobind(u);
	err = unix_check_address(addr, len);
	if (err)
		return err;
	if (name_of(addr)->sun_path[0])
		return bind_path(u, name_of(addr), len);
	return bind_abstract(u, name_of(addr), len);
}

void unix_forget_name(struct unix_socket *u)
{
	struct path p = {NULL, NULL};

	lock_take(&names_lock);
	if (u->address && u->address->owner == u) {
		list_remove(&u->address->link);
		u->address->owner = NULL;
	}
	if (u->path.dentry) {
		p = u->path;
		u->path = (struct path){NULL, NULL};
		if (path_inode(&p)->socket == u)
			path_inode(&p)->socket = NULL;
	}
	lock_drop(&names_lock);
	path_put(&p);
}

void unix_share_path(struct unix_socket *listener, struct unix_socket *fresh)
{
	lock_take(&names_lock);
	if (listener->path.dentry) {
		fresh->path = listener->path;
		path_get(&fresh->path);
	}
	lock_drop(&names_lock);
}

/* ---- finding ---- */

static int find_path(const struct linux_sockaddr_un *name, int len, int type,
		     struct unix_socket **out)
{
	char text[UNIX_PATH_MAX + 1] = {0};
	struct unix_socket *u = NULL;
	struct path p;
	int err;

	memcpy(text, name->sun_path, (size_t)(len - PATH_AT));
	err = path_lookup(AT_FDCWD, text, LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	err = inode_permission(path_inode(&p), MAY_WRITE);
	if (!err) {
		lock_take(&names_lock);
		u = path_inode(&p)->socket;
		if (u)
			unix_get(u);
		lock_drop(&names_lock);
		err = u ? 0 : -ECONNREFUSED;
	}
	if (!err && u->type != type)
		err = -EPROTOTYPE;
	if (!err)
		inode_accessed(path_inode(&p), p.mount);
	path_put(&p);
	if (err)
		unix_put(u);
	else
		*out = u;
	return err;
}

int unix_find(const struct unix_socket *u, const struct linux_sockaddr_storage *addr,
	      int len, struct unix_socket **out)
{
	struct unix_socket *found;

	if (name_of(addr)->sun_path[0])
		return find_path(name_of(addr), len, u->type, out);
	lock_take(&names_lock);
	found = find_abstract(u, name_of(addr), len);
	if (found)
		unix_get(found);
	lock_drop(&names_lock);
	if (!found)
		return -ECONNREFUSED;
	*out = found;
	return 0;
}

long unix_path_file(struct unix_socket *u)
{
	struct path path = {NULL, NULL};
	struct file *f;
	long fd;

	if (!ns_capable(u->net->ns.owner, CAP_NET_ADMIN))
		return -EPERM;
	lock_take(&names_lock);
	if (u->path.dentry) {
		path = u->path;
		path_get(&path);
	}
	lock_drop(&names_lock);
	if (!path.dentry)
		return -ENOENT;
	fd = file_open_path(&path, O_PATH, &f);
	path_put(&path);
	if (fd)
		return fd;
	return fd_install_or_put(f, O_CLOEXEC);
}
