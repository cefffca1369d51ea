/* SPDX-License-Identifier: MIT */
/* pages.c - which pages a host process has, from its /proc/PID/pagemap, and how much it
 * had at most, for the kernel, behind whose wall there is no /proc of the host.
 *
 * The question may be the work of hostile code. It names a process, which must be a child
 * of ours, and addresses there; what it learns is what any process may read of itself.
 * Frame numbers are not among it: the host tells them to nobody without CAP_SYS_ADMIN,
 * and we copy the flags alone. The kernel knows its processes by the numbers of the inner
 * pid namespace, the /proc that we opened by those of an outer one: a pidfd tells both.
 */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/monitor.h"
#include "message.h"

enum {
	PAGE = 4096,
	REGIONS = 512,	     /* of one scan */
	ENTRIES = 4096,	     /* read at once */
	PAGES_MAX = 1 << 20, /* looked at for one question */
};

/* <linux/fs.h> of Linux 6.7, where PAGEMAP_SCAN is new. */
struct region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof_mask, return_mask;
};

#define SCAN _IOWR('f', 16, struct scan)

enum {
	CATEGORY_FILE = 1 << 2,
	CATEGORY_PRESENT = 1 << 3,
	CATEGORY_SWAPPED = 1 << 4,
	CATEGORY_ZERO = 1 << 5,
	CATEGORY_HUGE = 1 << 6,
	CATEGORY_GUARD = 1 << 8, /* Linux 6.15 */
};

/* Bits of an entry of pagemap. */
enum {
	ENTRY_EXCLUSIVE = 56,
	ENTRY_FILE = 61,
	ENTRY_SWAPPED = 62,
	ENTRY_PRESENT = 63,
};

static int proc = -1;
static uint64_t returned = CATEGORY_FILE | CATEGORY_PRESENT | CATEGORY_SWAPPED |
			   CATEGORY_ZERO | CATEGORY_HUGE | CATEGORY_GUARD;

/* The child that was asked about last, as it is likely to be the next one. */
static struct {
	pid_t pid; /* 0: none */
	int pagemap, status;
} latest;

void pages_begin(void)
{
	struct statfs fs;

	/* A copy of the mount: the other one is about to become read-only. */
	proc = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc",
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (proc < 0)
		proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc >= 0 && (fstatfs(proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC))
		pages_close();
}

void pages_close(void)
{
	if (proc >= 0)
		close(proc);
	proc = -1;
}

void pages_keep(int fd)
{
	if (proc < 0) {
		close(fd);
		return;
	}
	if (dup2(proc, fd) < 0)
		fail("cannot keep /proc: %s", strerror(errno));
	proc = fd;
}

/* ---- finding the process ---- */

