#!/bin/bash
# SPDX-License-Identifier: MIT
# trace.sh - `carbyne trace`: lines as strace has them, nothing lost, the table of -c.
# native: skip
# timeout: 120
set -u

fail() {
	echo "not ok: $*"
	exit 1
}

# has FILE PATTERN...: a line for each extended pattern
has() {
	local file=$1 pattern
	shift
	for pattern; do
		grep -qE -- "$pattern" "$file" || { tail -40 "$file"; fail "no line like: $pattern"; }
	done
}

trace=("$CARBYNE" trace)
command -v gcc >/dev/null || exit 77
gcc -w -O1 -o calls "$SRC/tests/apps/trace_calls.c" || fail 'no program to trace'

# A small program, to a file and to stderr; the program's own output is apart.
out=$("${trace[@]}" -f log -- /bin/echo hello) || fail "status $?"
[ "$out" = hello ] || fail "output '$out'"
has log '^2 +execve\("/bin/echo", \["/bin/echo", "hello"\], /\* [0-9]+ vars? \*/\) = 0$' \
	'^2 +openat\(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY\|O_CLOEXEC\) = 3$' \
	'^2 +mmap\(NULL, [0-9]+, PROT_READ, MAP_PRIVATE, 3, 0\) = 0x[0-9a-f]+$' \
	'^2 +newfstatat\(3, "", \{st_mode=S_IFREG\|0644, st_size=[0-9]+, \.\.\.\}, AT_EMPTY_PATH\) = 0$' \
	'^2 +write\(1, "hello\\n", 6\) += 6$' \
	'^2 +exit_group\(0\) += \?$' '^2 +\+\+\+ exited with 0 \+\+\+$'
"${trace[@]}" -- /bin/true 2>err || fail "status $?"
has err '^2 +\+\+\+ exited with 0 \+\+\+$'
"${trace[@]}" -f log -- sh -c 'exit 7'
[ $? -eq 7 ] || fail 'the status is not that of the program'

# A family: children, the killed one, exec after vfork, signals.
"${trace[@]}" -f log -- ./calls family
[ $? -eq $((128 + 15)) ] || fail 'not killed by SIGTERM'
has log '^2 +(<\.\.\. )?clone.*SIGCHLD.* = 3$|^2 +<\.\.\. clone resumed>.* = 3$' \
	'^3 +exit_group\(3\) += \?$' '^3 +\+\+\+ exited with 3 \+\+\+$' \
	'WIFEXITED\(s\) && WEXITSTATUS\(s\) == 3' \
	'^4 +(pause\(\)|<\.\.\. pause resumed>\)) += \?( ERESTARTNOHAND .*)?$' '^4 +\+\+\+ killed by SIGKILL \+\+\+$' \
	'WIFSIGNALED\(s\) && WTERMSIG\(s\) == SIGKILL' '^2 +vfork\( <unfinished \.\.\.>$' \
	'^2 +<\.\.\. vfork resumed>\) += 5$' \
	'^5 +execve\("/bin/true", \["true", "an argument"\], 0x[0-9a-f]+ /\* [0-9]+ vars? \*/( <unfinished \.\.\.>|\) = 0)$' \
	'^2 +--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=2, si_uid=[0-9]+\} ---$' \
	'^2 +rt_sigreturn\(\{mask=\[\]\}\) += 0$' '^2 +\+\+\+ killed by SIGTERM \+\+\+$'
[ "$(grep -c 'unfinished \.\.\.>$' log)" -eq "$(grep -c '<\.\.\. ' log)" ] || fail 'a cut line has no end'

