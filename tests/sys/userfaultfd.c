/* SPDX-License-Identifier: MIT */
/* Pages that a thread of the program itself provides. */
#include "uffd.h"

#include <sys/ioctl.h>

static void flags_are_checked_and_kept(void)
{
	int fd = uffd_new(O_CLOEXEC | O_NONBLOCK);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDONLY | O_NONBLOCK));
	CHECK(close(fd) == 0);
	fd = uffd_new(0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(close(fd) == 0);
	FAILS(EINVAL, uffd_new(4));
	FAILS(EINVAL, uffd_new(O_APPEND));
}

static void unprivileged(void)
{
	become_user();
	FAILS(EPERM, syscall(SYS_userfaultfd, 0));
	FAILS(EPERM, syscall(SYS_userfaultfd, 4));
	CHECK(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) >= 0);
}

static void others_may_have_user_faults_alone(void)
{
	CHECK(in_child(unprivileged) == 0);
}

static void the_device_makes_them_too(void)
{
	int dev, fd;

	if (!is_root())
		return;
	dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	CHECK(dev >= 0);
	fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	FAILS(EINVAL, ioctl(dev, USERFAULTFD_IOC_NEW, 4));
	FAILS(EINVAL, ioctl(dev, 0x1234, 0));
	CHECK(close(fd) == 0 && close(dev) == 0);
}

static void the_api_is_agreed_on_once(void)
{
	struct uffdio_api a = {.api = 1};
	int fd = uffd_new(O_NONBLOCK);
	struct pollfd f = {fd, POLLIN, 0};
	struct uffd_msg m;

	FAILS(EINVAL, read(fd, &m, sizeof(m)));
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLERR);
	FAILS(EINVAL, uffd_range(fd, UFFDIO_WAKE, pages(1), 1));
	FAILS(EFAULT, ioctl(fd, UFFDIO_API, NULL));
	FAILS(EINVAL, ioctl(fd, UFFDIO_API, &a));
	CHECK(a.api == 0);
	a = (struct uffdio_api){.api = UFFD_API, .features = 1UL << 40};
	FAILS(EINVAL, ioctl(fd, UFFDIO_API, &a));
	CHECK(a.api == 0 && a.features == 0);
	a = (struct uffdio_api){.api = UFFD_API};
	CHECK(ioctl(fd, UFFDIO_API, &a) == 0);
	CHECK(a.api == UFFD_API && (a.features & UFFD_FEATURE_MISSING_SHMEM));
	CHECK(a.ioctls == UFFD_API_IOCTLS);
	a = (struct uffdio_api){.api = UFFD_API};
	FAILS(EINVAL, ioctl(fd, UFFDIO_API, &a));
	CHECK(a.features == 0);
	FAILS(EINVAL, ioctl(fd, 0xaa77, &a));
	CHECK(poll(&f, 1, 0) == 0);
	FAILS(EAGAIN, read(fd, &m, sizeof(m)));
	FAILS(EINVAL, read(fd, &m, sizeof(m) - 1));
	FAILS(EBADF, write(fd, &m, sizeof(m)));
	CHECK(close(fd) == 0);
	fd = uffd_open(0, 0);
	f.fd = fd;
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLERR); /* it would block */
	CHECK(close(fd) == 0);
}

