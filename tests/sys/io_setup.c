/* SPDX-License-Identifier: MIT */
/* Contexts of asynchronous I/O: their limits, their ring, and who has them. */
/* calls: io_setup io_destroy */
#include "aio.h"

#include <sys/resource.h>

static void a_context_is_the_address_of_its_ring(void)
{
	aio_context_t ctx = context(10);
	const struct ring *r = ring_of(ctx);

	CHECK(r->magic == 0xa10a10a1 && r->compat == 1 && r->incompat == 0);
	CHECK(r->header_length == 32 && r->head == 0 && r->tail == 0);
	CHECK(r->nr > 20 && (r->nr + 1) * 32 % 4096 == 0);
	CHECK(io_destroy(ctx) == 0);
}

static void the_ring_is_shown_in_maps(void)
{
	aio_context_t ctx = context(1000);
	static char line[200];
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char mode[8], name[64];
	int found = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[aio]"))
			continue;
		CHECK(sscanf(line, "%lx-%lx %7s %*s %*s %*s %63[^\n]", &start, &end, mode,
			     name) == 4);
		CHECK(start == ctx && strcmp(mode, "rw-s") == 0);
		CHECK(end - start == (ring_of(ctx)->nr + 1) * 32UL);
		CHECK(strcmp(name, "/[aio] (deleted)") == 0);
		found++;
	}
	CHECK(fclose(f) == 0 && found == 1);
	CHECK(io_destroy(ctx) == 0);
}

static void arguments_are_checked(void)
{
	aio_context_t ctx = 0;
	aio_context_t used = 1;

	FAILS(EINVAL, io_setup(0, &ctx));
	FAILS(EINVAL, io_setup(1, &used));
	FAILS(EAGAIN, io_setup(0x80000000, &ctx));
	FAILS(EAGAIN, io_setup(4000000, &ctx));
	FAILS(EINVAL, io_setup(4194305, &ctx));
	FAILS(EINVAL, io_setup(0xffffffff, &ctx));
	FOR_BAD(p)
	FAILS(EFAULT, io_setup(1, p));
	FOR_BAD(p)
	FAILS(EINVAL, io_destroy((aio_context_t)p));
}

static void an_address_that_cannot_be_written_makes_none(void)
{
	aio_context_t *p = page_with(PROT_READ);
	long before = strtol(file_get("/proc/sys/fs/aio-nr"), NULL, 10);

	/* Natively others have contexts, too, but not so many. */
	for (int i = 0; i < 100; i++)
		FAILS(EFAULT, io_setup(77, p));
	CHECK(strtol(file_get("/proc/sys/fs/aio-nr"), NULL, 10) < before + 77 * 100);
	CHECK(munmap(p, PAGE) == 0);
}

static void a_context_is_destroyed_once(void)
{
	aio_context_t ctx = context(1);
	unsigned char vec;

	CHECK(io_destroy(ctx) == 0);
	FAILS(EINVAL, io_destroy(ctx));
	FAILS(ENOMEM, mincore((void *)ctx, PAGE, &vec));
	FAILS(EINVAL, io_getevents(ctx, 0, 0, NULL, NULL));
	FAILS(EINVAL, io_submit(ctx, 0, NULL));
}

static void who_unmaps_the_ring_has_no_context(void)
{
	aio_context_t ctx = context(1);

	CHECK(munmap((void *)ctx, PAGE) == 0);
	FAILS(EINVAL, io_submit(ctx, 0, NULL));
	FAILS(EINVAL, io_destroy(ctx));
}

static void a_ring_that_lies_about_its_id_is_none(void)
{
	aio_context_t a = context(1);
	aio_context_t b = context(1);
	unsigned id = ring_of(a)->id;

	CHECK(id != ring_of(b)->id);
	ring_of(a)->id = ring_of(b)->id;
	FAILS(EINVAL, io_submit(a, 0, NULL));
	ring_of(a)->id = 0xffffffff;
	FAILS(EINVAL, io_submit(a, 0, NULL));
	ring_of(a)->id = id;
	CHECK(io_submit(a, 0, NULL) == 0);
	CHECK(io_destroy(a) == 0 && io_destroy(b) == 0);
}

