/* SPDX-License-Identifier: MIT */
/* errors.h - the names and messages of errors. */
#pragma once
#include "abi/types.h"

/* "ENOENT" for ENOENT, and its message; NULL for a number that Linux does not use. */
const char *errno_name(int err);
const char *errno_message(int err);
