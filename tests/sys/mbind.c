/* SPDX-License-Identifier: MIT */
/* calls: mbind set_mempolicy get_mempolicy set_mempolicy_home_node migrate_pages
 * move_pages */
/* mbind.c - memory policies; node 0 is the one that every machine has. */
#include "proc.h"
#include <linux/mempolicy.h>

#define PAGE   4096ul
#define ANON   (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW     (PROT_READ | PROT_WRITE)
#define NOBODY 0x7ffffff0
#define BITS   1024 /* in a mask: more than there are nodes anywhere */

typedef unsigned long mask_t[BITS / 64];

static const mask_t none, node0 = {1};

static long set(int mode, const void *mask, unsigned long max)
{
	return syscall(SYS_set_mempolicy, mode, mask, max);
}

static long get(int *mode, void *mask, void *addr, unsigned long flags)
{
	return syscall(SYS_get_mempolicy, mode, mask, (unsigned long)BITS, addr, flags);
}

static long bind_to(void *at, size_t size, int mode, const void *mask, unsigned flags)
{
	return syscall(SYS_mbind, at, size, mode, mask, mask ? (unsigned long)BITS : 0ul,
		       flags);
}

static char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static bool has(void *addr, int mode, const void *nodes)
{
	int got = -1;
	mask_t mask;

	memset(mask, 0xff, sizeof(mask));
	CHECK(get(&got, mask, addr, addr ? MPOL_F_ADDR : 0) == 0);
	return got == mode && memcmp(mask, nodes, sizeof(mask)) == 0;
}

