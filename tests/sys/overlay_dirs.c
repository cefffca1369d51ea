/* SPDX-License-Identifier: MIT */
/* overlayfs: names. What the upper directory has says what is seen, in Linux's own form.
 */
/* calls: mount mkdir rmdir unlink rename renameat2 mknod symlink getdents64 lseek stat */
#include "overlay.h"

#define IN_LAYERS(fn) CHECK(in_child(fn) == 0)
#define rename2(a, b, flags)                                                             \
	((int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags))
enum { NOREPLACE = 1, EXCHANGE = 2, WHITEOUT = 4 };

static nlink_t links_of(const char *path)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	return st.st_nlink;
}

/* Two layers that share a directory. */
static void fill(void)
{
	CHECK(mkdir("l1/d", 0755) == 0 && mkdir("l2/d", 0755) == 0);
	file_put("l1/d/a", "1a");
	file_put("l2/d/a", "2a");
	file_put("l2/d/b", "2b");
	CHECK(mkdir("l2/only", 0755) == 0);
	file_put("l2/only/x", "x");
	file_put("l1/f", "1f");
	file_put("l2/f", "2f");
	file_put("l2/g", "2g");
}

static void merge(void)
{
	if (!layers_are_there())
		return;
	fill();
	file_put("l1/h", "file");
	CHECK(mkdir("l2/h", 0755) == 0); /* hidden by a file above it */
	CHECK(mkdir("l1/i", 0755) == 0);
	file_put("l2/i", "hidden by a directory");
	CHECK(mknod("l1/w", S_IFCHR, 0) == 0);
	file_put("l2/w", "hidden by a whiteout");
	CHECK(mkdir("l1/o", 0755) == 0 && mkdir("l2/o", 0755) == 0);
	file_put("l2/o/x", "hidden by an opaque directory");
	CHECK(setxattr("l1/o", "trusted.overlay.opaque", "y", 1, 0) == 0);
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(lists("m", "d f g h i o only ") && lists("m/d", "a b "));
	CHECK(lists("m/i", "") && lists("m/o", "") && lists("m/only", "x "));
	CHECK(file_is("m/f", "1f") && file_is("m/g", "2g") && file_is("m/d/a", "1a"));
	CHECK(!exists("m/w") && !exists("m/o/x") && file_is("m/h", "file"));
	CHECK(links_of("m/d") == 1 && links_of("m/only") == 2 && links_of("m") == 1);
	CHECK(ino_of("m/d") == ino_of("l1/d"));
	CHECK(chmod("m/d", 0700) == 0 && ino_of("m/d") == ino_of("l1/d"));
}

static void layers_are_merged(void)
{
	IN_LAYERS(merge);
}

static void take_away(void)
{
	if (!layers_are_there())
		return;
	fill();
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(unlink("m/f") == 0 && !exists("m/f") && is_whiteout("u/f"));
	FAILS(ENOENT, unlink("m/f"));
	FAILS(ENOTEMPTY, rmdir("m/d"));
	FAILS(EISDIR, unlink("m/d"));
	CHECK(unlink("m/d/a") == 0 && unlink("m/d/b") == 0 && lists("u/d", "a b "));
	CHECK(lists("m/d", "") && rmdir("m/d") == 0 && is_whiteout("u/d"));
	CHECK(lists("m", "g only "));
	/* Made again: what is below does not come back. */
	CHECK(mkdir("m/d", 0750) == 0 && lists("m/d", "") && !exists("m/d/b"));
	CHECK(has_mark("u/d", "trusted.overlay.opaque", "y") && links_of("m/d") == 2);
	CHECK(mkdir("m/f", 0755) == 0 && symlink("to", "m/d/s") == 0);
	FAILS(EEXIST, mkdir("m/g", 0755));
	FAILS(EPERM, mknod("m/d/w", S_IFCHR, 0)); /* that would be a whiteout */
	CHECK(mknod("m/d/p", S_IFIFO | 0600, 0) == 0 && lists("m/d", "p s "));
	CHECK(unlink("m/d/p") == 0 && !exists("u/d/p")); /* nothing to hide */
	file_put("m/new", "n");
	CHECK(unlink("m/new") == 0 && !exists("u/new"));
	CHECK(overlay_again(LAYERS) && lists("m", "d f g only ") && lists("m/d", "s "));
	CHECK(unlink("m/d/s") == 0 && rmdir("m/d") == 0 && is_whiteout("u/d"));
	CHECK(rmdir("m/f") == 0 && is_whiteout("u/f") && lists("m", "g only "));
	file_put("m/f", "anew");
	CHECK(file_is("m/f", "anew") && file_is("u/f", "anew") && file_is("l1/f", "1f"));
}

static void names_are_removed_and_made_again(void)
{
	IN_LAYERS(take_away);
}

