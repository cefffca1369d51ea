#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# sqlite3 from two processes at once, and redis with its clients.
. "$(dirname "$0")/programs"
need sqlite3

prog sqlite3 'sqlite3 -version | cut -c 1; sqlite3 db "create table t (id integer primary key, n int, s text); with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) insert into t select x, x * 7 % 1000, printf(\"name%d\", x) from c; create index i on t (n); select count(*), sum(n) from t; select s from t where n = 5 order by id limit 3; pragma integrity_check; vacuum; delete from t where id > 10; select * from t;" ".mode box" "select * from t limit 2" .schema; sqlite3 db .dump | sqlite3 copy; sqlite3 -csv -header copy "select * from t"; sqlite3 db "select nonsense"; echo $?; sqlite3 db ".backup back" "attach back as b" "select count(*) from b.t"; sqlite3 -json db "select json_object(\"a\", 1) j"; head -c 15 db; chmod 444 db; sqlite3 -readonly db "insert into t values (1, 2, 3)"'
for mode in wal delete truncate persist; do
	prog sqlite3 "mode=$mode; "'sqlite3 db "pragma journal_mode=$mode; create table t (who, i)"; for w in a b c; do (for i in $(seq 10); do echo "insert into t values (\"$w\", $i);"; done | sqlite3 -cmd ".timeout 20000" db; echo $w $? >done.$w) & done; wait; cat done.*; sqlite3 db "select who, count(*), sum(i) from t group by who; pragma integrity_check"; ls db*; (echo "begin immediate; insert into t values (9, 9);"; until [ -e go ]; do sleep 0.02; done; echo "commit;") | sqlite3 -cmd ".timeout 20000" db & until sqlite3 db "begin immediate; rollback" 2>&1 | grep -q locked; do sleep 0.02; done; sqlite3 db "insert into t values (1, 1)"; echo $?; sqlite3 db "select count(*) from t"; >go; wait; sqlite3 db "select count(*) from t"'
done
prog sqlite3 'mkfifo p; sqlite3 db "pragma journal_mode=wal; create table t (x)" >/dev/null; sqlite3 -cmd ".timeout 20000" db <p & disown; exec 7>p; echo "insert into t values (1);" >&7; until [ "$(sqlite3 -cmd ".timeout 5000" db "select count(*) from t")" = 1 ]; do :; done; ls db*; kill -9 $!; while kill -0 $! 2>/dev/null; do sleep 0.02; done; sqlite3 db "pragma integrity_check; select count(*) from t"; ls db*'

command -v redis-server >/dev/null || { echo "skip: no redis"; finish_programs; }
serve='wait_for() { for i in {1..1500}; do "$@" >/dev/null 2>&1 && return; sleep 0.02; done; echo "never: $*"; }
	start() { redis-server --dir "$PWD" --unixsocket "$PWD/s" --save "" --daemonize no --logfile log "$@" & r=$!; wait_for redis-cli -s s ping; }
	c() { redis-cli -s s "$@"; }
	trap "{ kill -9 \$r; } 2>/dev/null; cd /; rm -rf \"$PWD\"" EXIT
	'
prog redis-server "$serve"'start --port 0; c ping; c set k v; c get k; for i in 1 2 3; do c incr n; done; c lpush l a b c; c lrange l 0 -1; c hset h f 1 g 2; c hgetall h; c expire k 100; c ttl k; c keys "*" | sort; c type l; c eval "return redis.call(\"get\", KEYS[1])" 1 n; c bad; c object encoding n; seq 3000 | sed "s/.*/set key& &/" | c >/dev/null; c dbsize; seq 1000 | sed "s/.*/SET p& x/" | c --pipe | tail -n 1; c config get port; c debug sleep 0; c info server | grep -c ^redis_version; c memory usage n; c shutdown nosave; wait $r; echo $?; c ping 2>&1'
prog redis-server "$serve"'start --port 0 --dbfilename dump.rdb; c mset a 1 b 2; c bgsave; wait_for eval "c info persistence | grep -q rdb_bgsave_in_progress:0 && [ -s dump.rdb ]"; c info persistence | grep last_bgsave_status; c set c 3; c save; c shutdown save; wait $r; echo $?; ls; redis-check-rdb dump.rdb | grep -c "looks OK"; start --port 0; c mget a b c; c shutdown nosave; wait $r'
prog redis-server "$serve"'start --port 0 --appendonly yes --appendfsync always; c set a 1; c incr a; c rpush l x y; c bgrewriteaof; wait_for eval "c info persistence | grep -q aof_rewrite_in_progress:0"; c set b 2; kill -9 $r; { wait $r; } 2>/dev/null; ls; ls appendonlydir | sort | head -n 3; start --port 0 --appendonly yes; c mget a b; c lrange l 0 -1; kill -TERM $r; wait $r; echo $?; tail -n 1 log | grep -o "bye.*"'
prog redis-server "$serve"'start --port 0; (timeout 30 redis-cli -s s subscribe ch >sub 2>&1) & wait_for eval "c pubsub numsub ch | grep -qx 1"; c publish ch one; c publish ch two; wait_for grep -q two sub; head -n 9 sub; c client list | wc -l; c client kill type pubsub; wait_for eval "[ \$(c pubsub numsub ch | tail -n 1) = 0 ]"; (c blpop q 30 >popped) & wait_for eval "c client list | grep -q cmd=blpop"; c rpush q item; wait_for grep -q item popped; cat popped; printf "multi\nset x 1\nincr x\nexec\n" | c; c shutdown nosave; wait'
# A free port of the loopback: from the process id, as many tests run at once.
tcp='port=$(free_port); '
prog redis-server "$serve$tcp"'redis-server --dir "$PWD" --port $port --bind 127.0.0.1 --save "" --logfile log & r=$!; wait_for redis-cli -p $port ping; t() { redis-cli -p $port "$@"; }; t set k v; t get k; for i in 1 2 3; do t incr n; done; t config get save; t client info | grep -c addr=127.0.0.1; redis-benchmark -p $port -q -n 2000 -c 10 -t set,get,incr 2>&1 | tr "\r" "\n" | grep -c "requests per second"; t dbsize; (for i in 1 2 3 4; do redis-cli -p $port -r 200 incr m >/dev/null & done; wait); t get m; t shutdown nosave; wait $r; echo $?; t ping 2>&1 | normal "s/:[0-9]+/:P/"'
prog redis-cli 'redis-cli --version | cut -d " " -f 1; redis-cli -s nosuch ping; redis-cli -h 127.0.0.1 -p 1 ping; redis-cli -x 2>&1 </dev/null | head -n 1'
finish_programs
