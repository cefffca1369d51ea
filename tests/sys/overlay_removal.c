/* SPDX-License-Identifier: MIT */
/* overlayfs: directories that go while whiteouts are in them. What these hide never
 * shows, neither while they go nor when the directory has to stay after all. */
/* calls: mount rmdir rename open openat getdents64 */
/* timeout: 60 */
#include "overlay.h"

#define IN_LAYERS(fn) CHECK(in_child(fn) == 0)
enum { VICTIMS = 60, NAMES = 40 };

/* But for the whiteout that Linux keeps for the next time. */
static bool work_is_clear(void)
{
	const char *names = names_in("w/work");
	char path[64];

	snprintf(path, sizeof(path), "w/work/%.*s", (int)strcspn(names, " "), names);
	return !*names || (is_whiteout(path) && !names[strcspn(names, " ") + 1]);
}

/* m/v, whose names have been deleted, and m/n, to go in its place. */
static void fill(void)
{
	CHECK(mkdir("l1/v", 0755) == 0 && mkdir("l2/v", 0750) == 0);
	file_put("l1/v/a", "a");
	file_put("l2/v/b", "b");
	CHECK(overlay_mount("m", LAYERS) == 0 && mkdir("m/n", 0755) == 0);
	CHECK(unlink("m/v/a") == 0 && unlink("m/v/b") == 0);
	CHECK(lists("u/v", "a b ") && lists("m/v", ""));
}

/* Something is mounted on the upper directory: it stays, and so does all in it. */
static void keep(void)
{
	if (!layers_are_there())
		return;
	fill();
	CHECK(mount("u/v", "u/v", NULL, MS_BIND, NULL) == 0);
	FAILS(EBUSY, rmdir("m/v"));
	CHECK(lists("m/v", "") && !exists("m/v/a") && !exists("m/v/b"));
	FAILS(EBUSY, rename("m/n", "m/v"));
	CHECK(lists("m/v", "") && !exists("m/v/a") && !exists("m/v/b"));
	CHECK(umount2("u/v", 0) == 0);
	CHECK(is_whiteout("u/v/a") && is_whiteout("u/v/b") && work_is_clear());
	file_put("m/v/new", "n");
	CHECK(file_is("u/v/new", "n") && unlink("m/v/new") == 0);
	CHECK(overlay_again(LAYERS) && lists("m", "n v ") && lists("m/v", ""));
	CHECK(rmdir("m/v") == 0 && is_whiteout("u/v") && work_is_clear());
}

static void what_must_stay_stays_empty(void)
{
	IN_LAYERS(keep);
}

static void replace(void)
{
	struct stat st;
	int fd;

	if (!layers_are_there())
		return;
	fill();
	file_put("m/n/in", "in");
	fd = open("m/v", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && rename("m/n", "m/v") == 0 && lists("m/v", "in "));
	CHECK(!exists("m/n") && !exists("u/n") && lists("u/v", "in "));
	CHECK(has_mark("u/v", "trusted.overlay.opaque", "y") && work_is_clear());
	FAILS(ENOENT, openat(fd, "a", O_RDONLY));
	FAILS(ENOENT, openat(fd, "b", O_RDONLY | O_CREAT, 0600));
	CHECK(fstat(fd, &st) == 0 && close(fd) == 0);
	CHECK(unlink("m/v/in") == 0 && rmdir("m/v") == 0 && is_whiteout("u/v"));
}

static void a_directory_takes_its_place(void)
{
	IN_LAYERS(replace);
}

/* Directories with whiteouts under names that no layer below has: they leave nothing. */
static void move_and_remove(void)
{
	if (!layers_are_there())
		return;
	CHECK(mkdir("l1/v", 0755) == 0 && mkdir("l1/w", 0755) == 0);
	file_put("l1/v/a", "a");
	file_put("l1/w/a", "a");
	CHECK(overlay_mount("m", LAYERS ",redirect_dir=on") == 0);
	CHECK(rename("m/v", "m/p") == 0 && rename("m/w", "m/q") == 0);
	CHECK(unlink("m/p/a") == 0 && unlink("m/q/a") == 0 && mkdir("m/r", 0755) == 0);
	CHECK(is_whiteout("u/p/a") && is_whiteout("u/q/a"));
	CHECK(mount("u/p", "u/p", NULL, MS_BIND, NULL) == 0);
	FAILS(EBUSY, rmdir("m/p"));
	CHECK(lists("m/p", "") && !exists("m/p/a") && umount2("u/p", 0) == 0);
	CHECK(is_whiteout("u/p/a") && rmdir("m/p") == 0 && !exists("u/p"));
	CHECK(rename("m/r", "m/q") == 0 && lists("m", "q ") && lists("u", "q v w "));
	CHECK(lists("u/q", "") && lists("m/q", "") && work_is_clear());
}

static void moved_directories(void)
{
	IN_LAYERS(move_and_remove);
}

/* Each name is looked for once, so that no earlier answer is remembered. */
static void look_for_names(int victim, int ready, int begin)
{
	char name[16];
	int dir;

	snprintf(name, sizeof(name), "m/v%d", victim);
	dir = open(name, O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0 && write(ready, "", 1) == 1 && read(begin, name, 1) == 1);
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		FAILS(ENOENT, openat(dir, name, O_RDONLY));
	}
	close(dir);
}

static void fill_victims(void)
{
	char name[32];

	for (int v = 0; v < VICTIMS; v++) {
		snprintf(name, sizeof(name), "l2/v%d", v);
		CHECK(mkdir(name, 0755) == 0);
		snprintf(name, sizeof(name), "u/v%d", v);
		CHECK(mkdir(name, 0755) == 0);
		for (int i = 0; i < NAMES; i++) {
			snprintf(name, sizeof(name), "l2/v%d/f%d", v, i);
			file_put(name, "");
			snprintf(name, sizeof(name), "u/v%d/f%d", v, i);
			CHECK(mknod(name, S_IFCHR, 0) == 0);
		}
	}
}

static void race(void)
{
	int ready[2];
	int begin[2];
	char name[16];
	pid_t pid;

	if (!layers_are_there())
		return;
	fill_victims();
	CHECK(overlay_mount("m", LAYERS) == 0 && pipe(ready) == 0 && pipe(begin) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (int v = 0; v < VICTIMS; v++)
			look_for_names(v, ready[1], begin[0]);
		_exit(0);
	}
	for (int v = 0; v < VICTIMS; v++) {
		CHECK(read(ready[0], name, 1) == 1 && write(begin[1], "", 1) == 1);
		snprintf(name, sizeof(name), "m/v%d", v);
		if (v % 2) {
			CHECK(mkdir("m/n", 0755) == 0 && rename("m/n", name) == 0);
			CHECK(lists(name, ""));
		} else {
			CHECK(rmdir(name) == 0 && !exists(name));
		}
	}
	CHECK(child_wait(pid) == 0 && work_is_clear());
}

static void nothing_shows_meanwhile(void)
{
	IN_LAYERS(race);
}

RUN(TEST(what_must_stay_stays_empty), TEST(a_directory_takes_its_place),
    TEST(moved_directories), TEST(nothing_shows_meanwhile))
