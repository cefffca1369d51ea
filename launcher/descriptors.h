/* SPDX-License-Identifier: MIT */
/* descriptors.h - what a process of the launcher's keeps open. */
#pragma once
#include <stddef.h>

/* Closes all descriptors but stderr and these, which it sorts; -1 stands for none. */
void descriptors_keep(int *kept, size_t count);
