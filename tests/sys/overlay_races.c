/* SPDX-License-Identifier: MIT */
/* overlayfs: several processes change one tree at random. Afterwards each name that is
 * listed is there, and mounted again the tree is the same. */
/* calls: mount rename mkdir rmdir unlink link chmod getdents64 */
/* timeout: 60 */
#include "overlay.h"

enum { PROCESSES = 4, ROUNDS = 3000, NAMES = 6, DEPTH = 3 };

static unsigned int seed;

static unsigned int roll(unsigned int sides)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % sides;
}

/* Something like "m/2/0/5". */
static void pick(char *path)
{
	int depth = 1 + (int)roll(DEPTH);

	path += sprintf(path, "m");
	for (int i = 0; i < depth; i++)
		path += sprintf(path, "/%u", roll(NAMES));
}

static void write_some(const char *path)
{
	int fd = open(path, O_WRONLY | (roll(2) ? O_CREAT : 0), 0644);

	if (fd < 0)
		return;
	(void)!write(fd, path, strlen(path));
	close(fd);
}

static void look_around(const char *path)
{
	struct dirent *e;
	DIR *d = opendir(path);

	while (d && (e = readdir(d)) != NULL)
		;
	if (d)
		closedir(d);
}

static void act(void)
{
	char a[64];
	char b[64];

	pick(a);
	pick(b);
	switch (roll(10)) {
	case 0:
	case 1:
		(void)mkdir(a, 0755);
		break;
	case 2:
		write_some(a);
		break;
	case 3:
		(void)unlink(a);
		break;
	case 4:
		(void)rmdir(a);
		break;
	case 5:
		(void)rename(a, b);
		break;
	case 6:
		(void)link(a, b);
		break;
	case 7:
		(void)chmod(a, 0700 + roll(64));
		break;
	case 8:
		look_around(a);
		break;
	default:
		(void)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
		break;
	}
	errno = 0;
}

/* All names below path with type and size, in order. */
static void describe(const char *path, char *out)
{
	struct dirent **list;
	char below[1024];
	struct stat st;
	int count = scandir(path, &list, NULL, alphasort);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		if (list[i]->d_name[0] != '.') {
			snprintf(below, sizeof(below), "%s/%s", path, list[i]->d_name);
			CHECK(lstat(below, &st) == 0); /* listed, so it is there */
			sprintf(out + strlen(out), "%s %o %ld\n", below, st.st_mode,
				S_ISREG(st.st_mode) ? (long)st.st_size : 0L);
			if (S_ISDIR(st.st_mode))
				describe(below, out);
		}
		free(list[i]);
	}
	free(list);
}

static void clear(const char *path)
{
	struct dirent **list;
	char below[1024];
	int count = scandir(path, &list, NULL, NULL);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		snprintf(below, sizeof(below), "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.' && unlink(below) != 0) {
			CHECK(errno == EISDIR);
			clear(below);
			CHECK(rmdir(below) == 0);
		}
		free(list[i]);
	}
	free(list);
}

static void make_layers(void)
{
	char path[64];

	for (int layer = 1; layer <= 2; layer++) {
		for (int i = 0; i < NAMES; i++) {
			for (int k = 0; k < NAMES; k++) {
				snprintf(path, sizeof(path), "l%d/%d", layer, i);
				(void)mkdir(path, 0755);
				snprintf(path, sizeof(path), "l%d/%d/%d", layer, i, k);
				if ((i + k + layer) % 2)
					file_put(path, path);
				else
					CHECK(mkdir(path, 0755) == 0);
			}
		}
	}
}

static void one_of_them(void)
{
	seed = (unsigned int)getpid() * 7919U;
	for (int i = 0; i < ROUNDS; i++)
		act();
}

static char before[1 << 20];
static char after[1 << 20];

static void race_with(const char *options)
{
	pid_t children[PROCESSES];

	make_layers();
	CHECK(overlay_mount("m", options) == 0);
	for (int i = 0; i < PROCESSES; i++)
		children[i] = child_start(one_of_them);
	for (int i = 0; i < PROCESSES; i++)
		CHECK(child_wait(children[i]) == 0);
	CHECK(strlen(names_in("w/work")) < 10); /* Linux keeps a whiteout to link to */
	describe("m", before);
	CHECK(overlay_again(options));
	describe("m", after);
	CHECK(strcmp(before, after) == 0);
	clear("m");
	CHECK(lists("m", "") && overlay_again(options) && lists("m", ""));
	CHECK(umount2("m", 0) == 0);
}

static void race(void)
{
	if (layers_are_there())
		race_with(LAYERS);
}

static void race_redirected(void)
{
	if (layers_are_there())
		race_with(LAYERS ",redirect_dir=on,metacopy=on");
}

static void a_tree_stays_whole(void)
{
	CHECK(in_child(race) == 0);
}

static void also_with_redirects(void)
{
	CHECK(in_child(race_redirected) == 0);
}

RUN(TEST(a_tree_stays_whole), TEST(also_with_redirects))
