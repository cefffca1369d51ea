/* SPDX-License-Identifier: MIT */
/* asleep.h - waiting until another process sleeps: in the call that the test is about,
 * when it was about to make it. */
#pragma once
#include "test.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static inline bool is_asleep(pid_t pid)
{
	char path[64];
	char text[512];
	char *end;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	CHECK(f && fgets(text, sizeof(text), f));
	(void)fclose(f);
	end = strrchr(text, ')');
	CHECK(end && end[2] != 'Z');
	return end[2] == 'S' || end[2] == 'D';
}

/* It may also sleep in passing: only three times in a row count. */
static inline void await_sleep(pid_t pid)
{
	int found = 0;

	for (int i = 0; i < 30000 && found < 3; i++) {
		found = is_asleep(pid) ? found + 1 : 0;
		usleep(1000);
	}
	CHECK(found == 3);
}
