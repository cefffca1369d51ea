/* SPDX-License-Identifier: MIT */
/* fanotify.h - for tests of fanotify: what newer systems have, and events as text.
 *
 * An event reads "open,close_w 'd/a'" when it comes with a descriptor; else with its
 * records, "create dir=d 'name' fid=d/a": what handles stand for is looked up among the
 * files that know() was told of. */
#pragma once
#include "fixture.h"

#include <dirent.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#ifndef FAN_REPORT_FD_ERROR
#define FAN_REPORT_FD_ERROR 0x2000
#endif
#ifndef FAN_REPORT_MNT
#define FAN_REPORT_MNT	   0x4000
#define FAN_MARK_MNTNS	   0x110
#define FAN_MNT_ATTACH	   0x1000000
#define FAN_MNT_DETACH	   0x2000000
#define FAN_INFO_TYPE_MNT_ 7
#endif
#ifndef FAN_PRE_ACCESS
#define FAN_PRE_ACCESS	     0x100000
#define FAN_INFO_TYPE_RANGE_ 6
#define FAN_DENY_ERRNO(err)  (FAN_DENY | (uint32_t)(err) << 24)
#endif
#ifndef FAN_INFO
#define FAN_INFO 0x20
#endif
#ifndef FAN_MARK_IGNORE
#define FAN_MARK_IGNORE	     0x400
#define FAN_MARK_IGNORE_SURV (FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY)
#endif

/* ---- groups ---- */

/* A group, or the end of the test if the caller may have none. */
HELPER int group_as(unsigned flags, unsigned event_flags)
{
	int fd = fanotify_init(FAN_NONBLOCK | FAN_CLOEXEC | flags, event_flags);

	if (fd < 0 && errno == EPERM)
		exit(77);
	CHECK(fd >= 0);
	return fd;
}

HELPER int group_of(unsigned flags)
{
	return group_as(flags, O_RDONLY | O_CLOEXEC);
}

HELPER void mark(int fd, unsigned flags, uint64_t mask, const char *path)
{
	CHECK(fanotify_mark(fd, FAN_MARK_ADD | flags, mask, AT_FDCWD, path) == 0);
}

/* ---- events as text ---- */

struct handle {
	struct file_handle head;
	unsigned char bytes[128];
};

static struct {
	char name[64];
	struct handle h;
} known[64];
static size_t known_count;

HELPER struct handle handle_of(const char *path)
{
	struct handle h;
	int mount_id;

	memset(&h, 0, sizeof(h));
	h.head.handle_bytes = sizeof(h.bytes);
	CHECK(name_to_handle_at(AT_FDCWD, path, &h.head, &mount_id, 0) == 0);
	return h;
}

/* From now on what is at path is called so. */
HELPER void know(const char *path)
{
	size_t i = 0;

	while (i < known_count && strcmp(known[i].name, path) != 0)
		i++;
	CHECK(i < sizeof(known) / sizeof(known[0]));
	snprintf(known[i].name, sizeof(known[i].name), "%s", path);
	known[i].h = handle_of(path);
	if (i == known_count)
		known_count++;
}

static char text[16384];
static size_t text_len;

HELPER __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_len +=
		(size_t)vsnprintf(text + text_len, sizeof(text) - text_len, format, ap);
	va_end(ap);
	CHECK(text_len < sizeof(text));
}

HELPER const char *handle_name(const struct file_handle *h)
{
	for (size_t i = known_count; i--;) /* the newest first */
		if (known[i].h.head.handle_bytes == h->handle_bytes &&
		    known[i].h.head.handle_type == h->handle_type &&
		    memcmp(known[i].h.bytes, h->f_handle, h->handle_bytes) == 0)
			return known[i].name;
	return "?";
}

HELPER void say_mask(uint64_t mask)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
		{FAN_ACCESS, "access"},		  {FAN_MODIFY, "modify"},
		{FAN_ATTRIB, "attrib"},		  {FAN_CLOSE_WRITE, "close_w"},
		{FAN_CLOSE_NOWRITE, "close_r"},	  {FAN_OPEN, "open"},
		{FAN_MOVED_FROM, "from"},	  {FAN_MOVED_TO, "to"},
		{FAN_CREATE, "create"},		  {FAN_DELETE, "delete"},
		{FAN_DELETE_SELF, "delete_self"}, {FAN_MOVE_SELF, "move_self"},
		{FAN_OPEN_EXEC, "exec"},	  {FAN_Q_OVERFLOW, "overflow"},
		{FAN_OPEN_PERM, "open?"},	  {FAN_ACCESS_PERM, "access?"},
		{FAN_OPEN_EXEC_PERM, "exec?"},	  {FAN_PRE_ACCESS, "fill?"},
		{FAN_MNT_ATTACH, "attach"},	  {FAN_MNT_DETACH, "detach"},
		{FAN_RENAME, "rename"},		  {FAN_ONDIR, "ondir"},
	};
	const char *sep = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mask & names[i].bit) {
			say("%s%s", sep, names[i].name);
			mask &= ~names[i].bit;
			sep = ",";
		}
	if (mask)
		say("%s%llx", sep, (unsigned long long)mask);
}

