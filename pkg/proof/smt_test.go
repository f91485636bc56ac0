package proof_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// TestTheSolverAgrees puts the same questions to proof and to z3, a solver that
// this project did not write: a document of the string fragment and a region
// are written out as one SMT-LIB formula, which is satisfiable exactly when some
// request of the region is allowed. The formula is made from the document's
// meaning in AWS's documentation, with no code of proof or access.
//
// ROLEWARDEN_SMT asks for so many decided questions; ROLEWARDEN_SEED starts at
// another document.
func TestTheSolverAgrees(t *testing.T) {
	want, first := number(t, "ROLEWARDEN_SMT", 40), number(t, "ROLEWARDEN_SEED", 0)
	z3 := newSolver(t)
	tally := map[string]int{}
	for seed := first; tally["both"] < want; seed++ {
		q := newQuestion(uint64(seed))
		answer := proof.Find(q.document, q.query)
		tally["proof: "+answer.Outcome.String()]++
		if answer.Outcome == proof.Unknown {
			continue
		}
		said := z3.ask(t, q.formula())
		tally["z3: "+said]++
		if said == "unknown" {
			continue
		}
		tally["both"]++
		if (said == "sat") != (answer.Outcome == proof.Found) {
			t.Errorf("seed %d: proof says %v, z3 says %s\n%s\n%+v\n%+v\n%s", seed, answer.Outcome, said, q.document.Print(), q.query, answer, q.formula())
		}
		if tally["both"]+tally["z3: unknown"] > 4*want+100 {
			t.Fatalf("z3 decides too little: %v", tally)
		}
	}
	t.Logf("questions by answer: %v", tally)
}

func number(t *testing.T, variable string, normal int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return normal
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q is no number", variable, text)
	}
	return n
}

// solver is a running z3.
type solver struct {
	in  io.Writer
	out *bufio.Reader
}

func newSolver(t *testing.T) solver {
	t.Helper()
	python := toolstest.Program(t, "python")
	if err := exec.CommandContext(t.Context(), python, "-c", "import z3").Run(); err != nil {
		if toolstest.Required() {
			t.Fatalf("z3 is not installed (%v): run make tools", err)
		}
		t.Skip("z3 is not installed: run make tools")
	}
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("..", "..", ".ci", "tools", "solve.py"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return solver{in, bufio.NewReader(out)}
}

// ask gives "sat", "unsat" or "unknown".
func (s solver) ask(t *testing.T, formula string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"smt": formula, "ms": 2000})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "%s\n", text); err != nil {
		t.Fatalf("asking z3: %v", err)
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatalf("z3 gave no answer: %v\n%s", err, formula)
	}
	return line[:len(line)-1]
}
