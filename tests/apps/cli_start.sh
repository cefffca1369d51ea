#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# Starting up under odd circumstances: limits, descriptors, address space layout, inherited state.
. "$(dirname "$0")/common"
run() { "$CARBYNE" run -- "$@"; }

# --- the address range that the kernel needs may be taken by accident: start again, once
bad=0
for _ in $(seq 60); do
	run true || bad=$((bad + 1))
done
same "60 starts with random layouts" 0 $bad
for kb in 8192 1024 $((40 << 20)) $((50 << 20)) $((64 << 20)) unlimited; do
	(ulimit -Ss $kb) 2>/dev/null || continue
	same "stack limit $kb" $kb "$(ulimit -Ss $kb && run bash -c 'ulimit -Ss')"
	if setarch -R true 2>/dev/null; then
		same "stack limit $kb, no randomisation" $kb \
			"$(ulimit -Ss $kb && setarch -R "$CARBYNE" run -- bash -c 'ulimit -Ss')"
	fi
done
same "no word of starting again" "" "$(env -i PATH="$PATH" "$CARBYNE" run -- env | grep CARBYNE)"

same "too few descriptors" 125 "$(
	ulimit -n 24
	run true 2>"$PWD/err"
	echo $?
)"
same "too few descriptors: the reason" 1 "$(grep -c 'open files.* is 24: a sandbox needs at least 64' "$PWD/err")"

# --- limits are the caller's inside, and do not hinder the start
same "soft limits" "100 2000000 77 3333" "$(
	ulimit -Sf 100
	ulimit -Sv 2000000
	ulimit -Sn 77
	ulimit -Su 3333
	run bash -c 'echo $(ulimit -f) $(ulimit -v) $(ulimit -n) $(ulimit -u)'
)"
for limit in '-Hv 1000000' '-Hf 100'; do
	got=$(
		ulimit -S${limit#-H}
		ulimit $limit
		"$CARBYNE" run -- true 2>&1
		echo "status $?"
	)
	same "hard limit $limit: one sentence" "1 125" \
		"$(grep -c '^carbyne: ' <<<"$got") ${got##*status }"
done

# --- descriptors
same "others than 0 to 2 stay outside" "0 1 2" \
	"$(run python3 -c 'import os
for fd in range(100):
	try: os.fstat(fd); print(fd, end=" ")
	except OSError: pass' 7</etc/passwd 55</etc/passwd | sed 's/ $//')"
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
	got=0
	eval "run sh -c 'exit 9' $closed" || got=$?
	same "started with $closed" 9 $got
done
same "a closed one is closed inside" "closed" \
	"$(run python3 -c 'import os
try: os.fstat(0); print("open")
except OSError: print("closed")' <&-)"
same "the reader sees the end when the program has closed the pipe" "early" "$(
	{ run sh -c 'exec >&-; sleep 5; echo late >late'; } | {
		cat
		[ -e late ] || echo early
	}
)"

# --- inherited state
cat >inherit.py <<'EOF'
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execl(sys.argv[1], "carbyne", "run", "--", "sh", "-c", "kill -USR1 $$; echo still here")
EOF
status "blocked and ignored signals are not passed on" 138 python3 inherit.py "$CARBYNE"
same "umask" 0027 "$(umask 027 && run sh -c umask)"
same "a file's mode follows it" 640 "$(umask 027 && run sh -c 'echo >new; stat -c %a new')"

# --- a working directory that is gone
mkdir gone
same "a working directory that is gone" "1 125" "$(
	cd gone && rmdir ../gone
	"$CARBYNE" run -- true 2>../err
	got=$?
	echo "$(grep -c '^carbyne: ' ../err) $got"
)"

# --- other commands
same "--version" "carbyne" "$("$CARBYNE" --version | cut -d' ' -f1)"
same "info" "yes" "$("$CARBYNE" info | sed -n 's/^can run: //p')"
same "run --help" "usage: carbyne run" "$("$CARBYNE" run --help | head -n 1 | cut -c1-18)"
finish
