#!/bin/bash
# SPDX-License-Identifier: MIT
# idle.sh - a sandbox whose programs wait makes no host call and uses no processor: in three seconds none of
# its host threads is scheduled, the launcher's and the monitor's among them.
# native: skip
# timeout: 120
set -u
. "$(dirname "$0")/../descendants"
failures=0
names=() most=() launchers=()

# family PID: it and all below it
family() {
	echo "$1"
	descendants "$1"
}

# counters PID: how often each thread of the sandbox has been scheduled, and its time
counters() {
	local pid task
	for pid in $(family "$1"); do
		for task in /proc/"$pid"/task/*; do
			echo "$pid ${task##*/}" $(awk '/ctxt_switches/ { print $2 }' "$task/status") \
				$(awk '{ print $14, $15 }' "$task/stat")
		done
	done
}

# begin NAME HOST_PROCESSES COMMAND...
begin() {
	names+=("$1") most+=("$2")
	shift 2
	"$CARBYNE" run -- "$@" <&9 >/dev/null &
	launchers+=($!)
}

# check I: whether it rests, with at most so many host processes
check() {
	local name=${names[$1]} launcher=${launchers[$1]} count tries=0
	while count=$(family "$launcher" | wc -l) && counters "$launcher" >before.$1 && sleep 3 &&
		counters "$launcher" >after.$1 && ! cmp -s before.$1 after.$1 && [ $((tries++)) -lt 8 ]; do
		: # a busy machine is slow to start it
	done
	if [ "$count" -lt 4 ] || [ "$count" -gt "${most[$1]}" ]; then
		echo "not ok: $name: has $count host processes, not 4 to ${most[$1]}"
	elif ! cmp -s before.$1 after.$1; then
		echo "not ok: $name: threads ran: process, thread, switches, times"
		diff before.$1 after.$1
	else
		echo "ok: $name"
		return 0
	fi
	return 1
}

mkfifo stdin
exec 9<>stdin
# launcher, monitor, first host process, the program's
begin "sleep" 4 sleep 100
begin "cat of a pipe" 4 cat
# a fork by the shell, which wants no blank one
begin "a shell that waits for a child" 5 bash -c '/bin/true; sleep 100 & wait'
if command -v python3 >/dev/null; then
	# two blank ones are kept ready from the first vfork on
	begin "threads, a pipe, epoll" 7 python3 -c '
import os, select, signal, subprocess, threading
subprocess.run(["/bin/true"])
reader, writer = os.pipe()
threading.Thread(target=os.read, args=(reader, 1), daemon=True).start()
e = select.epoll()
e.register(reader, select.EPOLLIN)
threading.Thread(target=e.poll, daemon=True).start()
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pause()'
fi
sleep 2
checks=()
for i in "${!names[@]}"; do
	check "$i" &
	checks+=($!)
done
for pid in "${checks[@]}"; do
	wait "$pid" || failures=$((failures + 1))
done
kill "${launchers[@]}"
wait
[ "$failures" -eq 0 ]
