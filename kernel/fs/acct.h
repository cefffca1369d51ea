/* SPDX-License-Identifier: MIT */
/* acct.h - process accounting, acct(2): a record for each process that ends. */
#pragma once

struct process;

/* p has ended, its last task is current() or already buried. No locks are held. */
void acct_process(struct process *p);
/* The sandbox ends. */
void acct_end(void);
