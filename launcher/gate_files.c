/* SPDX-License-Identifier: MIT */
/* gate_files.c - the gate's part of socket files: volumes with `sock`.
 *
 * Paths may be the work of hostile code: they are walked beneath the volume, without
 * links, and what is connected to is the file that was looked at. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate_internal.h"
#include "host/gate.h"
#include "message.h"
#include "options.h"
#include "relay.h"

/* A socket file of ours, and the kernel's end of the way to who listens there. */
struct door {
	struct relay_watch outer; /* first: the listening socket */
	struct relay_watch inner;
	int type;
	int accepted; /* a connection that could not be passed on yet, or -1 */
	bool is_listening, is_over;
	bool is_starved;   /* of descriptors */
	struct door *next; /* of all, or of those that are over */
};

static const struct options *allowed;
static int *volumes; /* O_PATH: the directories whose socket files may be used, or -1 */
static struct door *doors, *closed;
static unsigned int door_count;

static int volume_of(const struct gate_request *q)
{
	return q->volume < allowed->volume_count ? volumes[q->volume] : -1;
}

/* The directory of the path below the volume; *name: the last of it. */
static int open_parent(const struct gate_request *q, char *path, const char **name)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS};
	int volume = volume_of(q);

	memcpy(path, q->path, GATE_PATH_MAX);
	path[GATE_PATH_MAX - 1] = '\0';
	if (volume < 0)
		return -ECONNREFUSED;
	char *slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	if (!**name || !strcmp(*name, ".") || !strcmp(*name, ".."))
		return -ENOENT;
	int fd = (int)syscall(SYS_openat2, volume, slash ? path : ".", &how, sizeof how);
	return fd < 0 ? -errno : fd;
}

static void proc_name(struct sockaddr_un *a, int fd)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	(void)snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d", fd);
}

