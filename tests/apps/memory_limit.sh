#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# --memory: who has too much is killed, and nobody else; the sandbox lives on.
. "$(dirname "$0")/common"
need python3

cat >hog <<'EOF'
# hog MIB [COMMAND]: has that much memory, then runs the command
import os, sys
m = bytearray(int(sys.argv[1]) << 20)
for i in range(0, len(m), 4096):
    m[i] = 1
print("had", sys.argv[1], flush=True)
if len(sys.argv) > 2:
    sys.exit(os.waitstatus_to_exitcode(os.system(sys.argv[2])))
EOF
cat >forks <<'EOF'
# 120 MiB that six processes share are 120 MiB
import os, time
m = bytearray(120 << 20)
for i in range(0, len(m), 4096):
    m[i] = 1
children = []
for i in range(5):
    pid = os.fork()
    if not pid:
        time.sleep(1.5)
        os._exit(0)
    children.append(pid)
print(sorted(os.waitpid(c, 0)[1] for c in children))
EOF
cat >shared <<'EOF'
import mmap, time
m = mmap.mmap(-1, 1 << 30)
for i in range(0, len(m), 4096):
    m[i] = 1
time.sleep(20)
EOF
cat >populate <<'EOF'
# Asks for far too much in one call: it has no time to get it.
import mmap, os
pid = os.fork()
if not pid:
    mmap.mmap(-1, 3 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
    os._exit(0)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss < 2 << 20)
EOF
cat >tables <<'EOF'
# Page tables alone: no page is there. Linux 6.13 has guard pages.
import mmap, os
MAP_NORESERVE = 0x4000
m = mmap.mmap(-1, 1 << 39, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
try:
    m.madvise(102) # MADV_GUARD_INSTALL
except OSError:
    os.kill(os.getpid(), 9)
EOF
inside() {
	"$CARBYNE" run -u root --memory 200m --tmpfs /m -v "$PWD:/w" -- sh -c "cd /w; $1" 2>err </dev/null
	echo "status $?"
}

same "within the limit" "had 100
0
status 0" "$(inside 'python3 hog 100; echo $?')"
same "nothing is said" "" "$(cat err)"
same "beyond it" "137
alive
status 0" "$(inside 'python3 hog 1500; echo $?; echo alive')"
same "it is said" 1 "$(grep -c 'out of memory: process [0-9]* (python3) is killed' err)"
same "the program itself" "status 137" "$(inside 'exec python3 hog 1500')"
same "the limit and the kill are told" "209715200
oom_kill 1
1
status 0" "$(inside 'cat /sys/fs/cgroup/memory.max; python3 hog 1500; grep "^oom_kill " /sys/fs/cgroup/memory.events
	dmesg | grep -c "Killed process [0-9]* (python3)"')"
same "one call does not outrun the limit" "-9 True
status 0" "$(inside 'python3 populate')"
same "page tables count" "137
status 0" "$(inside 'python3 tables; echo $?')"
same "shared pages count once" "[0, 0, 0, 0, 0]
status 0" "$(inside 'python3 forks')"
same "shared memory counts" "137
status 0" "$(inside 'python3 shared; echo $?')"
# The smaller of two asks for it.
same "oom_score_adj" "137
0
status 0" "$(inside 'mkfifo /m/ready
	python3 hog 130 "echo >/m/ready; until [ -e /m/over ]; do sleep 0.05; done" >/dev/null & large=$!; read x </m/ready
	sh -c "echo 500 >/proc/self/oom_score_adj; exec python3 hog 110"; echo $?; >/m/over; wait $large; echo $?')"
same "one after another" "137
137
137
status 0" "$(inside 'for i in 1 2 3; do python3 hog 800; echo $?; done')"
finish
