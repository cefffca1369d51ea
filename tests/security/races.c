/* SPDX-License-Identifier: MIT */
/* races.c - crafted names, and names that change while they are walked.
 *
 * Without arguments: in the current directory, with swappers among the guest's processes.
 * "guest DIR ABSOLUTE ROUNDS": the same in a volume, next to which the host has a secret
 * (races_volume.sh), in what "make VOLUME ABSOLUTE" made; "host VOLUME OUTSIDE" runs
 * outside and changes the volume too: both exchange a directory and a link to OUTSIDE, a
 * file and a link to the secret, and the host moves a directory to beside the secret and
 * back. What says "secret" must never be read; that nothing was made, changed or removed
 * there the script finds out. ABSOLUTE is OUTSIDE's name on the host. */
/* timeout: 120 */
#include "../sys/fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

enum { EXCHANGE = 2 };

static void exchange(const char *a, const char *b)
{
	(void)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE);
}

static void make_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void make_tree(const char *outside)
{
	char path[4096];

	CHECK(mkdir("d", 0755) == 0 && mkdir("d/sub", 0755) == 0);
	CHECK(mkdir("m", 0755) == 0 && mkdir("m/sub", 0755) == 0);
	make_file("d/inner", "inner");
	make_file("m/inner", "inner");
	make_file("f", "inner");
	CHECK(symlink("../outside", "l") == 0);
	CHECK(symlink("../outside/secret", "k") == 0);
	CHECK(symlink(outside, "la") == 0);
	snprintf(path, sizeof(path), "%s/secret", outside);
	CHECK(symlink(path, "ka") == 0);
}

/* ---- attacks ---- */

/* What can be read is not the secret. */
static void not_secret(int fd)
{
	char text[16] = "";

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0)
		CHECK(strncmp(text, "secret", 6) != 0);
	close(fd);
}

static void attack_directory(const char *dir)
{
	const struct timespec times[2] = {{1, 0}, {1, 0}};
	char a[64], b[64];

	snprintf(a, sizeof(a), "%s/secret", dir);
	not_secret(open(a, O_RDONLY));
	not_secret(open(a, O_RDWR | O_TRUNC));
	(void)chmod(a, 0777);
	(void)chown(a, 1, 1);
	(void)utimensat(AT_FDCWD, a, times, 0);
	(void)truncate(a, 0);
	(void)link(a, "stolen");
	not_secret(open("stolen", O_RDONLY));
	(void)unlink("stolen");
	(void)rename(a, "stolen");
	not_secret(open("stolen", O_RDONLY));
	(void)unlink("stolen");
	(void)unlink(a);
	snprintf(b, sizeof(b), "%s/new", dir);
	not_secret(open(b, O_CREAT | O_RDWR, 0644));
	(void)unlink(b);
	snprintf(b, sizeof(b), "%s/newdir", dir);
	(void)mkdir(b, 0755);
	(void)rmdir(b);
	(void)symlink("x", b);
	(void)unlink(b);
	snprintf(b, sizeof(b), "%s/keep", dir);
	(void)rmdir(b);
	(void)chmod(dir, 0755);
}

static void attack_file(const char *name)
{
	const struct timespec times[2] = {{1, 0}, {1, 0}};
	int fd;

	not_secret(open(name, O_RDONLY));
	not_secret(open(name, O_RDWR));
	fd = open(name, O_WRONLY);
	if (fd >= 0) {
		CHECK(pwrite(fd, "inner", 5, 0) == 5);
		(void)fchmod(fd, 0644);
		close(fd);
	}
	(void)truncate(name, 5);
	(void)chmod(name, 0640);
	(void)lchown(name, geteuid(), getegid());
	(void)chown(name, geteuid(), getegid());
	(void)utimensat(AT_FDCWD, name, times, 0);
	not_secret(open(name, O_CREAT | O_RDWR, 0644));
}

