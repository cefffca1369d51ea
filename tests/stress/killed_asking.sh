#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 180
# killed_asking.sh - the host process of killed_asking.c's child is killed by somebody of the
# host while it waits for another one, which is stopped: what it had is given back. If it was
# just changing the kernel's data that is the sandbox's end, which is told.
set -u
. "$(dirname "$0")/../descendants"
[ -n "$RUN" ] || exit 77
cp "$BUILD/tests/stress/killed_asking" .
mkfifo in out

# expect WORD: the program says it.
expect() {
	read -r word <&9 && [ "$word" = "$1" ] && return
	cat errors
	exit 1
}

# new_one PID: the process that is not among the others yet.
new_one() {
	local found=
	# A list that is made while others end may leave some out.
	until [ "$(wc -w <<<"$found")" = 1 ]; do
		found=$(descendants "$1" | sort | comm -23 - others)
	done
	echo "$found"
}

# asleep PID: it has come to its pause(), and has nothing of the kernel's.
asleep() {
	local state
	for state in 1 2 3; do
		until read -r _ _ state _ <"/proc/$1/stat" && [ "$state" = S ]; do
			sleep 0.01
		done
		sleep 0.05
	done
}

for ((i = 0; i < ${STRESS:-1} * 5; i++)); do
	${RUN/ run / run --leaks } ./killed_asking outside <in >out 2>errors &
	exec 8>in 9<out
	expect begin
	descendants $! | sort >others
	echo -n x >&8
	expect asked
	asked=$(new_one $!)
	printf '%s\n' "$asked" | sort -m - others >others.new && mv others.new others
	asleep "$asked"
	kill -STOP "$asked"
	echo -n x >&8
	expect asker
	victim=$(new_one $!)
	sleep 0.$((RANDOM % 5 + 1))
	kill -KILL "$victim"
	if read -r word <&9; then
		kill -CONT "$asked"
		echo -n x >&8
		expect ok
	fi
	wait $!
	status=$?
	exec 8>&- 9<&-
	count_end $status
done
echo "$lived lived on, $ended sandboxes ended"
