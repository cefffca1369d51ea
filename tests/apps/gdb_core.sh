#!/bin/bash
# SPDX-License-Identifier: MIT
# gdb_core.sh - a core file in gdb: threads, frames, registers, memory, mapped files.
# timeout: 120
set -u
failures=0
for tool in gdb gcc; do
	command -v $tool >/dev/null || {
		echo "skip: no $tool here"
		exit 77
	}
done
[ "$(cat /proc/sys/kernel/core_pattern)" = core ] && ulimit -c unlimited 2>/dev/null || {
	echo "skip: core files go elsewhere, or are limited"
	exit 77
}

cat >crash.c <<'C'
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static double in_memory[4] = {1.5, 2.5, 3.5, 4.5};

static void *other(void *arg)
{
	pause();
	return arg;
}

static int deeper(int depth, const char *text)
{
	if (depth == 0)
		*(volatile int *)16 = (int)in_memory[0];
	return deeper(depth - 1, text) + text[0];
}

int main(void)
{
	pthread_t t;

	for (int i = 0; i < 2; i++)
		pthread_create(&t, NULL, other, NULL);
	usleep(500000);
	return deeper(3, "what it says");
}
C
gcc -g -O0 -pthread -o crash crash.c || exit 1
$RUN bash -c './crash; gdb -batch -ex "info threads" -ex "thread apply all bt" -ex "thread 1" -ex "frame 2" \
	-ex "print text" -ex "print in_memory" -ex "print \$_siginfo.si_signo" -ex "info proc mappings" -ex "info auxv" \
	./crash core* 2>&1' >out 2>&1 </dev/null

# says PATTERN: a line of what gdb printed
says() {
	if grep -Eq "$1" out; then
		echo "ok: $1"
	else
		echo "not ok: $1"
		failures=$((failures + 1))
	fi
}
says 'terminated with signal SIGSEGV'
says '^\* 1 .*deeper \(depth=0'
says '^#4 .* main \(\) at crash\.c'
says '^#[0-9]+ .*other \(arg=0x0\) at crash\.c:9'
says '^\$1 = 0x[0-9a-f]+ "what it says"'
says '^\$2 = \{1\.5, 2\.5, 3\.5, 4\.5\}'
says '^\$3 = 11'
says 'libc\.so\.6'
says 'AT_SYSINFO_EHDR'
[ "$(grep -c '^#.* main ()' out)" = 1 ] && [ "$(grep -c '^#.*other (' out)" = 2 ] || {
	echo "not ok: three threads"
	failures=$((failures + 1))
}
[ $failures = 0 ] || cat out
exit $((failures > 0))