static bool is_child(pid_t pid)
{
	siginfo_t info;

	return pid > 0 &&
	       waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* The value of the line "name: 12 …", or 0. */
static uint64_t field(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

static void read_text(const char *path, char *buf, size_t size)
{
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, buf, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
}

/* The number by which the /proc knows a child of ours, or 0. */
static int outer_pid(pid_t pid)
{
	char path[64], text[512] = "";
	int fd = is_child(pid) ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return 0;
	(void)snprintf(path, sizeof path, "self/fdinfo/%d", fd);
	read_text(path, text, sizeof text);
	close(fd);
	return (int)field(text, "\nPid:\t");
}

static int open_of(int pid, const char *name, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof path, "%d/%s", pid, name);
	return openat(proc, path, flags | O_CLOEXEC);
}

void pages_forget(pid_t pid)
{
	if (!latest.pid || latest.pid != pid)
		return;
	close(latest.pagemap);
	close(latest.status);
	latest.pid = 0;
}

/* Makes pid, which must be a child of ours, the latest. */
static int find(pid_t pid)
{
	int outer, err;

	if (latest.pid && latest.pid == pid)
		return 0;
	outer = outer_pid(pid);
	if (outer <= 0)
		return -ESRCH;
	pages_forget(latest.pid);
	latest.pagemap = open_of(outer, "pagemap", O_RDONLY);
	err = latest.pagemap < 0 ? -errno : 0;
	latest.status = err ? -1 : open_of(outer, "status", O_RDONLY);
	if (!err && latest.status < 0) {
		err = -errno;
		close(latest.pagemap);
	}
	if (!err)
		latest.pid = pid;
	return err;
}

/* ---- its pages ---- */

struct answer {
	struct monitor_pages *pages;
	uint64_t count, max; /* of runs */
	uint64_t looked_at;  /* pages */
	uint64_t next;
	bool is_full;
};

/* More pages. What lies in the box already is not ours to believe: all that it takes
 * is in the answer's own fields. */
static void put(struct answer *a, struct monitor_run *last, uint64_t at, uint32_t pages,
		uint32_t bits)
{
	a->next = at + (uint64_t)pages * PAGE;
	if (last->pages && last->bits == bits && last->pages + pages > pages &&
	    last->start + (uint64_t)last->pages * PAGE == at) {
		last->pages += pages;
		return;
	}
	if (last->pages)
		a->pages->run[a->count++] = *last;
	*last = (struct monitor_run){.start = at, .pages = pages, .bits = bits};
	a->is_full = a->count + 1 >= a->max;
}

static uint32_t bits_of(uint64_t entry, uint64_t categories)
{
	uint32_t bits = 0;

	if (entry >> ENTRY_PRESENT & 1)
		bits |= MONITOR_PAGE_PRESENT;
	if (entry >> ENTRY_SWAPPED & 1)
		bits |= MONITOR_PAGE_SWAPPED;
	if (!bits)
		return 0; /* gone since the scan */
	if (entry >> ENTRY_FILE & 1)
		bits |= MONITOR_PAGE_FILE;
	if (entry >> ENTRY_EXCLUSIVE & 1)
		bits |= MONITOR_PAGE_EXCLUSIVE;
	if (categories & CATEGORY_ZERO)
		bits |= MONITOR_PAGE_ZERO;
	if (categories & CATEGORY_HUGE)
		bits |= MONITOR_PAGE_HUGE;
	if (categories & CATEGORY_GUARD)
		bits |= MONITOR_PAGE_GUARD;
	return bits;
}

static bool is_enough(const struct answer *a)
{
	return a->is_full || a->looked_at >= PAGES_MAX;
}

/* Page by page: pagemap alone tells what is exclusive. The next question begins with what
 * was not looked at. */
static int read_entries(struct answer *a, struct monitor_run *last,
			const struct region *r)
{
	static uint64_t entry[ENTRIES];
	uint64_t at = r->start;

	while (at < r->end && !is_enough(a)) {
		uint64_t pages = (r->end - at) / PAGE;
		ssize_t got = pread(latest.pagemap, entry,
				    (pages < ENTRIES ? pages : ENTRIES) * sizeof *entry,
				    (off_t)(at / PAGE * sizeof *entry));

		if (got < (ssize_t)sizeof *entry)
			return got < 0 ? -errno : -ESRCH;
		for (size_t i = 0; i < (size_t)got / sizeof *entry && !is_enough(a);
		     i++) {
			uint32_t bits = bits_of(entry[i], r->categories);

			if (bits)
				put(a, last, at, 1, bits);
			at += PAGE;
			a->looked_at++;
		}
		a->next = at;
	}
	return 0;
}

static void take_region(struct answer *a, struct monitor_run *last,
			const struct region *r)
{
	uint64_t entry = (r->categories & CATEGORY_PRESENT ? 1UL << ENTRY_PRESENT : 0) |
			 (r->categories & CATEGORY_SWAPPED ? 1UL << ENTRY_SWAPPED : 0) |
			 (r->categories & CATEGORY_FILE ? 1UL << ENTRY_FILE : 0);
	uint64_t pages = (r->end - r->start) / PAGE;

	/* No more than PAGES_MAX: a run's count has 32 bits. */
	put(a, last, r->start, (uint32_t)pages, bits_of(entry, r->categories));
	a->looked_at += pages;
}

/* The next regions from start on, of at most max pages: how many; the host may be too old
 * for a category. */
static long scan(struct scan *s, uint64_t start, uint64_t end, uint64_t max,
		 struct region *regions)
{
	*s = (struct scan){
		.size = sizeof *s,
		.start = start,
		.end = end,
		.vec = (uint64_t)regions,
		.vec_len = REGIONS,
		.max_pages = max,
		.anyof_mask = CATEGORY_PRESENT | CATEGORY_SWAPPED,
		.return_mask = returned,
	};
	long count = syscall(SYS_ioctl, latest.pagemap, SCAN, s);

	if (count < 0 && errno == EINVAL && (returned & CATEGORY_GUARD)) {
		returned &= ~(uint64_t)CATEGORY_GUARD;
		return scan(s, start, end, max, regions);
	}
	if (count < 0)
		return errno == ENOTTY ? -EOPNOTSUPP : -errno;
	return count;
}

static int look(struct answer *a, struct monitor_run *last, uint64_t start, uint64_t end,
		bool wants_exclusive)
{
	static struct region regions[REGIONS];
	long count = 0;
	int err = 0;

	a->next = start;
	while (start < end && !is_enough(a) && !err) {
		struct scan s;

		count = scan(&s, start, end, PAGES_MAX - a->looked_at, regions);
		err = count < 0 ? (int)count : 0;
		for (long i = 0; i < count && !err && !is_enough(a); i++) {
			if (wants_exclusive)
				err = read_entries(a, last, &regions[i]);
			else
				take_region(a, last, &regions[i]);
		}
		if (err || is_enough(a) || s.walk_end <= start)
			break;
		start = a->next = s.walk_end;
	}
	return err;
}

static int look_at_all(struct answer *a, const struct monitor_query *q)
{
	struct monitor_run last = {0};
	int err = 0;

	for (uint32_t i = 0; i < q->range_count && !err; i++) {
		err = look(a, &last, q->range[i].start, q->range[i].end,
			   q->wants & MONITOR_WANT_EXCLUSIVE);
		if (a->next < q->range[i].end)
			break;
	}
	if (last.pages)
		a->pages->run[a->count++] = last;
	return err;
}

static bool are_ranges_good(const struct monitor_query *q)
{
	uint64_t at = 0;

	if (q->range_count > MONITOR_RANGES)
		return false;
	for (uint32_t i = 0; i < q->range_count; i++) {
		if (q->range[i].start % PAGE || q->range[i].end % PAGE ||
		    q->range[i].start < at || q->range[i].start > q->range[i].end)
			return false;
		at = q->range[i].end;
	}
	return true;
}

/* Walks all page tables of the process. */
static void add_shares(struct monitor_pages *p)
{
	char path[64], text[4096];

	(void)snprintf(path, sizeof path, "%d/smaps_rollup", outer_pid(latest.pid));
	read_text(path, text, sizeof text);
	p->anon_share = field(text, "\nPss_Anon:");
	p->file_share = field(text, "\nPss_File:");
	p->shared_memory_share = field(text, "\nPss_Shmem:");
}

static void add_figures(struct monitor_pages *p)
{
	char text[4096];
	ssize_t len = pread(latest.status, text, sizeof text - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	p->resident = field(text, "\nVmRSS:");
	p->peak = field(text, "\nVmHWM:");
	p->anon = field(text, "\nRssAnon:");
	p->swapped = field(text, "\nVmSwap:");
}

static int answer_pages(const struct monitor_query *q, struct monitor_pages *p,
			size_t room, uint32_t *size)
{
	struct answer a = {.pages = p, .max = (room - sizeof *p) / sizeof *p->run};
	int err;

	p->resident = p->peak = p->anon = p->swapped = 0;
	p->anon_share = p->file_share = p->shared_memory_share = 0;
	if (q->wants & MONITOR_WANT_FIGURES)
		add_figures(p);
	if (q->wants & MONITOR_WANT_SHARES)
		add_shares(p);
	err = look_at_all(&a, q);
	p->next = a.next;
	p->count = a.count;
	*size = (uint32_t)(sizeof *p + a.count * sizeof *p->run);
	return err;
}

static int reset_peak(pid_t pid)
{
	int fd = open_of(outer_pid(pid), "clear_refs", O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, "5", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

int pages_answer(const struct monitor_query *q, void *data, size_t room, uint32_t *size)
{
	int err = proc < 0 ? -EOPNOTSUPP : find(q->pid);

	if (err)
		return err;
	if (q->question == MONITOR_RESET_PEAK)
		return reset_peak(q->pid);
	if (!are_ranges_good(q))
		return -EINVAL;
	return answer_pages(q, data, room, size);
}