/* From a directory that is moved meanwhile. */
static void attack_upwards(void)
{
	static const char *const ways[] = {
		"../secret",
		"../../secret",
		"../../../secret",
		"../../keep",
		"../../outside/secret",
		"../../../outside/secret",
		"../m/../secret",
		"../../v/../outside/secret",
		"../sub/../../secret",
	};
	int fd = open("m/sub", O_PATH | O_DIRECTORY);

	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		not_secret(openat(fd, ways[i], O_RDONLY));
		(void)fchmodat(fd, ways[i], 0777, 0);
		(void)unlinkat(fd, ways[i], 0);
		(void)unlinkat(fd, ways[i], AT_REMOVEDIR);
	}
	not_secret(openat(fd, "../new", O_CREAT | O_RDWR, 0644));
	(void)unlinkat(fd, "../new", 0);
	not_secret(openat(fd, "../../new", O_CREAT | O_RDWR, 0644));
	(void)unlinkat(fd, "../../new", 0);
	(void)renameat(fd, "../../secret", fd, "mine");
	not_secret(openat(fd, "mine", O_RDONLY));
	(void)linkat(fd, "../../secret", fd, "mine", 0);
	not_secret(openat(fd, "mine", O_RDONLY));
	(void)unlinkat(fd, "mine", 0);
	close(fd);
}

static void attacker(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		attack_directory(i % 4 == 0   ? "l"
				 : i % 4 == 1 ? "la"
				 : i % 4 == 2 ? "d"
					      : "d/sub/..");
		attack_file(i % 3 == 0 ? "k" : i % 3 == 1 ? "ka" : "f");
		attack_upwards();
	}
}

static void swapper(int which)
{
	for (unsigned i = 0;; i++) {
		exchange("d", i % 8 < 4 ? "l" : "la");
		exchange("f", i % 8 < 4 ? "k" : "ka");
		if (which) {
			exchange("l", "la");
			exchange("m", "d");
			exchange("m", "d");
		}
	}
}

static void race(int rounds)
{
	pid_t swappers[2], attackers[3];

	for (int i = 0; i < 2; i++) {
		swappers[i] = fork();
		if (swappers[i] == 0)
			swapper(i);
	}
	for (int i = 0; i < 3; i++) {
		attackers[i] = fork();
		if (attackers[i] == 0) {
			attacker(rounds);
			_exit(0); /* CHECK() exits with 1 */
		}
	}
	for (int i = 0; i < 3; i++) {
		int status;

		CHECK(waitpid(attackers[i], &status, 0) == attackers[i]);
		CHECK(status == 0);
	}
	for (int i = 0; i < 2; i++) {
		CHECK(kill(swappers[i], SIGKILL) == 0);
		CHECK(waitpid(swappers[i], NULL, 0) == swappers[i]);
	}
}

/* ---- the host's side ---- */

static int host(const char *volume, const char *outside)
{
	char away[4096];

	snprintf(away, sizeof(away), "%s/m", outside);
	if (chdir(volume))
		return 1;
	for (unsigned i = 0; getppid() != 1; i++) {
		exchange("d", i % 2 ? "l" : "la");
		exchange("f", i % 2 ? "k" : "ka");
		if (i % 4 == 0) {
			(void)rename("m", away);
			usleep(i % 64 * 10);
			(void)rename(away, "m");
		}
		if (i % 16 == 0)
			usleep(100);
	}
	return 0;
}

/* ---- names ---- */

static void odd_names_are_names(void)
{
	static const char *const names[] = {"...",  "..\n",   ".. ",  " ..",
					    "..\\", "\\..\\", "%s%n", "\xff\xfe",
					    "\x01", "~",      "-rf",  ". "};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct stat st;
		DIR *d;
		int seen = 0;

		CHECK(mkdir("odd", 0755) == 0 && chdir("odd") == 0);
		make_file(names[i], "odd");
		CHECK(stat(names[i], &st) == 0 && S_ISREG(st.st_mode));
		d = opendir(".");
		CHECK(d);
		for (struct dirent *e; (e = readdir(d));)
			seen += strcmp(e->d_name, names[i]) == 0;
		CHECK(seen == 1 && closedir(d) == 0);
		CHECK(unlink(names[i]) == 0 && chdir("..") == 0 && rmdir("odd") == 0);
	}
}

