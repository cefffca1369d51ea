#!/bin/bash
# SPDX-License-Identifier: MIT
# user: skip
# A time namespace when the host has no descriptors left: who is born there has its clocks.
. "$(dirname "$0")/common"
need unshare python3
unshare -T --monotonic 1000 true 2>/dev/null || { echo "skip: no time namespaces here"; exit 77; }
cat >few.py <<'END'
import os, socket, subprocess, time
def forked():
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    pid = os.fork()
    if not pid:
        os._exit(0 if 0 <= time.clock_gettime(time.CLOCK_MONOTONIC) - before < 100 else 1)
    return os.waitpid(pid, 0)[1]
print(forked())
kept = []
try:
    while len(kept) < 4000:
        kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
except OSError as e:
    pass
print(forked(), forked(), len(kept) > 20)
END
# Who may not have more of them.
FEW=
[ -z "$RUN" ] || FEW="setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource"
ulimit -n 400
shift_of() { "$@" python3 -c 'import time; print(time.clock_gettime(time.CLOCK_MONOTONIC) // 100000)'; }
same "the clock is ahead" $(($(shift_of $RUN) + 3)) "$(shift_of $RUN unshare -T --monotonic 300000)"
same "descriptors run out" $'0\n0 0 True' "$($FEW $RUN unshare -T --monotonic 300000 python3 few.py)"
finish