HELPER void say_fid(const struct fanotify_event_info_fid *fid)
{
	const struct file_handle *h = (const void *)fid->handle;
	unsigned end = (unsigned)(sizeof(*fid) + sizeof(*h)) + h->handle_bytes;
	const char *name = NULL;
	struct statfs st;

	CHECK(fid->hdr.pad == 0 && fid->hdr.len % 4 == 0);
	CHECK(statfs(".", &st) == 0);
	if (memcmp(&st.f_fsid, &fid->fsid, sizeof(st.f_fsid)) != 0)
		say(" elsewhere");
	switch (fid->hdr.info_type) {
	case FAN_EVENT_INFO_TYPE_FID:
		say(" fid=");
		break;
	case FAN_EVENT_INFO_TYPE_DFID:
		say(" dir=");
		break;
	case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
	case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
	case FAN_EVENT_INFO_TYPE_DFID_NAME:
		say(" %s=", fid->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME ? "name"
			    : fid->hdr.info_type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME
				    ? "old"
				    : "new");
		name = (const char *)h->f_handle + h->handle_bytes;
		break;
	default:
		say(" type%u=", fid->hdr.info_type);
	}
	say("%s", handle_name(h));
	if (name) {
		say("/%s", name);
		end += (unsigned)strlen(name) + 1;
	}
	for (; end < fid->hdr.len; end++)
		CHECK(((const char *)fid)[end] == 0);
	CHECK(end == fid->hdr.len);
}

HELPER void say_records(const char *at, size_t size)
{
	while (size) {
		const struct fanotify_event_info_header *hdr = (const void *)at;
		uint64_t words[3] = {0};

		CHECK(size >= sizeof(*hdr) && hdr->len >= sizeof(*hdr) &&
		      hdr->len <= size);
		memcpy(words, at, hdr->len < sizeof(words) ? hdr->len : sizeof(words));
		switch (hdr->info_type) {
		case FAN_EVENT_INFO_TYPE_PIDFD:
			say(" pidfd%s", (int)(words[0] >> 32) >= 0 ? "" : "!");
			if ((int)(words[0] >> 32) >= 0)
				CHECK(close((int)(words[0] >> 32)) == 0);
			break;
		case 6:
			CHECK(hdr->len == 24);
			say(" %llu+%llu", (unsigned long long)words[1],
			    (unsigned long long)words[2]);
			break;
		case 7:
			CHECK(hdr->len == 16);
			say(" mount=%llu", (unsigned long long)words[1]);
			break;
		default:
			say_fid((const void *)at);
		}
		at += hdr->len;
		size -= hdr->len;
	}
}

HELPER void say_file(int fd)
{
	char link[64], target[4096] = "", cwd[2048];
	const char *name = target;

	sprintf(link, "/proc/self/fd/%d", fd);
	CHECK(readlink(link, target, sizeof(target) - 1) > 0);
	CHECK(getcwd(cwd, sizeof(cwd)));
	if (strncmp(target, cwd, strlen(cwd)) == 0) {
		name += strlen(cwd) + 1;
	} else {
		*strrchr(cwd, '/') = 0;
		if (strncmp(target, cwd, strlen(cwd)) == 0) {
			name += strlen(cwd);
			say(" '..%s'", name);
			return;
		}
	}
	say(" '%s'", name);
}

/* One event; answers it, if it is a question. */
HELPER void say_event(int group, const struct fanotify_event_metadata *e, uint32_t answer)
{
	CHECK(e->vers == FANOTIFY_METADATA_VERSION && e->metadata_len == sizeof(*e));
	CHECK(e->event_len >= sizeof(*e) && e->reserved == 0);
	say("%s", text_len ? "; " : "");
	say_mask(e->mask);
	if (e->fd >= 0)
		say_file(e->fd);
	else if (e->fd != FAN_NOFD)
		say(" fd=%d", e->fd);
	say_records((const char *)(e + 1), e->event_len - sizeof(*e));
	if (e->mask &
	    (FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_OPEN_EXEC_PERM | FAN_PRE_ACCESS)) {
		struct fanotify_response r = {e->fd, answer};

		CHECK(write(group, &r, sizeof(r)) == sizeof(r));
	}
	if (e->fd >= 0)
		CHECK(close(e->fd) == 0);
}

/* All events that are there. */
HELPER const char *told(int group)
{
	static char buf[65536] __attribute__((aligned(8)));
	ssize_t n;

	text[0] = 0;
	text_len = 0;
	while ((n = read(group, buf, sizeof(buf))) > 0) {
		for (char *at = buf; at < buf + n;) {
			say_event(group, (const void *)at, FAN_ALLOW);
			at += ((const struct fanotify_event_metadata *)at)->event_len;
		}
	}
	CHECK(n == -1 && errno == EAGAIN);
	return text;
}

#define TELLS(group, want)                                                               \
	do {                                                                             \
		const char *told_ = told(group);                                         \
		if (strcmp(told_, want) != 0) {                                          \
			printf("not ok: %s:%d: %s\n", __FILE__, __LINE__, told_);        \
			printf("              not %s\n", want);                          \
			if (!getenv("SHOW"))                                             \
				exit(1);                                                 \
		}                                                                        \
	} while (0)

/* ---- what there is to watch ---- */

/* d/a, d/s/b, e */
HELPER void files_make(void)
{
	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	CHECK(mkdir("d/s", 0755) == 0 || errno == EEXIST);
	CHECK(mkdir("e", 0755) == 0 || errno == EEXIST);
	file_put("d/a", "hello");
	file_put("d/s/b", "hello");
	known_count = 0;
	know("d");
	know("d/s");
	know("e");
	know("d/a");
	know("d/s/b");
}

HELPER void use(const char *name)
{
	char c;
	int f = open(name, O_RDWR);

	CHECK(f >= 0 && read(f, &c, 1) == 1 && write(f, &c, 1) == 1 && close(f) == 0);
}

HELPER void look(const char *name)
{
	int f = open(name, O_RDONLY);

	CHECK(f >= 0 && close(f) == 0);
}
