package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// mendable is a policy of the corpus with a proposal.
type mendable struct {
	path string
	text []byte
	want policy.Document
}

// mendables gives every policy of the corpus that has a proposal.
func mendables(t testing.TB) []mendable {
	t.Helper()
	const corpus = "../../testdata/policies"
	index, err := os.Open(filepath.Join(corpus, "index.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = index.Close() }()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	var out []mendable
	for lines := bufio.NewScanner(index); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 3 || words[0] == "#" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(corpus, words[0]))
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(filepath.Join(corpus, words[1]+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		in := rules.Input{Now: now}
		if in.Org, err = org.Parse(words[1], file, now); err != nil {
			t.Fatal(err)
		}
		if a, err := role.ParseARN(words[2]); err == nil {
			in.Role = role.Role{Partition: a.Partition, Account: a.Account, Path: a.Path, Name: a.Name, ARN: words[2]}
		}
		if in.Document, err = policy.Parse(text); err != nil {
			continue
		}
		if p, ok := rules.Propose(in, rules.Judge(in)); ok {
			out = append(out, mendable{words[0], text, p.Document})
		}
	}
	if len(out) < 25 {
		t.Fatalf("%d policies of the corpus have a proposal", len(out))
	}
	return out
}

// spellings writes a text as different people and tools do.
func spellings(t testing.TB, text []byte) map[string][]byte {
	t.Helper()
	as := func(prefix, indent string) []byte {
		var b bytes.Buffer
		if err := json.Indent(&b, text, prefix, indent); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	four := append(as("", "    "), '\n')
	spaced := strings.NewReplacer(`":`, `": `, `",`, `", `, `},`, `}, `, `],`, `], `).Replace(compact.String())
	return map[string][]byte{
		"as it is":                   text,
		"in one line":                compact.Bytes(),
		"in one line, spaced":        []byte(spaced + "\n"),
		"blanks before commas":       bytes.ReplaceAll(four, []byte(",\n"), []byte(" ,\n")),
		"by tabs":                    append(as("", "\t"), '\n'),
		"by four":                    four,
		"by four, no last newline":   as("", "    "),
		"with a prefix":              as("  ", " "),
		"with carriage returns":      bytes.ReplaceAll(four, []byte("\n"), []byte("\r\n")),
		"a statement in each line":   []byte(strings.NewReplacer(`"Statement":[`, "\"Statement\":[\n  ", `},{"Effect"`, "},\n  {\"Effect\"").Replace(compact.String()) + "\n"),
		"blank lines between things": bytes.ReplaceAll(four, []byte("\n"), []byte("\n\n")),
	}
}

// What comes out of a rewritten file is the proposal, however the file is
// written, and every line that the two share is as it was.
func TestRewrittenFilesSayWhatIsProposed(t *testing.T) {
	t.Parallel()
	for _, m := range mendables(t) {
		for spelling, text := range spellings(t, m.text) {
			out, err := rewritten(text, m.want)
			if err != nil {
				t.Errorf("%s, %s: %v", m.path, spelling, err)
				continue
			}
			if again, err := rewritten(out, m.want); err != nil || !bytes.Equal(again, out) {
				t.Errorf("%s, %s: a second time it changes again: %v", m.path, spelling, err)
			}
			old, err := policy.Parse(text)
			if err != nil {
				t.Fatalf("%s, %s: %v", m.path, spelling, err)
			}
			if same, err := rewritten(text, old); err != nil || !bytes.Equal(same, text) {
				t.Errorf("%s, %s: with nothing to change it changed: %v", m.path, spelling, err)
			}
			if bytes.Contains(text, []byte("\r\n")) != bytes.Contains(out, []byte("\r\n")) || strings.Count(string(out), "\n") != strings.Count(string(out), "\r\n") && bytes.Contains(text, []byte("\r\n")) {
				t.Errorf("%s, %s: its line breaks are not those of the file", m.path, spelling)
			}
		}
	}
}

// The diff is one that patch and git apply take against the file as it is, and
// what they make of the file is the proposal; with secrets left out too, as long
// as they are in no changed line.
func TestDiffsApply(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"patch", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("ROLEWARDEN_REQUIRE_TOOLS") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	applied := 0
	for i, m := range mendables(t) {
		before, err := policy.Parse(m.text)
		if err != nil {
			t.Fatal(err)
		}
		all := spellings(t, m.text)
		names := slices.Sorted(maps.Keys(all))
		// As it is, and two of the other spellings: every one has its turn.
		for _, spelling := range []string{"as it is", names[i%len(names)], names[(i+3)%len(names)]} {
			text := all[spelling]
			after, err := rewritten(text, m.want)
			if err != nil {
				t.Fatalf("%s, %s: %v", m.path, spelling, err)
			}
			for _, show := range []bool{true, false} {
				v := checkVerb{secrecy: secrecy{ShowSecrets: show}}
				p := unified("a b/trust.json", text, after, v.hides(before, m.want))
				if p.secret > 0 {
					if show || len(p.text) > 0 {
						t.Errorf("%s, %s: secret %d, shown %v: %s", m.path, spelling, p.secret, show, p.text)
					}
					continue
				}
				applied++
				git := []string{"git", "apply", "--whitespace=nowarn"}
				if p.bare {
					git = append(git, "--unidiff-zero")
				}
				for _, command := range [][]string{{"patch", "-p1", "-s", "-F0", "--binary"}, git} {
					if got := apply(t, dir, command, text, p.text); !bytes.Equal(got, after) {
						t.Errorf("%s, %s: %v made\n%s\nof\n%s\nby\n%s", m.path, spelling, command, got, text, p.text)
					}
				}
			}
		}
	}
	t.Logf("%d diffs applied, by each of two programs", applied)
}

// apply lets a program apply a diff to a file.
func apply(t *testing.T, dir string, command []string, text, diff []byte) []byte {
	t.Helper()
	file := filepath.Join(dir, "a b", "trust.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(command[0], command[1:]...) //nolint:gosec // the two programs of the test
	c.Dir, c.Stdin = dir, bytes.NewReader(diff)
	c.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_DIR="+filepath.Join(dir, "none"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %v: %s\n%s", command, err, out, diff)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A hunk without context says where it belongs, a short secret is one too where
// it is the whole of a text, and the last line is no reason for a warning.
func TestDiffsBesideSecrets(t *testing.T) {
	t.Parallel()
	d := policy.Document{Statements: []policy.Statement{{Conditions: []policy.Condition{{Key: "sts:ExternalId", Values: []string{"42", "*"}}}}}}
	for _, tt := range []struct {
		name, before, after, want string
		bare                      bool
	}{
		{"a line more between two", "[\n\"42\",\n\"42\",\n1]\n", "[\n\"42\",\n7,\n\"42\",\n1]\n", "@@ -2,0 +3,1 @@\n+7,\n", true},
		{"a line less between two", "[\n\"42\",\n7,\n\"42\",\n1]\n", "[\n\"42\",\n\"42\",\n1]\n", "@@ -3,1 +2,0 @@\n-7,\n", true},
		{"no secret in 142", "[\n\"142\",\n\"*\",\n1]\n", "[\n\"142\",\n\"*\",\n2]\n", "@@ -1,4 +1,4 @@\n [\n \"142\",\n \"*\",\n-1]\n+2]\n", false},
		{"one before the last line", "[\n\"42\",\n1]\n", "[\n\"42\",\n2]\n", "@@ -3,1 +3,1 @@\n-1]\n+2]\n", false},
		{"no last line break", "[\n1,\n1]", "[\n1,\n2]", "@@ -1,3 +1,3 @@\n [\n 1,\n-1]\n\\ No newline at end of file\n+2]\n\\ No newline at end of file\n", false},
	} {
		p := unified("x.json", []byte(tt.before), []byte(tt.after), checkVerb{}.hides(d))
		if got, ok := strings.CutPrefix(string(p.text), "--- a/x.json\n+++ b/x.json\n"); !ok || got != tt.want || p.bare != tt.bare {
			t.Errorf("%s: bare %v, secret %d, got\n%s\nwant\n%s", tt.name, p.bare, p.secret, p.text, tt.want)
		}
	}
}

// T80: no diff shows an external ID, wherever in the file it stands and however
// it is spelled there.
func TestDiffsShowNoExternalID(t *testing.T) {
	t.Parallel()
	const secret = "acme-7f3k2p9q"
	rapid.Check(t, func(t *rapid.T) {
		var before, after []byte
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			line := rapid.SampledFrom([]string{`"plain"`, `"` + secret + `"`, `"acme-\u0037f3k2p9q"`, `"x ` + secret + ` x"`}).Draw(t, "line")
			if rapid.Bool().Draw(t, "changed") {
				before, after = append(before, "1,\n"...), append(after, "2,\n"...)
			}
			before, after = append(before, line+",\n"...), append(after, line+",\n"...)
		}
		list := func(lines []byte) []byte { return []byte("[\n" + string(lines) + "0]\n") }
		d := policy.Document{Statements: []policy.Statement{{Conditions: []policy.Condition{{Operator: "StringEquals", Key: "STS:externalid", Values: []string{secret}}}}}}
		p := unified("x.json", list(before), list(after), checkVerb{}.hides(d))
		if strings.Contains(string(p.text), "7f3k2p9q") || p.secret > 0 && len(p.text) > 0 {
			t.Fatalf("line %d: %s", p.secret, p.text)
		}
	})
}
