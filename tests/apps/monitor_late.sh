#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# A monitor that comes to run late finds a question that was asked meanwhile: it answers that one, and
# those that come after it.
. "$(dirname "$0")/common"
need gcc python3

gcc -w -O1 -o late "$SRC/tests/apps/monitor_late.c" || fail 'no program that holds the monitor'

cat >links.py <<'END'
open("/w/asks", "w").close()
for name in "type", "type", "ifindex":
    print(open(f"/sys/class/net/lo/{name}").read().strip(), end=" ")
END
cat >pages.py <<'END'
import ctypes, mmap
m = mmap.mmap(-1, 8192)
m[0] = 1
page = ctypes.addressof(ctypes.c_char.from_buffer(m)) // 4096
open("/w/asks", "w").close()
for i in range(2):
    with open("/proc/self/pagemap", "rb", buffering=0) as f:
        f.seek(page * 8)
        print(*(entry >> 63 for entry in memoryview(f.read(16)).cast("Q")), end="; ")
lines = (line.split() for line in open("/proc/self/status"))
kb = {line[0]: int(line[1]) for line in lines if line[0] in ("VmRSS:", "VmHWM:")}
print(kb["VmHWM:"] >= kb["VmRSS:"])
END

# late NAME WANT SCRIPT: what the script says, with the monitor held until it is about to ask
late() {
	rm -f asks
	same "$1" "$2" "$(timeout 50 ./late asks "$CARBYNE" run -v "$PWD:/w" -- python3 "/w/$3" 2>&1)"
}

late "the host's network" "772 772 1 " links.py
late "pages, and how many there were" "1 0; 1 0; True" pages.py
finish
