#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# Signals to the command reach the program, once; whoever dies, nothing is left running.
. "$(dirname "$0")/common"
. "$(dirname "$0")/../descendants"

# waits until a file has a line that matches
until_line() {
	for _ in $(seq 200); do
		grep -qs "$2" "$1" && return
		sleep 0.05
	done
	fail "waited for $2 in $1"
}

# start PROGRAM...: in the background; goes on when it has said "ready"
start() {
	rm -f out err
	"$CARBYNE" run -- "$@" >out 2>err &
	pid=$!
	until_line out ready
}

# the command, its monitor and all host processes: those that descend from the command
family() {
	echo "$1"
	descendants "$1"
}

# gone NAME PIDS...: none of them runs any more (zombies of others do not count)
gone() {
	local name=$1 left=yes
	shift
	for _ in $(seq 300); do
		left=$(ps -o stat=,pid=,args= -p "$(echo "$@" | tr ' ' ,)" | grep -v '^Z')
		[ -z "$left" ] && break
		sleep 0.05
	done
	same "$name: nothing is left" "" "$left"
}

counter='n=0
trap "n=\$((n + 1)); echo usr \$n" USR1
trap "echo hup" HUP
trap "echo term \$n; exit 5" TERM
echo ready
while :; do sleep 0.02; done'

# Job control makes each background job a process group of its own, with signals not ignored.
set -m
start bash -c "$counter"
kill -HUP $pid
until_line out hup
kill -USR1 $pid
until_line out 'usr 1'
kill -USR1 -$pid # to the whole group, as terminals and timeout do: still counts once
until_line out 'usr 2'
sleep 0.3
kill -TERM $pid
wait $pid
same "signals arrive, each once" "5 ready hup usr 1 usr 2 term 2" "$? $(tr '\n' ' ' <out | sed 's/ $//')"
same "no word of it" "" "$(cat err)"

# --- ^C: the command dies of it too, so that the shell ends its loop
cat >wait_status.py <<'END'
import os, signal, subprocess, sys
def run(script, signo=None):
    p = subprocess.Popen([os.environ["CARBYNE"], "run", "--", "sh", "-c", script], stdout=subprocess.PIPE)
    p.stdout.readline()
    if signo: p.send_signal(signo)
    return p.wait()
print(run("echo ready; exec sleep 10", signal.SIGINT), run("echo ready; kill -INT $$"),
      run("trap 'exit 7' INT; echo ready; sleep 10 & wait", signal.SIGINT), run("echo ready; exec sleep 10", signal.SIGTERM))
END
same "dies of SIGINT as the program did" "-2 130 7 143" "$(/usr/bin/python3 wait_status.py)"

for s in INT:130 TERM:143 HUP:129 QUIT:131; do
	start sh -c 'echo ready; exec sleep 1000'
	pids=$(family $pid)
	kill -${s%:*} -$pid
	wait $pid
	same "SIG${s%:*} ends a program that does not handle it" "${s#*:}" $?
	gone "SIG${s%:*}" $pids
done

trap '' HUP
start sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.02; done'
trap - HUP
kill -HUP $pid
sleep 0.2
kill -TERM $pid
wait $pid
same "an ignored signal stays ignored" 3 $?

same "timeout(1) around it" 124 "$(timeout 1 "$CARBYNE" run -- sleep 1000; echo $?)"

# A tree of processes, and the death of each part of the machinery.
tree='sleep 1000 & sleep 1001 | sleep 1002 & (sleep 1003; :) & echo ready; wait'
for victim in command monitor first; do
	start sh -c "$tree"
	pids=$(family $pid)
	set -- $pids
	case $victim in
	command) kill -KILL "$1" ;;
	monitor) kill -KILL "$2" ;;
	first) kill -KILL "$3" ;;
	esac
	wait $pid
	got=$?
	if [ $victim = command ]; then
		same "SIGKILL of the command" 137 $got
	else
		same "SIGKILL of the $victim process: status" 125 $got
		same "SIGKILL of the $victim process: one sentence" "1 carbyne:" \
			"$(wc -l <err) $(grep -o '^carbyne:' err)"
	fi
	gone "SIGKILL of the $victim process" $pids
done

start sh -c 'sleep 1000 & sleep 1001 & echo ready; sleep 0.3; exit 4'
pids=$(family $pid)
wait $pid
same "the first program's end is the end" 4 $?
gone "background jobs" $pids
finish