# The same calls under strace, where that may trace.
plain() {
	sed -E 's/^[0-9]+ +//; s/0x[0-9a-f]{6,}/ADDR/g; s/ +=/ =/; s/getpid\(\) = [0-9]+/getpid()/
		s/kill\([0-9]+,/kill(PID,/; s/si_pid=[0-9]+/si_pid=PID/; s, /\* [0-9T:.+-]+ \*/,,
		s/stx_mask=[A-Z_|]+/stx_mask=/' "$1" | sed -n '/SIGCHLD, {sa_handler=SIG_DFL/,$p'
}
if strace -o /dev/null true 2>/dev/null; then
	strace -f -o theirs ./calls
	"${trace[@]}" -f ours -- ./calls
	plain theirs >theirs.plain
	plain ours >ours.plain
	[ "$(wc -l <theirs.plain)" -gt 90 ] || fail 'strace saw little'
	diff theirs.plain ours.plain || fail 'not as strace has it'
fi

# A million calls: each is there.
"${trace[@]}" -f log -- ./calls 1000000 || fail "status $?"
[ "$(grep -cE '^2 +getppid\(\) += 1$' log)" -eq 1000000 ] || fail "$(grep -c getppid log) lines of getppid"
! grep -q 'lost' log || fail 'events were lost'
"${trace[@]}" -f log -- sh -c './calls 50000 & ./calls 50000 & ./calls 50000 & wait' || fail "status $?"
[ "$(grep -cE '^[345] +getppid\(' log)" -eq 150000 ] || fail 'calls of three processes'
[ "$(grep -cE '^[345] .*getppid.* += [0-9]+$' log)" -eq 150000 ] || fail 'their ends'

# -c: the sums are right, the order is by time.
"${trace[@]}" -c -f log -- ./calls 1000 || fail "status $?"
awk 'NR <= 2 || /^-/ || /^entered/ { next }
	$NF == "total" { if ($4 != calls || (NF == 6 ? $5 : 0) != errors) bad = 1; total = 1; next }
	{ calls += $4; errors += NF == 6 ? $5 : 0; if (NR > 3 && $2 > last) bad = 1; last = $2 }
	$NF == "getppid" && $4 == 1000 { found = 1 }
	END { exit !(total && found && !bad) }' log || { cat log; fail 'the table is wrong'; }

# -e, and the times.
"${trace[@]}" -e trace=openat,close -f log -- cat /dev/null || fail "status $?"
[ -z "$(grep -vE '^2 +(openat|close|\+\+\+)' log)" ] || fail '-e trace=openat,close shows others'
"${trace[@]}" -e trace=%file -f log -- cat /dev/null
has log '^2 +openat' '^2 +execve' && ! grep -q 'mmap\|read(' log || fail '-e trace=%file'
"${trace[@]}" -e 'trace=!mmap' -f log -- true
has log '^2 +brk' && ! grep -q 'mmap(' log || fail '-e trace=!mmap'
"${trace[@]}" -e trace=nonsense -- true 2>err && fail '-e trace=nonsense'
"${trace[@]}" -tt -T -e trace=clock_nanosleep -f log -- sleep 0.1
has log '^2 +[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6} clock_nanosleep\(.*\) = 0 <(0\.[1-9]|[1-9][0-9]*\.[0-9])[0-9]{5}>$'
"${trace[@]}" -ttt -r -f log -- true
has log '^2 +[0-9]+\.[0-9]{6} 1[0-9]{9}\.[0-9]{6} execve'

# A reader that is slow loses nothing; one that goes away stops nothing.
[ "$("${trace[@]}" -- ./calls 20000 2>&1 >/dev/null | (sleep 1; grep -c getppid))" -eq 20000 ] ||
	fail 'a slow reader'
timeout 30 "${trace[@]}" -- ./calls 100000 2>&1 >/dev/null | head -1 >first
[ "${PIPESTATUS[0]}" -eq 0 ] || fail "a reader that went away: ${PIPESTATUS[0]}"
timeout 30 "${trace[@]}" -f /dev/full -- ./calls 10000 || fail 'a full disk'

# What is still to be written when the program waits is written soon.
"${trace[@]}" -f log -- sh -c 'echo started; exec sleep 50' >started &
job=$!
for _ in {1..100}; do
	sleep 0.2
	grep -qE 'nanosleep\(' log && break
done
has log 'clock_nanosleep\(CLOCK_REALTIME, 0, \{tv_sec=50, tv_nsec=0\}, $'
kill -TERM $job
wait $job
has log '^2 +--- SIGTERM \{si_signo=SIGTERM' '^2 +\+\+\+ killed by SIGTERM \+\+\+$'
echo ok
