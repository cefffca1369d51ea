#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# blanks_killed.sh - host processes that wait for a program are killed by somebody of the host,
# also when an exec has just taken one. Each program runs all the same, unless it had already
# begun, which cannot be told from outside: then it was that which was killed.
set -u
[ -n "$RUN" ] || exit 77
command -v python3 >/dev/null || exit 77
cat >spawn.py <<'END'
import os, sys
print(os.getpid(), flush=True)
lost = 0
for i in range(int(sys.argv[1])):
    pid = os.posix_spawn("/bin/true", ["true"], {})
    status = os.waitpid(pid, 0)[1]
    if status == 9:
        lost += 1
    elif status:
        print("not ok: status", status)
print("end", lost, flush=True)
END
cat >kill.py <<'END'
import os, random, shlex, signal, subprocess, sys, time

def children(pid):
    return [int(c) for c in open(f"/proc/{pid}/task/{pid}/children").read().split()]

def text(pid, name):
    try:
        return open(f"/proc/{pid}/{name}").read()
    except OSError:
        return ""

def state(pid):
    return text(pid, "stat").rpartition(") ")[2][:1] or "X"

run = shlex.split(os.environ["RUN"].replace(" run ", " run --leaks "))
p = subprocess.Popen(run + ["python3", "spawn.py", sys.argv[1]], stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=open("errors", "w"), text=True)
p.stdout.readline()
monitor = children(p.pid)[0]
first, program = sorted(children(monitor))[:2]
killed = 0
end = time.time() + 60
while p.poll() is None and time.time() < end:
    time.sleep(random.random() * 0.004)
    try:
        os.kill(program, signal.SIGSTOP)
        while state(program) in "RSD":  # until it has stopped it may start another
            pass
        for pid in children(monitor):
            # Nothing of a program is there, and it waits to be started: not for a lock.
            if (pid > program and len(text(pid, "maps").splitlines()) in range(1, 20)
                    and text(pid, "syscall").split()[::3][:2] == ["202", "0x0"]):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        os.kill(program, signal.SIGCONT)
    except OSError:
        pass
if p.poll() is None:
    p.kill()
    print("not ok: it never ends")
    sys.exit(1)
out = p.stdout.read().split()
print(*out, "of", killed)
sys.exit(p.returncode != 0 or out[0] != "end" or int(out[1]) > killed // 2)
END
python3 kill.py $((${STRESS:-1} * 1000))
status=$?
cat errors
[ $status = 0 ] && [ ! -s errors ]