static void move(void)
{
	if (!layers_are_there())
		return;
	fill();
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(rename("m/f", "m/f2") == 0 && file_is("m/f2", "1f") && is_whiteout("u/f"));
	CHECK(ino_of("m/f2") == ino_of("l1/f"));
	CHECK(rename("m/f2", "m/f") == 0 && lists("m", "d f g only "));
	CHECK(rename("m/f", "m/g") == 0 && file_is("m/g", "1f") && !exists("m/f"));
	FAILS(EXDEV, rename("m/d", "m/e"));
	FAILS(EXDEV, rename("m/only", "m/e"));
	CHECK(mkdir("m/n", 0755) == 0 && mkdir("m/n/in", 0755) == 0);
	CHECK(rename("m/n", "m/n2") == 0 && !exists("u/n") && lists("m/n2", "in "));
	FAILS(ENOTEMPTY, rename("m/n2", "m/d"));
	FAILS(ENOTDIR, rename("m/n2", "m/g"));
	FAILS(EISDIR, rename("m/g", "m/n2"));
	FAILS(EINVAL, rename("m/n2", "m/n2/in/x"));
	CHECK(unlink("m/d/a") == 0 && unlink("m/d/b") == 0);
	CHECK(rename("m/n2", "m/d") == 0 && lists("m/d", "in ") && !exists("m/n2"));
	CHECK(has_mark("u/d", "trusted.overlay.opaque", "y"));
	CHECK(unlink("m/only/x") == 0 && rmdir("m/only") == 0);
	CHECK(rename("m/d", "m/only") == 0 && lists("m/only", "in ")); /* a whiteout */
	CHECK(is_whiteout("u/d") && has_mark("u/only", "trusted.overlay.opaque", "y"));
	FAILS(EINVAL, rename2("m/g", "m/x", WHITEOUT));
	FAILS(EEXIST, rename2("m/g", "m/only", NOREPLACE));
	CHECK(rename2("m/g", "m/x", NOREPLACE) == 0);
	CHECK(rename2("m/x", "m/only", EXCHANGE) == 0 && file_is("m/only", "1f"));
	CHECK(lists("m/x", "in ") && overlay_again(LAYERS));
	CHECK(lists("m", "only x ") && lists("m/x", "in ") && file_is("m/only", "1f"));
}

static void names_are_moved(void)
{
	IN_LAYERS(move);
}

static void redirect(void)
{
	char buf[64] = "";

	if (!layers_are_there())
		return;
	fill();
	CHECK(mkdir("l2/d/sub", 0755) == 0);
	file_put("l2/d/sub/deep", "deep");
	CHECK(overlay_mount("m", LAYERS ",redirect_dir=on") == 0);
	CHECK(rename("m/d", "m/e") == 0 && lists("m/e", "a b sub ") && !exists("m/d"));
	CHECK(has_mark("u/e", "trusted.overlay.redirect", "d") && is_whiteout("u/d"));
	CHECK(rename("m/e", "m/only/e") == 0 && file_is("m/only/e/b", "2b"));
	CHECK(getxattr("u/only/e", "trusted.overlay.redirect", buf, 64) == 2);
	CHECK(memcmp(buf, "/d", 2) == 0);
	CHECK(rename("m/only/e/sub", "m/top") == 0 && file_is("m/top/deep", "deep"));
	CHECK(getxattr("u/top", "trusted.overlay.redirect", buf, 64) == 6);
	CHECK(memcmp(buf, "/d/sub", 6) == 0);
	file_put("m/top/deep", "changed");
	CHECK(unlink("m/only/e/a") == 0);
	CHECK(overlay_again(LAYERS) && lists("m/only", "e x "));
	CHECK(lists("m/only/e", "b ") && file_is("m/top/deep", "changed"));
	FAILS(EXDEV, rename("m/top", "m/top2"));
	CHECK(overlay_again(LAYERS ",redirect_dir=on"));
	CHECK(rename2("m/top", "m/only", EXCHANGE) == 0 && lists("m/top", "e x "));
	CHECK(file_is("m/only/deep", "changed") && file_is("m/top/e/b", "2b"));
	CHECK(overlay_again(LAYERS ",redirect_dir=nofollow"));
	FAILS(EPERM, open("m/only", O_RDONLY));
}

static void redirected_directories(void)
{
	IN_LAYERS(redirect);
}

#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define THREE	  "lowerdir=l1:l2:l3,upperdir=u,workdir=w,redirect_dir=on"

static void redirect_to(const char *path, const char *where)
{
	CHECK(setxattr(path, "trusted.overlay.redirect", where, strlen(where), 0) == 0);
}

/* A directory above was renamed, too: the name to look for has become shorter. */
static void redirect_twice(void)
{
	static const char *const dirs[] = {
		"l3",	"u/x",	  "l1/" LONG_NAME, "l1/" LONG_NAME "/b",
		"l2/c", "l2/c/d", "l2/" LONG_NAME, "l2/" LONG_NAME "/d",
		"l3/c", "l3/c/d"};

	if (!layers_are_there())
		return;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK(mkdir(dirs[i], 0755) == 0);
	file_put("l1/" LONG_NAME "/b/one", "1");
	file_put("l2/c/d/two", "2");
	file_put("l2/" LONG_NAME "/d/wrong", "");
	file_put("l3/c/d/three", "3");
	redirect_to("u/x", "/" LONG_NAME "/b");
	redirect_to("l1/" LONG_NAME, "/c");
	redirect_to("l1/" LONG_NAME "/b", "d");
	CHECK(overlay_mount("m", THREE) == 0);
	CHECK(lists("m/x", "one three two "));
	CHECK(file_is("m/x/one", "1") && file_is("m/x/two", "2"));
}

