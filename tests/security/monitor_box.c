/* SPDX-License-Identifier: MIT */
/* monitor_box.c - hostile questions to the monitor: whatever lies in the box, it answers
 * those that it knows, writes nowhere else and stays there for others. */
#include "raw.h"

#include <ifaddrs.h>
#include <linux/rtnetlink.h>

#include "../../kernel/core/boot.h"
#include "../../kernel/host/monitor.h"

enum { ROUNDS = 3000 };

static struct boot_params *const params = (void *)BOOT_PARAMS_ADDR;
static struct monitor_box *box;

static void knock(void)
{
	(void)raw_call(SYS_write, (uint64_t)params->monitor_fd, (uint64_t) "?", 1, 0, 0,
		       0);
}

/* Asks, as the kernel does; false: no answer comes. */
static int ask(const struct monitor_query *q)
{
	uint32_t number = __atomic_load_n(&box->asked, __ATOMIC_ACQUIRE) + 1;

	box->query = *q;
	__atomic_store_n(&box->asked, number, __ATOMIC_RELEASE);
	knock();
	for (int ms = 0; ms < 30000; ms++) {
		if (__atomic_load_n(&box->answered, __ATOMIC_ACQUIRE) == number)
			return 1;
		usleep(ms ? 1000 : 50);
	}
	return 0;
}

static void the_network_is_there(void)
{
	struct ifaddrs *list;
	int found = 0;

	CHECK(getifaddrs(&list) == 0);
	for (struct ifaddrs *i = list; i; i = i->ifa_next)
		found += strcmp(i->ifa_name, "lo") == 0;
	CHECK(found > 0);
	freeifaddrs(list);
}

static void nothing_can_be_changed(void)
{
	for (unsigned type = 0; type < 256; type++) {
		struct monitor_query q = {.question = MONITOR_DUMP, .type = type};

		CHECK(ask(&q));
		CHECK(box->error == 0 || box->error == -EOPNOTSUPP);
		CHECK(box->error || ((type - RTM_BASE) & 3) == 2); /* RTM_GET… */
	}
	the_network_is_there();
}

static void nonsense_is_survived(void)
{
	uint64_t state = 88172645463325252;

	for (int i = 0; i < ROUNDS; i++) {
		struct monitor_query q;

		for (size_t k = 0; k < sizeof(q); k++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			((char *)&q)[k] = (char)state;
		}
		q.question = (uint32_t)(state % 6);
		if (i & 4)
			q.pid = i % 100;
		if (i & 1)
			q.family = i & 2 ? AF_INET : AF_INET6;
		CHECK(ask(&q));
		CHECK(box->size <= MONITOR_ANSWER_MAX && box->error <= 0);
	}
	the_network_is_there();
}

/* Of no process but those that are the monitor's children: not of itself, nor of what has
 * none of those numbers. */
static void only_the_sandbox_is_looked_into(void)
{
	struct monitor_query q = {.question = MONITOR_PAGES,
				  .range_count = 1,
				  .range = {{0, (1UL << 47) - 4096}}};
	struct monitor_pages *answer = (void *)box->data;
	int found = 0;

	for (int pid = -2; pid < 2000; pid++) {
		q.pid = pid;
		CHECK(ask(&q));
		CHECK(box->error == 0 || pid <= 1 || box->error == -ESRCH ||
		      box->error == -EOPNOTSUPP);
		if (pid <= 1)
			CHECK(box->error == -ESRCH || box->error == -EOPNOTSUPP);
		if (box->error)
			continue;
		found++;
		/* Flags alone: no frame numbers. */
		CHECK(answer->count <= MONITOR_ANSWER_MAX / sizeof(answer->run[0]));
		for (uint64_t i = 0; i < answer->count; i++)
			CHECK(answer->run[i].bits < 1 << 7);
	}
	CHECK(found > 0 || box->error == -EOPNOTSUPP);
	q.pid = 0x7fffffff;
	q.question = MONITOR_RESET_PEAK;
	CHECK(ask(&q) && box->error < 0);
	the_network_is_there();
}

static void the_box_is_where_it_was(void)
{
	uint64_t at = params->monitor_box;
	struct monitor_query q = {.question = MONITOR_DUMP, .type = RTM_GETLINK};

	params->monitor_box = 4096;
	CHECK(ask(&q) && box->error == 0 && box->size > 0);
	params->monitor_box = at;
	for (int i = 0; i < 100000; i++) /* the pipe is full: nothing hangs */
		knock();
	the_network_is_there();
}

int main(void)
{
	const struct test all[] = {
		TEST(nothing_can_be_changed), TEST(nonsense_is_survived),
		TEST(only_the_sandbox_is_looked_into), TEST(the_box_is_where_it_was)};

	box = (struct monitor_box *)params->monitor_box;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
