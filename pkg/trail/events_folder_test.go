package trail_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

const eventsFolder = "../../events"

// story is one row of the table in events/README.md.
type story struct{ outcome, of, document, arrives string }

func readStories(t testing.TB) map[string]story {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(eventsFolder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	stories := map[string]story{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 8 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if cells[6] == "" {
			t.Errorf("%s has no story", cells[1])
		}
		if _, twice := stories[cells[1]]; twice {
			t.Errorf("%s has two rows", cells[1])
		}
		stories[cells[1]] = story{outcome: cells[2], of: cells[3], document: cells[4], arrives: cells[5]}
	}
	return stories
}

func readEvents(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(eventsFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = text
	}
	return out
}

// told puts what Parse gave into the words of the table.
func told(t *testing.T, c trail.Change, err error) story {
	t.Helper()
	var m *trail.MalformedError
	if errors.As(err, &m) {
		return story{outcome: "refused: " + m.Place, of: "-", document: "-"}
	}
	if err != nil {
		t.Fatalf("an error of another type: %v", err)
	}
	s := story{outcome: c.Kind.String(), of: "-", document: "-"}
	if c.Kind == trail.Ignored {
		s.outcome += ": " + c.Ignored
	}
	switch {
	case c.RoleARN != "":
		s.of = strings.Split(c.RoleARN, ":")[4] + "/" + c.RoleName
	case c.RoleName+c.UserName != "":
		s.of = c.Account + "/" + c.RoleName + c.UserName
	}
	switch {
	case c.Truncated:
		s.document = "cut"
	case c.Document != "":
		s.document = "whole"
	}
	return s
}

func TestEveryFileHasItsRowAndEveryRowItsFile(t *testing.T) {
	t.Parallel()
	files, rows := slices.Sorted(maps.Keys(readEvents(t))), slices.Sorted(maps.Keys(readStories(t)))
	if diff := cmp.Diff(rows, files); diff != "" {
		t.Errorf("events/README.md (-) and events/ (+) differ:\n%s", diff)
	}
	if len(files) < 18 {
		t.Errorf("only %d events", len(files))
	}
}

// The table of stories is the truth about the files, and EventBridge would
// deliver exactly the events that the table says arrive (T1, T2, T4, T7, T8).
func TestEveryEventIsReadAsItsStoryTells(t *testing.T) {
	t.Parallel()
	stories := readStories(t)
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: listed})
	for name, text := range readEvents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := stories[name]
			c, err := trail.Parse(text)
			got := told(t, c, err)
			got.arrives = arrival(t, patterns, text)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(story{})); diff != "" {
				t.Errorf("the table (-) and the event (+) differ:\n%s\n%v", diff, err)
			}
			if event, _, _ := strings.Cut(name, "."); err == nil && c.EventName != event {
				t.Errorf("the file is called %s and the event %s", event, c.EventName)
			}
		})
	}
}

// A record from a log file, wrapped by Envelope, is read as the event that
// EventBridge delivered.
func TestWrappedRecordsAreReadLikeDeliveredOnes(t *testing.T) {
	t.Parallel()
	for name, text := range readEvents(t) {
		var delivered struct {
			Detail json.RawMessage `json:"detail"`
		}
		if err := json.Unmarshal(text, &delivered); err != nil {
			t.Fatal(err)
		}
		want, err := trail.Parse(text)
		if err != nil {
			continue // what is refused for its envelope has no record that would make the same one
		}
		wrapped, err := trail.Envelope(delivered.Detail)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := trail.Parse(wrapped)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: delivered (-) and wrapped (+) differ: %v\n%s", name, err, diff)
		}
	}
}

// Every row of the table of events has a file that ends in its kind.
func TestEveryRowOfTheTableHasAnEvent(t *testing.T) {
	t.Parallel()
	seen := map[string]trail.Kind{}
	for _, text := range readEvents(t) {
		if c, err := trail.Parse(text); err == nil && c.Kind != trail.Ignored {
			seen[c.EventName] = c.Kind
		}
	}
	for _, e := range trail.Events() {
		if seen[e.Name] != e.Kind {
			t.Errorf("no file of events/ shows %s as %v", e.Name, e.Kind)
		}
	}
}
