"""Breaks the judgement in one place after another and sees whether the tests notice.

Reads mutants.txt beside it: blocks of "name: value" lines, parted by blank lines. A block has
  file      the source file, from the repository's top
  breaks    what the mutant gets wrong, in words
  after     where the file has the piece more than once: a text that stands in it
            once; the first piece behind it is meant
  old, new  a piece of one line of the file, and what stands there instead
  tests     the packages whose tests must notice, likeliest first
  survives  instead of dying: the reason why no test can notice

A mutant is laid over its file for one build of the tests (-overlay); the tree is not touched. The
slow tests are run where the others notice nothing. Ends with 1 when a mutant lives that should not,
dies that is said to survive, or no longer fits its file; and before all mutants, when the tests fail
unbroken. Arguments choose mutants by a part of their file's name or of their words. JOBS says how
many are tried at a time.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
WANTED = {"file", "breaks", "old", "new", "tests"}
# Run last: other tests mostly notice first.
SLOW = "TheSolverAgrees|DoubtHides|LawsOf|LawOf|ChangesNothing|CompareMisses|HardEnds|NoneMeansNone|Budget"
# Seconds for the tests of one package, and kilobytes of memory: a mutant that
# never ends is one that is noticed.
LONGEST, MEMORY = 300, 8_000_000


def blocks():
    text = (TOP / ".ci/tools/mutants.txt").read_text()
    for number, block in enumerate(text.split("\n\n"), 1):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        mutant = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            if not colon and line.endswith(":"):
                name, value = line[:-1], ""
            mutant[name] = value
        if not WANTED <= mutant.keys() or mutant.keys() - WANTED - {"after", "survives"}:
            sys.exit(f"mutants.txt, block {number}: it needs {sorted(WANTED)}, and has {sorted(mutant)}")
        yield mutant


def broken(mutant):
    """Gives the file's text with the mutant in it, or None and why it does not fit."""
    path = TOP / mutant["file"]
    if not path.exists():
        return None, "there is no such file"
    head, tail, old = "", path.read_text(), mutant["old"]
    if after := mutant.get("after"):
        if tail.count(after) != 1:
            return None, f"{after!r} is there {tail.count(after)} times, not once"
        before, _, tail = tail.partition(after)
        head = before + after
    elif tail.count(old) > 1:
        return None, f"{old!r} is there {tail.count(old)} times, not once"
    if old not in tail:
        return None, f"{old!r} is not there"
    return head + tail.replace(old, mutant["new"], 1), ""


def run(mutant):
    text, problem = broken(mutant)
    if problem:
        return "stale", problem
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "broken.go").write_text(text)
        overlay = folder / "overlay.json"
        overlay.write_text(json.dumps({"Replace": {str(TOP / mutant["file"]): str(folder / "broken.go")}}))
        return tested(mutant["tests"].split(), folder, "-overlay", str(overlay))


def tested(packages, folder, *flags):
    """Builds and runs the tests of some packages until one notices something."""
    binary = folder / "tests"
    for package in packages:
        built = run_quietly(["go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", str(binary), *flags, package], TOP)
        if built.returncode:
            return "stale", "it does not compile:\n" + built.stdout
        # What property tests find is not written down, nor made smaller.
        rapid = ["-rapid.nofailfile", "-rapid.shrinktime=0s"] if uses_rapid(package) else []
        for choice in ["-test.skip=" + SLOW, "-test.run=" + SLOW]:
            limit = f"ulimit -v {MEMORY}; exec " + '"$@"'
            command = [str(binary), "-test.short", "-test.failfast", f"-test.timeout={LONGEST}s", choice, *rapid]
            ran = run_quietly(["bash", "-c", limit, "bash", *command], TOP / package)
            if ran.returncode:
                return "killed", ran.stdout
    return "lives", "no test noticed"


def uses_rapid(package):
    return any("pgregory.net/rapid" in f.read_text() for f in (TOP / package).glob("*_test.go"))


def run_quietly(command, where):
    return subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)


def noticed(output):
    """Gives the test that noticed."""
    found = re.search(r"--- FAIL: (\S+)", output)
    if not found:
        return "no end" if "panic: test timed out" in output else "a crash"
    deepest = re.findall(r"--- FAIL: (" + re.escape(found[1]) + r"/\S+)", output)
    return deepest[0] if deepest else found[1]


def unbroken(chosen):
    for package in sorted({p for m in chosen for p in m["tests"].split()}):
        with tempfile.TemporaryDirectory() as folder:
            end, detail = tested([package], pathlib.Path(folder))
            if end != "lives":
                sys.exit(f"the tests of {package} fail with nothing broken:\n{detail}")


def main():
    words = sys.argv[1:]
    chosen = [m for m in blocks() if not words or any(w in m["file"] or w in m["breaks"] for w in words)]
    unbroken(chosen)
    tally, wrong, began = {}, [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 2))) as pool:
        for mutant, (end, detail) in zip(chosen, pool.map(run, chosen)):
            expected = "lives" if "survives" in mutant else "killed"
            tally[end] = tally.get(end, 0) + 1
            reason = f" ({mutant['survives']})" if "survives" in mutant else ""
            by = f" [{noticed(detail)}]" if end == "killed" else ""
            print(f"{end:7} {mutant['file']}: {mutant['breaks']}{by}{reason}", flush=True)
            if end != expected:
                wrong.append(mutant)
                print("        NOT AS IT SHOULD BE: " + detail.strip().replace("\n", "\n        ")[-3000:], flush=True)
    took = time.monotonic() - began
    print(f"{len(chosen)} mutants in {took:.0f} s: " + ", ".join(f"{n} {end}" for end, n in sorted(tally.items())))
    print(f"{len(wrong)} not as they should be" + "".join(f"\n  {m['file']}: {m['breaks']}" for m in wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
