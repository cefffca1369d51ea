/* SPDX-License-Identifier: MIT */
/* timeout: 300 */
/*
 * fsx.c - random operations on two files against a model in memory: reads, writes,
 *appends, truncation, all modes of fallocate, mappings that last and mappings that do
 *not, copies between the files by copy_file_range, sendfile and splice, holes, closing
 *and opening again.
 *
 *	fsx [OPERATIONS [DIRECTORY [SEED]]]
 *
 * Three processes take turns, as the seed says: each has its own descriptors and
 *mappings, so that what one has done is looked at by another. After some hundred
 *operations they begin anew with fresh files, of which some stay small and some are never
 *mapped. A mode that the file system does not have (EOPNOTSUPP) changes nothing. At a
 *difference the last operations are printed.
 */
#include "storm.h"

#include <linux/falloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

enum { PAGE = 4096, SIZE_MAX_BYTES = 320 << 10, WORKERS = 3, FILES = 2, LOG = 40 };

struct model {
	char data[SIZE_MAX_BYTES];
	long size;
};

static struct {
	struct model files[FILES];
	uint64_t random;
	long left;
	long done;
	long epoch;
	long epoch_left;
	long size_max;
	bool may_map;
	char log[LOG][160];
} * s;

struct mine {
	int fd;
	int append_fd;
	char *map; /* the whole range, shared: NULL in epochs without mappings */
};

static struct mine mine[FILES];
static long my_epoch = -1;
static int me;
static uint64_t seed;
static char buf[SIZE_MAX_BYTES];
static const char *const names[FILES] = {"fsx.a", "fsx.b"};

/* ---- chance ---- */

static uint64_t chance(uint64_t below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (s->random >> 11) % below;
}

static long a_size(long max)
{
	if (max < 1)
		return 0;
	switch (chance(4)) {
	case 0:
		return (long)chance((uint64_t)(max < 64 ? max : 64)) + 1;
	case 1:
		return (long)chance((uint64_t)(max < 3 * PAGE ? max : 3 * PAGE)) + 1;
	case 2:
		return max < PAGE ? max
				  : ((long)chance((uint64_t)(max / PAGE)) + 1) * PAGE;
	default:
		return (long)chance((uint64_t)max) + 1;
	}
}

static long a_place(long max)
{
	long at = max > 0 ? (long)chance((uint64_t)max) : 0;

	return chance(3) ? at : at / PAGE * PAGE;
}

static void fill(char *data, long size)
{
	uint64_t c = chance(255) + 1;

	for (long i = 0; i < size; i++)
		data[i] = (char)(c + (uint64_t)i / 7);
}

/* ---- saying what happened ---- */

static void note(const char *format, ...)
{
	va_list args;
	char *line = s->log[s->done % LOG];
	int used = snprintf(line, sizeof(s->log[0]), "%ld [%d] ", s->done, me);

	va_start(args, format);
	vsnprintf(line + used, sizeof(s->log[0]) - (size_t)used, format, args);
	va_end(args);
}

static void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "not ok: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (errno %d %s)\nseed %llu, the last operations:\n", errno,
		strerror(errno), (unsigned long long)seed);
	for (long i = s->done - LOG + 1; i <= s->done; i++)
		if (i >= 0)
			fprintf(stderr, "  %s\n", s->log[i % LOG]);
	_exit(1);
}

static void compare(const char *what, const char *data, const struct model *m, long off,
		    long size)
{
	if (memcmp(data, m->data + off, (size_t)size) == 0)
		return;
	for (long i = 0; i < size; i++)
		if (data[i] != m->data[off + i])
			fail("%s: byte %ld is %d, not %d (from %ld, %ld bytes, file of "
			     "%ld)",
			     what, off + i, data[i], m->data[off + i], off, size,
			     m->size);
}

/* ---- the model ---- */

static void model_write(struct model *m, const char *data, long off, long size)
{
	memcpy(m->data + off, data, (size_t)size);
	if (off + size > m->size)
		m->size = off + size;
}

static void model_zero(struct model *m, long off, long size)
{
	if (off + size > m->size)
		size = m->size - off;
	if (size > 0)
		memset(m->data + off, 0, (size_t)size);
}