static void ranges_are_checked(void)
{
	int fd = uffd_open(O_NONBLOCK, 0), other = uffd_open(O_NONBLOCK, 0);
	char *p = pages(4);
	struct uffdio_register r = {
		{(uintptr_t)p, PAGE}, UFFDIO_REGISTER_MODE_MISSING, 0};

	FAILS(EFAULT, ioctl(fd, UFFDIO_REGISTER, NULL));
	FAILS(EINVAL, uffd_register(fd, p, 1, 0));
	FAILS(EINVAL, uffd_register(fd, p, 1, 8));
	FAILS(EINVAL, uffd_register(fd, p, 1, UFFDIO_REGISTER_MODE_MINOR));
	FAILS(EINVAL, uffd_register(fd, p + 1, 1, 1));
	FAILS(EINVAL, uffd_register(fd, p, 0, 1));
	FAILS(EINVAL, uffd_register(fd, NULL, 1, 1));
	FAILS(EINVAL, uffd_register(fd, (void *)0x800000000000, 1, 1));
	FAILS(EINVAL, uffd_register(fd, (void *)-PAGE, 1, 1));
	CHECK(munmap(p + 3 * PAGE, PAGE) == 0);
	FAILS(EINVAL, uffd_register(fd, p + 3 * PAGE, 1, 1));
	CHECK(ioctl(fd, UFFDIO_REGISTER, &r) == 0);
	CHECK(r.ioctls ==
	      (0x1fcUL & ~(1UL << _UFFDIO_WRITEPROTECT) & ~(1UL << _UFFDIO_CONTINUE)));
	CHECK(uffd_register(fd, p, 1, 1) == 0); /* again */
	FAILS(EBUSY, uffd_register(other, p, 2, 1));
	CHECK(uffd_register(other, p + PAGE, 1, 1) == 0);
	FAILS(EINVAL, uffd_range(fd, UFFDIO_UNREGISTER, p + 3 * PAGE, 1));
	FAILS(EFAULT, ioctl(fd, UFFDIO_UNREGISTER, NULL));
	CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p + 2 * PAGE, 1) == 0);
	CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p, 1) == 0);
	CHECK(uffd_register(other, p, 1, 1) == 0);
	CHECK(close(fd) == 0 && close(other) == 0);
	p[0] = p[PAGE] = 1; /* closed: memory like any other */
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void files_cannot_be_registered(void)
{
	int fd = uffd_open(0, 0), file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);

	CHECK(p != MAP_FAILED);
	FAILS(EINVAL, uffd_register(fd, p, 1, UFFDIO_REGISTER_MODE_MISSING));
	CHECK(close(fd) == 0 && close(file) == 0 && munmap(p, PAGE) == 0);
}

static void a_missing_page_is_provided(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(8);
	struct pager pager;

	p[0] = 'x'; /* it is there already */
	CHECK(uffd_register(fd, p, 8, UFFDIO_REGISTER_MODE_MISSING) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[0] == 'x' && pager.faults == 0);
	CHECK(p[3 * PAGE + 7] == 'd' && pager.faults == 1 && pager.flags == 0);
	CHECK(p[3 * PAGE] == 'd' && p[4 * PAGE - 1] == 'd' && pager.faults == 1);
	p[5 * PAGE] = 'y';
	CHECK(pager.faults == 2 && pager.flags == UFFD_PAGEFAULT_FLAG_WRITE);
	CHECK(p[5 * PAGE] == 'y' && p[5 * PAGE + 1] == 'f');
	CHECK(madvise(p, 8 * PAGE, MADV_DONTNEED) == 0);
	CHECK(p[0] == 'a' && p[5 * PAGE] == 'f' && pager.faults == 4);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 8 * PAGE) == 0);
}

