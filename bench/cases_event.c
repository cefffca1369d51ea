/* SPDX-License-Identifier: MIT */
/* cases_event.c - asking what is ready, when something is. */
#include "ubench.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PIPES 10

static int event;
static int epoll;
static struct pollfd pipes[PIPES];

static void eventfd_setup(void)
{
	event = eventfd(0, EFD_CLOEXEC);
	if (event < 0)
		die("eventfd");
}

static void eventfd_run(uint64_t n)
{
	uint64_t one = 1;

	while (n--)
		if (write(event, &one, sizeof(one)) != sizeof(one) ||
		    read(event, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
}

static void epoll_setup(void)
{
	struct epoll_event wanted = {.events = EPOLLIN};

	event = eventfd(1, EFD_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (event < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted))
		die("epoll");
}

static void epoll_run(uint64_t n)
{
	struct epoll_event got;

	while (n--)
		if (epoll_wait(epoll, &got, 1, -1) != 1)
			die("epoll_wait");
}

static void poll_setup(void)
{
	for (int i = 0; i < PIPES; i++) {
		int ends[2];

		if (pipe(ends) || write(ends[1], "", 1) != 1)
			die("pipe");
		pipes[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
	}
}

static void poll_run(uint64_t n)
{
	while (n--)
		if (poll(pipes, PIPES, -1) != PIPES)
			die("poll");
}

const struct bench_case event_cases[] = {
	{.name = "eventfd", .run = eventfd_run, .setup = eventfd_setup},
	{.name = "epoll-ready", .run = epoll_run, .setup = epoll_setup},
	{.name = "poll-10-pipes", .run = poll_run, .setup = poll_setup},
	{.name = NULL},
};