static void model_resize(struct model *m, long size)
{
	if (size < m->size)
		memset(m->data + size, 0, (size_t)(m->size - size));
	m->size = size;
}

/* ---- files ---- */

static void check_size(int i)
{
	struct stat st;

	if (fstat(mine[i].fd, &st) || st.st_size != s->files[i].size)
		fail("size of %s is %ld, not %ld", names[i], (long)st.st_size,
		     s->files[i].size);
}

static void file_close(int i)
{
	if (mine[i].map)
		munmap(mine[i].map, SIZE_MAX_BYTES);
	if (mine[i].fd >= 0)
		close(mine[i].fd);
	if (mine[i].append_fd >= 0)
		close(mine[i].append_fd);
	mine[i] = (struct mine){-1, -1, NULL};
}

static void file_open(int i)
{
	mine[i].fd = open(names[i], O_RDWR | O_CREAT, 0600);
	mine[i].append_fd = open(names[i], O_RDWR | O_APPEND);
	if (mine[i].fd < 0 || mine[i].append_fd < 0)
		fail("open %s", names[i]);
	if (!s->may_map)
		return;
	mine[i].map = mmap(NULL, SIZE_MAX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			   mine[i].fd, 0);
	if (mine[i].map == MAP_FAILED)
		fail("mmap %s", names[i]);
}

static void epoch_start(void)
{
	static const long sizes[] = {12 << 10, 60 << 10, 100 << 10, SIZE_MAX_BYTES};

	s->epoch++;
	s->epoch_left = 200 + (long)chance(800);
	s->size_max = sizes[chance(4)];
	s->may_map = chance(2);
	for (int i = 0; i < FILES; i++) {
		memset(&s->files[i], 0, sizeof(s->files[i]));
		if (unlink(names[i]) && errno != ENOENT)
			fail("unlink %s", names[i]);
	}
}

static void epoch_join(void)
{
	for (int i = 0; i < FILES; i++) {
		file_close(i);
		file_open(i);
	}
	my_epoch = s->epoch;
}

/* ---- operations ---- */

static void check_all(int i)
{
	struct model *m = &s->files[i];
	long got = pread(mine[i].fd, buf, sizeof(buf), 0);

	check_size(i);
	if (got != m->size)
		fail("pread of all of %s: %ld, not %ld", names[i], got, m->size);
	compare("pread of all", buf, m, 0, got);
}

static void op_read(int i)
{
	struct model *m = &s->files[i];
	long off = a_place(m->size + PAGE);
	long size = a_size(SIZE_MAX_BYTES / 2);
	long want = off >= m->size ? 0 : off + size > m->size ? m->size - off : size;
	struct iovec v[2] = {{buf, (size_t)size / 3},
			     {buf + size / 3, (size_t)(size - size / 3)}};
	uint64_t how = chance(3);
	long got;

	note("read(%llu) %s %ld+%ld", (unsigned long long)how, names[i], off, size);
	if (how == 0) {
		got = pread(mine[i].fd, buf, (size_t)size, off);
	} else {
		if (lseek(mine[i].fd, off, SEEK_SET) != off)
			fail("lseek");
		got = how == 1 ? read(mine[i].fd, buf, (size_t)size)
			       : readv(mine[i].fd, v, 2);
		if (got >= 0 && lseek(mine[i].fd, 0, SEEK_CUR) != off + got)
			fail("position after read");
	}
	if (got != want)
		fail("read %s: %ld, not %ld", names[i], got, want);
	compare("read", buf, m, off, got);
}

static void op_write(int i)
{
	struct model *m = &s->files[i];
	long off = a_place(chance(4) ? m->size + 1 : s->size_max);
	long size = a_size(s->size_max - off);
	struct iovec v[2] = {{buf, (size_t)size / 3},
			     {buf + size / 3, (size_t)(size - size / 3)}};
	uint64_t how = chance(4);
	long done;

	if (size <= 0)
		return;
	fill(buf, size);
	note("write(%llu) %s %ld+%ld", (unsigned long long)how, names[i], off, size);
	if (how == 0) {
		done = pwrite(mine[i].fd, buf, (size_t)size, off);
	} else if (how == 1) {
		done = pwritev(mine[i].fd, v, 2, off);
	} else {
		if (lseek(mine[i].fd, off, SEEK_SET) != off)
			fail("lseek");
		done = how == 2 ? write(mine[i].fd, buf, (size_t)size)
				: writev(mine[i].fd, v, 2);
		if (done >= 0 && lseek(mine[i].fd, 0, SEEK_CUR) != off + done)
			fail("position after write");
	}
	if (done != size)
		fail("write %s: %ld, not %ld", names[i], done, size);
	model_write(m, buf, off, size);
}

