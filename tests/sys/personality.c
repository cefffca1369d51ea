/* SPDX-License-Identifier: MIT */
/* The execution domain: a word that is kept, inherited, and read with 0xffffffff. */
#include "fixture.h"

#include <sys/personality.h>
#include <sys/utsname.h>

#define READ_ONLY 0xffffffffUL

static unsigned start;

static void reading_changes_nothing(void)
{
	start = (unsigned)personality(READ_ONLY);
	CHECK((unsigned)personality(READ_ONLY) == start);
	CHECK((start & 0xff) == PER_LINUX);
}

static void setting_answers_the_old_one(void)
{
	CHECK((unsigned)personality(start | ADDR_NO_RANDOMIZE) == start);
	CHECK((unsigned)personality(READ_ONLY) == (start | ADDR_NO_RANDOMIZE));
	CHECK((unsigned)personality(start) == (start | ADDR_NO_RANDOMIZE));
	CHECK((unsigned)personality(READ_ONLY) == start);
}

static void see_own(void)
{
	CHECK((unsigned)personality(READ_ONLY) == (start | ADDR_NO_RANDOMIZE));
	CHECK((unsigned)personality(start) == (start | ADDR_NO_RANDOMIZE));
}

static void children_inherit_it(void)
{
	CHECK((unsigned)personality(start | ADDR_NO_RANDOMIZE) == start);
	CHECK(in_child(see_own) == 0);
	CHECK((unsigned)personality(start) == (start | ADDR_NO_RANDOMIZE));
}

static void a_program_without_random_addresses(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		char *script =
			"a=$(head -n1 /proc/self/maps); b=$(head -n1 /proc/self/maps);"
			"test -n \"$a\" && test \"${a%% *}\" = \"${b%% *}\"";

		CHECK(personality(start | ADDR_NO_RANDOMIZE) >= 0);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(2);
	}
	status = child_wait(pid);
	CHECK(status == 0);
}

/* Where uname(2) told a release of 3 or more, its second number comes after 2.6.60. */
static void uname_changes_with_it(void)
{
	struct utsname real, u;
	unsigned major, minor;
	char want[16];

	CHECK(uname(&real) == 0);
	CHECK(personality(start | UNAME26) >= 0);
	CHECK(uname(&u) == 0 && strcmp(u.machine, real.machine) == 0);
	CHECK(sscanf(real.release, "%u.%u", &major, &minor) == 2);
	snprintf(want, sizeof(want), "2.6.%u", minor + 60);
	CHECK(strncmp(u.release, want, strlen(want)) == 0);
	CHECK(strcmp(strchrnul(u.release, '-'), strchrnul(real.release, '-')) == 0);
	CHECK(personality(PER_LINUX32) >= 0);
	CHECK(uname(&u) == 0 && strcmp(u.machine, "i686") == 0);
	CHECK(strcmp(u.release, real.release) == 0);
	CHECK(personality(start) >= 0);
	CHECK(uname(&u) == 0 && memcmp(&u, &real, sizeof(u)) == 0);
}

static void exec_drops_what_old_programs_need(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(personality(READ_IMPLIES_EXEC | SHORT_INODE) >= 0);
		execl("/bin/grep", "grep", "-q", "^01000000$", "/proc/self/personality",
		      NULL);
		_exit(2);
	}
	status = child_wait(pid);
	CHECK(status == 0);
}

/* Roles of this program, run with another personality. */
static bool is_executable(const void *addr)
{
	unsigned long start, end;
	char line[512], exec = '-';
	FILE *f = fopen("/proc/self/maps", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char x;

		if (sscanf(line, "%lx-%lx %*c%*c%c", &start, &end, &x) == 3 &&
		    (unsigned long)addr >= start && (unsigned long)addr < end)
			exec = x;
	}
	fclose(f);
	return exec == 'x';
}

static void *anonymous(int prot)
{
	return mmap(NULL, 1 << 20, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void read_and_execute(void)
{
	int fd = open("data", O_RDWR | O_CREAT, 0600);
	void *r, *w, *none, *file;
	char *top;

	CHECK(personality(start | READ_IMPLIES_EXEC) >= 0);
	r = anonymous(PROT_READ);
	w = anonymous(PROT_WRITE);
	none = anonymous(PROT_NONE);
	CHECK(is_executable(r) && !is_executable(w) && !is_executable(none));
	CHECK(mprotect(none, PAGE, PROT_READ | PROT_WRITE) == 0 && is_executable(none));
	CHECK(mprotect(r, PAGE, PROT_NONE) == 0 && !is_executable(r));
	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(file != MAP_FAILED && is_executable(file));
	top = (char *)(((unsigned long)sbrk(0) + PAGE - 1) & -PAGE);
	CHECK(brk(top + 16 * PAGE) == 0 && is_executable(top + 4 * PAGE));
	CHECK(personality(start) >= 0);
	CHECK(!is_executable(anonymous(PROT_READ)));
}

static void what_can_be_read_can_be_executed(void)
{
	CHECK(in_child(read_and_execute) == 0);
}

static int upwards(void)
{
	char *a = anonymous(PROT_READ), *b = anonymous(PROT_READ);
	char *c = mremap(a, 1 << 20, 64 << 20, MREMAP_MAYMOVE);

	/* From a third of the address space on, the first free place. */
	CHECK(a < b && (unsigned long)a < 0x550000000000);
	CHECK((unsigned long)a >= 0x2a0000000000 && c > b);
	CHECK(anonymous(PROT_READ) == a);
	return 0;
}

static void mappings_may_go_up(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(personality(start | ADDR_COMPAT_LAYOUT | ADDR_NO_RANDOMIZE) >= 0);
		execl("/proc/self/exe", "personality", "upwards", NULL);
		_exit(2);
	}
	status = child_wait(pid);
	CHECK(status == 0);
}

static void *look(void *arg)
{
	*(unsigned *)arg = (unsigned)personality(READ_ONLY);
	CHECK(personality(start | WHOLE_SECONDS) >= 0);
	return NULL;
}

static void each_thread_has_its_own(void)
{
	unsigned seen = 0;
	pthread_t t;

	CHECK(personality(start | SHORT_INODE) >= 0);
	CHECK(pthread_create(&t, NULL, look, &seen) == 0 && pthread_join(t, NULL) == 0);
	CHECK(seen == (start | SHORT_INODE));
	CHECK((unsigned)personality(start) == (start | SHORT_INODE));
}

static void proc_shows_it(void)
{
	char want[32];

	snprintf(want, sizeof(want), "%08x\n", start);
	CHECK(file_is("/proc/self/personality", want));
}

int main(int argc, char **argv)
{
	static const struct test all[] = {
		TEST(reading_changes_nothing),
		TEST(setting_answers_the_old_one),
		TEST(children_inherit_it),
		TEST(uname_changes_with_it),
		TEST(exec_drops_what_old_programs_need),
		TEST(a_program_without_random_addresses),
		TEST(what_can_be_read_can_be_executed),
		TEST(mappings_may_go_up),
		TEST(each_thread_has_its_own),
		TEST(proc_shows_it),
	};

	if (argc > 1 && strcmp(argv[1], "upwards") == 0)
		return upwards();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
