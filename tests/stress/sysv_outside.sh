#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# Host processes whose tasks wait in System V calls are killed by somebody of the host: what
# they held is given back, nobody waits behind them, and no message is lost. One was to be
# told of a POSIX queue: others may be then.
set -u
. "$(dirname "$0")/../descendants"
[ -n "$RUN" ] || exit 77
command -v python3 >/dev/null || { echo 'skip: no python3 here'; exit 77; }

program='
import ctypes, os, struct, time
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
sem, queue = libc.semget(0, 1, 0o600), libc.msgget(0, 0o600)
segment = libc.shmget(0, 65536, 0o600)
buf = ctypes.create_string_buffer(9000)

event = struct.pack("qii48x", 0, 0, 1)  # SIGEV_NONE
mqueue = libc.mq_open(b"/outside", os.O_CREAT | os.O_RDWR, 0o600, None)

def semop(op, flags=0, count=1):
    return libc.semop(sem, struct.pack("HhH", 0, op, flags) * count, count)

def receive(type, flags=0o4000):
    return libc.msgrcv(queue, buf, 8000, ctypes.c_long(type), flags)

def work(kind):
    libc.shmat(segment, None, 0)
    semop(1, 0x1000)  # SEM_UNDO
    if kind == 0:
        libc.mq_notify(mqueue, event)
        semop(-9, 0, 100)
    while kind == 1:
        libc.msgsnd(queue, struct.pack("q", 1) + b"x" * 8000, 8000, 0)
    receive(77, 0)

children = []
for kind in range(3):
    pid = os.fork()
    if not pid:
        work(kind)
        os._exit(1)
    children.append(pid)
for pid in children:
    while open(f"/proc/{pid}/stat").read().split()[2] != "S":
        time.sleep(0.01)
while libc.semctl(sem, 0, 12) != 3 or libc.semctl(sem, 0, 14) != 1:
    time.sleep(0.01)
time.sleep(0.2)
print("ready", flush=True)
print(libc.mq_notify(mqueue, event))
print([os.waitpid(pid, 0)[1] for pid in children])
print(libc.semctl(sem, 0, 12), libc.semctl(sem, 0, 14), semop(9), libc.semctl(sem, 0, 12))
print(receive(0), receive(0), receive(0))
print(libc.msgsnd(queue, struct.pack("q", 77) + b"hi", 2, 0), receive(77))
print(libc.mq_notify(mqueue, event))
print(open("/proc/sysvipc/shm").read().splitlines()[-1].split()[6])
'

mkfifo out
$RUN python3 -c "$program" >out &
exec 7<out
read -r ready <&7
[ "$ready" = ready ] || { echo "not ok: $ready"; exit 1; }
# Of the host processes, the three that were started last are the children.
for pid in $(for pid in $(descendants $!); do
	awk '{ print $22, $1 }' "/proc/$pid/stat"
done | sort -k 1,1n -k 2,2n | tail -n 3 | cut -d ' ' -f 2); do
	kill -KILL "$pid"
	sleep 0.1
done
got=$(cat <&7)
want='-1
[9, 9, 9]
0 0 0 9
8000 8000 -1
0 2
0
0'
wait $!
status=$?
[ "$got" = "$want" ] && [ $status = 0 ] && exit 0
echo "not ok: status $status"
diff <(echo "$want") <(echo "$got")
exit 1
