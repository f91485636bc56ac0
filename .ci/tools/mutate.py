"""Breaks the judgement in one place after another and sees whether the tests notice.

Reads mutants.txt beside it: blocks of "name: value" lines, parted by blank lines. A block has
  file      the source file, from the repository's top
  breaks    what the mutant gets wrong, in words
  after     where the file has the piece more than once: a text that stands in it
            once; the first piece behind it is meant
  old, new  a piece of one line of the file, and what stands there instead
  tests     the packages whose tests must notice, likeliest first
  survives  instead of dying: the reason why no test can notice

The tree is not touched: mutants are laid over their files for a build of the tests (-overlay). All
mutants of functions share one build, in which each function has a broken copy beside it for each of
its mutants and the environment says which is in force (MUTANT); a mutant outside of such functions has
a build of its own. The slow tests are run where the others notice nothing.

Ends with 1 when a mutant lives that should not, dies that is said to survive, or no longer fits its
file; and before all mutants, when the tests fail unbroken. Arguments choose mutants by a part of
their file's name or of their words. JOBS says how many are tried at a time.
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
LIST = TOP / ".ci/tools/mutants.txt"
WANTED = {"file", "breaks", "old", "new", "tests"}
# Run last: other tests mostly notice first.
SLOW = "TheSolverAgrees|DoubtHides|LawsOf|LawOf|ChangesNothing|CompareMisses|HardEnds|NoneMeansNone|Budget"
# Seconds for the tests of one package, and kilobytes of memory: a mutant that
# never ends is one that is noticed.
LONGEST, MEMORY = 300, 8_000_000
SWITCH = """package NAME

import (
	"os"
	"strconv"
)