static void redirects_meet(void)
{
	IN_LAYERS(redirect_twice);
}

/* Somebody has written a redirect that names no directory in the layer. */
static void redirect_astray(void)
{
	static const struct {
		const char *where;
		int error;
	} cases[] = {
		{"..", EACCES},	   {".", EACCES},   {"/d/../f", EACCES},
		{"/./d", EACCES},  {"/..", EACCES}, {"/d//sub", EINVAL},
		{"/d/", EINVAL},   {"/", EINVAL},   {"", EINVAL},
		{"d/sub", EINVAL},
	};
	char name[16];

	if (!layers_are_there())
		return;
	fill();
	for (int i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
		snprintf(name, sizeof(name), "l1/r%d", i);
		CHECK(mkdir(name, 0755) == 0);
		redirect_to(name, cases[i].where);
	}
	CHECK(overlay_mount("m", LAYERS) == 0);
	for (int i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
		snprintf(name, sizeof(name), "m/r%d", i);
		FAILS(cases[i].error, open(name, O_RDONLY | O_DIRECTORY));
	}
}

static void redirects_stay_in_the_layer(void)
{
	IN_LAYERS(redirect_astray);
}

static void read_on(void)
{
	struct dirent *e;
	char name[300];
	int count = 0;
	long middle = 0;
	DIR *dir;

	if (!layers_are_there())
		return;
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "l%d/%03d", 1 + i % 2, i);
		file_put(name, "");
	}
	CHECK(overlay_mount("m", LAYERS) == 0);
	dir = opendir("m");
	CHECK(dir);
	while ((e = readdir(dir)) != NULL && count < 300) {
		count += e->d_name[0] != '.';
		CHECK(e->d_type == DT_DIR || e->d_type == DT_REG);
		if (e->d_type == DT_REG)
			CHECK(e->d_ino ==
			      ino_of((snprintf(name, sizeof(name), "m/%s", e->d_name),
				      name)));
	}
	middle = telldir(dir);
	/* What has been copied up or made meanwhile comes neither twice nor not at all.
	 */
	for (int i = 0; i < 600; i += 3) {
		snprintf(name, sizeof(name), "m/%03d", i);
		CHECK(chmod(name, 0600) == 0);
	}
	for (; e; e = readdir(dir))
		count += e->d_name[0] != '.';
	CHECK(count == 600);
	seekdir(dir, middle);
	for (count = 0; readdir(dir); count++)
		;
	CHECK(count > 250 && count < 350);
	CHECK(unlink("m/000") == 0 && unlink("m/001") == 0);
	file_put("m/x", "x");
	rewinddir(dir);
	for (count = 0; (e = readdir(dir)); count += e->d_name[0] != '.')
		if (e->d_name[0] != '.')
			CHECK(e->d_ino ==
			      ino_of((snprintf(name, sizeof(name), "m/%s", e->d_name),
				      name)));
	CHECK(count == 599 && closedir(dir) == 0);
}

static void listing(void)
{
	IN_LAYERS(read_on);
}

static void be_user(void)
{
	CHECK(chdir("t/m") == 0);
	become_user();
	FAILS(EACCES, open("secret", O_RDONLY));
	FAILS(EACCES, mkdir("closed/d", 0755));
	FAILS(EACCES, unlink("f"));
	CHECK(mkdir("open/d", 0755) == 0 && unlink("open/f") == 0);
	file_put("open/f", "mine");
}

static void permit(void)
{
	struct stat st;

	if (!layers_are_there())
		return;
	file_put("l1/secret", "s");
	file_put("l1/f", "f");
	CHECK(chmod("l1/secret", 0600) == 0 && mkdir("l1/closed", 0755) == 0);
	CHECK(mkdir("l1/open", 0777) == 0 && chmod("l1/open", 02777) == 0 &&
	      chown("l1/open", 0, 7) == 0 && chmod("l1/open", 02777) == 0);
	file_put("l1/open/f", "f");
	CHECK(overlay_mount("m", LAYERS) == 0 && chdir("..") == 0);
	CHECK(in_child(be_user) == 0 && chdir("t") == 0);
	CHECK(stat("u/open/d", &st) == 0 && st.st_uid != 0 && st.st_gid == 7);
	CHECK(st.st_mode & S_ISGID);
	CHECK(stat("u/open/f", &st) == 0 && st.st_uid != 0 && st.st_gid == 7);
	CHECK(stat("u/open", &st) == 0 && st.st_uid == 0 &&
	      st.st_mode == (S_IFDIR | 02777));
}

static void permission_is_checked_above(void)
{
	IN_LAYERS(permit);
}

RUN(TEST(layers_are_merged), TEST(names_are_removed_and_made_again),
    TEST(names_are_moved), TEST(redirected_directories), TEST(redirects_meet),
    TEST(redirects_stay_in_the_layer), TEST(listing), TEST(permission_is_checked_above))
