package notify_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
)

var update = flag.Bool("update", false, "rewrite testdata")

// What people see in Slack, as a terminal shows it.
func TestPlainShowsWhatSlackShows(t *testing.T) {
	got := notify.Plain(notifytest.Sample())
	file := filepath.Join("testdata", "plain.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got; go test -update rewrites):\n%s", diff)
	}
}

// hostile puts a text wherever somebody outside could have one in an alert.
func hostile(s string) alert.Alert {
	return alert.Alert{
		Version: 1, ID: s, State: alert.Opened, Account: s, Role: alert.Role{ARN: "arn:aws:iam::111122223333:role/" + s, ID: s}, Verdict: s,
		Findings: []alert.Finding{{Rule: s, Severity: s, Where: s, Message: s, Fix: s, Exemption: s, Evidence: alert.Evidence{Sentence: s}}},
		Omitted:  1, Reasons: []string{s, s},
		Change:   &alert.Change{Actor: s, SourceIP: s, Event: s, EventID: s, Tool: s, Diff: "+" + s + "\n-" + s, NewlyAllowed: s},
		Decision: alert.Decision{ID: s, Action: s, Reasons: []string{s}}, Outcome: alert.Outcome{Done: s, Problem: s, Dropped: []string{s}}, Undo: s, Mend: s,
	}
}

// texts gives every text of a payload with its kind, and the number of blocks.
func texts(t interface{ Fatalf(string, ...any) }, payload []byte) ([]slack.TextBlockObject, int) {
	var parsed struct {
		Text   string
		Blocks []struct {
			Type     string
			Text     *slack.TextBlockObject
			Fields   []slack.TextBlockObject
			Elements []slack.TextBlockObject
		}
	}
	if err := json.Unmarshal(payload, &parsed); err != nil {
		t.Fatalf("%v in %s", err, payload)
	}
	out := []slack.TextBlockObject{{Type: "mrkdwn", Text: parsed.Text}}
	for _, b := range parsed.Blocks {
		if b.Text != nil {
			if b.Type == "header" && len(utf16.Encode([]rune(b.Text.Text))) > 150 {
				t.Fatalf("a header of %d characters", len(b.Text.Text))
			}
			out = append(out, *b.Text)
		}
		if len(b.Fields) > 10 {
			t.Fatalf("%d fields", len(b.Fields))
		}
		for _, f := range append(b.Fields, b.Elements...) {
			if limit := map[string]int{"section": 2000, "context": 3000}[b.Type]; len(utf16.Encode([]rune(f.Text))) > limit {
				t.Fatalf("a text of %d characters in a %s", len(f.Text), b.Type)
			}
			out = append(out, f)
		}
	}
	return out, len(parsed.Blocks)
}

// inspect fails when Slack would refuse a payload, or read a text of it as anything but text.
func inspect(t interface{ Fatalf(string, ...any) }, a alert.Alert) {
	payload, err := notify.Payload(a)
	if err != nil {
		t.Fatalf("%v", err)
	}
	all, blocks := texts(t, payload)
	if blocks > 50 || blocks == 0 {
		t.Fatalf("%d blocks", blocks)
	}
	for _, one := range all {
		if n := len(utf16.Encode([]rune(one.Text))); n == 0 || n > 3000 {
			t.Fatalf("a text of %d characters", n)
		}
		bare := strings.NewReplacer("&lt;", "", "&gt;", "", "&amp;", "").Replace(one.Text)
		if strings.ContainsAny(bare, "<>&") {
			t.Fatalf("a mark that Slack reads: %q", one.Text)
		}
		for _, r := range one.Text {
			if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) {
				t.Fatalf("%U in %q", r, one.Text)
			}
		}
		// Formatted texts are our own titles and code blocks, opened and closed once.
		if one.Type == "mrkdwn" && one.Text != all[0].Text && (strings.Count(one.Text, "`") != 6 || !strings.HasSuffix(one.Text, "\n```") || !one.Verbatim) {
			t.Fatalf("a code block that can be left: %q", one.Text)
		}
	}
}

// T77: whatever a role, a session or a user agent is called, Slack shows it as
// text: no mention, no link, no formatting that breaks out, and no refusal.
func TestSlackTextCannotAct(t *testing.T) {
	for _, s := range []string{
		"", " ", "<!channel>", "<https://evil.example|console>", "&lt;!here&gt;", "```\n*bold* <!everyone>", "a\u202eb\u0000c\rd",
		strings.Repeat("<", 4000), strings.Repeat("😀", 3000), strings.Repeat("x\n", 5000), "\xff\xfe", "@channel #general", strings.Repeat("&", 2999),
	} {
		inspect(t, hostile(s))
	}
	for _, n := range []int{130, 140, 1980, 2900, 2960} {
		// Lengths at which escapes reach just beyond a limit.
		for k := range 40 {
			inspect(t, hostile(strings.Repeat("x", n)+strings.Repeat("<", k)))
		}
	}
	inspect(t, alert.Alert{})
	inspect(t, notifytest.Sample())
}

// Nothing is dropped in silence: cut texts say so, and findings are counted.
func TestSlackSaysWhatIsCut(t *testing.T) {
	a := notifytest.Sample()
	a.Change.Diff = strings.Repeat("+ a line of the diff\n", 1000)
	for range 39 {
		a.Findings = append(a.Findings, a.Findings[0])
	}
	a.Omitted = 7
	inspect(t, a)
	shown := notify.Plain(a)
	for _, want := range []string{"(cut)", "37 more findings are not shown here"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not said:\n%s", want, shown)
		}
	}
}

func FuzzSlackPayload(f *testing.F) { // F8
	for _, s := range []string{"bob", "<!channel>", "&<>", "```", "a\u202eb", "\xff", strings.Repeat("<", 3000), "*_~`\n> q"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		inspect(t, hostile(s))
		for _, r := range notify.Plain(hostile(s)) {
			if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) {
				t.Fatalf("a terminal would read %U", r)
			}
		}
	})
}