/* A descriptor of the socket file itself: what is connected to is what was looked at. */
static int open_file(const struct gate_request *q)
{
	char path[GATE_PATH_MAX];
	const char *name;
	struct stat st;
	int dir = open_parent(q, path, &name);

	if (dir < 0)
		return dir;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	close(dir);
	if (!err && (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)))
		err = -ECONNREFUSED;
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int gate_connect_file(const struct gate_request *q, int *out)
{
	struct sockaddr_un a, own = {.sun_family = AF_UNIX};
	int pair[2];
	int file = open_file(q);
	int err;

	if (file < 0)
		return file;
	if (!gate_has_room()) {
		close(file);
		return -ENOBUFS;
	}
	int outer = socket(AF_UNIX, (int)q->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	proc_name(&a, file);
	err = outer < 0 ? -errno : 0;
	if (!err && q->type == SOCK_DGRAM) /* a name to answer to */
		(void)bind(outer, (struct sockaddr *)&own, sizeof own.sun_family);
	if (!err && connect(outer, (struct sockaddr *)&a, sizeof a) < 0)
		err = -errno;
	close(file);
	if (!err)
		err = gate_make_pair(pair, q->type);
	if (err) {
		if (outer >= 0)
			close(outer);
		return err;
	}
	gate_join(outer, pair[0], q->type);
	*out = pair[1];
	return 0;
}

static void door_end(struct door *d)
{
	struct door **at = &doors;

	if (d->is_over)
		return;
	d->is_over = true;
	door_count--;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->next = closed;
	closed = d;
	close(d->outer.fd);
	close(d->inner.fd);
	if (d->accepted >= 0)
		close(d->accepted);
}

/* False: there is none, or nothing to accept it with. */
static bool accept_one(struct door *d)
{
	while (d->accepted < 0) {
		if (!gate_has_room()) {
			d->is_starved = true;
			return false;
		}
		d->accepted =
			accept4(d->outer.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (d->accepted >= 0)
			break;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			d->is_starved = true;
		if (errno != ECONNABORTED && errno != EINTR)
			return false;
	}
	return true;
}

/* The others wait as long as this one does. */
static bool pass_accepted_on(struct door *d)
{
	int pair[2];
	char byte = 0;

	if (gate_make_pair(pair, (uint32_t)d->type) < 0) {
		d->is_starved = true;
		return false;
	}
	if (gate_send_end(d->inner.fd, &byte, 1, pair[1])) {
		close(pair[1]);
		gate_join(d->accepted, pair[0], (uint32_t)d->type);
		d->accepted = -1;
		return true;
	}
	/* There is an event when some have been taken, but for ETOOMANYREFS. */
	d->is_starved = errno != EAGAIN;
	close(pair[0]);
	close(pair[1]);
	return false;
}

static void door_accept(struct door *d)
{
	d->is_starved = false;
	while (!d->is_over && d->is_listening)
		if (!accept_one(d) || !pass_accepted_on(d))
			return;
}

static void door_outer_ready(struct relay_watch *w, uint32_t events)
{
	(void)events;
	door_accept((struct door *)w);
}

static void door_inner_ready(struct relay_watch *w, uint32_t events)
{
	struct door *d = (struct door *)((char *)w - offsetof(struct door, inner));
	struct gate_door_listen listening;
	ssize_t n = 0;

	while (!d->is_over &&
	       (n = recv(w->fd, &listening, sizeof listening, 0)) == sizeof listening) {
		if (listen(d->outer.fd, (int)(listening.backlog & 0xffff)) == 0)
			d->is_listening = true;
		relay_watch_again(&d->outer, EPOLLIN);
	}
	if (n == 0)
		door_end(d);
	else if (events & EPOLLOUT)
		door_accept(d);
}

/* A socket of ours in the place of the one that the kernel has made: that had to be found
 * free, and the umask heeded, there. */
static int bind_in_place(int dir, const char *name, const struct gate_request *q)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	int err = 0;

	if (strlen(name) >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	memcpy(a.sun_path, name, strlen(name) + 1);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	int fd = socket(AF_UNIX, (int)q->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || fchdir(dir) < 0 || unlink(name) < 0)
		err = -errno;
	mode_t old = umask(0777 & ~(q->mode & 0777));
	/* By its last name: that is what others see as its address. */
	if (!err && bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		err = -errno;
	(void)umask(old);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

unsigned int gate_files_count(void)
{
	return door_count;
}

int gate_bind_file(const struct gate_request *q, int *out)
{
	char path[GATE_PATH_MAX];
	const char *name;
	struct door *d;
	int pair[2];
	int dir, err, fd;

	if (q->type != SOCK_STREAM && q->type != SOCK_SEQPACKET)
		return -EOPNOTSUPP;
	if (!gate_has_room())
		return -ENOBUFS;
	dir = open_parent(q, path, &name);
	if (dir < 0)
		return dir;
	fd = allowed->volumes[q->volume].is_read_only ? -EROFS
						      : bind_in_place(dir, name, q);
	err = fd < 0 ? fd : 0;
	close(dir);
	d = err ? NULL : calloc(1, sizeof *d);
	if (!err && (!d || gate_make_pair(pair, SOCK_SEQPACKET) < 0))
		err = -ENOBUFS;
	if (err) {
		free(d);
		if (fd >= 0)
			close(fd);
		return err;
	}
	door_count++;
	d->next = doors;
	doors = d;
	d->type = (int)q->type;
	d->accepted = -1;
	d->outer = (struct relay_watch){fd, door_outer_ready};
	d->inner = (struct relay_watch){pair[0], door_inner_ready};
	if (!relay_watch_add(&d->outer, EPOLLIN) ||
	    !relay_watch_add(&d->inner, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
		door_end(d);
		close(pair[1]);
		return -ENOBUFS;
	}
	*out = pair[1];
	return 0;
}

bool gate_files_feed(void)
{
	bool is_starved = false;

	for (struct door *d = doors; d; d = d->next) {
		if (d->is_starved)
			door_accept(d);
		is_starved |= d->is_starved;
	}
	return is_starved;
}

void gate_files_free_over(void)
{
	while (closed) {
		struct door *d = closed;

		closed = d->next;
		free(d);
	}
}

void gate_files_init(const struct options *o)
{
	allowed = o;
	volumes = calloc(o->volume_count + 1, sizeof *volumes);
	if (!volumes)
		fail("out of memory");
	for (size_t i = 0; i < o->volume_count; i++) {
		const struct volume *v = &o->volumes[i];

		volumes[i] = -1;
		if (!v->has_sockets)
			continue;
		volumes[i] = open(v->host, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (volumes[i] < 0)
			fail("cannot open %s: %s", v->host, strerror(errno));
	}
}
