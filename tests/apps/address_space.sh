#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 240
# Programs that own their address space: sanitizers, fixed addresses, allocators, virtual machines that reserve much.
. "$(dirname "$0")/programs"
need gcc

work=$(cat <<'OUT'
cat >work.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *arg)
{
	unsigned seed = (unsigned)(long)arg, sum = 0;
	void *p[256] = {0};

	for (int i = 0; i < 20000; i++) {
		unsigned k = (seed = seed * 1103515245 + 12345) >> 16 & 255;
		size_t n = 1 + (seed >> 8) % (i % 50 ? 2000 : 300000);

		p[k] = realloc(p[k], n);
		memset(p[k], (int)k, n < 64 ? n : 64);
		sum += *(unsigned char *)p[k];
	}
	for (int k = 0; k < 256; k++)
		free(p[k]);
	return (void *)(long)sum;
}
int main(void)
{
	pthread_t t[4];
	unsigned sum = 0;
	void *r;

	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, work, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		sum += (unsigned)(long)r;
	}
	if (!fork()) {
		work((void *)9);
		_exit(0);
	}
	wait(NULL);
	printf("%u\n", sum);
}
END
OUT
)
over=$(cat <<'OUT'
cat >over.c <<'END'
#include <stdlib.h>
int main(int argc, char **argv)
{
	char *p = malloc(8);
	(void)argv;
	p[argc + 7] = 1;
	return 0;
}
END
OUT
)
race=$(cat <<'OUT'
cat >race.c <<'END'
#include <pthread.h>
static int x;
static void *bump(void *a) { x++; return a; }
int main(void)
{
	pthread_t t;
	pthread_create(&t, 0, bump, 0);
	x++;
	pthread_join(t, 0);
	return 0;
}
END
OUT
)

prog gcc "$work
gcc -O1 -o plain work.c -pthread && ./plain"
prog gcc "$work
gcc -O1 -static -no-pie -o fixed work.c -pthread && ./fixed"
prog gcc "$work
$over
export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace
gcc -O1 -fsanitize=address -o asan work.c -pthread && ./asan
gcc -fsanitize=address -o over over.c && { ./over 2>&1 | grep -o heap-buffer-overflow | head -1; }"
prog gcc "$work
$race
gcc -O1 -fsanitize=thread -o tsan work.c -pthread && ./tsan
gcc -fsanitize=thread -o race race.c -pthread && { ./race 2>&1 | grep -o 'data race' | head -1; }"
for lib in libjemalloc.so.2 libmimalloc.so.2 libtcmalloc_minimal.so.4; do
	found=$(ls /usr/lib/*/"$lib" 2>/dev/null | head -1)
	[ -z "$found" ] || prog gcc "$work
gcc -O1 -o plain work.c -pthread && LD_PRELOAD=$found ./plain"
done
if command -v luajit >/dev/null; then
	prog luajit 'luajit -e "local t = {} for i = 1, 2e6 do t[i % 1000 + 1] = {i, tostring(i)} end local s = 0 for i = 1, 1e7 do s = (s + i * 3) % 1000003 end print(s, #t)"'
fi
if command -v sbcl >/dev/null; then
	prog sbcl 'sbcl --noinform --non-interactive --eval "(let ((l nil)) (dotimes (i 2000000) (setf l (cons i (if (zerop (mod i 1000)) nil l)))) (gc :full t) (format t \"~a ~a~%\" (length l) (reduce (function +) l)))"'
fi
if command -v node >/dev/null; then
	prog node 'node --max-old-space-size=4096 -e "let a = []; for (let i = 0; i < 300; i++) { a.push(new Array(50000).fill(i)); if (a.length > 100) a.shift(); } console.log(a.length, a[99][7])"'
fi
if command -v javac >/dev/null; then
	java=$(cat <<'OUT'
cat >Work.java <<'END'
import java.util.*;
public class Work {
	public static void main(String[] a) throws Exception {
		Thread[] t = new Thread[4];
		long[] sums = new long[4];
		for (int i = 0; i < 4; i++) {
			int n = i;
			t[i] = new Thread(() -> {
				List<byte[]> keep = new ArrayList<>();
				for (int k = 0; k < 4000; k++) {
					keep.add(new byte[4096]);
					if (keep.size() > 500) keep.remove(k % 500);
					sums[n] += keep.size();
				}
			});
			t[i].start();
		}
		for (Thread x : t) x.join();
		System.out.println(Arrays.toString(sums));
	}
}
END
OUT
)
	prog java 'java -version'
	prog java "$java
javac Work.java && for gc in Serial G1 Z; do java -Xmx256m -XX:+Use\${gc}GC Work; done"
fi
finish_programs
