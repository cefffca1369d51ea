/* SPDX-License-Identifier: MIT */
/* children.h - ending what is left, where no pid namespace does it. */
#pragma once

/* Kills and reaps every child of the calling process until there is none. */
void children_kill(void);