static void op_append(int i)
{
	struct model *m = &s->files[i];
	long size = a_size(s->size_max - m->size);
	bool by_flag = chance(2);
	struct iovec v = {buf, (size_t)size};
	long done;

	if (size <= 0)
		return;
	fill(buf, size);
	note("append(%d) %s %ld at %ld", by_flag, names[i], size, m->size);
	done = by_flag ? pwritev2(mine[i].fd, &v, 1, 0, RWF_APPEND)
		       : write(mine[i].append_fd, buf, (size_t)size);
	if (done != size)
		fail("append %s: %ld, not %ld", names[i], done, size);
	model_write(m, buf, m->size, size);
	if (!by_flag && lseek(mine[i].append_fd, 0, SEEK_CUR) != m->size)
		fail("position after appending");
}

static void op_truncate(int i)
{
	struct model *m = &s->files[i];
	long size = a_place(chance(3) ? m->size + 1 : s->size_max);
	bool by_name = chance(4) == 0;

	note("truncate(%d) %s %ld -> %ld", by_name, names[i], m->size, size);
	if (by_name ? truncate(names[i], size) : ftruncate(mine[i].fd, size))
		fail("truncate");
	model_resize(m, size);
	check_size(i);
}

static void model_collapse(struct model *m, long off, long size)
{
	memmove(m->data + off, m->data + off + size, (size_t)(m->size - off - size));
	model_resize(m, m->size - size);
}

static void model_insert(struct model *m, long off, long size)
{
	memmove(m->data + off + size, m->data + off, (size_t)(m->size - off));
	memset(m->data + off, 0, (size_t)size);
	m->size += size;
}

static void op_fallocate(int i)
{
	static const int modes[] = {
		0,
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE,
	};
	struct model *m = &s->files[i];
	int mode = modes[chance(sizeof(modes) / sizeof(modes[0]))];
	bool shifts = mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE);
	long off = a_place(shifts ? m->size : s->size_max);
	long size = a_size(s->size_max - off);

	if (shifts) {
		off -= off % PAGE;
		size = (size + PAGE - 1) / PAGE * PAGE;
	}
	if (size <= 0 || (mode == FALLOC_FL_COLLAPSE_RANGE && off + size >= m->size) ||
	    (mode == FALLOC_FL_INSERT_RANGE &&
	     (off >= m->size || m->size + size > s->size_max)))
		return;
	note("fallocate(%#x) %s %ld+%ld of %ld", mode, names[i], off, size, m->size);
	if (fallocate(mine[i].fd, mode, off, size)) {
		if (errno != EOPNOTSUPP || !(mode & ~3))
			fail("fallocate");
		return;
	}
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		model_zero(m, off, size);
	if (mode == FALLOC_FL_COLLAPSE_RANGE)
		model_collapse(m, off, size);
	else if (mode == FALLOC_FL_INSERT_RANGE)
		model_insert(m, off, size);
	else if (!(mode & FALLOC_FL_KEEP_SIZE) && off + size > m->size)
		model_resize(m, off + size);
	check_size(i);
}

static void op_map_read(int i)
{
	struct model *m = &s->files[i];
	long off = a_place(m->size);
	long size = a_size(m->size - off);
	long start = off / PAGE * PAGE;
	bool fresh = chance(2);
	char *map = mine[i].map + start;

	if (!s->may_map || size <= 0)
		return;
	note("map read(%d) %s %ld+%ld", fresh, names[i], off, size);
	if (fresh) {
		map = mmap(NULL, (size_t)(off - start + size), PROT_READ,
			   chance(2) ? MAP_SHARED : MAP_PRIVATE, mine[i].fd, start);
		if (map == MAP_FAILED)
			fail("mmap");
	}
	compare("mapping", map + (off - start), m, off, size);
	if (fresh)
		munmap(map, (size_t)(off - start + size));
}

