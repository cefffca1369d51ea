#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# OpenSSH's server inside, which separates its privileges, and its client, which logs in from
# outside: commands, their status, a terminal, files, and a forwarded port.
. "$(dirname "$0")/common"
need ssh ssh-keygen sftp python3
sshd=$(command -v sshd || echo /usr/sbin/sshd)
[ -x "$sshd" ] || { echo 'skip: no sshd here'; exit 77; }
# Natively it would need /run/sshd, and write into the machine's records of logins.
[ -n "$RUN" ] || { echo 'skip: natively it would change the machine'; exit 77; }
chmod 755 .
user=$(id -un)
port=$(free_port)

ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f key
cat >config <<END
Port $port
ListenAddress 127.0.0.1
HostKey $PWD/host
AuthorizedKeysFile $PWD/key.pub
PidFile none
StrictModes no
UsePAM $([ "$(id -u)" = 0 ] && echo yes || echo no)
PermitRootLogin yes
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
END
options="-F none -i $PWD/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes"
$RUN sh -c "mkdir -p /run/sshd 2>/dev/null; exec $sshd -D -e -f $PWD/config" >log 2>&1 &
server=$!
await_port "$port"

run_there() { timeout 30 ssh $options -n -p "$port" "$user@127.0.0.1" "$1" 2>>err; }
same "a command's output" "hello there" "$(run_there 'echo hello there')"
run_there 'exit 37'
same "a command's status" 37 $?
same "who one is" "$user" "$(run_there 'id -un')"
same "no terminal unless asked for" "not a tty" "$(run_there tty)"
same "much of everything" "$(seq 200000 | md5sum)" "$(run_there 'seq 200000' | md5sum)"
same "standard input" "$(seq 50000 | md5sum)" \
	"$(seq 50000 | timeout 30 ssh $options -p "$port" "$user@127.0.0.1" md5sum 2>>err)"
if [ "$(id -u)" = 0 ]; then
	# A terminal of its own, owned by who logged in.
	same "a terminal" "$user tty /dev/pts/0" \
		"$(timeout 30 ssh $options -tt -p "$port" "$user@127.0.0.1" 'echo $(stat -c "%U %G" $(tty)) $(tty)' </dev/null | tr -d '\r')"
	same "a hang-up" "ended" \
		"$(timeout 1 ssh $options -tt -p "$port" "$user@127.0.0.1" 'sleep 1000' </dev/null >/dev/null 2>&1
		   for _ in {1..200}; do
			[ "$(run_there 'pgrep -cx sleep')" != 0 ] || { echo ended; break; }
			sleep 0.05
		   done)"
fi
head -c 2000000 /dev/urandom >file
timeout 30 sftp -q -b - $options -P "$port" "$user@127.0.0.1" >/dev/null 2>>err <<END
put $PWD/file /tmp/there
get /tmp/there $PWD/back
END
status "files there and back" 0 cmp file back
# What it forwards comes from a port inside to one outside, and the other way round.
timeout 60 ssh $options -n -N -L "$((port + 1)):127.0.0.1:$port" -p "$port" "$user@127.0.0.1" 2>>err &
forward=$!
await_port $((port + 1))
same "a forwarded port" "through" \
	"$(timeout 30 ssh $options -n -p $((port + 1)) "$user@127.0.0.1" 'echo through' 2>>err)"
kill $forward
wait $forward 2>/dev/null
kill $server
wait $server
same "the server's end" 0 $?
same "it says goodbye" 1 "$(grep -c '^Received signal 15; terminating' log)"
[ $failures = 0 ] || tail -n 20 log err
finish
