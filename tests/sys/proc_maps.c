/* SPDX-License-Identifier: MIT */
/* /proc/self/maps says what the memory calls did. */
/* calls: mmap munmap mprotect read */
#include "fixture.h"

#include <sys/ioctl.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

struct line {
	unsigned long start, end, off, ino;
	unsigned int major, minor;
	char prot[8];
	char name[300];
};

/* Finds the line that holds address p; false when none does. */
static bool find(const void *p, struct line *l)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long last = 0;
	char text[600];
	bool found = false;

	CHECK(f);
	while (fgets(text, sizeof(text), f)) {
		struct line x = {0};
		int n = sscanf(text, "%lx-%lx %7s %lx %x:%x %lu %299[^\n]", &x.start,
			       &x.end, x.prot, &x.off, &x.major, &x.minor, &x.ino,
			       x.name);

		CHECK(n >= 7 && x.start < x.end && x.start >= last);
		CHECK(x.start % PAGE == 0 && x.end % PAGE == 0 && strlen(x.prot) == 4);
		last = x.end;
		if ((uintptr_t)p >= x.start && (uintptr_t)p < x.end) {
			*l = x;
			found = true;
		}
	}
	fclose(f);
	return found;
}

static void own_code_data_heap_and_stack(void)
{
	static int data = 1;
	struct line l;
	char exe[4096], *heap = malloc(100);
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	CHECK(n > 0);
	exe[n] = 0;
	CHECK(find((void *)(uintptr_t)find, &l) && strcmp(l.prot, "r-xp") == 0);
	CHECK(strcmp(l.name, exe) == 0 && l.ino != 0);
	CHECK(find(&data, &l) && strcmp(l.prot, "rw-p") == 0);
	CHECK(find(&l, &l) && strcmp(l.name, "[stack]") == 0 &&
	      strcmp(l.prot, "rw-p") == 0);
	CHECK(find(heap, &l) && strcmp(l.name, "[heap]") == 0);
	CHECK(find((void *)(uintptr_t)printf, &l) && strstr(l.name, "libc"));
	free(heap);
}

static void anonymous_areas(void)
{
	struct line l;
	char *p = mmap(NULL, 9 * PAGE, PROT_NONE, ANON, -1, 0);

	CHECK(mprotect(p + PAGE, 3 * PAGE, RW) == 0 && find(p + PAGE, &l));
	CHECK(l.start == (uintptr_t)p + PAGE && l.end == (uintptr_t)p + 4 * PAGE);
	CHECK(strcmp(l.prot, "rw-p") == 0 && l.ino == 0 && l.off == 0 && !l.name[0]);
	CHECK(munmap(p + 2 * PAGE, PAGE) == 0 && !find(p + 2 * PAGE, &l));
	CHECK(find(p + PAGE, &l) && l.end == (uintptr_t)p + 2 * PAGE);
	CHECK(find(p + 3 * PAGE, &l) && l.start == (uintptr_t)p + 3 * PAGE);
	CHECK(munmap(p, 9 * PAGE) == 0 && !find(p, &l));
}

static void every_protection_has_its_letters(void)
{
	static const char *want[] = {"---p", "r--p", "-w-p", "rw-p",
				     "--xp", "r-xp", "-wxp", "rwxp"};
	struct line l;
	char *p = mmap(NULL, PAGE, PROT_NONE, ANON, -1, 0);

	for (int prot = 0; prot < 8; prot++) {
		CHECK(mprotect(p, PAGE, prot) == 0 && find(p, &l));
		CHECK(strcmp(l.prot, want[prot]) == 0);
	}
	CHECK(munmap(p, PAGE) == 0);
}