static void op_map_write(int i)
{
	struct model *m = &s->files[i];
	long off = a_place(m->size);
	long size = a_size(m->size - off);

	if (!s->may_map || size <= 0)
		return;
	fill(buf, size);
	note("map write %s %ld+%ld", names[i], off, size);
	memcpy(mine[i].map + off, buf, (size_t)size);
	if (chance(8) == 0 &&
	    msync(mine[i].map, SIZE_MAX_BYTES, chance(2) ? MS_SYNC : MS_ASYNC))
		fail("msync");
	model_write(m, buf, off, size);
}

static sigjmp_buf after_bus;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(after_bus, 1);
}

/* Pages behind the end must fault; what is behind the end in the last page is zero. */
static void op_map_beyond(int i)
{
	struct model *m = &s->files[i];
	volatile long end = (m->size + PAGE - 1) / PAGE * PAGE;

	if (!s->may_map)
		return;
	note("map beyond %s %ld", names[i], m->size);
	for (long at = m->size; at < end; at++)
		if (mine[i].map[at])
			fail("byte %ld behind the end at %ld is %d", at, m->size,
			     mine[i].map[at]);
	end += a_place(SIZE_MAX_BYTES - end);
	if (end >= SIZE_MAX_BYTES)
		return;
	if (sigsetjmp(after_bus, 1))
		return;
	if (chance(2))
		buf[0] = *(volatile char *)(mine[i].map + end);
	else
		*(volatile char *)(mine[i].map + end) = 1;
	fail("no SIGBUS at %ld in a file of %ld", end, m->size);
}

/* Through a pipe, or by one call. Within one file only what does not overlap. */
static long move(int to, long to_off, int from, long from_off, long size, uint64_t how)
{
	off_t in = from_off, out = to_off;
	int p[2];
	long done;

	if (how == 0)
		return copy_file_range(mine[from].fd, &in, mine[to].fd, &out,
				       (size_t)size, 0);
	if (how == 1) {
		if (lseek(mine[to].fd, to_off, SEEK_SET) != to_off)
			fail("lseek");
		return sendfile(mine[to].fd, mine[from].fd, &in, (size_t)size);
	}
	if (pipe(p))
		fail("pipe");
	done = splice(mine[from].fd, &in, p[1], NULL, (size_t)size, 0);
	for (long left = done; left > 0;) {
		long step = splice(p[0], NULL, mine[to].fd, &out, (size_t)left, 0);

		if (step <= 0)
			fail("splice");
		left -= step;
	}
	close(p[0]);
	close(p[1]);
	return done;
}

static void op_copy(int to)
{
	int from = (int)chance(FILES);
	struct model *m = &s->files[from];
	long from_off = a_place(m->size);
	long to_off = a_place(chance(2) ? s->files[to].size + 1 : s->size_max);
	long size = a_size(s->size_max - to_off);
	uint64_t how = chance(3);
	long done;

	if (size > m->size - from_off)
		size = m->size - from_off;
	if (from == to &&
	    (to_off < from_off ? to_off + size > from_off : from_off + size > to_off))
		return;
	if (size <= 0)
		return;
	note("copy(%llu) %s %ld -> %s %ld +%ld", (unsigned long long)how, names[from],
	     from_off, names[to], to_off, size);
	done = move(to, to_off, from, from_off, size, how);
	if (done <= 0 || done > size)
		fail("copy: %ld of %ld", done, size);
	memcpy(buf, m->data + from_off, (size_t)done);
	model_write(&s->files[to], buf, to_off, done);
	check_size(to);
}

static bool is_zero(const struct model *m, long from, long to)
{
	for (long i = from; i < to && i < m->size; i++)
		if (m->data[i])
			return false;
	return true;
}