var mutant = func() int { n, _ := strconv.Atoi(os.Getenv("MUTANT")); return n }()
"""


class Mutant:
    """One block of the list, and the place that it breaks."""

    def __init__(self, number, fields):
        self.number, self.fields, self.problem = number, fields, ""
        self.file, self.old, self.new = fields["file"], fields["old"], fields["new"]
        self.tests, self.survives = fields["tests"].split(), fields.get("survives")
        self.at = self.find() if (TOP / self.file).exists() else self.stale("there is no such file")

    def __str__(self):
        return f"{self.file}: {self.fields['breaks']}"

    def stale(self, problem):
        self.problem = problem
        return -1

    def find(self):
        text, after, start = (TOP / self.file).read_text(), self.fields.get("after"), 0
        if after:
            if text.count(after) != 1:
                return self.stale(f"{after!r} is there {text.count(after)} times, not once")
            start = text.index(after) + len(after)
        elif text.count(self.old) > 1:
            return self.stale(f"{self.old!r} is there {text.count(self.old)} times, not once")
        at = text.find(self.old, start)
        return at if at >= 0 else self.stale(f"{self.old!r} is not there")

    def broken(self, text, start=0):
        """Breaks a text that stands in the file from a place on."""
        at = self.at - start
        return text[:at] + self.new + text[at + len(self.old) :]


class Function:
    """A function of a file around a place."""

    def __init__(self, text, at):
        self.start = text.rfind("\nfunc ", 0, at) + 1
        line = text[self.start : text.index("\n", self.start)]
        body = line.find(" { ") if line.endswith("}") else line.rfind(" {")
        self.body = self.start + body + 2
        self.end = self.start + len(line) if line.endswith("}") else text.index("\n}", self.start) + 2
        self.signature = text[self.start : self.body - 2]
        # A parameter without a name cannot be handed on to a copy.
        named = not re.search(r"[(,] ?_[ ,]", self.signature)
        self.inside = self.start > 0 and body > 0 and self.body <= at < self.end and named

    def parts(self):
        """Gives the receiver's name, the function's, its arguments, and whether it has results."""
        receiver, name, parameters, results = re.fullmatch(
            r"func (?:\((\w+) [^)]*\) )?(\w+)\((.*?)\)((?: .*)?)", self.balanced(), re.S
        ).groups()
        arguments = []
        for p in self.split(parameters):
            word, _, kind = p.strip().partition(" ")
            arguments.append(word + ("..." if kind.startswith("...") else ""))
        return receiver, name, ", ".join(a for a in arguments if a), bool(results.strip())

    def balanced(self):
        """Gives the signature with the types of functions among the parameters made plain."""
        out = self.signature
        while (plain := re.sub(r"func\([^()]*\)(?: \([^()]*\)| [\w.]+)?", "F", out[5:])) != out[5:]:
            out = out[:5] + plain
        return out

    @staticmethod
    def split(parameters):
        depth, part, out = 0, "", []
        for c in parameters:
            depth += (c in "([{") - (c in ")]}")
            if c == "," and not depth:
                out.append(part)
                part = ""
            else:
                part += c
        return [*out, part]


class File:
    """A source file with broken copies of its functions behind it."""

    def __init__(self, name, mutants):
        self.name, self.text, self.mutants = name, (TOP / name).read_text(), mutants

    def render(self):
        """Gives the text, and the lines that each mutant has in it."""
        switches, copies, lines = {}, [], {}
        at = self.text.count("\n") + 1
        for m in self.mutants:
            f = Function(self.text, m.at)
            receiver, name, arguments, results = f.parts()
            other = f"{name}Mutant{m.number}"
            call = (receiver + "." if receiver else "") + f"{other}({arguments})"
            call = "return " + call if results else call + "; return"
            switches.setdefault(f.body, []).append(f" if mutant == {m.number} {{ {call} }}; ")
            head = f.signature.replace(f"{name}(", f"{other}(", 1)
            copy = head + " {" + m.broken(self.text[f.body : f.end], f.body)
            copies.append(copy + "\n")
            lines[m.number] = range(at, at := at + copies[-1].count("\n"))
        text = self.text
        for body in sorted(switches, reverse=True):
            text = text[:body] + "".join(switches[body]) + text[body:]
        return text + "\n" * (not text.endswith("\n")) + "".join(copies), lines


def blocks():
    for number, block in enumerate(LIST.read_text().split("\n\n"), 1):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        fields = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            if not colon and line.endswith(":"):
                name, value = line[:-1], ""
            fields[name] = value
        if not WANTED <= fields.keys() or fields.keys() - WANTED - {"after", "survives"}:
            sys.exit(f"mutants.txt, block {number}: it needs {sorted(WANTED)}, and has {sorted(fields)}")
        yield Mutant(number, fields)


def build(package, overlay, folder, name):
    """Builds the tests of a package with texts laid over files."""
    replace, names = {}, {}
    for i, (path, text) in enumerate(overlay.items()):
        laid = folder / f"{name}.{i}.go"
        laid.write_text(text)
        replace[str(TOP / path)], names[str(laid)] = str(laid), path
    (folder / f"{name}.json").write_text(json.dumps({"Replace": replace}))
    binary = folder / f"{name}.tests"
    flags = ["-vet=off", "-ldflags=-s -w", "-gcflags=-e", "-overlay", str(folder / f"{name}.json")]
    built = quietly(["go", "test", "-c", "-o", str(binary), *flags, package], TOP)
    return binary, built.returncode, built.stdout, names


def build_all(package, mutants, folder):
    """Builds the tests with all mutants that compile in them."""
    while True:
        overlay, lines, by_file = {}, {}, {}
        for m in mutants:
            if not m.problem:
                by_file.setdefault(m.file, []).append(m)
        for name, some in by_file.items():
            overlay[name], lines[name] = File(name, some).render()
            folder_of = pathlib.PurePath(name).parent
            overlay[str(folder_of / "mutant_switch.go")] = SWITCH.replace("NAME", re.search(r"(?m)^package (\w+)", overlay[name])[1])
        binary, code, output, names = build(package, overlay, folder, package.replace("/", "_"))
        if not code:
            return binary
        found = False
        for place, line, problem in re.findall(r"(?m)^(\S+?):(\d+):\d+: (.*)$", output):
            name = names.get(place, "")
            for m in mutants:
                if int(line) in lines.get(name, {}).get(m.number, ()):
                    found = bool(m.stale("it does not compile: " + problem))
        if not found:
            sys.exit(f"the tests of {package} do not compile with mutants in them:\n{output}")


def run(package, binary, number=0):
    """Runs tests; the first result says whether they noticed something."""
    # What property tests find is not written down, nor made smaller.
    rapid = ["-rapid.nofailfile", "-rapid.shrinktime=0s"] if uses_rapid(package) else []
    for choice in ["-test.skip=" + SLOW, "-test.run=" + SLOW]:
        command = [str(binary), "-test.short", "-test.failfast", f"-test.timeout={LONGEST}s", choice, *rapid]
        limited = ["bash", "-c", f'ulimit -v {MEMORY}; exec "$@"', "bash", *command]
        ran = quietly(limited, TOP / package, {"MUTANT": str(number)})
        if ran.returncode:
            return True, ran.stdout
    return False, ""


def uses_rapid(package):
    return any("pgregory.net/rapid" in f.read_text() for f in (TOP / package).glob("*_test.go"))


def quietly(command, where, more=None):
    environment = {**os.environ, **(more or {})}
    return subprocess.run(
        command, cwd=where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )


def noticed(output):
    """Gives the test that noticed."""
    found = re.search(r"--- FAIL: (\S+)", output)
    if not found:
        return "no end" if "panic: test timed out" in output else "a crash"
    deepest = re.findall(r"--- FAIL: (" + re.escape(found[1]) + r"/\S+)", output)
    return deepest[0] if deepest else found[1]


def attempt(m, binaries, folder):
    """Tries one mutant: killed, lives or stale, and what is to be said of it."""
    for package in m.tests:
        if m.problem:
            return "stale", m.problem
        if binaries[package] and inside(m):
            seen, output = run(package, binaries[package], m.number)
        else:
            binary, code, output, _ = build(package, {m.file: m.broken((TOP / m.file).read_text())}, folder, f"alone{m.number}")
            if code:
                return "stale", "it does not compile:\n" + output
            seen, output = run(package, binary)
            binary.unlink()
        if seen:
            return "killed", noticed(output)
    return "lives", "no test noticed"


def inside(m):
    return not m.problem and Function((TOP / m.file).read_text(), m.at).inside


def main():
    words = sys.argv[1:]
    chosen = [m for m in blocks() if not words or any(w in str(m) for w in words)]
    began, ends, wrong = time.monotonic(), [], []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 2))) as pool:
        folder, binaries = pathlib.Path(folder), {}
        for package in sorted({p for m in chosen for p in m.tests}):
            binaries[package] = build_all(package, [m for m in chosen if package in m.tests and inside(m)], folder)
            seen, output = run(package, binaries[package])
            if seen:
                sys.exit(f"the tests of {package} fail with nothing broken:\n{output}")
        print(f"built after {time.monotonic() - began:.0f} s", flush=True)
        for m, (end, detail) in zip(chosen, pool.map(lambda m: attempt(m, binaries, folder), chosen)):
            ends.append(end)
            print(f"{end:7} {m} [{m.survives or detail}]", flush=True)
            if end != ("lives" if m.survives else "killed"):
                wrong.append(m)
    print(f"{len(chosen)} mutants in {time.monotonic() - began:.0f} s: " + ", ".join(f"{ends.count(e)} {e}" for e in sorted(set(ends))))
    print("\n  ".join([f"{len(wrong)} not as they should be", *map(str, wrong)]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
