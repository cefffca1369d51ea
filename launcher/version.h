/* SPDX-License-Identifier: MIT */
/* version.h - the release that this is. */
#pragma once

#define CARBYNE_VERSION "0.1"