static void a_moved_ring_is_the_context_from_then_on(void)
{
	aio_context_t ctx = context(1);
	struct iocb cb = poll_request(-1, POLLIN);
	int e = eventfd(1, 0);
	char *to = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved = mremap((void *)ctx, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	CHECK(moved == to);
	FAILS(EINVAL, io_submit(ctx, 0, NULL));
	ctx = (aio_context_t)moved;
	cb.aio_fildes = (uint32_t)e;
	CHECK(result_of(ctx, &cb) == POLLIN);
	CHECK(mremap(moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED &&
	      errno == EFAULT);
	CHECK(mremap(moved, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	CHECK(io_destroy(ctx) == 0 && close(e) == 0);
}

static aio_context_t inherited;

static void use_inherited(void)
{
	struct io_event ev;
	char *to = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(ring_of(inherited)->magic == 0xa10a10a1);
	FAILS(EINVAL, io_getevents(inherited, 0, 1, &ev, NULL));
	FAILS(EINVAL, io_submit(inherited, 0, NULL));
	FAILS(EINVAL, io_destroy(inherited));
	CHECK(mremap((void *)inherited, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
		      MAP_FAILED &&
	      errno == EINVAL);
	ring_of(inherited)->events[5].data = 42;
	CHECK(io_destroy(context(3)) == 0);
	(void)context(3); /* ends with the process */
}

static void fork_shares_the_ring_and_not_the_context(void)
{
	inherited = context(1);
	CHECK(in_child(use_inherited) == 0);
	CHECK(ring_of(inherited)->events[5].data == 42);
	CHECK(io_submit(inherited, 0, NULL) == 0);
	CHECK(io_destroy(inherited) == 0);
}

static int hold[2];

static void wait_for_the_end(void)
{
	char c;

	CHECK(read(hold[0], &c, 1) == 0);
}

/* Children still map rings whose contexts have ended: fs.aio-nr counts none, yet nobody
 * can have as many as he likes where that keeps their memory. */
static void rings_that_others_map(void)
{
	pid_t pids[10];
	int count = 0;

	CHECK(pipe(hold) == 0);
	for (; count < 10; count++) {
		aio_context_t ctx = 0;

		if (io_setup(20000, &ctx)) {
			CHECK(errno == ENOMEM && count >= 5);
			break;
		}
		pids[count] = fork();
		CHECK(pids[count] >= 0);
		if (pids[count] == 0) {
			close(hold[1]);
			wait_for_the_end();
			_exit(0);
		}
		CHECK(io_destroy(ctx) == 0);
	}
	close(hold[1]);
	for (int i = 0; i < count; i++)
		CHECK(waitpid(pids[i], NULL, 0) == pids[i]);
	close(hold[0]);
	for (int i = 0; i < 10; i++)
		CHECK(io_destroy(context(20000)) == 0);
}

static void *use_in_thread(void *arg)
{
	CHECK(io_submit(*(aio_context_t *)arg, 0, NULL) == 0);
	CHECK(io_destroy(*(aio_context_t *)arg) == 0);
	return NULL;
}

static void threads_share_contexts(void)
{
	aio_context_t ctx = context(1);
	pthread_t t;

	CHECK(pthread_create(&t, NULL, use_in_thread, &ctx) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	FAILS(EINVAL, io_destroy(ctx));
}

static void many_contexts_at_once(void)
{
	static aio_context_t all[40];

	for (size_t i = 0; i < 40; i++)
		all[i] = context(1);
	for (size_t i = 0; i < 40; i++)
		CHECK(io_submit(all[i], 0, NULL) == 0);
	for (size_t i = 0; i < 40; i += 2)
		CHECK(io_destroy(all[i]) == 0);
	for (size_t i = 0; i < 40; i += 2)
		all[i] = context(1);
	for (size_t i = 0; i < 40; i++)
		CHECK(io_destroy(all[i]) == 0);
}

static void what_is_in_use_is_counted(void)
{
	struct stat st;

	CHECK(strtol(file_get("/proc/sys/fs/aio-max-nr"), NULL, 10) >= 65536);
	CHECK(stat("/proc/sys/fs/aio-nr", &st) == 0 && (st.st_mode & 0777) == 0444);
	CHECK(stat("/proc/sys/fs/aio-max-nr", &st) == 0 && (st.st_mode & 0777) == 0644);
}

static void address_space_is_limited(void)
{
	struct rlimit none = {1 << 20, RLIM_INFINITY};
	aio_context_t ctx = 0;

	CHECK(setrlimit(RLIMIT_AS, &none) == 0);
	FAILS(ENOMEM, io_setup(10000, &ctx));
	CHECK(ctx == 0);
}

static void a_ring_needs_address_space(void)
{
	CHECK(in_child(address_space_is_limited) == 0);
}

RUN(TEST(a_context_is_the_address_of_its_ring), TEST(the_ring_is_shown_in_maps),
    TEST(arguments_are_checked), TEST(an_address_that_cannot_be_written_makes_none),
    TEST(a_context_is_destroyed_once), TEST(who_unmaps_the_ring_has_no_context),
    TEST(a_ring_that_lies_about_its_id_is_none),
    TEST(a_moved_ring_is_the_context_from_then_on),
    TEST(fork_shares_the_ring_and_not_the_context), TEST(rings_that_others_map),
    TEST(threads_share_contexts), TEST(many_contexts_at_once),
    TEST(what_is_in_use_is_counted), TEST(a_ring_needs_address_space))