static void file_areas_name_the_file(void)
{
	struct line l;
	struct stat st;
	char cwd[4096], *p;
	int fd = open("mapped file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(ftruncate(fd, 4 * PAGE) == 0 && fstat(fd, &st) == 0);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, PAGE);
	CHECK(find(p, &l) && strcmp(l.prot, "rw-s") == 0 && l.off == PAGE);
	CHECK(l.ino == st.st_ino && getcwd(cwd, sizeof(cwd) - 20));
	CHECK(strcmp(l.name, strcat(cwd, "/mapped file")) == 0);
	CHECK(unlink("mapped file") == 0 && find(p, &l));
	CHECK(strcmp(l.name, strcat(cwd, " (deleted)")) == 0);
	CHECK(munmap(p, 2 * PAGE) == 0 && close(fd) == 0);
}

static void shared_anonymous_memory_is_dev_zero(void)
{
	struct line l;
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(find(p, &l) && strcmp(l.prot, "rw-s") == 0);
	CHECK(strcmp(l.name, "/dev/zero (deleted)") == 0 && munmap(p, PAGE) == 0);
}

static void the_heap_grows(void)
{
	struct line a, b;
	char *end = sbrk(0);

	CHECK(find(end - 1, &a) || find(end, &a) || sbrk(PAGE) != (void *)-1);
	CHECK(sbrk(64 * PAGE) != (void *)-1 && find((char *)sbrk(0) - 1, &b));
	CHECK(strcmp(b.name, "[heap]") == 0);
	CHECK(sbrk(-64L * (long)PAGE) != (void *)-1);
}

static void nothing_lies_above_the_user_half(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long a, b;
	char text[600];

	while (fgets(text, sizeof(text), f))
		if (sscanf(text, "%lx-%lx", &a, &b) == 2 && !strstr(text, "[vsyscall]"))
			CHECK(b <= 0x7ffffffff000);
	fclose(f);
}

static void the_vdso_has_a_name(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char text[600];
	int n = 0;

	while (fgets(text, sizeof(text), f))
		n += strstr(text, "[vdso]") != NULL;
	fclose(f);
	CHECK(n == 1);
}

/* ---- what came by fork ---- */

/* How many areas there are in the pages p to p + n. */
static int areas_in(const char *p, size_t n)
{
	struct line l;
	int count = 0;

	for (size_t i = 0; i < n; i++)
		if (find(p + i * PAGE, &l))
			count += l.start == (uintptr_t)p + i * PAGE || i == 0;
	return count;
}

static char *map_at(char *p, size_t n)
{
	return mmap(p, n * PAGE, RW, ANON | MAP_FIXED, -1, 0);
}

/* n pages, with room around. */
static char *area_with_room(size_t n)
{
	char *p = mmap(NULL, 64 * PAGE, PROT_NONE, ANON, -1, 0);

	CHECK(munmap(p + PAGE, 62 * PAGE) == 0);
	return map_at(p + 16 * PAGE, n);
}

#define IN_CHILD(...)                                                                    \
	do {                                                                             \
		pid_t pid_ = fork();                                                     \
		int status_;                                                             \
		if (pid_ == 0) {                                                         \
			__VA_ARGS__;                                                     \
			_exit(0);                                                        \
		}                                                                        \
		CHECK(waitpid(pid_, &status_, 0) == pid_ && status_ == 0);               \
	} while (0)

static void inherited_areas_join_no_new_ones(void)
{
	char *p = area_with_room(3);

	p[0] = 1;
	IN_CHILD({
		CHECK(map_at(p + 3 * PAGE, 3) && areas_in(p, 6) == 2);
		CHECK(map_at(p - 3 * PAGE, 3) && areas_in(p - 3 * PAGE, 9) == 3);
		CHECK(map_at(p - 4 * PAGE, 1) && areas_in(p - 4 * PAGE, 10) == 3);
	});
	CHECK(map_at(p + 3 * PAGE, 3) && areas_in(p, 6) == 1);
	CHECK(munmap(p, 6 * PAGE) == 0);
}

static void inherited_areas_that_were_empty_do(void)
{
	char *p = area_with_room(3);

	IN_CHILD(CHECK(map_at(p + 3 * PAGE, 3) && areas_in(p, 6) == 1));
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void parts_of_an_inherited_area_join_again(void)
{
	char *p = area_with_room(3);

	p[0] = 1;
	IN_CHILD({
		CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0 && areas_in(p, 3) == 3);
		CHECK(mprotect(p + PAGE, PAGE, RW) == 0 && areas_in(p, 3) == 1);
		CHECK(map_at(p + PAGE, 1) && areas_in(p, 3) == 3);
	});
	/* Two areas in the parent are two of their own in the child. */
	p[PAGE] = 1;
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	IN_CHILD({
		CHECK(mprotect(p + PAGE, PAGE, RW) == 0 && areas_in(p, 3) == 3);
		IN_CHILD(CHECK(areas_in(p, 3) == 3));
	});
	CHECK(mprotect(p + PAGE, PAGE, RW) == 0 && areas_in(p, 3) == 1);
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void inherited_areas_grow(void)
{
	char *p = area_with_room(3);

	p[0] = 1;
	IN_CHILD({
		CHECK(mremap(p, 3 * PAGE, 6 * PAGE, 0) == p && areas_in(p, 6) == 1);
		p[5 * PAGE] = 1;
	});
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void an_inherited_heap_grows_by_another_area(void)
{
	char *top = sbrk(0);

	CHECK((uintptr_t)top % PAGE == 0 || sbrk((long)(-(uintptr_t)top % PAGE)));
	CHECK(sbrk(PAGE) != (void *)-1);
	top = sbrk(0);
	top[-1] = 1;
	IN_CHILD({
		struct line l;

		CHECK(sbrk(4 * PAGE) == top && areas_in(top - PAGE, 5) == 2);
		CHECK(sbrk(4 * PAGE) != (void *)-1 && areas_in(top - PAGE, 9) == 2);
		CHECK(find(top, &l) && strcmp(l.name, "[heap]") == 0);
		CHECK(sbrk(-9 * (long)PAGE) != (void *)-1 && !find(top - PAGE, &l));
		CHECK(sbrk(9 * (long)PAGE) == top - PAGE && top[-1] == 0);
	});
}

/* ---- PROCMAP_QUERY ---- */

struct map_query {
	uint64_t size, flags, addr;
	uint64_t start, end, vma_flags, page_size, offset, inode;
	uint32_t major, minor, name_size, build_id_size;
	uint64_t name, build_id;
};
#define MAP_QUERY      _IOWR('f', 17, struct map_query)
#define QUERY_WRITABLE 2
#define QUERY_NEXT     0x10
#define QUERY_FILE     0x20

static void areas_can_be_asked_for(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = open("asked", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct map_query q = {.size = sizeof(q), .addr = (uintptr_t)p + PAGE};
	char name[4096], *f;

	CHECK(fd >= 0 && file >= 0 && munmap(p + 2 * PAGE, PAGE) == 0);
	if (ioctl(fd, MAP_QUERY, &q) != 0 && errno == ENOTTY)
		return; /* before Linux 6.11 */
	CHECK(ioctl(fd, MAP_QUERY, &q) == 0);
	CHECK(q.start <= (uintptr_t)p && q.end == (uintptr_t)p + 2 * PAGE);
	CHECK((q.vma_flags & 0xf) == 1 && q.page_size == PAGE && !q.inode);
	q = (struct map_query){.size = sizeof(q), .addr = (uintptr_t)p + 2 * PAGE};
	FAILS(ENOENT, ioctl(fd, MAP_QUERY, &q));
	q.flags = QUERY_NEXT;
	CHECK(ioctl(fd, MAP_QUERY, &q) == 0 && q.start > (uintptr_t)p);
	q = (struct map_query){
		.size = sizeof(q), .flags = QUERY_WRITABLE, .addr = (uintptr_t)p};
	FAILS(ENOENT, ioctl(fd, MAP_QUERY, &q));
	CHECK(ftruncate(file, 2 * PAGE) == 0);
	f = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, PAGE);
	q = (struct map_query){.size = sizeof(q),
			       .flags = QUERY_FILE,
			       .addr = (uintptr_t)f,
			       .name = (uintptr_t)name,
			       .name_size = sizeof(name)};
	CHECK(ioctl(fd, MAP_QUERY, &q) == 0);
	CHECK(q.offset == PAGE && q.inode && strstr(name, "/asked") &&
	      q.name_size == strlen(name) + 1);
	q.name_size = 3;
	FAILS(ENAMETOOLONG, ioctl(fd, MAP_QUERY, &q));
	q.name_size = 0;
	FAILS(EINVAL, ioctl(fd, MAP_QUERY, &q));
	q = (struct map_query){.size = 16};
	FAILS(EINVAL, ioctl(fd, MAP_QUERY, &q));
	q.size = PAGE + 1;
	FAILS(E2BIG, ioctl(fd, MAP_QUERY, &q));
	q = (struct map_query){.size = sizeof(q), .flags = 0x40};
	FAILS(EINVAL, ioctl(fd, MAP_QUERY, &q));
	FAILS(EFAULT, ioctl(fd, MAP_QUERY, NULL));
	CHECK(close(fd) == 0 && close(file) == 0);
}

RUN(TEST(own_code_data_heap_and_stack), TEST(anonymous_areas),
    TEST(every_protection_has_its_letters), TEST(file_areas_name_the_file),
    TEST(shared_anonymous_memory_is_dev_zero), TEST(the_heap_grows),
    TEST(nothing_lies_above_the_user_half), TEST(the_vdso_has_a_name),
    TEST(inherited_areas_join_no_new_ones), TEST(inherited_areas_that_were_empty_do),
    TEST(parts_of_an_inherited_area_join_again), TEST(inherited_areas_grow),
    TEST(an_inherited_heap_grows_by_another_area), TEST(areas_can_be_asked_for))
