"""Breaks the judgement in one place after another and sees whether the tests notice.

Reads mutants.txt beside it: blocks of "name: value" lines, parted by blank lines. A block has
  file      the source file, from the repository's top
  breaks    what the mutant gets wrong, in words
  old, new  a piece of one line of the file, and what stands there instead
  tests     the packages whose tests must notice
  survives  instead of dying: the reason why no test can notice

A mutant is laid over its file for one `go test` (its -overlay flag); the tree is not touched. Ends
with 1 when a mutant lives that should not, dies that is said to survive, or no longer fits its file.
Arguments choose mutants by a part of their file's name.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
WANTED = {"file", "breaks", "old", "new", "tests"}


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
        if not WANTED <= mutant.keys() or mutant.keys() - WANTED - {"survives"}:
            sys.exit(f"mutants.txt, block {number}: it needs {sorted(WANTED)}, and has {sorted(mutant)}")
        yield mutant


def run(mutant):
    source = (TOP / mutant["file"]).read_text()
    if source.count(mutant["old"]) != 1:
        return "stale", f"{mutant['old']!r} is there {source.count(mutant['old'])} times, not once"
    with tempfile.TemporaryDirectory() as folder:
        broken = pathlib.Path(folder) / "broken.go"
        broken.write_text(source.replace(mutant["old"], mutant["new"]))
        overlay = pathlib.Path(folder) / "overlay.json"
        overlay.write_text(json.dumps({"Replace": {str(TOP / mutant["file"]): str(broken)}}))
        packages = mutant["tests"].split()
        built = go("vet", "-overlay", overlay, *packages)
        if built.returncode:
            return "stale", "it does not compile:\n" + built.stderr
        tested = go("test", "-failfast", "-short", "-overlay", overlay, *packages)
        return ("killed" if tested.returncode else "lives"), tested.stdout


def go(verb, *arguments):
    return subprocess.run(["go", verb, *map(str, arguments)], cwd=TOP, capture_output=True, text=True, check=False)


def main():
    chosen = [m for m in blocks() if not sys.argv[1:] or any(part in m["file"] for part in sys.argv[1:])]
    tally, wrong = {}, 0
    with concurrent.futures.ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2)) as pool:
        for mutant, (end, detail) in zip(chosen, pool.map(run, chosen)):
            expected = "lives" if "survives" in mutant else "killed"
            tally[end] = tally.get(end, 0) + 1
            reason = f" ({mutant['survives']})" if "survives" in mutant else ""
            print(f"{end:7} {mutant['file']}: {mutant['breaks']}{reason}", flush=True)
            if end != expected:
                wrong += 1
                print("        NOT AS IT SHOULD BE: " + detail.strip().replace("\n", "\n        "), flush=True)
    print(f"{len(chosen)} mutants: " + ", ".join(f"{n} {end}" for end, n in sorted(tally.items())))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
