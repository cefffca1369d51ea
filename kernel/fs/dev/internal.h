/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of fs/dev/ alone. */
#pragma once
#include "abi/types.h"

/* Device numbers, as in Linux' devices.txt. */
enum {
	MEM_MAJOR = 1,
	MEM_NULL = 3,
	MEM_ZERO = 5,
	MEM_FULL = 7,
	MEM_RANDOM = 8,
	MEM_URANDOM = 9,
	MEM_KMSG = 11,
	TTY_MAJOR = 5,
	TTY_TTY = 0,
	TTY_CONSOLE = 1,
	TTY_PTMX = 2,
	PTS_MAJOR = 136,
};

void mem_devices_register(void);
void kmsg_device_register(void);
void tty_devices_register(void);
void pty_devices_register(void);
