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

static void proc_shows_it(void)
{
	char want[32];

	snprintf(want, sizeof(want), "%08x\n", start);
	CHECK(file_is("/proc/self/personality", want));
}

RUN(TEST(reading_changes_nothing), TEST(setting_answers_the_old_one),
    TEST(children_inherit_it), TEST(uname_changes_with_it),
    TEST(exec_drops_what_old_programs_need), TEST(a_program_without_random_addresses),
    TEST(proc_shows_it))
