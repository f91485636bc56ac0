"""Has z3 decide formulas.

Takes one JSON object a line on standard input: {"smt": SMT-LIB text, "ms": limit}.
Gives one word a line: sat, unsat or unknown (unknown is what a limit ends in).
"""

import json
import sys

import z3

for line in sys.stdin:
    question = json.loads(line)
    solver = z3.Solver()
    solver.set("timeout", question["ms"])
    solver.from_string(question["smt"])
    print(solver.check(), flush=True)
