#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# epoll_inherited.sh - waiting for a FIFO of the caller's, both ends of it, in epolls.
set -u

mkfifo p || exit 1
exec 3<>p
for program in sys/epoll_ctl "stress/storm_epoll 5000"; do
	if ! $RUN "$BUILD"/tests/$program <p >&3 3>&-; then
		echo "not ok: $program"
		exit 1
	fi
done
