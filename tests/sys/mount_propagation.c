/* SPDX-License-Identifier: MIT */
/* Shared, slave, private and unbindable mounts. */
/* calls: mount */
#include "mounts.h"

#define IN_OWN_MOUNTS(fn) CHECK(in_child(fn) == 0)

static void set_up(void)
{
	CHECK(mkdir("base", 0755) == 0 && mkdir("plain", 0755) == 0);
	file_put("file", "x");
}

/* A tmpfs at base with the directories a … d, and a/in on a tmpfs of its own. */
static bool base_made(void)
{
	if (!mounts_are_ours())
		return false;
	CHECK(mount("base", "base", "tmpfs", 0, NULL) == 0 && chdir("base") == 0);
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mkdir("c", 0755) == 0);
	CHECK(mkdir("d", 0755) == 0);
	CHECK(mount("a", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/in", 0755) == 0);
	CHECK(mkdir("a/other", 0755) == 0);
	return true;
}

static void base_gone(void)
{
	CHECK(chdir("..") == 0 && umount2("base", MNT_DETACH) == 0);
}

/* The optional fields of the mount at a path below base, as in "shared:1 master:2". */
static const char *fields(const char *path)
{
	static char found[256];
	char cwd[4096], want[8192];
	char *copy = strdup(file_get("/proc/self/mountinfo"));

	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	snprintf(want, sizeof(want), "%s/%s", cwd, path);
	strcpy(found, "none");
	for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
		char point[4096], options[256];
		char *dash = strstr(line, " - ");
		int n = 0;

		*dash = '\0';
		CHECK(sscanf(line, "%*d %*d %*s %*s %4095s %255s%n", point, options,
			     &n) == 2);
		if (strcmp(point, want) == 0)
			snprintf(found, sizeof(found), "%s", line + n);
	}
	free(copy);
	return found;
}

static int group(const char *path, const char *kind)
{
	const char *at = strstr(fields(path), kind);

	return at ? atoi(at + strlen(kind)) : 0;
}

static bool is_mount(const char *path)
{
	return strcmp(fields(path), "none") != 0;
}

static void share(void)
{
	if (!base_made())
		return;
	CHECK(strcmp(fields("a"), "") == 0);
	CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0 && group("a", "shared:") > 0);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("b", "c", NULL, MS_BIND, NULL) == 0);
	CHECK(group("a", "shared:") == group("b", "shared:"));
	CHECK(group("a", "shared:") == group("c", "shared:"));
	/* What comes to one comes to all. */
	CHECK(mount("in", "b/in", "tmpfs", 0, NULL) == 0);
	file_put("b/in/x", "x");
	CHECK(file_is("a/in/x", "x") && file_is("c/in/x", "x"));
	CHECK(group("a/in", "shared:") == group("c/in", "shared:"));
	CHECK(group("a/in", "shared:") > 0);
	CHECK(group("a/in", "shared:") != group("a", "shared:"));
	/* And goes. */
	CHECK(umount2("c/in", 0) == 0 && !exists("a/in/x") && !exists("b/in/x"));
	CHECK(!is_mount("a/in") && !is_mount("b/in"));
	/* A mount in use in another place keeps it from going. */
	CHECK(mount("in", "b/in", "tmpfs", 0, NULL) == 0);
	file_put("a/in/x", "x");
	int fd = open("c/in/x", O_RDONLY);
	CHECK(fd >= 0);
	FAILS(EBUSY, umount2("a/in", 0));
	CHECK(umount2("a/in", MNT_DETACH) == 0 && !is_mount("c/in"));
	CHECK(close(fd) == 0);
	/* Not where the place is not to be seen. */
	CHECK(mount("a/in", "d", NULL, MS_BIND, NULL) == 0);
	CHECK(group("d", "shared:") == group("a", "shared:"));
	CHECK(mount("o", "a/other", "tmpfs", 0, NULL) == 0 && is_mount("c/other"));
	CHECK(umount2("b/other", 0) == 0 && umount2("d", 0) == 0);
	base_gone();
}

static void peers_share_all(void)
{
	IN_OWN_MOUNTS(share);
}

