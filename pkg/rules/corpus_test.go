package rules

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

const corpus = "../../testdata/policies"

// aPolicy is one line of the corpus's index with its files.
type aPolicy struct {
	path    string
	rules   string
	text    string
	in      Input
	verdict finding.Verdict
	// says is what the rules say: "id", "id?" and "id~", sorted.
	says []string
}

// readCorpus reads the index and everything it names.
func readCorpus(t testing.TB) []aPolicy {
	t.Helper()
	f, err := os.Open(filepath.Join(corpus, "index.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []aPolicy
	rules := map[string]*org.Rules{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 5 {
			t.Fatalf("index.txt: %q has %d words, not 5", line, len(words))
		}
		p := aPolicy{path: words[0], rules: words[1], text: readText(t, words[0]), in: Input{Now: noon()}}
		if rules[words[1]] == nil {
			name := words[1] + ".yaml"
			if rules[words[1]], err = org.Parse(name, []byte(readText(t, name)), noon()); err != nil {
				t.Fatal(err)
			}
		}
		p.in.Org = rules[words[1]]
		if words[2] != "-" {
			p.in.Role = roleOf(t, words[2])
		}
		if err := p.verdict.UnmarshalText([]byte(words[3])); err != nil {
			t.Fatalf("index.txt: %s: %v", p.path, err)
		}
		if words[4] != "-" {
			p.says = strings.Split(words[4], ",")
		}
		slices.Sort(p.says)
		out = append(out, p)
	}
	return out
}

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(corpus, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// saidBy gives what a report says in the words of the index.
func saidBy(r finding.Report) []string {
	var out []string
	for _, rule := range IDs() {
		mark := ""
		for _, f := range r.Findings {
			switch {
			case f.Rule != rule:
			case breaks(f):
				mark = rule
			case mark == "":
				mark = rule + "~"
			}
		}
		for _, reason := range r.Reasons {
			if strings.Contains(reason, rule) && mark == "" {
				mark = rule + "?"
			}
		}
		if mark != "" {
			out = append(out, mark)
		}
	}
	for _, reason := range r.Reasons {
		if strings.HasPrefix(reason, "the trust policy cannot be judged") {
			out = append(out, "parse?")
		}
	}
	slices.Sort(out)
	return out
}

// No rule flags a document of the corpus that is marked clean of it, and none
// misses one that is marked flagged.
func TestCorpus(t *testing.T) {
	policies := readCorpus(t)
	if len(policies) < 480 {
		t.Errorf("the corpus has %d documents, and should have 480", len(policies))
	}
	for _, p := range policies {
		t.Run(p.path, func(t *testing.T) {
			r := JudgeText(p.in, p.text)
			if r.Verdict != p.verdict {
				t.Errorf("verdict %v, want %v", r.Verdict, p.verdict)
			}
			if diff := cmp.Diff(p.says, saidBy(r)); diff != "" {
				t.Errorf("what the rules say (-want +got):\n%s\n%s\n%s", diff, p.text, lines(r, ""))
			}
		})
	}
}

// Who writes what AWS documents gets an answer: of the documents that were not
// written to be doubtful at most 1 in 200 ends Undecided.
func TestHardlyAnythingIsUndecided(t *testing.T) {
	plain, open := 0, 0
	for _, p := range readCorpus(t) {
		if strings.HasPrefix(p.path, "doubt/") {
			continue
		}
		plain++
		if JudgeText(p.in, p.text).Verdict == finding.Undecided {
			open++
			t.Logf("Undecided: %s", p.path)
		}
	}
	if open*200 > plain {
		t.Errorf("%d of %d documents are Undecided", open, plain)
	}
	t.Logf("%d of %d documents are Undecided, beside those in doubt/", open, plain)
}

// Every document of the corpus is in the index, so none is there unjudged.
func TestCorpusIndexIsWhole(t *testing.T) {
	listed := map[string]bool{}
	for _, p := range readCorpus(t) {
		if listed[p.path] {
			t.Errorf("%s is in index.txt twice", p.path)
		}
		listed[p.path] = true
	}
	err := filepath.WalkDir(corpus, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		rel, err := filepath.Rel(corpus, path)
		if !listed[filepath.ToSlash(rel)] {
			t.Errorf("%s is not in index.txt", rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No two lines of the index ask the same: each document is there once for a rules
// file and a role, however it is laid out. What is written in another way, such
// as a list of one, is another document, since parsers stumble over that.
func TestCorpusAsksNothingTwice(t *testing.T) {
	asked := map[[3]string]string{}
	for _, p := range readCorpus(t) {
		text := p.text
		// A text that cannot be read is compared as it is: what is wrong with it
		// may be a name that stands there twice.
		if _, err := policy.Parse([]byte(text)); err == nil {
			var value any
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				t.Fatalf("%s: %v", p.path, err)
			}
			plain, err := json.Marshal(value)
			if err != nil {
				t.Fatalf("%s: %v", p.path, err)
			}
			text = string(plain)
		}
		key := [3]string{text, p.rules, p.in.Role.ARN}
		if other, ok := asked[key]; ok {
			t.Errorf("%s and %s ask the same", other, p.path)
		}
		asked[key] = p.path
	}
}

// caseOf tells for which mistake of a peer ("peers 11") or which threat ("T44")
// a document was written, as its path begins with it; "" for the others.
func caseOf(path string) string {
	m := regexp.MustCompile(`^(?:peers/|(?:threats|doubt)/(t))(\d\d)-`).FindStringSubmatch(path)
	switch {
	case m == nil:
		return ""
	case m[1] == "t":
		return "T" + m[2]
	default:
		return "peers " + m[2]
	}
}

// Every mistake that a peer makes and every threat to the reading of policies has
// a document that is flagged, so that a case cannot become hollow when a rule or
// a table changes; and each of T27 to T44 a clean twin, so that flagging all is
// no answer.
func TestEveryCaseIsFlaggedSomewhere(t *testing.T) {
	never := map[string]string{
		"T45": "chained trust takes more than one document: the sweep looks for it",
	}
	neverClean := map[string]string{
		"T41": "no document with NotPrincipal has a meaning, so none is clean",
	}
	flagged, clean := map[string]bool{}, map[string]bool{}
	for _, p := range readCorpus(t) {
		c := caseOf(p.path)
		if c == "" && (strings.HasPrefix(p.path, "peers/") || strings.HasPrefix(p.path, "threats/")) {
			t.Errorf("%s does not begin with the number of its case", p.path)
		}
		if p.verdict == finding.Compliant {
			clean[c] = true
		} else {
			flagged[c] = true
		}
	}
	for n := 1; n <= 17; n++ {
		if c := fmt.Sprintf("peers %02d", n); !flagged[c] {
			t.Errorf("%s: no document is flagged", c)
		}
	}
	for n := 27; n <= 46; n++ {
		c := fmt.Sprintf("T%d", n)
		if why := never[c]; flagged[c] == (why != "") {
			t.Errorf("%s: flagged %v, and excused with %q", c, flagged[c], why)
		}
		if why := neverClean[c]; n <= 44 && clean[c] == (why != "") {
			t.Errorf("%s: clean %v, and excused with %q", c, clean[c], why)
		}
	}
}

// BenchmarkCorpus prints what all rules take on one parsed document of the
// corpus: the median over the documents, and the 99th percentile.
func BenchmarkCorpus(b *testing.B) {
	var policies []aPolicy
	for _, p := range readCorpus(b) {
		if d, err := policy.Parse([]byte(p.text)); err == nil {
			p.in.Document = d
			policies = append(policies, p)
		}
	}
	best := make([]time.Duration, len(policies))
	var all []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for i, p := range policies {
			start := time.Now()
			Judge(p.in)
			took := time.Since(start)
			all = append(all, took)
			if best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	slices.Sort(best)
	slices.Sort(all)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	b.ReportMetric(us(best[len(best)/2]), "median-us/doc")
	b.ReportMetric(us(best[len(best)*99/100]), "p99-us/doc")
	b.ReportMetric(us(all[len(all)*99/100]), "p99-noisy-us/doc")
	b.ReportMetric(0, "ns/op")
}
