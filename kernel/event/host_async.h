/* SPDX-License-Identifier: MIT */
/* host_async.h - SIGIO of the caller's own descriptors. */
#pragma once

void host_async_init(void);
