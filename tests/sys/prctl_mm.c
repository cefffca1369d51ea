/* SPDX-License-Identifier: MIT */
/* calls: prctl */
/* prctl_mm.c - PR_SET_MM: what a process says its address space is made of, and where
 * /proc shows that. */
#include "capability.h"
#include "proc.h"
#include <elf.h>
#include <linux/prctl.h>
#include <sys/stat.h>

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#define LOW 0x100UL

static long set(unsigned long option, unsigned long addr, unsigned long arg4,
		unsigned long arg5)
{
	return syscall(SYS_prctl, PR_SET_MM, option, addr, arg4, arg5);
}

static size_t slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	CHECK(fd >= 0);
	while (len < size && (n = read(fd, buf + len, size - len)) > 0)
		len += (size_t)n;
	close(fd);
	return len;
}

/* A field of /proc/self/stat by its number in proc(5). */
static unsigned long stat_field(int number)
{
	char text[1024];
	size_t len = slurp("/proc/self/stat", text, sizeof(text) - 1);
	char *at;

	text[len] = 0;
	at = strrchr(text, ')') + 2;
	for (int i = 3; i < number; i++)
		at = strchr(at, ' ') + 1;
	return strtoul(at, NULL, 10);
}

static void read_map(struct prctl_mm_map *m)
{
	*m = (struct prctl_mm_map){
		.start_code = stat_field(26),
		.end_code = stat_field(27),
		.start_stack = stat_field(28),
		.start_data = stat_field(45),
		.end_data = stat_field(46),
		.start_brk = stat_field(47),
		.brk = (unsigned long)sbrk(0),
		.arg_start = stat_field(48),
		.arg_end = stat_field(49),
		.env_start = stat_field(50),
		.env_end = stat_field(51),
		.exe_fd = (unsigned)-1,
	};
}

static void the_size_is_told(void)
{
	unsigned size = 0;

	CHECK(set(PR_SET_MM_MAP_SIZE, (unsigned long)&size, 0, 0) == 0);
	CHECK(size == sizeof(struct prctl_mm_map));
	CHECK(set(PR_SET_MM_MAP_SIZE, (unsigned long)&size, 5, 0) == 0);
	FAILS(EINVAL, set(PR_SET_MM_MAP_SIZE, (unsigned long)&size, 0, 1));
	FAILS(EFAULT, set(PR_SET_MM_MAP_SIZE, (unsigned long)BAD_PTR, 0, 0));
}

