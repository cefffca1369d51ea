/* SPDX-License-Identifier: MIT */
/* files */
/* Symbolic links: making, reading and walking them. */
/* calls: symlink symlinkat readlink readlinkat */
#include "fixture.h"

static void the_text_is_kept_as_it_is(void)
{
	char b[64];

	CHECK(symlink("no/such//thing/", "l") == 0);
	memset(b, '#', sizeof(b));
	CHECK(readlink("l", b, sizeof(b)) == 15);
	CHECK(memcmp(b, "no/such//thing/", 15) == 0 && b[15] == '#');
	CHECK(readlink("l", b, 4) == 4 && memcmp(b, "no/s", 4) == 0);
}

static void long_texts_fit(void)
{
	static char text[4096], back[4096];

	memset(text, 'x', 1000);
	CHECK(symlink(text, "long") == 0);
	CHECK(readlink("long", back, sizeof(back)) == 1000);
	CHECK(memcmp(text, back, 1000) == 0);
	memset(text, 'y', 3000);
	CHECK(symlink(text, "longer") == 0);
	CHECK(readlink("longer", back, sizeof(back)) == 3000);
}

static void too_long_texts_do_not(void)
{
	static char text[5000];

	memset(text, 'x', 4096);
	FAILS(ENAMETOOLONG, symlink(text, "toolong"));
}

static void links_lead_through_directories(void)
{
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	file_put("d/e/f", "found");
	CHECK(symlink("d/e", "de") == 0 && file_is("de/f", "found"));
	CHECK(symlink("../d/e/f", "d/up") == 0 && file_is("d/up", "found"));
	CHECK(symlink("de/f", "chain1") == 0 && symlink("chain1", "chain2") == 0);
	CHECK(file_is("chain2", "found"));
	CHECK(symlink("de/../e/f", "dots") == 0 && file_is("dots", "found"));
}

static void forty_links_are_followed_and_no_more(void)
{
	char from[16], to[16];

	file_put("n0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof(from), "n%d", i);
		snprintf(to, sizeof(to), "n%d", i - 1);
		CHECK(symlink(to, from) == 0);
	}
	CHECK(file_is("n40", "end"));
	FAILS(ELOOP, open("n41", O_RDONLY));
}

static void loops_are_eloop(void)
{
	char b[8];

	CHECK(symlink("b", "a") == 0 && symlink("a", "b") == 0);
	FAILS(ELOOP, open("a", O_RDONLY));
	FAILS(ELOOP, open("a/x", O_RDONLY));
	CHECK(readlink("a", b, sizeof(b)) == 1 && b[0] == 'b');
}

static void at_forms_start_at_a_directory(void)
{
	int dir = open("d", O_RDONLY), l;
	char b[8];

	CHECK(symlinkat("e", dir, "le") == 0 && readlinkat(dir, "le", b, 8) == 1);
	CHECK(file_is("d/le/f", "found"));
	l = openat(dir, "le", O_PATH | O_NOFOLLOW);
	CHECK(readlinkat(l, "", b, 8) == 1 && b[0] == 'e' && close(l) == 0);
	FAILS(EBADF, symlinkat("e", -1, "x"));
	FAILS(EBADF, readlinkat(-1, "x", b, 8));
	CHECK(close(dir) == 0);
}

static void documented_errors(void)
{
	char b[8];

	FAILS(EEXIST, symlink("x", "l"));
	FAILS(EEXIST, symlink("x", "d"));
	FAILS(ENOENT, symlink("", "new"));
	FAILS(ENOENT, symlink("x", ""));
	FAILS(ENOENT, symlink("x", "absent/new"));
	FAILS(ENOTDIR, symlink("x", "n0/new"));
	FAILS(EINVAL, readlink("n0", b, 8));
	FAILS(EINVAL, readlink("d", b, 8));
	FAILS(EINVAL, syscall(SYS_readlink, "l", b, 0));
	FAILS(EINVAL, syscall(SYS_readlink, "l", b, -1));
	FAILS(ENOENT, readlink("absent", b, 8));
	FAILS(ENOENT, readlink("", b, 8));
	FAILS(ENOTDIR, readlink("n0/x", b, 8));
}

static void bad_pointers_are_efault(void)
{
	char b[8];

	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_symlink, p, "new"));
		FAILS(EFAULT, syscall(SYS_symlink, "x", p));
		FAILS(EFAULT, syscall(SYS_readlink, p, b, 8));
		FAILS(EFAULT, syscall(SYS_readlink, "l", p, 8));
	}
	CHECK(!exists("new"));
}

RUN(TEST(the_text_is_kept_as_it_is), TEST(long_texts_fit), TEST(too_long_texts_do_not),
    TEST(links_lead_through_directories), TEST(forty_links_are_followed_and_no_more),
    TEST(loops_are_eloop), TEST(at_forms_start_at_a_directory), TEST(documented_errors),
    TEST(bad_pointers_are_efault))
