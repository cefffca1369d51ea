#!/bin/bash
# SPDX-License-Identifier: MIT
# kernel_jump.sh - programs that jump anywhere into the kernel or write over its data. They end
# themselves or their sandbox, with a message then. One that has spoilt the kernel's locks may hang, as one
# that loops may; it ends when the launcher is told to, and leaves nothing running.
# timeout: 280
# native: skip
set -u
program=$BUILD/tests/security/kernel_memory
failures=0

# attempt WHAT SEED SECONDS
attempt() {
	local status=0 tries=0
	{ timeout -k 2 "$3" "$CARBYNE" run -- "$program" "$1" "$2" >out 2>err </dev/null; } \
		2>/dev/null || status=$?
	while pgrep -f -- "$program $1 $2\$" >/dev/null && [ $((tries++)) -lt 200 ]; do
		sleep 0.1
	done
	if [ "$tries" -gt 200 ]; then
		echo "not ok: $1 $2 leaves processes running"
	elif [ "$status" = 125 ] && ! grep -q '^carbyne: ' err; then
		echo "not ok: $1 $2 ends the sandbox without a word"
	else
		counts[$status]=$((${counts[$status]:-0} + 1))
		return
	fi
	head -n 20 err
	failures=$((failures + 1))
	[ "$failures" -lt 3 ] || exit 1
}

report() {
	local status
	for status in "${!counts[@]}"; do
		echo "$1: ${counts[$status]} times status $status"
	done
	counts=()
}

declare -A counts=()
for ((seed = 1; seed <= ${ATTEMPTS:-24}; seed++)); do
	attempt jump "$seed" 3
done
report jump
for ((seed = 1; seed <= ${ATTEMPTS:-24} / 4; seed++)); do
	attempt scribble "$seed" 2
done
report scribble
[ "$failures" = 0 ]
