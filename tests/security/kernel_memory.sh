#!/bin/bash
# SPDX-License-Identifier: MIT
# kernel_memory.sh - programs that jump anywhere into the kernel or write over its data: they may end
# themselves or their sandbox, with a message then, but never hang and never leave anything running.
# timeout: 280
# native: skip
set -u
program=$BUILD/tests/security/kernel_memory
limit=10
failures=0

# attempt WHAT SEED
attempt() {
	local status=0 began=$SECONDS
	timeout -k 5 "$limit" "$CARBYNE" run -- "$program" "$1" "$2" >out 2>err </dev/null || status=$?
	if [ $((SECONDS - began)) -ge "$limit" ]; then
		echo "not ok: $1 $2 hangs"
	elif [ "$status" = 125 ] && ! grep -q '^carbyne: ' err; then
		echo "not ok: $1 $2 ends the sandbox without a word"
	else
		counts[$status]=$((${counts[$status]:-0} + 1))
		return
	fi
	head -n 20 err
	failures=$((failures + 1))
}

for what in jump scribble; do
	declare -A counts=()
	for ((seed = 1; seed <= ${ATTEMPTS:-40}; seed++)); do
		attempt "$what" "$seed"
		[ "$failures" -lt 3 ] || exit 1
	done
	for status in "${!counts[@]}"; do
		echo "$what: ${counts[$status]} times status $status"
	done
done
[ "$failures" = 0 ]