static void pages_can_be_provided_ahead(void)
{
	struct uffdio_copy c;
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(40), *from = pages(40);

	for (size_t i = 0; i < 40; i++)
		memset(from + i * PAGE, 'A' + (int)i, PAGE);
	CHECK(uffd_register(fd, p, 40, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(uffd_copy(fd, p + 30 * PAGE, from, 1, 0) == 0);
	c = (struct uffdio_copy){(uintptr_t)p, (uintptr_t)from, 40 * PAGE, 0, 0};
	FAILS(EAGAIN, ioctl(fd, UFFDIO_COPY, &c)); /* up to the one that is there */
	CHECK(c.copy == 30 * (long)PAGE);
	c = (struct uffdio_copy){(uintptr_t)p, (uintptr_t)from, PAGE, 0, 0};
	FAILS(EEXIST, ioctl(fd, UFFDIO_COPY, &c));
	CHECK(c.copy == -EEXIST);
	CHECK(uffd_zero(fd, p + 31 * PAGE, 9) == 0);
	FAILS(EEXIST, uffd_zero(fd, p + 31 * PAGE, 1));
	for (size_t i = 0; i < 30; i++)
		CHECK(p[i * PAGE] == 'A' + (int)i && p[i * PAGE + 4095] == 'A' + (int)i);
	CHECK(p[30 * PAGE] == 'A' && p[31 * PAGE] == 0 && p[40 * PAGE - 1] == 0);
	p[39 * PAGE] = 1;
	CHECK(p[39 * PAGE] == 1 && p[38 * PAGE] == 0);
	CHECK(munmap(from, 40 * PAGE) == 0 && munmap(p, 40 * PAGE) == 0 &&
	      close(fd) == 0);
}

static void copies_are_checked(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(4), *none = pages(1);
	struct uffdio_copy c;

	CHECK(munmap(none, PAGE) == 0);
	CHECK(uffd_register(fd, p, 2, UFFDIO_REGISTER_MODE_MISSING) == 0);
	FAILS(EFAULT, ioctl(fd, UFFDIO_COPY, NULL));
	FAILS(EFAULT, ioctl(fd, UFFDIO_ZEROPAGE, NULL));
	FAILS(EINVAL, uffd_copy(fd, p, page_of('x'), 1, 4));
	FAILS(EINVAL, uffd_copy(fd, p + 1, page_of('x'), 1, 0));
	FAILS(EINVAL, uffd_copy(fd, p, page_of('x'), 0, 0));
	FAILS(EINVAL, uffd_copy(fd, p, page_of('x'), 1, UFFDIO_COPY_MODE_WP));
	FAILS(ENOENT, uffd_copy(fd, p + PAGE, page_of('x'), 2, 0));
	FAILS(ENOENT, uffd_copy(fd, p + 2 * PAGE, page_of('x'), 1, 0));
	FAILS(ENOENT, uffd_copy(fd, none, page_of('x'), 1, 0));
	FAILS(EFAULT, uffd_copy(fd, p, none, 1, 0));
	FAILS(ENOENT, uffd_zero(fd, p + 2 * PAGE, 1));
	FAILS(ENOENT, uffd_wp(fd, p, 1, UFFDIO_WRITEPROTECT_MODE_WP));
	FAILS(EINVAL, uffd_wp(fd, p, 1, 3));
	c = (struct uffdio_copy){(uintptr_t)p, (uintptr_t)page_of('z') + 0, PAGE, 0, 77};
	CHECK(ioctl(fd, UFFDIO_COPY, &c) == 0 && c.copy == (long)PAGE && p[9] == 'z');
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

/* ---- many at once ---- */

enum { AREA = 256, THREADS = 6 };
static char *shared_area;

static void *reader(void *arg)
{
	size_t step = (size_t)(uintptr_t)arg * 2 + 1;

	for (size_t i = 0, at = 0; i < AREA; i++, at = (at + step) % AREA)
		CHECK(shared_area[at * PAGE] == (char)('a' + (int)at));
	return NULL;
}

static void many_threads_fault(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	pthread_t t[THREADS];
	struct pager pager;

	shared_area = pages(AREA);
	CHECK(uffd_register(fd, shared_area, AREA, UFFDIO_REGISTER_MODE_MISSING) == 0);
	pager_start(&pager, fd, shared_area);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, reader, (void *)i) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	pager_stop(&pager);
	CHECK(pager.faults >= AREA);
	CHECK(close(fd) == 0 && munmap(shared_area, AREA * PAGE) == 0);
}

/* ---- waiting ---- */

static void *touch(void *p)
{
	return (void *)(uintptr_t) * (volatile unsigned char *)p;
}

static void closing_lets_all_go_on(void)
{
	int fd = uffd_open(0, 0);
	char *p = pages(2);
	pthread_t t;
	void *seen;

	CHECK(uffd_register(fd, p, 2, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, touch, p) == 0);
	CHECK(uffd_read(fd).arg.pagefault.address == (uintptr_t)p);
	CHECK(close(fd) == 0);
	CHECK(pthread_join(t, &seen) == 0 && !seen);
	CHECK(p[PAGE] == 0);
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static void unregistering_and_waking_do_too(void)
{
	int fd = uffd_open(0, 0);
	char *p = pages(2);
	pthread_t t;
	void *seen;

	CHECK(uffd_register(fd, p, 2, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, touch, p + 5) == 0);
	CHECK(uffd_read(fd).arg.pagefault.address == (uintptr_t)p);
	CHECK(uffd_range(fd, UFFDIO_WAKE, p, 1) == 0); /* it faults again */
	CHECK(uffd_read(fd).arg.pagefault.address == (uintptr_t)p);
	CHECK(uffd_copy(fd, p, page_of('q'), 1, UFFDIO_COPY_MODE_DONTWAKE) == 0);
	CHECK(uffd_range(fd, UFFDIO_WAKE, p, 2) == 0);
	CHECK(pthread_join(t, &seen) == 0 && seen == (void *)'q');
	CHECK(pthread_create(&t, NULL, touch, p + PAGE) == 0);
	(void)uffd_read(fd);
	CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p, 2) == 0);
	CHECK(pthread_join(t, &seen) == 0 && !seen && p[0] == 'q');
	CHECK(close(fd) == 0 && munmap(p, 2 * PAGE) == 0);
}

static char *signal_page;
static int signal_fd;
static volatile sig_atomic_t handled;

static void provide(int sig)
{
	(void)sig;
	handled++;
	if (handled == 3)
		CHECK(uffd_copy(signal_fd, signal_page, page_of('s'), 1, 0) == 0);
}

static void *send_signals(void *arg)
{
	pthread_t *main_thread = arg;

	while (handled < 3) {
		sleep_ms(5);
		pthread_kill(*main_thread, SIGUSR1);
	}
	return NULL;
}

static void signals_are_handled_in_between(void)
{
	struct sigaction sa = {.sa_handler = provide};
	pthread_t self = pthread_self(), t;
	int fd = uffd_open(O_NONBLOCK, 0);

	signal_page = pages(1);
	signal_fd = fd;
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	CHECK(uffd_register(fd, signal_page, 1, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, send_signals, &self) == 0);
	CHECK(signal_page[100] == 's' && handled >= 3);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(signal(SIGUSR1, SIG_DFL) == provide);
	CHECK(close(fd) == 0 && munmap(signal_page, PAGE) == 0);
}

static void wait_for_ever(void)
{
	int fd = uffd_open(0, 0);
	char *p = pages(1);

	CHECK(uffd_register(fd, p, 1, UFFDIO_REGISTER_MODE_MISSING) == 0);
	p[0] = 1;
}

static void those_who_wait_can_be_killed(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = child_start(wait_for_ever);

		sleep_ms(10 * i);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(child_wait(pid) == SIGKILL);
	}
}

