#!/bin/bash
# SPDX-License-Identifier: MIT
# core_pattern.sh - core files are called what kernel.core_pattern says and lie in the sandbox; helpers are not run;
# what has changed its ids leaves what fs.suid_dumpable says; SIGKILL ends the writing.
# native: skip
set -u
failures=0
ulimit -c unlimited 2>/dev/null || {
	echo "skip: core files are limited"
	exit 77
}

fail() {
	echo "not ok: $*"
	failures=$((failures + 1))
}

# inside WANT COMMAND: what a shell that root runs inside prints
inside() {
	local want=$1 got
	got=$(timeout 30 "$CARBYNE" run --leaks -u root -w /tmp -- bash -c "$2" 2>&1 </dev/null)
	if [ "$got" = "$want" ]; then
		echo "ok: ${2##*\}}"
	else
		fail "${2##*\}}: '$got', not '$want'"
	fi
}

set_pattern='pattern() { echo "$1" >/proc/sys/kernel/core_pattern; }
die() { bash -c "kill -${1:-SEGV} \$\$"; echo $?; } 2>/dev/null
'
inside $'139\ncore' "$set_pattern die; ls"
inside $'139\na%b.11.core' "$set_pattern pattern a%%b.%s%z.core%; die; ls"
inside $'134\n0-0-1-6-bash-bash' "$set_pattern"' pattern %u-%g-%d-%s-%e-%f; die ABRT; ls'
inside $'139\n!usr!bin!bash' "$set_pattern"' pattern %E; die; ls'
inside $'139\nyes' "$set_pattern"' pattern %p.%i.%P.%I.%t.%h.%c; die
f=$(ls); IFS=.; set -- $f; [ $# = 7 ] && [ "$1.$1.$1" = "$2.$3.$4" ] && [ "$5" -gt 1000000000 ] &&
[ "$6" = "$(hostname)" ] && [ "$7" = 18446744073709551615 ] && echo yes || echo "$f"'
inside $'139\nyes' "$set_pattern"' echo 1 >/proc/sys/kernel/core_uses_pid; die; ls | grep -qx "core\.[0-9]*" && echo yes'
inside $'139\nc.core' "$set_pattern"' mkdir sub; pattern /tmp/sub/c.core; die; ls sub'
inside '139' "$set_pattern"' pattern absent/core; die; ls'
inside '139' "$set_pattern"' pattern "|/bin/sh -c touch\ /tmp/ran"; die; ls'
inside '139' "$set_pattern"' pattern "@/tmp/socket"; die; ls'
inside '139' "$set_pattern"' pattern ""; die; ls'

# Who has changed its ids.
changed='change() { python3 -c "
import os, resource, signal
os.setresuid(65534, 65534, 65534)
print(open(\"/proc/self/status\").read().count(\"CoreDumping:\\t0\"), flush=True)
os.kill(os.getpid(), signal.SIGABRT)"; echo $?; } 2>/dev/null
chmod 777 .
'
inside $'1\n134' "$set_pattern $changed"' pattern /tmp/core; change; ls -l'" | awk 'NF > 2 { print \$1, \$3 }'"
inside $'1\n134\n-rw------- nobody' "$set_pattern $changed"' echo 1 >/proc/sys/fs/suid_dumpable; change; ls -l'" | awk 'NF > 2 { print \$1, \$3 }'"
inside $'1\n134\n-rw------- root' "$set_pattern $changed"' echo 2 >/proc/sys/fs/suid_dumpable; pattern /tmp/core; change; ls -l'" | awk 'NF > 2 { print \$1, \$3 }'"
inside $'1\n134' "$set_pattern $changed"' echo 2 >/proc/sys/fs/suid_dumpable; change; ls -l'" | awk 'NF > 2 { print \$1, \$3 }'"

# Half a gigabyte takes a while to write.
inside $'-9' "python3 -c '
import os, signal, time
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    memory = bytearray(os.urandom(1 << 20)) * 512
    os.write(w, b\"!\")
    os.kill(os.getpid(), signal.SIGABRT)
os.read(r, 1)
while not os.path.exists(\"core\"):
    time.sleep(0.001)
os.kill(pid, signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.wait()[1]))'"
exit $((failures > 0))