static void slave(void)
{
	if (!base_made())
		return;
	CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	CHECK(mount(NULL, "b", NULL, MS_SLAVE, NULL) == 0);
	CHECK(group("b", "master:") == group("a", "shared:") && !group("b", "shared:"));
	CHECK(mount("in", "a/in", "tmpfs", 0, NULL) == 0 && is_mount("b/in"));
	CHECK(group("b/in", "master:") == group("a/in", "shared:"));
	CHECK(!group("b/in", "shared:"));
	CHECK(mount("o", "b/other", "tmpfs", 0, NULL) == 0 && !is_mount("a/other"));
	CHECK(umount2("b/other", 0) == 0);
	CHECK(umount2("a/in", 0) == 0 && !is_mount("b/in"));
	/* A slave that shares, and its peer; and a slave of those. */
	CHECK(mount(NULL, "b", NULL, MS_SHARED, NULL) == 0);
	CHECK(group("b", "shared:") && group("b", "master:"));
	CHECK(mount("b", "c", NULL, MS_BIND, NULL) == 0);
	CHECK(group("c", "master:") == group("a", "shared:"));
	CHECK(mount("c", "d", NULL, MS_BIND, NULL) == 0);
	CHECK(mount(NULL, "d", NULL, MS_SLAVE, NULL) == 0);
	CHECK(group("d", "master:") == group("b", "shared:"));
	CHECK(mount("in", "a/in", "tmpfs", 0, NULL) == 0);
	file_put("a/in/x", "x");
	CHECK(file_is("b/in/x", "x") && file_is("c/in/x", "x") && file_is("d/in/x", "x"));
	CHECK(group("b/in", "shared:") == group("c/in", "shared:"));
	CHECK(group("b/in", "shared:") != group("a/in", "shared:"));
	CHECK(group("c/in", "master:") == group("a/in", "shared:"));
	CHECK(group("d/in", "master:") == group("b/in", "shared:"));
	CHECK(mount("o", "c/other", "tmpfs", 0, NULL) == 0 && !is_mount("a/other"));
	CHECK(is_mount("b/other") && is_mount("d/other"));
	/* The group in the middle dissolves: its slaves get on. */
	CHECK(mount(NULL, "b", NULL, MS_PRIVATE, NULL) == 0);
	CHECK(mount(NULL, "c", NULL, MS_PRIVATE, NULL) == 0);
	CHECK(group("d", "master:") == group("a", "shared:"));
	CHECK(umount2("a/in", 0) == 0 && !is_mount("d/in") && is_mount("b/in"));
	CHECK(mount(NULL, "a", NULL, MS_PRIVATE, NULL) == 0);
	CHECK(strcmp(fields("d"), "") == 0);
	base_gone();
}

static void slaves_only_receive(void)
{
	IN_OWN_MOUNTS(slave);
}

static void unbind(void)
{
	if (!base_made())
		return;
	CHECK(mount("in", "a/in", "tmpfs", 0, NULL) == 0);
	CHECK(mount(NULL, "a/in", NULL, MS_UNBINDABLE, NULL) == 0);
	CHECK(strcmp(fields("a/in"), " unbindable") == 0);
	FAILS(EINVAL, mount("a/in", "b", NULL, MS_BIND, NULL));
	CHECK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL) == 0 && !is_mount("b/in"));
	CHECK(umount2("b", 0) == 0);
	CHECK(mount(NULL, "a/in", NULL, MS_PRIVATE, NULL) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL) == 0 && is_mount("b/in"));
	/* All of a tree at once. */
	CHECK(mount(NULL, "a", NULL, MS_SHARED | MS_REC, NULL) == 0);
	CHECK(group("a", "shared:") && group("a/in", "shared:"));
	CHECK(!group("b", "shared:") && !group("b/in", "shared:"));
	CHECK(mount(NULL, "a", NULL, MS_PRIVATE | MS_REC, NULL) == 0);
	CHECK(!group("a", "shared:") && !group("a/in", "shared:"));
	base_gone();
}

static void unbindable_ones_stay_alone(void)
{
	IN_OWN_MOUNTS(unbind);
}

