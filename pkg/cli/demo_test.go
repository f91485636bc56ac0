package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// update says whether golden files are to be rewritten.
func update() bool { return flag.Lookup("update").Value.String() == "true" }

// golden compares a text with a file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if update() {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go test ./pkg/cli -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite it with go test ./pkg/cli -update):\n%s", path, diff)
	}
}

func runDemo(t *testing.T, rules []byte, format Format) (text string, status Status) {
	t.Helper()
	var out, errs bytes.Buffer
	s := newSession(Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, nil, time.Now)
	if err := (demoVerb{form{format}}).under(t.Context(), s, rules); err != nil {
		t.Fatal(err)
	}
	if errs.Len() > 0 {
		t.Errorf("the demo complains: %s", errs.String())
	}
	return out.String(), s.status
}

// uniqueID is an id that the lab makes.
var uniqueID = regexp.MustCompile(`AIDA[A-Z0-9]{17}`)

// outline says of each scene who did what and how it ended, without the words
// that other rooms choose.
func outline(t *testing.T, stories []*tale) string {
	t.Helper()
	var b strings.Builder
	for _, story := range stories {
		fmt.Fprintf(&b, "%s %s: %v\n", story.ID, story.Title, story.OK)
		for _, s := range story.Scenes {
			fmt.Fprintf(&b, "  %s %s %s", s.Time.Format("15:04:05"), s.Kind, s.Who)
			for _, word := range []string{accountName(s.Account), s.Result, s.Verdict, rulesOf(s.Findings), s.Action} {
				if word != "" {
					b.WriteString(" " + word)
				}
			}
			if s.Done != "" {
				fmt.Fprintf(&b, " done=%s verified=%v", s.Done, s.Verified)
			}
			if s.Kind == Told {
				var a struct{ State string }
				if err := json.Unmarshal(s.Alert, &a); err != nil {
					t.Fatal(err)
				}
				b.WriteString(" " + a.State)
			}
			b.WriteString("\n")
		}
		for _, e := range story.Expectations {
			fmt.Fprintf(&b, "  %s: %s\n", e.What, uniqueID.ReplaceAllString(e.Saw, "an ID"))
		}
	}
	return b.String()
}

// Every story of the demo ends as told, and what happens in it stays the same.
func TestEveryStoryEndsAsTold(t *testing.T) {
	t.Parallel()
	text, status := runDemo(t, demoRules, JSON)
	var result told
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatal(err)
	}
	for _, story := range result.Stories {
		if !story.OK || story.Problem != "" || len(story.Expectations) < 5 {
			t.Errorf("%s: ok %v, %d expectations, %s", story.ID, story.OK, len(story.Expectations), story.Problem)
		}
	}
	if status != Fine || !result.OK || len(result.Stories) != 9 {
		t.Errorf("status %d, ok %v, %d stories", status, result.OK, len(result.Stories))
	}
	golden(t, "testdata/demo.outline", outline(t, result.Stories))
}

// T80: no external id, not even that of a house, is in what the demo prints.
func TestTheDemoPrintsNoSecret(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{Text, JSON} {
		text, _ := runDemo(t, demoRules, format)
		for _, secret := range []string{houseSecret, "acme-7f3a-91c2"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s output holds %q", format, secret)
			}
		}
	}
}

// The demo's sweeps read everything, as those of a deployment do: what is shown
// as a gap in the coverage would be one of the demo's own making. And time goes
// one way.
func TestTheDemosSweepsReadEverything(t *testing.T) {
	t.Parallel()
	text, _ := runDemo(t, demoRules, JSON)
	if strings.Contains(text, "could not read everything") || strings.Contains(text, "could not all be listed") {
		t.Error("a sweep of the demo tells of a gap")
	}
	if strings.Count(text, "sweeps every account") < 3 {
		t.Error("the demo shows no sweeps")
	}
	var result told
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatal(err)
	}
	for _, story := range result.Stories {
		for i, s := range story.Scenes[1:] {
			if s.Time.Before(story.Scenes[i].Time) {
				t.Errorf("%s: %q at %s comes after %q at %s", story.ID, s.Text, s.Time.Format("15:04:05"), story.Scenes[i].Text, story.Scenes[i].Time.Format("15:04:05"))
			}
		}
	}
}

// The demo prints the same every time, so that a page can quote it.
func TestTheDemoIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first, status := runDemo(t, demoRules, Text)
	second, _ := runDemo(t, demoRules, Text)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	if status != Fine || !strings.HasSuffix(first, "All 9 stories ended as told.\n") || strings.Contains(first, "\x1b") {
		t.Errorf("status %d, end: %q", status, first[len(first)-80:])
	}
}

// A story that ends otherwise is named, with what was expected and what was
// seen, and the status is 1; the other stories are told all the same.
func TestAStoryThatGoesWrongIsNamed(t *testing.T) {
	t.Parallel()
	observing := bytes.Replace(demoRules, []byte("default: enforce"), []byte("default: observe"), 1)
	text, status := runDemo(t, observing, Text)
	for _, want := range []string{
		"went wrong: what was done: expected Revert, saw Ignore", "went wrong: what was done: expected Tag, saw Ignore", "9 of 9 stories went wrong.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the output does not say %q", want)
		}
	}
	if status != Found {
		t.Errorf("status %d", status)
	}
	wrong, _ := runDemo(t, observing, JSON)
	var result told
	if err := json.Unmarshal([]byte(wrong), &result); err != nil {
		t.Fatal(err)
	}
	if s := result.Stories[0]; s.OK || s.Problem == "" || s.Expectations[len(s.Expectations)-1].OK {
		t.Errorf("%+v", s)
	}
}

// BenchmarkDemo prints what all stories cost; the budget is 5 s.
func BenchmarkDemo(b *testing.B) {
	for b.Loop() {
		result, err := tellAll(b.Context(), demoRules)
		if err != nil || !result.OK {
			b.Fatal(err, result.OK)
		}
	}
}