/* A hole may be called data, but data never a hole. */
static void op_holes(int i)
{
	struct model *m = &s->files[i];
	long at = a_place(m->size + PAGE);
	long data, hole;

	note("holes %s from %ld of %ld", names[i], at, m->size);
	data = lseek(mine[i].fd, at, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		fail("SEEK_DATA");
	if (data >= 0 && (data < at || data >= m->size))
		fail("data from %ld on at %ld", at, data);
	if (at < m->size && !is_zero(m, at, data < 0 ? m->size : data))
		fail("data missed from %ld on: %ld", at, data);
	hole = lseek(mine[i].fd, at, SEEK_HOLE);
	if (at >= m->size) {
		if (hole >= 0 || errno != ENXIO)
			fail("hole behind the end: %ld", hole);
		return;
	}
	if (hole < at || hole > m->size)
		fail("hole from %ld on at %ld", at, hole);
	data = hole < m->size ? lseek(mine[i].fd, hole, SEEK_DATA) : m->size;
	if (!is_zero(m, hole, data < 0 ? m->size : data))
		fail("no hole at %ld", hole);
}

static void op_other(int i)
{
	switch (chance(4)) {
	case 0:
		note("fsync %s", names[i]);
		if (chance(2) ? fsync(mine[i].fd) : fdatasync(mine[i].fd))
			fail("fsync");
		break;
	case 1:
		note("check %s", names[i]);
		check_all(i);
		break;
	default:
		note("reopen %s", names[i]);
		file_close(i);
		file_open(i);
		check_size(i);
	}
}

static void one(void)
{
	static void (*const ops[])(int) = {
		op_read,      op_read,	     op_write, op_write,    op_append,
		op_truncate,  op_fallocate,  op_copy,  op_map_read, op_map_write,
		op_map_write, op_map_beyond, op_holes, op_other};

	if (s->epoch_left-- <= 0)
		epoch_start();
	if (my_epoch != s->epoch)
		epoch_join();
	ops[chance(sizeof(ops) / sizeof(ops[0]))]((int)chance(FILES));
	if (s->done % 64 == 0)
		check_all((int)chance(FILES));
	s->done++;
	s->left--;
}

/* ---- turns ---- */

static int turns[WORKERS][2];

static void pass_to(int who)
{
	MUST(write(turns[who][1], "t", 1) == 1);
}

static void work(void)
{
	struct sigaction sa = {.sa_handler = on_bus};
	char c;

	MUST(sigaction(SIGBUS, &sa, NULL) == 0);
	for (int i = 0; i < FILES; i++)
		mine[i] = (struct mine){-1, -1, NULL};
	while (read(turns[me][0], &c, 1) == 1) {
		for (long n = (long)chance(40) + 1; n > 0 && s->left > 0; n--)
			one();
		if (s->left <= 0)
			break;
		pass_to((int)chance(WORKERS));
	}
	if (s->left <= 0) /* so do the others hear of it */
		for (int i = 0; i < WORKERS; i++)
			pass_to(i);
	for (int i = 0; i < FILES; i++)
		file_close(i);
	_exit(0);
}

int main(int argc, char **argv)
{
	long count = rounds(argc, argv, 20000);
	double start = seconds();
	pid_t pids[WORKERS];
	int bad = 0;

	if (argc > 2)
		MUST(chdir(argv[2]) == 0);
	seed = argc > 3 ? strtoull(argv[3], NULL, 0)
			: (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	s = share(sizeof(*s));
	s->random = seed * 0x9e3779b97f4a7c15 | 1;
	s->left = count;
	s->epoch_left = 0;
	for (int i = 0; i < WORKERS; i++)
		MUST(pipe(turns[i]) == 0);
	for (me = 0; me < WORKERS; me++) {
		pids[me] = fork();
		MUST(pids[me] >= 0);
		if (pids[me] == 0)
			work();
	}
	pass_to(0);
	for (int i = 0; i < WORKERS; i++) {
		int status;
		pid_t pid = wait(&status);

		MUST(pid > 0);
		if (status && !bad++)
			for (int k = 0; k < WORKERS; k++)
				if (pids[k] != pid)
					kill(pids[k], SIGKILL);
	}
	for (int i = 0; i < FILES; i++)
		(void)unlink(names[i]);
	printf("fsx: %ld operations, %ld sets of files, %.1f s, seed %llu\n", s->done,
	       s->epoch, seconds() - start, (unsigned long long)seed);
	return bad != 0;
}
