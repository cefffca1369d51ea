#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# PostgreSQL: a server with its memory in System V segments, clients at once, its recovery.
. "$(dirname "$0")/programs"

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
[ -n "$bin" ] && [ -x "$bin/initdb" ] || { echo 'skip: no postgresql here'; exit 77; }
chmod a+x . # for who is not root

# The server does not run as root: nobody does it then, in a directory of his.
serve="PATH=$bin:\$PATH"'
	if [ "$(id -u)" = 0 ]; then
		chown 65534:65534 .
		chmod a+x .. . # natively below the work directory
		as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	fi
	export HOME=$PWD PGHOST=$PWD PGUSER=me PGDATABASE=postgres
	start() { $as pg_ctl -D data -l log -w start >/dev/null 2>&1 || { cat log; exit 1; }; }
	stop() { $as pg_ctl -D data -m "${1-fast}" -w stop >/dev/null 2>&1; }
	sql() { psql -X -A -t -q -c "$1"; }
	segments() { awk "NR > 1 && \$5 == $(head -n 1 data/postmaster.pid)" /proc/sysvipc/shm | wc -l; }
	trap "stop immediate; cd /; rm -rf \"$PWD\"" EXIT
	$as initdb -D data -A trust -U me --no-sync >initdb.log 2>&1 || { cat initdb.log; exit 1; }
	$as tee -a data/postgresql.conf >/dev/null <<-END
	unix_socket_directories = '"'\$PWD'"'
	listen_addresses = '"''"'
	shared_memory_type = sysv
	dynamic_shared_memory_type = sysv
	fsync = off
	END
	start
	'

prog pgbench "$serve"'pgbench -i -q -s 1 >/dev/null 2>&1; pgbench -n -c 4 -j 2 -t 200 2>&1 | grep processed; sql "select (select sum(abalance) from pgbench_accounts) = (select sum(bbalance) from pgbench_branches), count(*) from pgbench_history"; pgbench -n -S -c 8 -j 4 -t 200 2>&1 | grep processed; sql "set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set min_parallel_table_scan_size = 0; set debug_parallel_query = on; select count(*), sum(aid) from pgbench_accounts" 2>&1 | grep -v unrecognized; [ $(segments) -ge 1 ]; echo $?; sql "vacuum analyze"; sql "select count(*) from pg_stat_user_tables"'
prog psql "$serve"'sql "create table t (id serial primary key, who text, n int)"; for w in a b c d; do (for i in $(seq 25); do echo "insert into t (who, n) values (\$\$$w\$\$, $i);"; done | psql -X -q) & done; wait $(jobs -p); sql "select who, count(*), sum(n) from t group by who order by who"; (echo "begin; select pg_advisory_lock(1);"; until [ -e go ]; do sleep 0.02; done; echo "update t set n = 0 where id = 1; commit;") | psql -X -q >/dev/null & h=$!; until [ "$(sql "select count(*) from pg_locks where locktype = \$\$advisory\$\$")" = 1 ]; do sleep 0.02; done; sql "select pg_try_advisory_lock(1)"; sql "select n from t where id = 1"; >go; wait $h; sql "select n from t where id = 1"; sql "begin; update t set n = 5 where id = 1; rollback; select n from t where id = 1"; sql "copy t to stdout" | wc -l; pg_dump -t t | psql -X -q -d template1 2>&1 | grep -c ERROR; psql -X -A -t -d template1 -c "select count(*) from t"'
prog postgres "$serve"'sql "create table t (x int)"; sql "insert into t select generate_series(1, 1000)"; sql checkpoint; sql "insert into t values (1001)"; kill -9 $(sql "select pg_backend_pid() from pg_sleep(0)" >/dev/null; sql "select pid from pg_stat_activity where backend_type = \$\$background writer\$\$"); until sql "select count(*), max(x) from t" >out 2>/dev/null; do sleep 0.05; done; cat out; p=$(head -n 1 data/postmaster.pid); kill -9 $p; while kill -0 $p 2>/dev/null; do sleep 0.02; done; until start 2>/dev/null; do sleep 0.1; done; sql "select count(*), max(x) from t"; stop; awk "NR > 1 && \$5 == $p" /proc/sysvipc/shm | wc -l; start; sql "select count(*) from t"; stop smart; ls data/postmaster.pid 2>&1 | grep -c "cannot access"'
finish_programs
