#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# Programs that live on /proc and /sys: lsof, psmisc, hwloc, sysstat and what else looks at other
# processes and at the machine. Ids, addresses and inode numbers are hidden; what is of a process
# of the test's own, and of the processors, is compared as it is.
. "$(dirname "$0")/programs"
. "$(dirname "$0")/covers"

# A process with an open file, a pipe, a lock and a directory of its own.
holder='mkdir d; echo data >f; (cd d; exec 7<>../f 8>>../g; flock 7; exec -a holder sleep 60) & h=$!
	trap "kill -9 $h 2>/dev/null; wait $h 2>/dev/null; cd /; rm -rf \"$PWD\"" EXIT
	until [ "$(</proc/$h/comm)" = sleep ]; do sleep 0.02; done
	hide() { normal "s/\<p?$h\>/H/g; s#$PWD#DIR#g; s/ +/ /g; s/ $//"; }
	'

prog lsof "$holder"'lsof -w -p $h -a -d 7,8,cwd,txt -F ftn | hide; lsof -w -t f | hide; lsof -w -t f | grep -c "^$h$"; lsof -w +d . -F pn | grep -c "^p$h$"; lsof -w -p 99999999; echo $?; lsof -v 2>&1 | grep -c revision; lsof -w -a -p $h -d 0-2 -F f | grep -c f'
prog lsof 'exec 5<>f; mkfifo p; exec 6<>p; lsof -w -a -p $$ -d 5,6 -F ftan | normal "s#n.*/#n#; s/^p.*/p/"; lsof -w -a -p $$ -d 5 -o -F o | grep -v ^p; lsof -w nosuch; lsof -w -c nosuchcommand; echo $?'
prog fuser "$holder"'fuser f 2>/dev/null | hide; fuser -v f 2>/dev/null | wc -w; fuser d 2>/dev/null | hide; { fuser -s -k -9 g; echo $?; wait $h; echo $?; } 2>/dev/null; fuser f 2>/dev/null; echo $?; fuser nosuch; fuser -V 2>&1 | head -n 1; fuser -l'
prog killall 'cp "$(type -P sleep)" mysleeper; ./mysleeper 60 & until [ "$(</proc/$!/comm)" = mysleeper ]; do sleep 0.02; done; killall -0 mysleeper; echo $?; { killall -9 mysleeper; wait $!; echo $?; } 2>/dev/null; killall nosuchprogram; echo $?; killall -l | head -n 1; killall'
prog pstree '(sleep 60 & sleep 61 & wait) & s=$!; until [ "$(pgrep -P $s -c sleep)" = 2 ]; do sleep 0.02; done; pstree -A $s; pstree -A -c $s; pstree -A -a $s; pstree -A -p $s | normal "s/[0-9]+/N/g; s/^ +/ /"; pkill -P $s; kill $s 2>/dev/null; wait 2>/dev/null; pstree 99999999; pstree -V 2>&1 | head -n 1; pstree -Z x'
prog pstree 'python3 -I -S -c "
import os, subprocess, threading, time
for _ in range(2): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(subprocess.run([\"pstree\", \"-A\", str(os.getpid())], capture_output=True, text=True).stdout)
os._exit(0)"'
prog prtstat 'prtstat $$ | head -n 3 | normal "s/[0-9]+/N/g; s/State:.*//"; prtstat -r $$ | grep -c ":"; prtstat 99999999; echo $?; prtstat -V 2>&1 | head -n 1'
prog pslog 'exec 9>>x.log; pslog $$ | normal "s#/.*/##; s/[0-9]+/N/"; pslog 99999999; echo $?'
left_out peekfd - it traces
left_out pstree.x11 - it needs a display
prog lstopo-no-graphics 'lstopo-no-graphics --no-io --of console -p | normal "s/\([0-9]+[GM]B( total)?\)/SIZE/g"; hwloc-calc --number-of pu all; hwloc-calc --number-of core all; hwloc-calc --number-of numa all; hwloc-info --no-io | head -n 4'
prog lscpu 'lscpu -p | tail -n +5; lscpu -C | head -n 5; lscpu -J | grep -c field | grep -c .; lscpu | grep -E "^L[123]" | normal "s/ +/ /g"'
prog nproc 'nproc; nproc --all; getconf _NPROCESSORS_ONLN; getconf LEVEL1_DCACHE_LINESIZE; python3 -I -c "import os; print(os.cpu_count(), len(os.sched_getaffinity(0)))"'
prog iostat 'iostat -c | sed -n 3p; iostat -V | head -n 1; iostat -x nosuch | wc -l; iostat -c 1 2 | grep -c avg-cpu'
prog mpstat 'mpstat | sed -n 3p | normal "s/[0-9:]+ ([AP]M)?//"; mpstat -P ALL 1 1 | grep -c "^Average"; mpstat -V | head -n 1'
prog pidstat 'pidstat -p $$ | sed -n 3p | normal "s/[0-9:]+ ([AP]M)?//"; pidstat -r -p $$ | tail -n 1 | awk "{ print \$NF }"; pidstat -d -p $$ | tail -n 1 | awk "{ print \$NF }"; pidstat -w -p $$ | tail -n 1 | awk "{ print \$NF }"; pidstat -v -p $$ | tail -n 1 | awk "{ print \$NF }"; pidstat -t -p $$ | tail -n 2 | awk "{ print \$NF }"; pidstat -V | head -n 1'
prog htop 'htop --version; htop -h | head -n 3; htop --badoption 2>&1 | head -n 1'

# What a runtime makes of the machine and its limits.
prog python3 'python3 -I -c "
import os, resource
s = dict(l.split(\":\", 1) for l in open(\"/proc/self/status\"))
rss = int(s[\"VmRSS\"].split()[0])
block = bytearray(64 << 20)
s = dict(l.split(\":\", 1) for l in open(\"/proc/self/status\"))
print(abs(int(s[\"VmRSS\"].split()[0]) - rss - 65536) < 2048, int(s[\"VmHWM\"].split()[0]) >= rss + 65536)
pages = int(open(\"/proc/self/statm\").read().split()[1])
print(abs(pages * 4 - int(s[\"VmRSS\"].split()[0])) < 2048)
print(s[\"Threads\"].strip(), s[\"Cpus_allowed_list\"].strip())
print(open(\"/proc/self/comm\").read().strip(), sorted(os.listdir(\"/proc/self/task\")) == [str(os.getpid())])"'

# A cgroup that a runtime finds: version 2, at the usual place, whatever the host has.
if [ "$RUN" ]; then
	same "cgroup: where it is" "0::/ cgroup2 /sys/fs/cgroup" "$($RUN bash -c 'echo $(cat /proc/self/cgroup; findmnt -n -o FSTYPE,TARGET -t cgroup2)')"
	same "cgroup: members" yes "$($RUN bash -c 'grep -qx $$ /sys/fs/cgroup/cgroup.procs && echo yes')"
	same "cgroup: limits are numbers or max" 3 "$($RUN bash -c 'cd /sys/fs/cgroup && cat memory.max cpu.max pids.max | grep -cE "^(max|[0-9]+)( [0-9]+)?$"')"
	same "cgroup: usage" yes "$($RUN bash -c 'cd /sys/fs/cgroup && [ $(<memory.current) -gt 1000000 ] && [ $(<pids.current) -ge 2 ] && grep -q "^usage_usec [0-9]" cpu.stat && echo yes')"
	# What a fork leaves shared is there once.
	same "cgroup: shared pages count once" yes "$($RUN python3 -I -c '
import os
def now(): return int(open("/sys/fs/cgroup/memory.current").read())
block = bytearray(os.urandom(1 << 20) * 64)
before = now()
r, w = os.pipe()
for i in range(4):
    if os.fork() == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(0)
os.close(r)
more = now() - before
os.close(w)
print("yes" if -(16 << 20) < more < 48 << 20 else more)')"
	same "detect-virt" "docker" "$($RUN bash -c 'command -v systemd-detect-virt >/dev/null && systemd-detect-virt -c || echo docker')"
fi
covers psmisc
finish_programs
