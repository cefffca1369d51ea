/* SPDX-License-Identifier: MIT */
/* oom.h - too much memory: which process is to end. */
#pragma once
#include "core/boot.h"

/* The launcher's word that the sandbox has more than --memory allows, if there is one:
 * kills the process whose share of the limit, moved by its oom_score_adj, is the largest
 * (proc_pid_oom_score_adj(5)). While one that was killed still has its memory, nobody
 * else is. Called by the first host process. */
void oom_take(struct boot_params *boot);
