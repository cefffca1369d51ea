/* SPDX-License-Identifier: MIT */
/* eventfd.h - the object behind eventfd(2), for those who signal one from inside: aio,
 * cgroups. */
#pragma once
#include "abi/types.h"

struct file;

/* flags: EFD_*. *out gets a reference. */
int eventfd_create_file(uint32_t count, uint32_t flags, struct file **out) MUST_CHECK;
bool file_is_eventfd(const struct file *f);
/* Adds n, as far as there is room. Never sleeps. */
void eventfd_signal(struct file *f, uint64_t n);
