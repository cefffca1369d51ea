#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# procps, program by program. What is about the machine or the whole system (load, memory, how
# many processes there are) is looked at for its form only; processes of the test's own are
# compared as they are, with their ids and times hidden.
. "$(dirname "$0")/programs"
. "$(dirname "$0")/covers"

# A small family to look at: sleepers a and b, a stopped shell c, and d, which has two threads
# more and a zombie child.
family='for i in {1..99}; do (:); done # so that no id is as small as what else is printed
	sleep 61 & a=$!; (exec -a fancy sleep 62) & b=$!; bash -c "kill -STOP \$\$" & c=$!
	python3 -I -S -c "
import os, threading, time
pid = os.fork()
if pid == 0: os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
for _ in range(2): threading.Thread(target=time.sleep, args=(63,), daemon=True).start()
open(\"ready\", \"w\"); time.sleep(63)" & d=$!
	shopt -s extglob
	until_state() { local s=; until s=$(</proc/$1/stat); [ "${s##*) }" != "${s##*) $2}" ]; do sleep 0.02; done; }
	until [ "$(</proc/$a/comm)$(</proc/$b/comm)" = sleepsleep ] && [ -e ready ]; do sleep 0.02; done
	until_state $a S; until_state $b S; until_state $c T
	trap "{ kill -9 $a $b $c $d; wait $a $b $c $d; } 2>/dev/null; cd /; rm -rf \"$PWD\"" EXIT
	ids() { normal "s/\<$a\>/A/g; s/\<$b\>/B/g; s/\<$c\>/C/g; s/\<$d\>/D/g; s/ +/ /g; s/^ //; s/ $//"; }
	'

prog kill '/bin/kill -l; /bin/kill -L; /bin/kill -l 9 15 HUP; /bin/kill -s TERM 99999999; /bin/kill -0 $$; echo $?; /bin/kill -BAD $$; /bin/kill; /bin/kill x'
prog kill 'for s in 15 -KILL "-s HUP" -USR1 -37; do setsid -w bash -c "sleep 9 & env kill ${s/#15/-15} \$!; wait \$!; exit \$?" 2>/dev/null; echo $s $?; done; trap "echo caught" USR1; /bin/kill -USR1 $$; /bin/kill -q 7 -USR1 $$'
prog ps "$family"'ps -o comm,args,s,nlwp,ni,pri,cls,rtprio,user,group,uid,gid,euid,ruid,suid,egid,rgid,sgid,tty -p $a,$b,$c,$d | ids; ps -o ppid= -p $a,$b,$c,$d | grep -cw $$; ps -o comm,s --ppid $d | ids; ps -o stat= -p $c | cut -c 1'
prog ps "$family"'ps --ppid $$ -o comm= >out; sort out | uniq -c; ps -C fancy -o args= | ids; ps -o pid,args -p $a $b | ids; ps -L -o lwp,nlwp,comm -p $d | wc -l; ps -o pid= -q $a,$c | ids; ps -p $a -o pid,comm --no-headers | ids; ps -f -p $b | normal "s/ +/ /g" | cut -d " " -f 8-; ps -s "$(ps -o sid= -p $$ | tr -d " ")" -o comm= | sort -u | grep -c sleep; ps -o sid= -p $a,$b | sort -u | wc -l'
# The caller may ignore the C library's own signal 32; a sandbox's program starts with none ignored.
prog ps "$family"'ps -o wchan:1,blocked,caught,ignored,pending,f,label,c,cp,cpu,tpgid,cgroup,lxc,psr -p $a | wc -l; ps -o blocked,caught,ignored,pending -p $a,$b | ids | sed "s/00000000[08]/000000000/g"; ps -o pgid,pid -p $a | ids | wc -w; ps -o etimes,times,cputimes -p $a | tail -n 1 | wc -w; ps -o lstart -p $a | tail -n 1 | wc -w; ps -o oom,oomadj,numa,unit,lsession -p $a | ids'
prog ps 'ps -p 99999999 | wc -l; ps -o foo; ps --help simple; ps L; ps -V; ps --info; ps -p x; ps -Z -p $$ -o comm=; ps --sort foo'
# Whether anybody has a terminal (ps a) is the machine's.
prog ps 'for f in -e -A x ax aux -ef -eF -ely -eLf axj axl axs axv axX axu axf axm -ejH -eM axZ "-e --forest" "-eo pid,ppid,sid,pgid,tty,stat,%cpu,%mem,vsz,rss,sz,start,time,etime,drs,trs,maj_flt,min_flt,size" -T -d "-eo ipcns,mntns,netns,pidns,userns,utsns,cgroupns,timens"; do ps $f >out; echo "$f $? $(head -n 1 out | normal "s/ +/ /g; s/^ //") $([ $(wc -l <out) -gt 1 ] && echo more)"; done; ps a | head -n 1 | normal "s/ +/ /g; s/^ //"'
prog ps 'ps -o ipcns=,mntns=,netns=,pidns=,userns=,utsns= -p $$ | wc -w; [ "$(ps -o vsz= -p $$)" -gt 1000 ]; echo $?; [ "$(ps -o rss= -p $$)" -gt 0 ]; echo $?; ps -o pmem=,pcpu= -p $$ | wc -w; ps -o lwp=,tid=,spid=,tgid= -p $$ | tr -s " " "\n" | sort -u | grep -c .'
prog free 'for f in "" -b -k -m -g -h -l -t -w "-s 0.1 -c 2" --si --tera --committed -V -x; do free $f >out 2>err; echo "$f $? $(wc -l <out) $(normal "s/[0-9.]+[BKMGTi]*/N/g; s/ +/ /g" out err | tr "\n" "|")"; done; free -b | awk "NR == 2 { print (\$2 > 0), (\$2 >= \$3 + \$4) }"'
prog pgrep "$family"'kids() { pgrep -P $$ "$@" >out; echo $?; ids <out; }; kids; kids -l sleep; kids -a -f "^fancy"; kids -c sleep; kids -n -x sleep; kids -o -x sleep; kids -r T; kids -u "$(id -u)" -d,; kids -x sleep -d:; kids -w python3 | wc -l; kids nosuchthing; kids -U 65533 .; kids --ns $$ sleep; kids -g 0; kids -i SLEEP -O 0; pgrep -P $d | wc -l; pgrep -v -P $$ -l >out; grep -c -w -e $a -e $b -e $c -e $d out; pgrep; pgrep -V; echo $b >p; chmod 600 p; pgrep -F p | ids; pgrep -F nosuch; pgrep -L -F p; pgrep --cgroup /nosuch'
prog pkill "$family"'pkill -STOP -P $$ -f fancy; until_state $b T; pkill -CONT -e -P $$ -x sleep 2>&1 | ids; { pkill -P $$ -x sleep; echo $?; wait $a; echo $?; wait $b; echo $?; } 2>/dev/null; pkill -0 -P $$ nosuchthing; echo $?; { pkill -c -KILL -P $$ python3; wait $d; } 2>/dev/null; echo $?; pkill; pkill -BAD x'
prog pidwait 'runs() { until [ "$(</proc/$!/comm)" = sleep ]; do sleep 0.02; done; }; sleep 3 & runs; pidwait -P $$ -x sleep; echo $?; wait; sleep 3 & runs; pidwait -e -P $$ sleep | normal "s/[0-9]+/PID/"; pidwait -c -P $$ nosuch; echo $?; pidwait'
prog pmap 'pmap $$ | normal "s/^[0-9]+:/PID:/" | head -n 1 | cut -c 1-15; pmap -x $$ | head -n 2 | tail -n 1; pmap $$ | grep -c bash; pmap -q -p $$ | grep -c /libc.so; pmap -d $$ | tail -n 1 | normal "s/[0-9]+K/N/g"; pmap -X $$ | grep -c libc; pmap -XX $$ >out; echo $?; grep -o "^ *Address.*Rss" out | tr -s " "; pmap 99999999; echo $?; pmap; pmap -A 0,fff $$ | tail -n 1; pmap -V'
prog pmap 'pmap $$ | awk "{ print \$3 }" | grep -E "^(r-x--|rw---|r----)$" | sort -u; pmap $$ | tail -n 1 | cut -d " " -f 1,2; pmap $$ | grep -c -F "[ stack ]"; [ "$(pmap $$ | tail -n 1 | tr -dc 0-9)" -gt 2000 ]; echo $?; pmap -c $$; pmap -n x 2>&1; pmap -k $$ $$ | grep -c total'
prog pwdx 'cd /usr; pwdx $$ | normal "s/^[0-9]+/PID/"; pwdx 99999999; echo $?; pwdx /proc/$$ | normal "s/[0-9]+/PID/"; pwdx x; pwdx; pwdx -V; (cd /etc; sleep 9) & until [ "$(readlink /proc/$!/cwd)" = /etc ]; do sleep 0.02; done; pwdx $! | normal "s/^[0-9]+/PID/"; kill $!'
prog skill "$family"'skill -l; skill -v -n -p $a 2>&1 | ids; skill -STOP $a; until_state $a T; skill -CONT -p $a; { skill -KILL -p $a; wait $a; } 2>/dev/null; echo $?; skill -TERM -c nosuch; skill; skill -V'
prog snice "$family"'snice +4 -p $a; ps -o ni= -p $a; snice -v +5 -p $a 2>&1 | ids; ps -o ni= -p $a; snice; snice -V'
prog slabtop 'slabtop -V; slabtop -h | head -n 3; slabtop -d x'
prog sysctl 'sysctl kernel.ostype; sysctl -n kernel.ostype; sysctl -e -n kernel.nosuch; sysctl kernel.nosuch; echo $?; sysctl -N kernel.pid_max; sysctl -b kernel.ostype; echo; [ "$(sysctl -n kernel.pid_max)" -ge 32768 ]; echo $?; sysctl -a 2>/dev/null | grep -E "^(fs\.file-max|vm\.overcommit_memory|kernel\.hostname|kernel\.ngroups_max|net\.core\.somaxconn|fs\.pipe-max-size|kernel\.cap_last_cap|kernel\.threads-max|kernel\.random\.uuid) " | cut -d " " -f 1 | sort; sysctl -a -r "^kernel.ost" 2>/dev/null; sysctl; sysctl -p nosuch; echo "kernel.nosuch = 1" >c; sysctl -p c; sysctl -w; sysctl kernel/ostype; sysctl -V; sysctl kernel.ostype=x; sysctl --pattern "ostype$" -a 2>/dev/null'
prog tload ': >out; tload -d 1 >out & until [ "$(stat -c %s out)" -ge 3 ]; do sleep 0.02; done; { kill $!; wait $!; } 2>/dev/null; echo $?; head -c 3 out | od -c; timeout 0.5 tload -d 1 >out; echo $?; tload -V; tload -d 0; tload x/y' # without a terminal
prog top 'top -b -n 1 >out; echo $?; head -n 7 out | normal "s/[0-9]+[:.][0-9:.]+|[0-9]+/N/g; s/N days?, +//; s/ +/ /g; s/(up) .*/\1/; s/([,:]) */\1 /g; s/ $//"; [ $(wc -l <out) -gt 8 ]; echo $?; top -b -n 1 -p $$ | tail -n 1 | awk "{ print \$2, \$3, \$4, \$12 }"; top -V; top -b -n x; top -h | head -n 1; top -b -n 1 -p 99999999 | tail -n 1 | wc -w'
prog top "$family"'top -b -n 2 -d 0.1 -p $a,$b | grep -c sleep; top -b -n 1 -H -p $d | grep -c python3; top -b -n 1 -c -p $b | tail -n 1 | grep -o "fancy.*"; top -b -n 1 -p $c | tail -n 1 | awk "{ print \$8, \$12 }"; top -b -n 1 -o PID -p $a,$b | tail -n 2 | wc -l; top -b -n 1 -E m -e k -p $a | grep -c MiB; top -b -n1 -u "$(id -un)" -w 200 | grep -c -w fancy; top -O | head -n 3; top -b -n 1 -1 -p $a | grep -c "^%Cpu"'
prog uptime 'uptime | normal "s/[0-9.]+/N/g; s/up .*[0-9N],  N/up N,  N/; s/,? +[N:]+ users?/, users/; s/up.*, users/up, users/"; [ "$(uptime -s | cut -c 1-4)" -ge 2020 ]; echo $?; uptime -p | cut -c 1-3; uptime -V; uptime x; [ $(cut -d . -f 1 /proc/uptime) -gt 0 ]; echo $?'
prog vmstat 'for f in "" -a -w -S\ m -t "-n 1 2"; do vmstat $f >out; echo "$f $? $(wc -l <out) $(tail -n 1 out | wc -w)"; done; vmstat | head -n 2; vmstat -a | sed -n 2p; vmstat -s | normal "s/^ *[0-9]+ //" | head -n 13; vmstat -f | normal "s/[0-9]+/N/; s/ +/ /"; vmstat -V; vmstat x; vmstat -p nosuch'
prog w 'w | head -n 2 | tail -n 1; w -h | wc -l; w -s | sed -n 2p; w -f | sed -n 2p; w -i | sed -n 2p; w -o | sed -n 2p; w nosuchuser | wc -l; w -V; w -x 2>&1 | head -n 1'
prog watch 'export TERM=xterm LINES=10 COLUMNS=60; shown() { : >out; "${@:2}" >out & until grep -ao "$1" out; do sleep 0.02; done | sort -u; { kill $!; wait $!; } 2>/dev/null; }; shown hello watch -n 0.2 -t echo hello; watch -g -n 0.1 -t "cat /proc/uptime" >/dev/null; echo $?; watch -e -t -n 0.1 "exit 3" </dev/null >/dev/null 2>&1; echo $?; watch -q 2 -t -n 0.1 echo x >/dev/null 2>&1; echo $?; watch -V; watch; shown a-b watch -x -n 0.1 -t printf "%s-%s" a b; watch -b -n x true'

covers procps
finish_programs
