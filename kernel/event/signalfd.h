/* SPDX-License-Identifier: MIT */
/* signalfd.h - start-up of signalfd(2). */
#pragma once

void signalfd_init(void);
