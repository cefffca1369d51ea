#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""differ_compare.py - runs differ_socket natively and inside Carbyne with the same seeds, and
compares what they print. Prints the first difference of each seed with the lines before it,
and the fewest steps that still show it (--shrink).
"""
import argparse
import itertools
import os
import subprocess
import sys
import tempfile

# What is compared: name, options of both, options of the native run alone, carbyne's options.
KNOWN = (6, 18)  # the Linux that Carbyne was compared with; older ones answer some calls otherwise
MODES = {
    "own": ["-o", "", "--net=none"],
    "none": ["", "-N", "--net=none"],
    "host": ["-H", "-N", "--net=host"],
}

BATCH = 40  # seeds for one start


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--carbyne", default=os.environ.get("CARBYNE", "carbyne"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--families", default="u,t,d,utd,inpr")
    parser.add_argument("--modes", default="own,none,host")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--any-kernel", action="store_true")
    parser.add_argument("--show", type=int, default=3, help="differences shown of each mode")
    parser.add_argument("--lines", type=int, default=10)
    return parser.parse_args()


class Pair:
    """The program in one mode, natively and inside."""

    def __init__(self, given, mode, families):
        self.given, self.mode, self.families = given, mode, families
        self.is_refused = False  # nobody may have a network of his own here

    def commands(self, seed, seeds, steps, skip):
        both, native, inside = MODES[self.mode]
        words = ["-s", str(seed), "-c", str(seeds), "-n", str(steps), "-f", self.families]
        words += both.split() + (["-x", skip] if skip else [])
        program = os.path.abspath(self.given.program)
        return ([program] + native.split() + words,
                [self.given.carbyne, "run", "--leaks", inside, "--", program] + words)

    def run(self, seed, seeds, steps, skip=""):
        """seed -> lines, natively and inside; and what was wrong besides."""
        children = []
        for command in self.commands(seed, seeds, steps, skip):
            out, err = (tempfile.TemporaryFile("w+", errors="replace") for _ in range(2))
            children.append((subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                              stderr=err), out, err))
        results, wrong = [], []
        for child, out, err in children:
            code = child.wait()
            for file in (out, err):
                file.seek(0)
            text = err.read()
            if code == 77:
                self.is_refused = True
            elif code or text:
                wrong.append(f"{' '.join(child.args)}: status {code}\n{text[-2000:]}")
            results.append(by_seed(out.read()))
        return results[0], results[1], wrong


def by_seed(text):
    found, lines = {}, []
    for line in text.splitlines():
        if line.startswith("seed "):
            lines = found[int(line[5:])] = []
        else:
            lines.append(line)
    return found


def first_difference(a, b):
    for i, (x, y) in enumerate(itertools.zip_longest(a, b)):
        if x != y:
            return i
    return None


def step_of(lines, at):
    """The number of the step of a line, which a child's lines share."""
    word = lines[min(at, len(lines) - 1)].split(" ")[0] if lines else "0"
    return int(word) if word.isdigit() else 0


def shrink(pair, seed, lines, at):
    """As few steps as show a difference: a text with 'x' for each step left out."""
    steps = step_of(lines, at) + 1
    keep = list(range(steps))

    def shows(kept):
        skip = "".join("." if i in kept else "x" for i in range(steps))
        a, b, _ = pair.run(seed, 1, steps, skip)
        return first_difference(a.get(seed, []), b.get(seed, [])) is not None, a, b

    size = max(1, len(keep) // 2)
    while True:
        i, shrunk = 0, False
        while i < len(keep):
            fewer = keep[:i] + keep[i + size:]
            if fewer and shows(set(fewer))[0]:
                keep, shrunk = fewer, True
            else:
                i += size
        if size > 1:
            size //= 2
        elif not shrunk:
            break
    _, a, b = shows(set(keep))
    return a.get(seed, []), b.get(seed, [])


def show(given, a, b, at):
    for line in a[max(0, at - given.lines):at]:
        print("    ", line)
    print("   L ", a[at] if at < len(a) else "(nothing)")
    print("   C ", b[at] if at < len(b) else "(nothing)", flush=True)


def compare(given, mode, families):
    if mode == "none" and os.geteuid():  # who is not root there may not allow echo requests
        families = families.replace("i", "")
    pair, count = Pair(given, mode, families), 0
    a, b, wrong = {}, {}, []
    # In a network in memory ports of many seeds before stay in TIME_WAIT.
    for seed in range(given.seed, given.seed + given.seeds, BATCH):
        more = pair.run(seed, min(BATCH, given.seed + given.seeds - seed), given.steps)
        a.update(more[0])
        b.update(more[1])
        wrong += more[2]
    if pair.is_refused:
        print(f"{mode} {families}: no network of its own: skipped")
        return None
    for text in wrong:
        print(f"not ok: {mode} {families}: {text}")
    for seed in sorted(set(a) | set(b)):
        at = first_difference(a.get(seed, []), b.get(seed, []))
        if at is None:
            continue
        # A port that the kernel chooses may be one that is still shown of somebody else.
        x, y, _ = pair.run(seed, 1, given.steps)
        if first_difference(x.get(seed, []), y.get(seed, [])) is None:
            print(f"{mode} {families} seed {seed} differed once", flush=True)
            show(given, a.get(seed, []), b.get(seed, []), at)
            continue
        count += 1
        if count > given.show:
            continue
        print(f"not ok: {mode} {families} seed {seed} differs (L natively, C inside):")
        x, y = a.get(seed, []), b.get(seed, [])
        if given.shrink:
            less = shrink(pair, seed, x, at)
            where = first_difference(*less)
            if where is not None:
                x, y, at = *less, where
        show(given, x, y, at)
    print(f"{mode} {families}: {len(a)} seeds, {count} differ", flush=True)
    return bool(wrong) or count > 0 or len(a) != given.seeds


def main():
    given = options()
    release = tuple(int(n) for n in os.uname().release.split(".")[:2])
    if release < KNOWN and not given.any_kernel:
        print(f"Linux {release} is older than {KNOWN}: skipped")
        return 77
    # Of these the host's network has other ones, or none.
    bad = [compare(given, mode, families) for mode in given.modes.split(",")
           for families in given.families.split(",")
           if mode != "host" or not set(families) & set("inpr")]
    return 77 if None in bad and not any(bad) else int(any(bad))


if __name__ == "__main__":
    sys.exit(main())