static void a_task_has_one(void)
{
	CHILD(pid)
	{
		CHECK(has(NULL, MPOL_DEFAULT, none));
		CHECK(set(MPOL_BIND, node0, BITS) == 0 && has(NULL, MPOL_BIND, node0));
		CHILD(child)
		_exit(has(NULL, MPOL_BIND, node0) ? 0 : 1);
		WAIT_EXIT(child, 0);
		CHECK(set(MPOL_INTERLEAVE, node0, BITS) == 0);
		CHECK(has(NULL, MPOL_INTERLEAVE, node0));
		CHECK(set(MPOL_PREFERRED, node0, BITS) == 0);
		CHECK(has(NULL, MPOL_PREFERRED, node0));
		CHECK(set(MPOL_LOCAL, NULL, 0) == 0 && has(NULL, MPOL_LOCAL, none));
		CHECK(set(MPOL_BIND | MPOL_F_RELATIVE_NODES, node0, BITS) == 0);
		CHECK(has(NULL, MPOL_BIND | MPOL_F_RELATIVE_NODES, node0));
		CHECK(set(MPOL_DEFAULT, NULL, 0) == 0 && has(NULL, MPOL_DEFAULT, none));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void memory_has_its_own(void)
{
	char *p = pages(4);
	int node = -1;

	CHECK(has(p, MPOL_DEFAULT, none));
	CHECK(bind_to(p + PAGE, 2 * PAGE, MPOL_BIND, node0, 0) == 0);
	CHECK(has(p, MPOL_DEFAULT, none) && has(p + PAGE, MPOL_BIND, node0));
	CHECK(has(p + 2 * PAGE + 5, MPOL_BIND, node0));
	CHECK(has(p + 3 * PAGE, MPOL_DEFAULT, none));
	p[PAGE] = 1;
	CHECK(get(&node, NULL, p + PAGE, MPOL_F_ADDR | MPOL_F_NODE) == 0 && node >= 0);
	CHECK(mprotect(p + PAGE, PAGE, PROT_NONE) == 0); /* the page is read for it */
	FAILS(EFAULT, get(&node, NULL, p + PAGE, MPOL_F_ADDR | MPOL_F_NODE));
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(bind_to(p, 4 * PAGE, MPOL_PREFERRED, node0, MPOL_MF_STRICT) == 0);
	CHECK(has(p, MPOL_PREFERRED, node0));
	CHECK(bind_to(p, 3 * PAGE + 1, MPOL_DEFAULT, NULL, MPOL_MF_MOVE) == 0);
	CHECK(has(p + 3 * PAGE, MPOL_DEFAULT, none));
	CHECK(bind_to(p, 0, MPOL_BIND, node0, 0) == 0);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(EFAULT, bind_to(p, 4 * PAGE, MPOL_BIND, node0, 0));
	CHECK(bind_to(p, 4 * PAGE, MPOL_DEFAULT, NULL, 0) == 0);
	FAILS(EFAULT, bind_to(p + PAGE, PAGE, MPOL_DEFAULT, NULL, 0));
	CHECK(munmap(p, 4 * PAGE) == 0);
}

static void errors_of_policies(void)
{
	static const mask_t far = {[BITS / 64 - 1] = 1ul << 62};
	char *p = pages(3);

	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(EINVAL, set(-1, NULL, 0));
	FAILS(EINVAL, set(100, NULL, 0));
	FAILS(EINVAL, set(MPOL_DEFAULT, node0, BITS));
	FAILS(EINVAL, set(MPOL_LOCAL, node0, BITS));
	FAILS(EINVAL, set(MPOL_BIND, NULL, 0));
	FAILS(EINVAL, set(MPOL_BIND, none, BITS));
	FAILS(EINVAL, set(MPOL_BIND, far, BITS));
	FAILS(EINVAL, set(MPOL_BIND, node0, 0));
	FAILS(EINVAL, set(MPOL_BIND, node0, 8 * PAGE + 2));
	FAILS(EINVAL,
	      set(MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, node0, BITS));
	FAILS(EFAULT, set(MPOL_BIND, BAD_PTR, BITS));
	FAILS(EFAULT, set(MPOL_BIND, KERNEL_PTR, BITS));
	FAILS(EINVAL, get(NULL, NULL, p, 0));
	FAILS(EINVAL, get(NULL, NULL, NULL, 8));
	FAILS(EINVAL, get(NULL, NULL, NULL, MPOL_F_NODE));
	FAILS(EINVAL, get(NULL, NULL, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_ADDR));
	FAILS(EFAULT, get(NULL, NULL, p + PAGE, MPOL_F_ADDR));
	FAILS(EFAULT, get(BAD_PTR, NULL, NULL, 0));
	FAILS(EFAULT, get(NULL, BAD_PTR, NULL, 0));
	FAILS(EINVAL, bind_to(p, PAGE, MPOL_BIND, NULL, 0));
	FAILS(EINVAL, bind_to(p, PAGE, MPOL_BIND, node0, 64));
	FAILS(EINVAL, bind_to(p + 1, PAGE, MPOL_BIND, node0, 0));
	FAILS(EINVAL, bind_to(p, ~0ul - PAGE, MPOL_BIND, node0, 0));
	FAILS(EFAULT, bind_to(p, 3 * PAGE, MPOL_BIND, node0, 0));
	FAILS(EFAULT, bind_to(p + PAGE, PAGE, MPOL_BIND, node0, 0));
	FAILS(EFAULT, bind_to(p, PAGE, MPOL_BIND, BAD_PTR, 64));
	CHECK(munmap(p, PAGE) == 0 && munmap(p + 2 * PAGE, PAGE) == 0);
}

static void allowed_nodes(void)
{
	mask_t mask = {0};
	int mode = 5;

	CHECK(get(&mode, mask, NULL, MPOL_F_MEMS_ALLOWED) == 0);
	CHECK(mode == 0 && (mask[0] & 1));
}

static void pages_are_on_a_node(void)
{
	char *p = pages(3);
	void *at[3] = {p, p + PAGE, p + 2 * PAGE};
	int status[3] = {-1, -1, -1}, to[3] = {0, 0, 0};

	p[0] = 1;
	CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
	CHECK(syscall(SYS_move_pages, 0, 3ul, at, NULL, status, 0) == 0);
	CHECK(status[0] >= 0 && status[1] == -ENOENT && status[2] < 0);
	CHECK(syscall(SYS_move_pages, getpid(), 1ul, at, to, status, MPOL_MF_MOVE) == 0);
	CHECK(status[0] == 0);
	to[0] = 1000;
	FAILS(ENODEV, syscall(SYS_move_pages, 0, 1ul, at, to, status, MPOL_MF_MOVE));
	FAILS(EINVAL, syscall(SYS_move_pages, 0, 1ul, at, NULL, status, 64));
	FAILS(ESRCH, syscall(SYS_move_pages, 0x3ffffffe, 1ul, at, NULL, status, 0));
	FAILS(EFAULT, syscall(SYS_move_pages, 0, 1ul, BAD_PTR, NULL, status, 0));
	FAILS(EFAULT, syscall(SYS_move_pages, 0, 1ul, at, NULL, BAD_PTR, 0));
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static void migration(void)
{
	static const mask_t odd = {2};
	pid_t me = getpid();

	CHECK(syscall(SYS_migrate_pages, 0, (unsigned long)BITS, node0, node0) == 0);
	CHECK(syscall(SYS_migrate_pages, me, (unsigned long)BITS, node0, node0) == 0);
	FAILS(ESRCH, syscall(SYS_migrate_pages, -1, (unsigned long)BITS, node0, node0));
	FAILS(EINVAL, syscall(SYS_migrate_pages, 0, ~0ul, node0, node0));
	FAILS(EFAULT, syscall(SYS_migrate_pages, 0, (unsigned long)BITS, BAD_PTR, node0));
	FAILS(EFAULT, syscall(SYS_migrate_pages, 0, (unsigned long)BITS, node0, BAD_PTR));
	if (access("/sys/devices/system/node/node1", F_OK) != 0 && getuid() == 0)
		FAILS(EINVAL,
		      syscall(SYS_migrate_pages, 0, (unsigned long)BITS, node0, odd));
	if (getuid() != 0)
		return;
	CHILD(pid)
	{
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		FAILS(EPERM,
		      syscall(SYS_migrate_pages, me, (unsigned long)BITS, node0, node0));
		FAILS(EPERM, bind_to(NULL, 0, MPOL_BIND, node0, MPOL_MF_MOVE_ALL));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void homes(void)
{
	char *p = pages(1);

	FAILS(EINVAL, syscall(450, p, PAGE, 0ul, 1ul));
	FAILS(EINVAL, syscall(450, p, PAGE, 5000ul, 0ul));
	FAILS(ENOENT, syscall(450, p, PAGE, 0ul, 0ul));
	CHECK(bind_to(p, PAGE, MPOL_BIND, node0, 0) == 0);
	CHECK(syscall(450, p, PAGE, 0ul, 0ul) == 0);
	CHECK(bind_to(p, PAGE, MPOL_PREFERRED, node0, 0) == 0);
	FAILS(EOPNOTSUPP, syscall(450, p, PAGE, 0ul, 0ul));
	CHECK(munmap(p, PAGE) == 0);
}

/* Shared memory has policies of its own, whoever maps it. */
static void shared_memory_has_its_own(void)
{
	int fd = memfd_create("shared", 0);
	char *p, *q;
	int mode;

	CHECK(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0);
	p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, (off_t)(2 * PAGE));
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	CHECK(bind_to(p + 2 * PAGE, 4 * PAGE, MPOL_BIND, node0, 0) == 0);
	CHECK(has(p + PAGE, MPOL_DEFAULT, none) && has(q, MPOL_BIND, node0));
	CHECK(has(q + 3 * PAGE, MPOL_BIND, node0));
	CHECK(has(p + 6 * PAGE, MPOL_DEFAULT, none));
	CHECK(bind_to(q + PAGE, PAGE, MPOL_PREFERRED, node0, 0) == 0);
	CHECK(has(p + 2 * PAGE, MPOL_BIND, node0));
	CHECK(has(p + 3 * PAGE, MPOL_PREFERRED, node0));
	CHECK(has(p + 4 * PAGE, MPOL_BIND, node0));
	CHECK(bind_to(p, 4 * PAGE, MPOL_DEFAULT, NULL, 0) == 0);
	CHECK(has(q + PAGE, MPOL_DEFAULT, none) && has(q + 2 * PAGE, MPOL_BIND, node0));
	CHECK(munmap(p, 8 * PAGE) == 0 && munmap(q, 4 * PAGE) == 0);
	p = mmap(NULL, 8 * PAGE, PROT_EXEC, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && has(p + 5 * PAGE, MPOL_BIND, node0));
	FAILS(EFAULT, get(&mode, NULL, p, MPOL_F_ADDR | MPOL_F_NODE));
	CHECK(munmap(p, 8 * PAGE) == 0 && close(fd) == 0);
}

/* Page by page, there and back, and across what there was. */
static void shared_neighbours_are_joined(void)
{
	static const int order[] = {3, 0, 2, 5, 4, 1, 7, 6};
	int fd = memfd_create("shared", 0);
	char *p;

	CHECK(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0);
	p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < 8; i++) {
		CHECK(bind_to(p + (size_t)order[i] * PAGE, PAGE, MPOL_BIND, node0, 0) ==
		      0);
		for (size_t k = 0; k < 8; k++) {
			bool is_set = false;

			for (size_t n = 0; n <= i; n++)
				is_set |= order[n] == (int)k;
			CHECK(has(p + k * PAGE, is_set ? MPOL_BIND : MPOL_DEFAULT,
				  is_set ? node0 : none));
		}
	}
	CHECK(bind_to(p + 2 * PAGE, 2 * PAGE, MPOL_BIND, node0, 0) == 0);
	CHECK(bind_to(p + PAGE, 6 * PAGE, MPOL_DEFAULT, NULL, 0) == 0);
	CHECK(has(p, MPOL_BIND, node0) && has(p + PAGE, MPOL_DEFAULT, none));
	CHECK(has(p + 6 * PAGE, MPOL_DEFAULT, none) &&
	      has(p + 7 * PAGE, MPOL_BIND, node0));
	CHECK(bind_to(p, 7 * PAGE, MPOL_BIND, node0, 0) == 0);
	CHECK(has(p + 3 * PAGE, MPOL_BIND, node0));
	CHECK(munmap(p, 8 * PAGE) == 0 && close(fd) == 0);
}

/* ---- /proc/PID/numa_maps ---- */

/* What comes first in the line of the area that begins at p; NULL: there is no such file,
 * or line. */
static const char *shown(const void *p)
{
	static char line[600];
	FILE *f = fopen("/proc/self/numa_maps", "r");
	unsigned long start = 0;
	int len = 0;

	if (!f)
		return NULL;
	while (start != (uintptr_t)p && fgets(line, sizeof(line), f))
		CHECK(sscanf(line, "%lx %n", &start, &len) == 1);
	fclose(f);
	line[strcspn(line, "\n")] = ' ';
	return start == (uintptr_t)p ? line + len : NULL;
}

static bool shows(const void *p, const char *policy)
{
	const char *text = shown(p);
	size_t len = strlen(policy);

	return text && strncmp(text, policy, len) == 0 && text[len] == ' ';
}

static void policies_are_shown(void)
{
	static const struct {
		int mode;
		const char *text;
	} all[] = {
		{MPOL_BIND, "bind:0"},
		{MPOL_BIND | MPOL_F_STATIC_NODES, "bind=static:0"},
		{MPOL_BIND | MPOL_F_RELATIVE_NODES, "bind=relative:0"},
		{MPOL_PREFERRED, "prefer:0"},
		{MPOL_PREFERRED | MPOL_F_STATIC_NODES, "prefer=static:0"},
		{MPOL_INTERLEAVE, "interleave:0"},
		{MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES, "interleave=relative:0"},
		/* Not every kernel has these. */
		{5, "prefer (many):0"},
		{5 | MPOL_F_RELATIVE_NODES, "prefer (many)=relative:0"},
		{6, "weighted interleave:0"},
		{6 | MPOL_F_STATIC_NODES, "weighted interleave=static:0"},
		{MPOL_BIND | 0x2000, "bind=balancing:0"},
		{MPOL_BIND | 0x2000 | MPOL_F_STATIC_NODES, "bind=static|balancing:0"},
		{MPOL_BIND | 0x2000 | MPOL_F_RELATIVE_NODES, "bind=relative|balancing:0"},
	};
	char *p = pages(4);

	CHECK(munmap(p, PAGE) == 0);
	p += PAGE;
	if (access("/proc/self/numa_maps", F_OK) != 0)
		return;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (bind_to(p, PAGE, all[i].mode, node0, 0) != 0)
			CHECK(i >= 7 && errno == EINVAL);
		else
			CHECK(shows(p, all[i].text));
	}
	CHECK(bind_to(p, PAGE, MPOL_PREFERRED, NULL, 0) == 0 && shows(p, "local"));
	CHECK(bind_to(p, PAGE, MPOL_LOCAL, NULL, 0) == 0 && shows(p, "local"));
	CHECK(shows(p + PAGE, "default"));
	CHECK(bind_to(p, PAGE, MPOL_DEFAULT, NULL, 0) == 0 && shows(p, "default"));
	CHECK(munmap(p, 3 * PAGE) == 0);
}

/* An area without one has the task's. */
static void a_tasks_policy_is_shown(void)
{
	char *p = pages(4);

	CHECK(munmap(p, PAGE) == 0 && bind_to(p + PAGE, PAGE, MPOL_LOCAL, NULL, 0) == 0);
	if (access("/proc/self/numa_maps", F_OK) != 0)
		return;
	CHILD(pid)
	{
		CHECK(set(MPOL_BIND, node0, BITS) == 0);
		CHECK(shows(p + PAGE, "local") && shows(p + 2 * PAGE, "bind:0"));
		CHECK(set(MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, node0, BITS) == 0);
		CHECK(shows(p + 2 * PAGE, "interleave=static:0"));
		CHECK(set(MPOL_LOCAL, NULL, 0) == 0 && shows(p + 2 * PAGE, "local"));
		CHECK(set(MPOL_DEFAULT, NULL, 0) == 0 && shows(p + 2 * PAGE, "default"));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(munmap(p + PAGE, 3 * PAGE) == 0);
}

/* Of shared memory that of the first page. */
static void shared_policies_are_shown(void)
{
	int fd = memfd_create("shared", 0);
	char *p, *q;

	CHECK(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0);
	p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(bind_to(p + 2 * PAGE, 2 * PAGE, MPOL_BIND, node0, 0) == 0);
	q = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, (off_t)(2 * PAGE));
	CHECK(q != MAP_FAILED);
	if (access("/proc/self/numa_maps", F_OK) == 0) {
		CHECK(shows(p, "default") && shows(p + 2 * PAGE, "bind:0"));
		CHECK(shows(p + 4 * PAGE, "default") && shows(q, "bind:0"));
		CHECK(bind_to(q, PAGE, MPOL_PREFERRED, node0, 0) == 0);
		CHECK(shows(p + 2 * PAGE, "prefer:0") && shows(q + PAGE, "bind:0"));
	}
	CHECK(munmap(p, 8 * PAGE) == 0 && munmap(q, 4 * PAGE) == 0 && close(fd) == 0);
}

RUN(TEST(a_task_has_one), TEST(memory_has_its_own), TEST(errors_of_policies),
    TEST(allowed_nodes), TEST(pages_are_on_a_node), TEST(migration), TEST(homes),
    TEST(shared_memory_has_its_own), TEST(shared_neighbours_are_joined),
    TEST(policies_are_shown), TEST(a_tasks_policy_is_shown),
    TEST(shared_policies_are_shown))
