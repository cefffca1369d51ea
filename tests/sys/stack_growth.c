/* SPDX-License-Identifier: MIT */
/* calls: execve setrlimit mmap read write recvmsg mincore mprotect */
/* stack_growth.c - the first stack, which is as large as what has been reached of it. */
#include "fixture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#define KIB (1UL << 10)
#define MIB (1UL << 20)
#define RW  (PROT_READ | PROT_WRITE)
#define GAP (256 * PAGE) /* what stays free below a stack */

extern char **environ;
static char **args;

struct range {
	unsigned long start, end;
};

static struct range stack(void)
{
	char line[256];
	struct range r = {0, 0};
	FILE *f = fopen("/proc/self/maps", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "[stack]")) {
			CHECK(!r.end);
			CHECK(sscanf(line, "%lx-%lx", &r.start, &r.end) == 2);
		}
	CHECK(fclose(f) == 0 && r.end);
	return r;
}

static unsigned long bytes_of(const char *name)
{
	char line[256], want[32];
	unsigned long value = 0;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	snprintf(want, sizeof(want), "%s: %%lu kB", name);
	while (!value && fgets(line, sizeof(line), f))
		(void)sscanf(line, want, &value);
	CHECK(fclose(f) == 0);
	return value * 1024;
}

static void limit(int resource, unsigned long soft)
{
	struct rlimit l;

	CHECK(getrlimit(resource, &l) == 0);
	l.rlim_cur = soft;
	CHECK(setrlimit(resource, &l) == 0);
}

/* ---- accesses ---- */

static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

static void begin(void)
{
	static char other[64 * KIB];
	stack_t ss = {.ss_sp = other, .ss_size = sizeof(other)};
	struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};

	CHECK(sigaltstack(&ss, NULL) == 0);
	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0 && sigaction(SIGBUS, &sa, NULL) == 0);
}

/* 0, or the signal. */
static int poke(unsigned long addr, bool is_write)
{
	volatile char *p = (volatile char *)addr;
	int sig = sigsetjmp(back, 1);

	if (sig)
		return sig;
	if (is_write)
		*p = 1;
	else
		(void)*p;
	return 0;
}

/* As far below the stack as that; a page's start. */
static unsigned long below(unsigned long size)
{
	return stack().start - size;
}