static void thread_ids_and_addresses_are_told_on_demand(void)
{
	int fd = uffd_open(0, UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_EXACT_ADDRESS);
	char *p = pages(1);
	struct uffd_msg m;
	pthread_t t;

	CHECK(uffd_register(fd, p, 1, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, touch, p + 123) == 0);
	m = uffd_read(fd);
	CHECK(m.arg.pagefault.address == (uintptr_t)p + 123);
	CHECK((pid_t)m.arg.pagefault.feat.ptid > 0 &&
	      (pid_t)m.arg.pagefault.feat.ptid != (pid_t)syscall(SYS_gettid));
	CHECK(uffd_zero(fd, p, 1) == 0 && pthread_join(t, NULL) == 0);
	CHECK(close(fd) == 0 && munmap(p, PAGE) == 0);
}

static void bus_error(void)
{
	int fd = uffd_open(0, UFFD_FEATURE_SIGBUS);
	char *p = pages(1);

	CHECK(uffd_register(fd, p, 1, UFFDIO_REGISTER_MODE_MISSING) == 0);
	if (is_root())
		FAILS(EFAULT, getcwd(p, PAGE) ? 0 : -1);
	CHECK(uffd_copy(fd, p, page_of('b'), 1, 0) == 0 && p[0] == 'b');
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0);
	p[0] = 1;
}