static void places_one_by_one(void)
{
	static const struct {
		int option, field;
	} all[] = {
		{PR_SET_MM_START_CODE, 26},  {PR_SET_MM_END_CODE, 27},
		{PR_SET_MM_START_DATA, 45},  {PR_SET_MM_END_DATA, 46},
		{PR_SET_MM_START_STACK, 28}, {PR_SET_MM_START_BRK, 47},
		{PR_SET_MM_ARG_START, 48},   {PR_SET_MM_ARG_END, 49},
		{PR_SET_MM_ENV_START, 50},   {PR_SET_MM_ENV_END, 51},
	};

	if (!has_cap(CAP_SYS_RESOURCE)) {
		FAILS(EPERM, set(PR_SET_MM_START_CODE, 1 << 20, 0, 0));
		FAILS(EPERM, set(999, 0, 0, 0));
		FAILS(EPERM, set(PR_SET_MM_EXE_FILE, (unsigned long)-1, 0, 0));
		FAILS(EINVAL, set(999, 0, 1, 0));
		return;
	}
	CHILD(pid)
	{
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			unsigned long old = stat_field(all[i].field);
			bool is_end = all[i].option == PR_SET_MM_END_CODE ||
				      all[i].option == PR_SET_MM_END_DATA ||
				      all[i].option == PR_SET_MM_ARG_END ||
				      all[i].option == PR_SET_MM_ENV_END;
			unsigned long new = is_end ? old + 1 : old - 1;

			CHECK(old);
			CHECK(set((unsigned long)all[i].option, new, 0, 0) == 0);
			CHECK(stat_field(all[i].field) == new);
			FAILS(EINVAL, set((unsigned long)all[i].option, LOW, 0, 0));
			FAILS(EINVAL, set((unsigned long)all[i].option,
					  (unsigned long)KERNEL_PTR, 0, 0));
			FAILS(EINVAL, set((unsigned long)all[i].option, new, 1, 0));
			FAILS(EINVAL, set((unsigned long)all[i].option, new, 0, 1));
			CHECK(stat_field(all[i].field) == new);
		}
		FAILS(EINVAL, set(0, 1 << 20, 0, 0));
		FAILS(EINVAL, set(999, 1 << 20, 0, 0));
		FAILS(EINVAL, set(PR_SET_MM_END_CODE, stat_field(26), 0, 0));
		FAILS(EINVAL, set(PR_SET_MM_START_CODE, stat_field(27), 0, 0));
		FAILS(EINVAL, set(PR_SET_MM_ARG_END, stat_field(48) - 1, 0, 0));
		FAILS(EINVAL, set(PR_SET_MM_ENV_START, stat_field(51) + 1, 0, 0));
		FAILS(EINVAL, set(PR_SET_MM_END_DATA, stat_field(45) - 1, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void the_break_moves_with_it(void)
{
	if (!has_cap(CAP_SYS_RESOURCE))
		return;
	CHILD(pid)
	{
		struct rlimit small = {1 << 20, 1 << 20};
		unsigned long now = (unsigned long)sbrk(0);

		CHECK(set(PR_SET_MM_BRK, now + 64, 0, 0) == 0);
		CHECK((unsigned long)syscall(SYS_brk, 0) == now + 64);
		CHECK(set(PR_SET_MM_START_BRK, now + 32, 0, 0) == 0);
		CHECK((unsigned long)syscall(SYS_brk, now) == now + 64);
		FAILS(EINVAL, set(PR_SET_MM_BRK, now + 31, 0, 0));
		CHECK(setrlimit(RLIMIT_DATA, &small) == 0);
		FAILS(EINVAL, set(PR_SET_MM_BRK, now + (2 << 20), 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void arguments_are_read_where_they_are_said_to_be(void)
{
	CHILD(pid)
	{
		static char in_file[] = "one\0two\0A=1\0B=2";
		char *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct prctl_mm_map m;
		char text[64];

		CHECK(args != MAP_FAILED);
		memcpy(args, in_file, 16);
		read_map(&m);
		m.arg_start = (unsigned long)args;
		m.arg_end = (unsigned long)args + 8;
		m.env_start = (unsigned long)args + 8;
		m.env_end = (unsigned long)args + 16;
		CHECK(set(PR_SET_MM_MAP, (unsigned long)&m, sizeof(m), 0) == 0);
		CHECK(slurp("/proc/self/cmdline", text, sizeof(text)) == 8);
		CHECK(memcmp(text, args, 8) == 0);
		CHECK(slurp("/proc/self/environ", text, sizeof(text)) == 8);
		CHECK(memcmp(text, args + 8, 8) == 0);
		CHECK(stat_field(48) == (unsigned long)args);
		CHILD(inner)
		{
			CHECK(slurp("/proc/self/cmdline", text, sizeof(text)) == 8);
			_exit(memcmp(text, args, 8) != 0);
		}
		WAIT_EXIT(inner, 0);
		m.arg_start = (unsigned long)in_file;
		m.arg_end = (unsigned long)in_file + 8;
		CHECK(set(PR_SET_MM_MAP, (unsigned long)&m, sizeof(m), 0) == 0);
		CHECK(slurp("/proc/self/cmdline", text, sizeof(text)) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void all_at_once_or_nothing(void)
{
	struct prctl_mm_map m, bad;

	read_map(&m);
	CHECK(set(PR_SET_MM_MAP, (unsigned long)&m, sizeof(m), 0) == 0);
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&m, sizeof(m) - 1, 0));
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&m, sizeof(m), 1));
	FAILS(EINVAL, set(PR_SET_MM_MAP, 0, 0, 0));
	FAILS(EFAULT, set(PR_SET_MM_MAP, (unsigned long)BAD_PTR, sizeof(m), 0));
	bad = m;
	bad.start_code = bad.end_code;
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	bad = m;
	bad.start_data = LOW;
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	bad = m;
	bad.brk = bad.start_brk - 1;
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	bad = m;
	bad.auxv_size = 16;
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	bad.auxv = (void *)BAD_PTR;
	FAILS(EFAULT, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	bad.auxv_size = 4096;
	FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	if (!has_cap(CAP_CHECKPOINT_RESTORE) && !has_cap(CAP_SYS_ADMIN)) {
		bad = m;
		bad.exe_fd = 0;
		FAILS(EPERM, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
		bad.brk = LOW;
		FAILS(EINVAL, set(PR_SET_MM_MAP, (unsigned long)&bad, sizeof(m), 0));
	}
}

static void the_vector_is_kept(void)
{
	Elf64_auxv_t old[64], mine[3] = {{AT_UID, {7}}, {AT_PAGESZ, {4096}}, {0, {0}}};
	char text[2048];
	long size = syscall(SYS_prctl, PR_GET_AUXV, old, sizeof(old), 0, 0);
	size_t used = 0;

	if (size < 0) {
		CHECK(errno == EINVAL); /* before Linux 6.4 */
		size = 0;
	} else {
		while (old[used++].a_type)
			;
		CHECK(slurp("/proc/self/auxv", text, sizeof(text)) ==
		      used * sizeof(old[0]));
		CHECK(memcmp(text, old, used * sizeof(old[0])) == 0);
	}
	CHILD(pid)
	{
		struct prctl_mm_map m;

		read_map(&m);
		m.auxv = (void *)mine;
		m.auxv_size = sizeof(mine);
		CHECK(set(PR_SET_MM_MAP, (unsigned long)&m, sizeof(m), 0) == 0);
		CHECK(slurp("/proc/self/auxv", text, sizeof(text)) == sizeof(mine));
		CHECK(memcmp(text, mine, sizeof(mine)) == 0);
		if (!has_cap(CAP_SYS_RESOURCE))
			_exit(0);
		mine[0].a_un.a_val = 8;
		CHECK(set(PR_SET_MM_AUXV, (unsigned long)mine, sizeof(mine[0]), 0) == 0);
		CHECK(slurp("/proc/self/auxv", text, sizeof(text)) == sizeof(mine));
		CHECK(memcmp(text, mine, sizeof(mine)) == 0);
		FAILS(EINVAL, set(PR_SET_MM_AUXV, (unsigned long)mine, 4096, 0));
		FAILS(EFAULT, set(PR_SET_MM_AUXV, (unsigned long)BAD_PTR, 16, 0));
		FAILS(EINVAL, set(PR_SET_MM_AUXV, (unsigned long)mine, 16, 1));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* Puts copies without a file in the place of what is mapped of the program. */
static void leave_the_program(void)
{
	char exe[256], line[512];
	struct {
		unsigned long start, end;
		int prot;
	} part[16];
	size_t n = 0;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *f = fopen("/proc/self/maps", "r");

	CHECK(f && len > 0);
	exe[len] = 0;
	while (fgets(line, sizeof(line), f)) {
		char r, w, x;

		if (!strstr(line, exe))
			continue;
		CHECK(n < 16 && sscanf(line, "%lx-%lx %c%c%c", &part[n].start,
				       &part[n].end, &r, &w, &x) == 5);
		part[n++].prot = (r == 'r' ? PROT_READ : 0) |
				 (w == 'w' ? PROT_WRITE : 0) | (x == 'x' ? PROT_EXEC : 0);
	}
	fclose(f);
	for (size_t i = 0; i < n; i++) {
		size_t size = part[i].end - part[i].start;
		void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(copy != MAP_FAILED);
		memcpy(copy, (void *)part[i].start, size);
		CHECK(mprotect(copy, size, part[i].prot) == 0);
		CHECK(mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			     (void *)part[i].start) != MAP_FAILED);
	}
}

static void the_program_is_another_once_it_is_unmapped(void)
{
	int fd = open("program", O_RDWR | O_CREAT, 0600);
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	char path[256] = "";

	CHECK(fd >= 0 && dir >= 0);
	close(fd);
	if (!has_cap(CAP_SYS_RESOURCE))
		return;
	CHILD(pid)
	{
		fd = open("program", O_RDWR);
		CHECK(fd >= 0);
		FAILS(EBADF, set(PR_SET_MM_EXE_FILE, (unsigned long)-1, 0, 0));
		FAILS(EACCES, set(PR_SET_MM_EXE_FILE, (unsigned long)dir, 0, 0));
		FAILS(EACCES, set(PR_SET_MM_EXE_FILE, (unsigned long)fd, 0, 0));
		CHECK(fchmod(fd, 0700) == 0);
		FAILS(EBUSY, set(PR_SET_MM_EXE_FILE, (unsigned long)fd, 0, 0));
		leave_the_program();
		FAILS(EACCES, set(PR_SET_MM_EXE_FILE, (unsigned long)fd, 0, 0));
		CHECK(close(fd) == 0 && (fd = open("program", O_RDONLY)) >= 0);
		CHECK(set(PR_SET_MM_EXE_FILE, (unsigned long)fd, 0, 0) == 0);
		CHECK(readlink("/proc/self/exe", path, sizeof(path)) > 8);
		CHECK(strstr(path, "/program"));
		FAILS(ETXTBSY, open("program", O_RDWR));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	close(dir);
}

RUN(TEST(the_size_is_told), TEST(places_one_by_one), TEST(the_break_moves_with_it),
    TEST(arguments_are_read_where_they_are_said_to_be), TEST(all_at_once_or_nothing),
    TEST(the_vector_is_kept), TEST(the_program_is_another_once_it_is_unmapped))
