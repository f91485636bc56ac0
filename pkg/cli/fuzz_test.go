package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is sent to evaluate: every line that is not blank gets exactly one
// line of JSON, with a decision or an error, and the status says which.
func FuzzEvaluateAnswersEveryLine(f *testing.F) {
	const good = `{"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*"}]},"request":{"action":"sts:AssumeRole","caller":{"aws":"arn:aws:iam::444455556666:user/alice"}}}`
	for _, seed := range []string{
		"", "\n\n", good, good + "\n" + good, "{", `{"policy":"{}"}`, `{"policy":"\ud800","request":{}}`, "\xff\xfe", `[[[[`, `null`,
		strings.Replace(good, "sts:*", "sts:\u0000", 1), strings.Repeat(`{"a":`, 50),
		strings.Replace(good, `"request":{`, `"request":{"context":{"sts:ExternalId":["a",null]},`, 1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		out, _, status := run(input, "evaluate")
		want := 0
		for line := range strings.SplitSeq(input, "\n") {
			if strings.TrimSpace(line) != "" {
				want++
			}
		}
		answers := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if out == "" {
			answers = nil
		}
		if len(answers) != want {
			t.Fatalf("%d lines in, %d out:\n%s", want, len(answers), out)
		}
		worst := 0
		for _, text := range answers {
			var a struct{ Decision, Error string }
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				t.Fatalf("%q is no JSON: %v", text, err)
			}
			switch {
			case a.Error != "":
				worst = 3
			case a.Decision == "Undecided" && worst == 0:
				worst = 2
			case a.Decision == "":
				t.Fatalf("neither decision nor error: %s", text)
			}
		}
		if status != worst {
			t.Fatalf("status %d, want %d:\n%s", status, worst, out)
		}
	})
}

// A line that is too long is refused by itself, without being kept in memory,
// and the next one is answered.
func TestEvaluateRefusesOneTooLongLine(t *testing.T) {
	t.Parallel()
	const good = `{"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]},"request":{"action":"sts:AssumeRole","caller":{"aws":"arn:aws:iam::444455556666:user/alice"}}}`
	out, _, status := run(strings.Repeat("x", 3<<20)+"\n"+good+"\n", "evaluate")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 3 || len(lines) != 2 || !strings.Contains(lines[0], `"error":"line 1: longer than`) || !strings.Contains(lines[1], `"Allowed"`) {
		t.Errorf("status %d:\n%.400s", status, out)
	}
}

// T80: no error of evaluate repeats an external ID, wherever the line breaks.
func TestEvaluateErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	const line = `{"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"` + secret + `"}}}]},"request":{"action":"sts:AssumeRole","caller":{"aws":"arn:aws:iam::444455556666:user/alice"},"context":{"sts:ExternalId":"` + secret + `"}}}`
	var input strings.Builder
	for i := range line {
		input.WriteString(line[:i] + "\n" + line[:i] + "\x01" + line[i:] + "\n" + line[:i] + `"` + line[i:] + "\n")
	}
	out, errs, _ := run(input.String(), "evaluate")
	if strings.Contains(out+errs, secret) {
		for l := range strings.Lines(out) {
			if strings.Contains(l, secret) {
				t.Fatalf("a secret is in: %s", l)
			}
		}
	}
}

// T77: a name that somebody chose cannot steer the terminal or forge a line.
func TestNamesCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	const name = "no\x1b[2Jsuch\nrolewarden: all is well\u202e.json"
	out, errs, status := run("", "check", name)
	if status != 3 || strings.ContainsAny(errs, "\x1b\u202e") || strings.Count(errs, "\n") != 1 || out != "" {
		t.Errorf("status %d, output %q, errors %q", status, out, errs)
	}
}

// Whatever a file holds, handle reports one end for it, and neither crashes nor
// claims that nothing was found in what it could not read.
func FuzzHandleReportsOneEndForEveryFile(f *testing.F) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("{}"))
	f.Add([]byte(`{"step":"settle","version":1,"attempt":-1,"roleName":"x","change":{"Kind":2,"EventID":"a","Account":"111122223333","RoleName":"x"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		out, errs, status := run(string(text), "handle", "--format", "json", "-")
		if status == 3 {
			t.Fatalf("status 3: %s", errs)
		}
		var result struct {
			Events []struct{ End, Verdict string }
		}
		if err := json.Unmarshal([]byte(out), &result); err != nil || len(result.Events) != 1 || result.Events[0].End == "" {
			t.Fatalf("%v in %s", err, out)
		}
		if e := result.Events[0]; status == 0 && (e.End == "DeadLetter" || e.End == "Rejected" || e.Verdict == "Noncompliant" || e.Verdict == "Undecided") {
			t.Fatalf("status 0 for %+v", e)
		}
	})
}