static void long_names_end_where_they_must(void)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 2];
	size_t at = 0;

	memset(name, 'x', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	FAILS(ENAMETOOLONG, open(name, O_CREAT | O_RDWR, 0644));
	FAILS(ENAMETOOLONG, mkdir(name, 0755));
	FAILS(ENAMETOOLONG, symlink("x", name));
	name[NAME_MAX] = '\0';
	make_file(name, "long");
	CHECK(access(name, F_OK) == 0 && rename(name, "short") == 0);
	CHECK(rename("short", name) == 0 && unlink(name) == 0);
	/* 4095 bytes are a path, 4096 are none; dots count as any others. */
	CHECK(mkdir("deep", 0755) == 0);
	while (at + 8 < PATH_MAX - 1)
		at += (size_t)sprintf(path + at, "deep/../");
	while (at < PATH_MAX - 1)
		path[at++] = '/';
	path[at] = '\0';
	CHECK(access(path, F_OK) == 0);
	path[at++] = '/';
	path[at] = '\0';
	FAILS(ENAMETOOLONG, access(path, F_OK));
	FAILS(ENAMETOOLONG, symlink(path, "deep/link"));
	/* Down further than a path is long, and up again. */
	for (int i = 0; i < 24; i++)
		CHECK(mkdir(name, 0755) == 0 && chdir(name) == 0);
	FAILS(ENAMETOOLONG, (long)syscall(SYS_getcwd, path, sizeof(path)));
	make_file("bottom", "x");
	CHECK(unlink("bottom") == 0);
	for (int i = 0; i < 24; i++)
		CHECK(chdir("..") == 0 && rmdir(name) == 0);
	CHECK(rmdir("deep") == 0);
}

static char *flipped; /* a path that another thread changes */
static int flip_stop;

HELPER void *flip(void *arg)
{
	while (!__atomic_load_n(&flip_stop, __ATOMIC_RELAXED)) {
		memcpy(flipped, "d/inner\0/", 9);
		memcpy(flipped, "l/secret", 9);
		memcpy(flipped, "../../..", 9);
		flipped[2] = '\0';
	}
	return arg;
}

static void bytes_after_nul_do_not_count(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	pthread_t thread;
	char *at;

	CHECK(page != MAP_FAILED && munmap(page + 4096, 4096) == 0);
	at = page + 4096 - 2;
	memcpy(at, ".", 2); /* ends with the page */
	CHECK(access(at, F_OK) == 0);
	memcpy(at, "./", 2); /* does not end */
	FAILS(EFAULT, access(at, F_OK));
	FAILS(ENOENT, open("f\nx\0/../f", O_RDONLY));
	CHECK(access("f\0/../../outside/secret", F_OK) == 0 || errno == ENOENT);
	flipped = page;
	CHECK(pthread_create(&thread, NULL, flip, NULL) == 0);
	for (int i = 0; i < 5000; i++) {
		not_secret(open(flipped, O_RDONLY));
		(void)chmod(flipped, 0755);
		not_secret(open(flipped, O_RDWR | O_TRUNC));
	}
	__atomic_store_n(&flip_stop, 1, __ATOMIC_RELAXED);
	CHECK(pthread_join(thread, NULL) == 0);
}

/* ---- main ---- */

static int race_rounds = 300;
static const char *absolute = "/outside";

static void no_race_leads_out(void)
{
	race(race_rounds);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(odd_names_are_names),
		TEST(long_names_end_where_they_must),
		TEST(no_race_leads_out),
		TEST(bytes_after_nul_do_not_count),
	};

	if (argc == 4 && strcmp(argv[1], "host") == 0)
		return host(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "make") == 0) {
		CHECK(chdir(argv[2]) == 0);
		make_tree(argv[3]);
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "guest") == 0) {
		CHECK(chdir(argv[2]) == 0);
		absolute = argv[3];
		race_rounds = atoi(argv[4]);
	} else if (mkdir("v", 0755) || chdir("v")) {
		return 1;
	} else {
		make_tree(absolute);
	}
	/* What lies outside is not for the guest to see by any name. */
	FAILS(ENOENT, access(absolute, F_OK));
	FAILS(ENOENT, access("../outside", F_OK));
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
