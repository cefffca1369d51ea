#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 180
# What the kernel has taken for many objects or much data goes back to the host when they have gone.
. "$(dirname "$0")/common"
. "$(dirname "$0")/../descendants"
need python3

cat >burst <<'END'
# burst KIND: has the kernel take much memory for it, and lets go of it
import os, socket, sys, time

def files():
    os.mkdir('/m/many')
    for i in range(200000):
        os.close(os.open(f'/m/many/{i}', os.O_CREAT | os.O_WRONLY))
    step('full')
    for i in range(200000):
        os.unlink(f'/m/many/{i}')
    os.rmdir('/m/many')

def data():
    for i in range(2000):
        with open(f'/m/{i}', 'wb') as f:
            f.write(b'x' * 65536)
    step('full')
    for i in range(2000):
        os.unlink(f'/m/{i}')

def fill(fd):
    os.set_blocking(fd, False)
    try:
        while True:
            os.write(fd, b'x' * 4096)
    except BlockingIOError:
        pass

def pipes():
    ends = [os.pipe() for _ in range(400)]
    for read, write in ends:
        try:
            import fcntl
            fcntl.fcntl(write, 1031, 1 << 18) # F_SETPIPE_SZ
        except PermissionError: # a user may have no more
            pass
        fill(write)
    step('full')
    for end in ends:
        os.close(end[0])
        os.close(end[1])

def sockets():
    ends = [socket.socketpair() for _ in range(400)]
    for a, b in ends:
        fill(a.fileno())
    step('full')
    for a, b in ends:
        a.close()
        b.close()

def step(name):
    open('/w/' + name, 'w').close()
    while os.path.exists('/w/' + name):
        time.sleep(0.02)

globals()[sys.argv[1]]()
if len(sys.argv) > 2: # after so many seconds it has so many MiB itself
    time.sleep(float(sys.argv[3]))
    m = bytearray(int(sys.argv[2]) << 20)
    for i in range(0, len(m), 4096):
        m[i] = 1
    print('had', sys.argv[2])
else:
    step('after')
END


# segment PID: the KiB of memory that the kernel segment of a sandbox has of the host.
segment() {
	local child fd
	for child in $(descendants "$1"); do
		for fd in /proc/"$child"/fd/*; do
			case $(readlink "$fd" 2>/dev/null) in
			/memfd:carbyne*) echo $(($(stat -L -c %b "$fd") / 2)); return ;;
			esac
		done
	done
}

wait_for() {
	local i
	for i in $(seq 600); do
		[ ! -e "$2" ] || return 0
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	fail "it does not come to $2"
	return 1
}

# KIND, MIB that it takes at least
seen_outside() {
	local pid full=0 after=0 i
	"$CARBYNE" run --tmpfs /m -v "$PWD:/w" -- python3 /w/burst "$1" </dev/null &
	pid=$!
	if wait_for $pid full; then
		full=$(segment $pid)
		rm full
	fi
	if wait_for $pid after; then
		for i in $(seq 50); do
			after=$(segment $pid)
			[ "${after:-0}" -ge 20480 ] || break
			sleep 0.1
		done
		rm after
	fi
	wait $pid
	if [ -z "$full" ]; then
		echo "skip: the host does not let us look"
	elif [ "$full" -gt $(($2 << 10)) ] && [ "$after" -lt 20480 ]; then
		echo "ok: $1, $full KiB, then $after"
	else
		fail "$1: $full KiB, then $after"
	fi
}

pipe_mib=20
[ "$(id -u)" != 0 ] || pipe_mib=90
seen_outside files 80
seen_outside data 110
seen_outside pipes $pipe_mib
seen_outside sockets 60

# --memory counts it while it is there. What has been freed goes at the latest when somebody would be killed for it.
for seconds in 0 2.5; do
	(wait_for $$ full && rm full) &
	same "after $seconds seconds it is not counted against --memory" "had 270
status 0" "$("$CARBYNE" run --memory 320m --tmpfs /m -v "$PWD:/w" -- \
		python3 /w/burst data 270 $seconds </dev/null 2>&1; echo "status $?")"
	wait
done
finish
