#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 180
# iptables-legacy(8) in a network in memory: rules are made, listed, saved and taken back, and
# do what they say to python3's sockets.
. "$(dirname "$0")/common"
need iptables-legacy ip6tables-legacy python3

cat >rules.sh <<'END'
iptables-legacy -N mine
iptables-legacy -A INPUT -p udp -m multiport --dports 53,100:200 -j mine
iptables-legacy -A mine -m conntrack --ctstate ESTABLISHED -j RETURN
iptables-legacy -A mine -m state --state NEW -m limit --limit 3/s -j DROP
iptables-legacy -A OUTPUT -p tcp --dport 5432 -j REJECT
iptables-legacy -A OUTPUT -m owner --uid-owner 0 -m comment --comment hello
iptables-legacy -A OUTPUT -s 127.0.0.2 ! -o eth0 -m statistic --mode nth --every 3 --packet 0 -j DROP
iptables-legacy -t mangle -A OUTPUT -p udp -j MARK --set-mark 7
iptables-legacy -P FORWARD DROP
iptables-legacy-save | grep -v '^#'
iptables-legacy-save >saved
iptables-legacy -D OUTPUT -p tcp --dport 5432 -j REJECT
iptables-legacy -F
iptables-legacy -X
iptables-legacy -S
iptables-legacy-restore <saved
iptables-legacy-save | grep -v '^#' | md5sum
grep -v '^#' saved | md5sum
ip6tables-legacy -A INPUT -p icmpv6 --icmpv6-type echo-request -j REJECT
ip6tables-legacy -S
iptables-legacy -t nat -L 2>&1 | head -n 1
END
"$CARBYNE" run --net=none -u 0:0 -- bash rules.sh >out 2>&1
same "a table is saved" "*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:mine - [0:0]
-A INPUT -p udp -m multiport --dports 53,100:200 -j mine
-A OUTPUT -p tcp -m tcp --dport 5432 -j REJECT --reject-with icmp-port-unreachable
-A OUTPUT -m owner --uid-owner 0 -m comment --comment hello
-A OUTPUT -s 127.0.0.2/32 ! -o eth0 -m statistic --mode nth --every 3 --packet 0 -j DROP
-A mine -m conntrack --ctstate ESTABLISHED -j RETURN
-A mine -m state --state NEW -m limit --limit 3/sec -j DROP
COMMIT" "$(sed -n '1,/COMMIT/p' out)"
same "so is another" "-A OUTPUT -p udp -j MARK --set-xmark 0x7/0xffffffff" "$(grep xmark out)"
same "it is empty again" "-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT" "$(sed -n '/^-P INPUT/,/^-P OUTPUT/p' out | head -n 3)"
same "and as it was" 1 "$(grep ' -$' out | sort -u | wc -l)"
same "IPv6" "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j REJECT --reject-with icmp6-port-unreachable" \
	"$(grep 'icmpv6-type' out)"
same "no nat" "iptables v? (legacy): can't initialize iptables table \`nat': Table does not exist (do you need to insmod?)" \
	"$(tail -n 1 out | sed 's/ v[0-9.]* / v? /')"

cat >effect.py <<'END'
import os, socket, subprocess

def rule(*words):
    subprocess.run(["iptables-legacy", *words], check=True)

def answer(func):
    try:
        func()
        return "fine"
    except OSError as e:
        return e.strerror

server = socket.create_server(("127.0.0.1", 5432))
connect = lambda: socket.create_connection(("127.0.0.1", 5432), timeout=60).close()
print("before:", answer(connect))
rule("-A", "OUTPUT", "-p", "tcp", "--dport", "5432", "-j", "REJECT")
print("rejected:", answer(connect))
rule("-R", "OUTPUT", "1", "-p", "tcp", "--dport", "5432", "-j", "REJECT", "--reject-with", "icmp-host-unreachable")
print("unreachable:", answer(connect))
rule("-F")
one = socket.create_connection(("127.0.0.1", 5432))
server.accept()[0].close()
two = server.accept()[0]
rule("-A", "INPUT", "-p", "tcp", "--dport", "5432", "-m", "state", "--state", "ESTABLISHED", "-j", "DROP")
one.send(b"late")
two.setblocking(False)
print("dropped:", answer(lambda: two.recv(10)))
two.settimeout(60)
rule("-F")
print("allowed:", two.recv(10).decode())
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
rule("-P", "OUTPUT", "DROP")
print("policy:", answer(lambda: udp.sendto(b"x", ("127.0.0.1", 9))))
rule("-P", "OUTPUT", "ACCEPT")
udp.sendto(b"x", ("127.0.0.1", 9))
print("counted:", subprocess.run("iptables-legacy -L OUTPUT -n -v -x", shell=True, capture_output=True,
                                 text=True).stdout.split()[4] != "0")
END
same "what rules do" "before: fine
rejected: Connection refused
unreachable: No route to host
dropped: Resource temporarily unavailable
allowed: late
policy: Operation not permitted
counted: True" "$("$CARBYNE" run --net=none -u 0:0 -- python3 effect.py 2>&1)"

same "the host's network has none" "Permission denied" \
	"$("$CARBYNE" run -- iptables-legacy -L 2>&1 | grep -o 'Permission denied' | head -n 1)"
finish
