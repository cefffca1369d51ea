/* SPDX-License-Identifier: MIT */
/* overlayfs: which directories can be laid over each other, and its options. */
/* calls: mount umount2 fsopen fsconfig fsmount */
#include "overlay.h"

#include <sys/statfs.h>

#define IN_LAYERS(fn) CHECK(in_child(fn) == 0)

/* What mountinfo says of m after its source. */
static const char *shown(void)
{
	static char found[4096];
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	CHECK(f);
	found[0] = 0;
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, " - overlay overlay ");

		if (!at || !strstr(line, "/t/m "))
			continue;
		line[strcspn(line, "\n")] = 0; /* the last one is on top */
		strcpy(found, at + strlen(" - overlay overlay "));
	}
	fclose(f);
	return found;
}

static int mount_errno(const char *options)
{
	if (overlay_mount("m", options) != 0)
		return errno;
	CHECK(umount2("m", 0) == 0);
	return 0;
}

static bool shows(const char *options, const char *text)
{
	bool ok;

	CHECK(overlay_mount("m", options) == 0);
	ok = strcmp(shown(), text) == 0;
	if (!ok)
		printf("# %s\n# %s\n", options, shown());
	CHECK(umount2("m", 0) == 0);
	return ok;
}

static void refuse(void)
{
	static const struct {
		const char *options;
		int err;
	} bad[] = {
		{"", EINVAL},
		{"lowerdir=l1", EINVAL}, /* one alone is no union */
		{"lowerdir", EINVAL},
		{"upperdir=u,workdir=w", EINVAL},
		{"lowerdir=nope:l1", ENOENT},
		{"lowerdir=file:l1", EINVAL},
		{"lowerdir=l1:l1", ELOOP},
		{"lowerdir=l1:l2:", EINVAL},
		{"lowerdir=:l1:l2", EINVAL},
		{"lowerdir=l1::l2:l1", EINVAL},
		{"lowerdir=/proc:l1", EINVAL},
		{"lowerdir=l1,upperdir=u", EINVAL},
		{"lowerdir=l1,workdir=w", EINVAL},
		{"lowerdir=l1,upperdir=u,workdir=u", EINVAL},
		{"lowerdir=l1,upperdir=u,workdir=u/x", ENOENT},
		{"lowerdir=l1,upperdir=u,workdir=u/in", EINVAL},
		{"lowerdir=l1,upperdir=w/in,workdir=w", EINVAL},
		{"lowerdir=l1,upperdir=nope,workdir=w", ENOENT},
		{"lowerdir=l1,upperdir=file,workdir=w", EINVAL},
		{"lowerdir=l1,upperdir=u,workdir=other", EINVAL},
		{"lowerdir=u,upperdir=u,workdir=w", ELOOP},
		{"lowerdir=u/in,upperdir=u,workdir=w", ELOOP},
		{"lowerdir=w,upperdir=u,workdir=w", ELOOP},
		{"lowerdir=l1,upperdir=/proc/self,workdir=/proc/self/fd", EINVAL},
		{LAYERS ",foo", EINVAL},
		{LAYERS ",foo=bar", EINVAL},
		{LAYERS ",redirect_dir=bad", EINVAL},
		{LAYERS ",index=bad", EINVAL},
		{LAYERS ",metacopy", EINVAL},
		{LAYERS ",metacopy=on,redirect_dir=off", EINVAL},
		{LAYERS ",userxattr,redirect_dir=on", EINVAL},
		{LAYERS ",userxattr,metacopy=on", EINVAL},
		{LAYERS ",nfs_export=on,index=off", EINVAL},
		{"lowerdir=l1,lowerdir+=l2", EINVAL},
		{"lowerdir+=l1,lowerdir=l2", EINVAL},
		{"lowerdir=l1,lowerdir=l2", EINVAL},
		{"datadir+=l1,lowerdir+=l2", EINVAL},
	};

	if (!layers_are_there())
		return;
	file_put("file", "text");
	CHECK(mkdir("u/in", 0755) == 0 && mkdir("w/in", 0755) == 0);
	CHECK(mkdir("other", 0755) == 0 && mount("o", "other", "tmpfs", 0, NULL) == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int err = mount_errno(bad[i].options);

		if (err != bad[i].err)
			printf("# %s: %s\n", bad[i].options, strerror(err));
		CHECK(err == bad[i].err);
	}
	FAILS(EINVAL, overlay_mount("m", NULL));
	CHECK(mount("r", "other", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(mount_errno("lowerdir=l1,upperdir=other,workdir=other") == EINVAL);
}

static void what_cannot_be_laid_over_each_other(void)
{
	IN_LAYERS(refuse);
}

static void show(void)
{
	static const char *const pairs[][2] = {
		{"lowerdir=l1:l2", "ro,lowerdir=l1:l2,redirect_dir=on"},
		{"lowerdir=l1::l2", "ro,lowerdir=l1::l2,redirect_dir=on"},
		{"lowerdir+=l1,lowerdir+=l2",
		 "ro,lowerdir+=l1,lowerdir+=l2,redirect_dir=on"},
		{"lowerdir+=l1,datadir+=l2,metacopy=on",
		 "ro,lowerdir+=l1,datadir+=l2,redirect_dir=on,metacopy=on"},
		{LAYERS, "rw," LAYERS ",uuid=on"}, /* made for the fresh directory */
		{LAYERS, "rw," LAYERS},
		{LAYERS ",redirect_dir=on", "rw," LAYERS ",redirect_dir=on"},
		{LAYERS ",redirect_dir=off", "rw," LAYERS},
		{LAYERS ",redirect_dir=follow", "rw," LAYERS},
		{LAYERS ",redirect_dir=nofollow", "rw," LAYERS ",redirect_dir=nofollow"},
		{LAYERS ",metacopy=on", "rw," LAYERS ",redirect_dir=on,metacopy=on"},
		{LAYERS ",userxattr,uuid=off",
		 "rw," LAYERS ",redirect_dir=nofollow,uuid=off,userxattr"},
		{LAYERS ",uuid=null", "rw," LAYERS ",uuid=null"},
		{LAYERS ",uuid=on", "rw," LAYERS ",uuid=on"},
		{LAYERS ",xino=on", "rw," LAYERS}, /* they are on one file system */
		{LAYERS ",index=off,xino=off,metacopy=off", "rw," LAYERS},
		{LAYERS ",default_permissions", "rw," LAYERS ",default_permissions"},
		{LAYERS ",override_creds", "rw," LAYERS},
		{LAYERS ",workdir=w2,upperdir=u2",
		 "rw,lowerdir=l1:l2,upperdir=u2,workdir=w2,uuid=on"},
	};
	struct statfs fs;

	if (!layers_are_there())
		return;
	CHECK(mkdir("u2", 0755) == 0 && mkdir("w2", 0755) == 0);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		CHECK(shows(pairs[i][0], pairs[i][1]));
	CHECK(overlay_mount("m", LAYERS) == 0);
	CHECK(statfs("m", &fs) == 0 && fs.f_type == 0x794c7630 && fs.f_namelen == 255);
	CHECK(exists("w/work") && lists("w/work", ""));
	/* Options cannot change; the rest can. */
	CHECK(mount("x", "m", NULL, MS_REMOUNT | MS_RDONLY, "upperdir=x") == 0);
	FAILS(EROFS, mkdir("m/d", 0755));
	CHECK(mount("x", "m", NULL, MS_REMOUNT, NULL) == 0 && mkdir("m/d", 0755) == 0);
	CHECK(umount2("m", 0) == 0 && overlay_mount("m", "lowerdir=l1:l2") == 0);
	FAILS(EROFS, mkdir("m/d", 0755));
	FAILS(EROFS, mount("x", "m", NULL, MS_REMOUNT, NULL));
}

static void options_are_shown(void)
{
	IN_LAYERS(show);
}

static void spell(void)
{
	if (!layers_are_there())
		return;
	CHECK(mkdir("a:b", 0755) == 0 && mkdir("c,d", 0755) == 0);
	CHECK(mkdir("u,1", 0755) == 0 && mkdir("w\\2", 0755) == 0);
	file_put("a:b/ab", "ab");
	file_put("c,d/cd", "cd");
	CHECK(overlay_mount("m", "lowerdir=a\\:b:c\\,d,upperdir=u\\,1,workdir=w\\\\2") ==
	      0);
	CHECK(lists("m", "ab cd "));
	file_put("m/new", "new");
	CHECK(file_is("u,1/new", "new") && exists("w\\2/work"));
}

static void colons_and_commas_in_names(void)
{
	IN_LAYERS(spell);
}

static void use_twice(void)
{
	if (!layers_are_there())
		return;
	CHECK(overlay_mount("m", LAYERS) == 0);
	/* Warned of, and allowed, but not with an index. */
	CHECK(overlay_mount("n", "lowerdir=l2,upperdir=u,workdir=w") == 0);
	CHECK(umount2("n", 0) == 0);
	FAILS(EBUSY, overlay_mount("n", "lowerdir=l2,upperdir=u,workdir=w,index=on"));
	CHECK(umount2("m", 0) == 0);
	CHECK(overlay_mount("n", "lowerdir=l2,upperdir=u,workdir=w,index=on") == 0);
	CHECK(umount2("n", 0) == 0);
	/* The layers' file system stays, whatever is unmounted. */
	CHECK(mkdir("deep", 0755) == 0 && mount("d", "deep", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("deep/l", 0755) == 0 && mkdir("deep/u", 0755) == 0 &&
	      mkdir("deep/w", 0755) == 0);
	file_put("deep/l/f", "f");
	CHECK(overlay_mount("m", "lowerdir=deep/l,upperdir=deep/u,workdir=deep/w") == 0);
	CHECK(umount2("deep", 0) == 0 && file_is("m/f", "f"));
	file_put("m/f", "g");
	CHECK(file_is("m/f", "g"));
}

static void directories_in_use(void)
{
	IN_LAYERS(use_twice);
}

static void stack(void)
{
	if (!layers_are_there())
		return;
	file_put("l1/one", "1");
	file_put("l2/two", "2");
	CHECK(mkdir("m2", 0755) == 0 && mkdir("m3", 0755) == 0);
	CHECK(mkdir("l3", 0755) == 0);
	CHECK(overlay_mount("m", LAYERS) == 0);
	FAILS(EINVAL, overlay_mount("m2", "lowerdir=l1,upperdir=m,workdir=m"));
	CHECK(overlay_mount("m2", "lowerdir=m:l3") == 0 && lists("m2", "one two "));
	FAILS(EINVAL, overlay_mount("m3", "lowerdir=m2:l3"));
	CHECK(umount2("m2", 0) == 0);
	CHECK(mkdir("u2", 0755) == 0 && mkdir("w2", 0755) == 0);
	CHECK(overlay_mount("m2", "lowerdir=m,upperdir=u2,workdir=w2") == 0);
	file_put("m2/one", "one");
	CHECK(file_is("m2/one", "one") && file_is("m/one", "1") && !exists("u/one"));
	CHECK(unlink("m2/two") == 0 && lists("m2", "one ") && lists("m", "one two "));
}

static void overlays_over_overlays(void)
{
	IN_LAYERS(stack);
}

static void be_volatile(void)
{
	if (!layers_are_there())
		return;
	CHECK(overlay_mount("m", LAYERS ",volatile") == 0);
	CHECK(strstr(shown(), ",fsync=volatile"));
	CHECK(exists("w/work/incompat/volatile/dirty"));
	CHECK(umount2("m", 0) == 0);
	FAILS(EINVAL, overlay_mount("m", LAYERS));
	FAILS(EINVAL, overlay_mount("m", LAYERS ",volatile"));
	CHECK(unlink("w/work/incompat/volatile/dirty") == 0 &&
	      rmdir("w/work/incompat/volatile") == 0);
	file_put("w/work/left", "over");
	CHECK(overlay_mount("m", LAYERS) == 0 && lists("w/work", ""));
}

static void a_volatile_one_is_not_mounted_again(void)
{
	IN_LAYERS(be_volatile);
}

static int configure(int fd, unsigned int cmd, const char *key, const void *value,
		     int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

static bool log_is(int fd, const char *text)
{
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	CHECK(n > 0);
	buf[n] = 0;
	if (strcmp(buf, text) != 0)
		printf("# %s", buf);
	return strcmp(buf, text) == 0;
}

static void step_by_step(void)
{
	enum { FLAG, STRING, BINARY, PATH, PATH_EMPTY, FD, CREATE };
	int fs;
	int tree;
	int dir;

	if (!layers_are_there())
		return;
	file_put("l1/a", "a");
	file_put("l2/b", "b");
	fs = (int)syscall(SYS_fsopen, "overlay", 0);
	CHECK(fs >= 0);
	CHECK(configure(fs, STRING, "source", "overlay", 0) == 0);
	CHECK(configure(fs, STRING, "lowerdir+", "l1", 0) == 0);
	/* All at once replaces what was there. */
	CHECK(configure(fs, STRING, "lowerdir", "l2", 0) == 0);
	FAILS(EINVAL, configure(fs, STRING, "lowerdir+", "l1", 0));
	CHECK(log_is(fs, "e overlay: lowerdir+ and datadir+ cannot follow lowerdir\n"));
	CHECK(configure(fs, STRING, "lowerdir", "", 0) == 0);
	CHECK(configure(fs, STRING, "lowerdir+", "l1", 0) == 0);
	FAILS(EINVAL, configure(fs, STRING, "lowerdir+", "l1/a", 0));
	CHECK(log_is(fs, "e overlay: l1/a is not a directory\n"));
	FAILS(EINVAL, configure(fs, STRING, "foo", "bar", 0));
	CHECK(log_is(fs, "e overlay: Unknown parameter 'foo'\n"));
	FAILS(EINVAL, configure(fs, STRING, "index", "bar", 0));
	CHECK(log_is(fs, "e overlay: Bad value for 'index'\n"));
	FAILS(ENOENT, configure(fs, STRING, "upperdir", "none", 0));
	dir = open("l2", O_PATH | O_DIRECTORY);
	CHECK(dir >= 0 && configure(fs, FD, "lowerdir+", NULL, dir) == 0);
	FAILS(EBADF, configure(fs, FD, "lowerdir+", NULL, 999));
	CHECK(configure(fs, STRING, "upperdir", "u", 0) == 0);
	CHECK(configure(fs, STRING, "workdir", "w", 0) == 0);
	CHECK(configure(fs, FLAG, "userxattr", NULL, 0) == 0);
	CHECK(configure(fs, CREATE, NULL, NULL, 0) == 0);
	tree = (int)syscall(SYS_fsmount, fs, 0, 0);
	CHECK(tree >= 0 && syscall(SYS_move_mount, tree, "", AT_FDCWD, "m", 4) == 0);
	CHECK(lists("m", "a b ") && close(tree) == 0 && close(fs) == 0);
	CHECK(unlink("m/a") == 0 && is_whiteout("u/a"));
	CHECK(mkdir("m/a", 0755) == 0 && has_mark("u/a", "user.overlay.opaque", "y"));
}

static void named_one_by_one(void)
{
	IN_LAYERS(step_by_step);
}

RUN(TEST(what_cannot_be_laid_over_each_other), TEST(options_are_shown),
    TEST(colons_and_commas_in_names), TEST(directories_in_use),
    TEST(overlays_over_overlays), TEST(a_volatile_one_is_not_mounted_again),
    TEST(named_one_by_one))