static void move(void)
{
	if (!base_made())
		return;
	CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0 && mkdir("d/deep", 0755) == 0);
	CHECK(mount("deep", "d/deep", "tmpfs", 0, NULL) == 0);
	file_put("d/deep/x", "x");
	CHECK(mount("d", "a/in", NULL, MS_MOVE, NULL) == 0);
	CHECK(file_is("a/in/deep/x", "x") && file_is("b/in/deep/x", "x"));
	CHECK(group("a/in/deep", "shared:") == group("b/in/deep", "shared:"));
	FAILS(EINVAL, mount("a/in", "d", NULL, MS_MOVE, NULL)); /* the parent shares */
	CHECK(umount2("a/in", MNT_DETACH) == 0 && !is_mount("b/in/deep"));
	CHECK(!is_mount("b/in"));
	CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0);
	CHECK(mount(NULL, "d", NULL, MS_UNBINDABLE, NULL) == 0);
	FAILS(EINVAL, mount("d", "a/in", NULL, MS_MOVE, NULL));
	base_gone();
}

static void moving_spreads(void)
{
	IN_OWN_MOUNTS(move);
}

static void cover(void)
{
	if (!base_made())
		return;
	/* What comes to a place that is taken comes below it. */
	CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	CHECK(mount(NULL, "b", NULL, MS_SLAVE, NULL) == 0);
	CHECK(mount("own", "b/in", "tmpfs", 0, NULL) == 0);
	file_put("b/in/own", "x");
	CHECK(mount("in", "a/in", "tmpfs", 0, NULL) == 0);
	CHECK(exists("b/in/own"));
	CHECK(umount2("a/in", 0) == 0 && exists("b/in/own"));
	CHECK(umount2("b/in", 0) == 0 && !is_mount("b/in"));
	/* A shared mount in itself. */
	CHECK(umount2("b", 0) == 0);
	CHECK(mount("a", "a/in", NULL, MS_BIND, NULL) == 0);
	CHECK(exists("a/in/other") && group("a/in", "shared:") == group("a", "shared:"));
	CHECK(umount2("a/in", 0) == 0 && !is_mount("a/in"));
	base_gone();
}

static void taken_places(void)
{
	IN_OWN_MOUNTS(cover);
}

static void mistakes(void)
{
	if (!base_made())
		return;
	FAILS(EINVAL, mount(NULL, "b", NULL, MS_SHARED, NULL)); /* no mount */
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_SHARED | MS_PRIVATE, NULL));
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_SHARED | MS_RDONLY, NULL));
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_SLAVE | MS_NOEXEC, NULL));
	CHECK(mount(NULL, "a", NULL, MS_SLAVE | MS_SILENT, NULL) == 0);
	CHECK(strcmp(fields("a"), "") == 0); /* of nobody */
	FAILS(ENOENT, mount(NULL, "absent", NULL, MS_SHARED, NULL));
	base_gone();
}

static void what_cannot_be(void)
{
	IN_OWN_MOUNTS(mistakes);
}

static int mounts_listed(void)
{
	static char line[65536];
	int count = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		count++;
	fclose(f);
	return count;
}

/* Each round mounts a tree at as many places as there are mounts in it. */
static void grow(void)
{
	int before;
	int rounds;

	if (!base_made())
		return;
	CHECK(mount(NULL, ".", NULL, MS_SHARED, NULL) == 0);
	for (rounds = 0; mount(".", "c", NULL, MS_BIND | MS_REC, NULL) == 0; rounds++)
		CHECK(rounds < 10);
	CHECK(errno == ENOSPC && rounds >= 2); /* fs.mount-max */
	before = mounts_listed();
	FAILS(ENOSPC, mount(".", "c", NULL, MS_BIND | MS_REC, NULL));
	CHECK(mounts_listed() == before); /* all of it or nothing */
	CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0 && mounts_listed() > before);
	base_gone();
}

static void no_more_than_the_limit(void)
{
	IN_OWN_MOUNTS(grow);
}

RUN(TEST(set_up), TEST(peers_share_all), TEST(slaves_only_receive),
    TEST(unbindable_ones_stay_alone), TEST(moving_spreads), TEST(taken_places),
    TEST(what_cannot_be), TEST(no_more_than_the_limit))