/* Each in a child, whose stack is its own. */
#define IN_CHILD(name)                                                                   \
	static void name(void)                                                           \
	{                                                                                \
		CHECK(child_wait(child_start(name##_child)) == 0);                       \
	}

/* ---- how large it is ---- */

/* The strings lie at the top, and are whole pages; there is room for 128 KiB below them.
 */
static void at_first_child(void)
{
	struct range r = stack();
	unsigned long strings = (unsigned long)args[0] & ~(PAGE - 1);

	CHECK(r.start == strings - 128 * KIB);
	CHECK(bytes_of("VmStk") == r.end - r.start);
	CHECK((unsigned long)environ > r.start && (unsigned long)environ < r.end);
}
IN_CHILD(at_first)

static void it_grows_at_faults_child(void)
{
	unsigned long size = bytes_of("VmSize"), had = bytes_of("VmStk");
	unsigned long at = below(MIB);

	begin();
	CHECK(poke(at + 100, true) == 0);
	CHECK(stack().start == at);
	CHECK(bytes_of("VmSize") == size + MIB && bytes_of("VmStk") == had + MIB);
	CHECK(poke(at - 1, false) == 0 && stack().start == at - PAGE);
	for (unsigned long n = 2; n <= 300; n++)
		CHECK(poke(at - n * PAGE + 8, n % 2) == 0);
	CHECK(stack().start == at - 300 * PAGE);
	CHECK(*(char *)(at + 100) == 1 && *(char *)(at - 300 * PAGE + 200) == 0);
}
IN_CHILD(it_grows_at_faults)

static void what_is_beyond_is_not_mapped_child(void)
{
	unsigned long at = below(MIB);
	unsigned char in[4];

	begin();
	FAILS(ENOMEM, mincore((void *)at, PAGE, in));
	FAILS(ENOMEM, madvise((void *)at, PAGE, MADV_NORMAL));
	FAILS(ENOMEM, mprotect((void *)at, PAGE, RW));
	CHECK(poke(at, true) == 0);
	CHECK(mincore((void *)at, PAGE, in) == 0);
	CHECK(madvise((void *)at, PAGE, MADV_NORMAL) == 0);
}
IN_CHILD(what_is_beyond_is_not_mapped)

/* ---- limits ---- */

static void its_limit_child(void)
{
	struct range r = stack();
	unsigned long top = r.end;

	begin();
	limit(RLIMIT_STACK, MIB);
	CHECK(poke(top - MIB - 1, true) == SIGSEGV && stack().start == r.start);
	CHECK(poke(top - MIB, true) == 0 && stack().start == top - MIB);
	CHECK(poke(top - MIB - 1, false) == SIGSEGV);
	limit(RLIMIT_STACK, 2 * MIB);
	CHECK(poke(top - 2 * MIB, true) == 0);
	limit(RLIMIT_STACK, MIB);
	CHECK(poke(top - 2 * MIB, true) == 0);
	CHECK(poke(top - 2 * MIB - 1, true) == SIGSEGV);
}
IN_CHILD(its_limit)

static void the_limit_of_the_address_space_child(void)
{
	unsigned long at = below(MIB);

	begin();
	limit(RLIMIT_AS, bytes_of("VmSize") + MIB / 2);
	CHECK(poke(at, true) == SIGSEGV);
	CHECK(poke(at + 3 * MIB / 4, true) == 0);
	limit(RLIMIT_AS, RLIM_INFINITY);
	CHECK(poke(at, true) == 0);
}
IN_CHILD(the_limit_of_the_address_space)

/* ---- what is mapped below it ---- */

static void *map_at(unsigned long at, size_t size, int prot)
{
	return mmap((void *)at, size, prot,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

static void the_gap_child(void)
{
	unsigned long at = below(3 * MIB);

	begin();
	CHECK(map_at(at, PAGE, PROT_READ) == (void *)at);
	CHECK(poke(at + GAP, true) == SIGSEGV);
	CHECK(poke(at + PAGE + GAP - 1, true) == SIGSEGV);
	CHECK(poke(at + PAGE + GAP, true) == 0);
	CHECK(poke(at + PAGE + GAP - 1, true) == SIGSEGV);
	CHECK(mprotect((void *)at, PAGE, PROT_NONE) == 0);
	CHECK(poke(at + 2 * PAGE, true) == 0);
	CHECK(poke(at + PAGE, true) == 0);
	CHECK(poke(at + PAGE - 1, true) == SIGSEGV);
	CHECK(munmap((void *)at, PAGE) == 0);
	CHECK(poke(at - MIB, true) == 0 && stack().start == at - MIB);
}
IN_CHILD(the_gap)

static void nothing_is_put_into_the_gap_child(void)
{
	unsigned long at = below(GAP / 2);
	char *p = mmap((void *)at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && (unsigned long)p != at);
	CHECK((unsigned long)p < below(GAP) || (unsigned long)p > stack().end);
	/* Farther down it may be. */
	at = below(2 * GAP);
	p = mmap((void *)at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK((unsigned long)p == at);
	/* And where it is told to. */
	at = below(4 * PAGE);
	CHECK(map_at(at, 4 * PAGE, RW) == (void *)at);
	begin();
	CHECK(poke(at, true) == 0);
	CHECK(poke(at - 1, true) == SIGSEGV);
}
IN_CHILD(nothing_is_put_into_the_gap)

/* ---- system calls ---- */

/* The call's memory lies below the stack as it was, which has grown to just there. */
#define GROWS_BY(at, call)                                                               \
	do {                                                                             \
		unsigned long at = below(64 * KIB) + 64;                                 \
		CHECK(call);                                                             \
		CHECK(stack().start == (at & ~(PAGE - 1)));                              \
	} while (0)

static void calls_let_it_grow_child(void)
{
	int p[2], s[2], fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct iovec iov[2];

	CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && fd >= 0);
	GROWS_BY(at, write(fd, (void *)at, 10000) == 10000);
	GROWS_BY(at, pread(fd, (void *)at, 10000, 0) == 10000);
	GROWS_BY(at, write(p[1], (void *)at, 10000) == 10000);
	GROWS_BY(at, read(p[0], (void *)at, 10000) == 10000);
	GROWS_BY(at, send(s[0], (void *)at, 10000, 0) == 10000);
	GROWS_BY(at, recv(s[1], (void *)at, 10000, 0) == 10000);
	CHECK(write(s[0], "abcdef", 6) == 6);
	GROWS_BY(at, (iov[0] = (struct iovec){(void *)(at + 1000), 3},
		      iov[1] = (struct iovec){(void *)at, 3}, readv(s[1], iov, 2) == 6));
	GROWS_BY(at, getcwd((void *)at, 4096) != NULL);
	GROWS_BY(at, uname((void *)at) == 0);
	GROWS_BY(at, fstat(fd, (void *)at) == 0);
	GROWS_BY(at, pipe((void *)at) == 0);
	GROWS_BY(at, sigprocmask(SIG_BLOCK, NULL, (void *)at) == 0);
	GROWS_BY(at, access((void *)at, F_OK) == -1 && errno == ENOENT);
	limit(RLIMIT_STACK, stack().end - stack().start + 4 * KIB);
	FAILS(EFAULT, read(open("/dev/zero", O_RDONLY), (void *)below(64 * KIB), 100));
	FAILS(EFAULT, uname((void *)below(64 * KIB)));
}

static void what_was_cut_off_grows_again_child(void)
{
	int fd = open("large_file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	static char data[MIB];

	begin();
	CHECK(fd >= 0 && write(fd, data, MIB) == MIB && poke(below(MIB), true) == 0);
	CHECK(munmap((void *)stack().start, MIB / 2) == 0);
	GROWS_BY(at, pwrite(fd, (void *)at, 60000, 0) == 60000);
	GROWS_BY(at, pread(fd, (void *)at, 60000, 0) == 60000);
}
IN_CHILD(what_was_cut_off_grows_again)

static void calls_let_it_grow(void)
{
	CHECK(child_wait(child_start(calls_let_it_grow_child)) == 0);
}

static volatile int handled;

static void on_user(int sig)
{
	(void)sig;
	handled++;
}

/* The frame is the first thing that is written there. */
static void signal_frames_let_it_grow_child(void)
{
	unsigned long start = stack().start;
	long ret;

	CHECK(signal(SIGUSR1, on_user) != SIG_ERR);
	__asm__ volatile("subq $0x200000, %%rsp\n\tsyscall\n\taddq $0x200000, %%rsp"
			 : "=a"(ret)
			 : "0"(SYS_tgkill), "D"(getpid()), "S"(gettid()), "d"(SIGUSR1)
			 : "rcx", "r11", "memory");
	CHECK(ret == 0 && handled == 1);
	CHECK(stack().start < start - MIB);
}
IN_CHILD(signal_frames_let_it_grow)

/* ---- threads ---- */

enum { THREADS = 4 };
static unsigned long shared_at;
static pthread_barrier_t barrier;

static void *touch_in_step(void *arg)
{
	(void)arg;
	for (unsigned long n = 0; n < 200; n++) {
		if (n % 20 == 0)
			(void)pthread_barrier_wait(&barrier);
		*(volatile char *)(shared_at - n * PAGE) = 1;
	}
	return NULL;
}

static void threads_meet_at_a_page_child(void)
{
	pthread_t t[THREADS];

	shared_at = below(MIB);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, touch_in_step, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(stack().start == shared_at - 199 * PAGE);
}
IN_CHILD(threads_meet_at_a_page)

/* ---- others ---- */

static void grow_in_child(void)
{
	begin();
	CHECK(poke(below(MIB), true) == 0);
}

static void a_fork_grows_by_itself_child(void)
{
	unsigned long start = stack().start;

	CHECK(child_wait(child_start(grow_in_child)) == 0);
	CHECK(stack().start == start);
}
IN_CHILD(a_fork_grows_by_itself)

static void other_stacks_let_calls_grow_them(void)
{
	size_t room = 400 * PAGE;
	char *p = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	int fd = open("/dev/zero", O_RDONLY);

	CHECK(p != MAP_FAILED && munmap(p, room) == 0 && fd >= 0);
	q = mmap(p + room - PAGE, PAGE, RW,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	CHECK(q == p + room - PAGE);
	CHECK(uname((void *)(q - 3 * PAGE)) == 0);
	CHECK(fstat(fd, (void *)(q - 5 * PAGE)) == 0);
	CHECK(munmap(q - 8 * PAGE, 9 * PAGE) == 0 && close(fd) == 0);
}

static void its_parts_child(void)
{
	struct range r = stack();

	CHECK(mprotect((void *)r.start, PAGE, PROT_READ) == 0);
	CHECK(stack().start == r.start + PAGE);
	CHECK(bytes_of("VmStk") == r.end - r.start);
	begin();
	CHECK(poke(r.start, true) == SIGSEGV && poke(r.start, false) == 0);
	/* The lowest part is a stack as well, and grows as it is. */
	CHECK(poke(r.start - 1, true) == SIGSEGV && poke(r.start - 1, false) == 0);
	CHECK(bytes_of("VmStk") == r.end - r.start + PAGE);
}
IN_CHILD(its_parts)

static void protected_to_its_end_child(void)
{
	struct range r = stack();
	unsigned long page = (unsigned long)&r & ~(PAGE - 1);
	unsigned long start = 0, end = 0;
	char line[256], perms[8] = "";
	FILE *f;

	FAILS(EINVAL, mprotect((void *)page, PAGE, RW | PROT_GROWSUP));
	FAILS(EINVAL, mprotect((void *)page, PAGE, RW | PROT_GROWSUP | PROT_GROWSDOWN));
	CHECK(page > r.start);
	CHECK(mprotect((void *)page, PAGE, RW | PROT_EXEC | PROT_GROWSDOWN) == 0);
	f = fopen("/proc/self/maps", "r");
	CHECK(f);
	while (start != r.start && fgets(line, sizeof(line), f))
		CHECK(sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3);
	CHECK(fclose(f) == 0 && start == r.start && end == page + PAGE);
	CHECK(strcmp(perms, "rwxp") == 0);
	/* It may begin below. */
	CHECK(mprotect((void *)(r.start - 4 * PAGE), 5 * PAGE, RW | PROT_GROWSDOWN) == 0);
	FAILS(ENOMEM,
	      mprotect((void *)(r.start - 4 * PAGE), 4 * PAGE, RW | PROT_GROWSDOWN));
}
IN_CHILD(protected_to_its_end)

/* With mappings from below there is room for a stack where others have them. */
static void it_grows_far(void)
{
	static char data[10000];
	int p[2], s[2], fd = open("far", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct sockaddr_in a = {.sin_family = AF_INET};
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned long at = below(400 * MIB);
	struct iovec local, remote;
	socklen_t len = sizeof(a);

	CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(fd >= 0 && write(fd, data, sizeof(data)) == sizeof(data));
	FAILS(EFAULT, pread(fd, (void *)at, 10000, 0));
	limit(RLIMIT_STACK, 2000 * MIB);
	CHECK(pread(fd, (void *)at, 10000, 0) == 10000);
	CHECK(stack().start == (at & ~(PAGE - 1)));
	for (int i = 0; i < 20; i++) {
		GROWS_BY(low, pwrite(fd, (void *)low, 10000, 0) == 10000);
		GROWS_BY(low, pread(fd, (void *)low, 10000, 0) == 10000);
	}
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(udp >= 0 && bind(udp, (void *)&a, sizeof(a)) == 0);
	CHECK(getsockname(udp, (void *)&a, &len) == 0);
	CHECK(connect(udp, (void *)&a, sizeof(a)) == 0);
	GROWS_BY(low, send(udp, (void *)low, 10000, 0) == 10000);
	GROWS_BY(low, recv(udp, (void *)low, 10000, 0) == 10000);
	GROWS_BY(low, write(p[1], (void *)low, 10000) == 10000);
	GROWS_BY(low, read(p[0], (void *)low, 10000) == 10000);
	GROWS_BY(low, (local = (struct iovec){(void *)low, 10000},
		       remote = (struct iovec){data, 10000},
		       process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 10000));
	GROWS_BY(low, uname((void *)low) == 0);
	CHECK(unlink("far") == 0);
}

static void its_limit_is_raised_child(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_STACK, &l) != 0 || l.rlim_max < 2000 * MIB)
		return;
	limit(RLIMIT_STACK, 8 * MIB);
	CHECK(personality(ADDR_COMPAT_LAYOUT | ADDR_NO_RANDOMIZE) != -1);
	(void)execl("/proc/self/exe", "stack_growth", "far", (char *)NULL);
	CHECK(false);
}
IN_CHILD(its_limit_is_raised)

static void keep_args(int argc, char **argv)
{
	(void)argc;
	args = argv;
	if (argc > 1 && strcmp(argv[1], "far") == 0) {
		it_grows_far();
		_exit(0);
	}
}
__attribute__((section(".init_array"),
	       used)) static void (*const first)(int, char **) = keep_args;

RUN(TEST(at_first), TEST(it_grows_at_faults), TEST(what_is_beyond_is_not_mapped),
    TEST(its_limit), TEST(the_limit_of_the_address_space), TEST(the_gap),
    TEST(nothing_is_put_into_the_gap), TEST(calls_let_it_grow),
    TEST(signal_frames_let_it_grow), TEST(threads_meet_at_a_page),
    TEST(a_fork_grows_by_itself), TEST(other_stacks_let_calls_grow_them), TEST(its_parts),
    TEST(its_limit_is_raised), TEST(protected_to_its_end),
    TEST(what_was_cut_off_grows_again))