static void a_signal_can_be_had_instead(void)
{
	CHECK(in_child(bus_error) == SIGBUS);
}

static void limits_of_the_area_hold(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(4);
	struct pager pager;

	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[PAGE] == 'b' && p[2 * PAGE] == 'c');
	CHECK(mprotect(p, 4 * PAGE, PROT_READ) == 0);
	CHECK(p[PAGE] == 'b' && p[3 * PAGE] == 'd' && p[0] == 'a');
	CHECK(mprotect(p, 4 * PAGE, RW) == 0);
	p[PAGE] = 'B';
	CHECK(p[PAGE] == 'B' && pager.faults == 4);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

/* ---- signals while a message is waited for ---- */

#define FAULTERS 2
#define ROUNDS	 400

static char *read_area;
static volatile int is_served;

static void *fault_in_turn(void *arg)
{
	char *at = read_area + (long)arg * ROUNDS * PAGE;

	for (long i = 0; i < ROUNDS; i++)
		CHECK(at[i * PAGE] == 0);
	return NULL;
}

static void *serve(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < FAULTERS * ROUNDS; i++) {
		struct uffd_msg m = uffd_read(fd);

		CHECK(uffd_zero(fd, (void *)(uintptr_t)m.arg.pagefault.address, 1) == 0);
	}
	is_served = 1;
	return NULL;
}

static void ignore_it(int sig)
{
	(void)sig;
}

static void signals_lose_no_message(void)
{
	struct sigaction sa = {.sa_handler = ignore_it, .sa_flags = SA_RESTART};
	int fd = uffd_open(0, 0);
	pthread_t server, t[FAULTERS];

	read_area = pages(FAULTERS * ROUNDS);
	CHECK(uffd_register(fd, read_area, FAULTERS * ROUNDS,
			    UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	CHECK(pthread_create(&server, NULL, serve, &fd) == 0);
	for (long i = 0; i < FAULTERS; i++)
		CHECK(pthread_create(&t[i], NULL, fault_in_turn, (void *)i) == 0);
	while (!is_served) {
		CHECK(pthread_kill(server, SIGUSR1) == 0);
		usleep(20);
	}
	for (int i = 0; i < FAULTERS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(pthread_join(server, NULL) == 0);
	CHECK(close(fd) == 0 && munmap(read_area, FAULTERS * ROUNDS * PAGE) == 0);
}

RUN(TEST(flags_are_checked_and_kept), TEST(others_may_have_user_faults_alone),
    TEST(the_device_makes_them_too), TEST(the_api_is_agreed_on_once),
    TEST(ranges_are_checked), TEST(files_cannot_be_registered),
    TEST(a_missing_page_is_provided), TEST(pages_can_be_provided_ahead),
    TEST(copies_are_checked), TEST(many_threads_fault), TEST(closing_lets_all_go_on),
    TEST(unregistering_and_waking_do_too), TEST(signals_are_handled_in_between),
    TEST(those_who_wait_can_be_killed), TEST(thread_ids_and_addresses_are_told_on_demand),
    TEST(a_signal_can_be_had_instead), TEST(limits_of_the_area_hold),
    TEST(signals_lose_no_message))
