package remediate_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// Tags say what was done, for which rules and when; others' tags stay.
func TestTagsTell(t *testing.T) {
	f := newFake()
	if _, err := f.apply(t, tag()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"team": "blue", "rolewarden:state": "noncompliant",
		"rolewarden:finding": "public-principal", "rolewarden:at": "20260811T120000Z",
	}
	if diff := cmp.Diff(want, f.role.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if out, err := f.apply(t, untag()); err != nil || out.Done != decision.Clear || !out.Verified {
		t.Errorf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(map[string]string{"team": "blue"}, f.role.Tags); diff != "" {
		t.Errorf("tags after clearing (-want +got):\n%s", diff)
	}
}

// Whatever case somebody gave our tag's key, it is taken off.
func TestUntagIgnoresCase(t *testing.T) { // T57
	f := newFake()
	f.role.Tags = map[string]string{"Rolewarden:STATE": "compliant", "team": "blue"}
	if _, err := f.apply(t, untag()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"team": "blue"}, f.role.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// Whoever may tag a role cannot keep its trust policy as it is: a task that
// takes off a tag in the role's own spelling is done, tag and policy.
func TestOddTagsNeverStopATrustWrite(t *testing.T) { // T57
	rows := []struct {
		name  string
		shape func(*remediate.Task)
		says  string
	}{
		{"our key in another case", func(t *remediate.Task) { t.Untag = []string{"Rolewarden:State"} }, ""},
		{"a tag of others to take off", func(t *remediate.Task) { t.Untag = []string{"team"} }, `"team" is not rolewarden's`},
		{"a tag of others", func(t *remediate.Task) { t.Tags = map[string]string{"team": "red"} }, `"team" is not rolewarden's`},
		{"a value IAM refuses", func(t *remediate.Task) { t.Tags = map[string]string{remediate.TagState: "a,b"} }, "rolewarden:state was not set"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := newFake()
			f.role.Tags["Rolewarden:State"] = "x"
			task := revert()
			task.Tags, task.Untag = nil, remediate.TagKeys()
			row.shape(&task)
			out, err := f.apply(t, task)
			if err != nil || out.Done != decision.Revert || !out.Verified || f.role.TrustPolicy != goodPolicy {
				t.Errorf("%+v, %v", out, err)
			}
			if !strings.Contains(out.Problem, row.says) || row.says == "" && out.Problem != "" {
				t.Errorf("Problem = %q, want %q", out.Problem, row.says)
			}
			if row.says == "" {
				if diff := cmp.Diff(map[string]string{"team": "blue"}, f.role.Tags); diff != "" {
					t.Errorf("tags (-want +got):\n%s", diff)
				}
			}
			if f.role.Tags["team"] != "blue" {
				t.Errorf("a tag of others was changed: %q", f.role.Tags)
			}
		})
	}
}

// A task of which no tag is left does nothing and says why; what is left of
// one is done.
func TestTagTaskWithOddTags(t *testing.T) {
	f := newFake()
	task := tag()
	task.Tags = map[string]string{"team": "red"}
	if out, err := f.apply(t, task); err != nil || out.Done != decision.Ignore || out.Problem == "" || f.nTags != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	task.Tags["rolewarden:state"] = "noncompliant"
	if out, err := f.apply(t, task); err != nil || out.Done != decision.Tag || out.Problem == "" || f.role.Tags["rolewarden:state"] != "noncompliant" {
		t.Errorf("%+v, %v", out, err)
	}
}

// Tags that stand already are not written again: each write is an event.
func TestTagOnceOnly(t *testing.T) {
	f := newFake()
	for range 2 {
		if _, err := f.apply(t, tag()); err != nil {
			t.Fatal(err)
		}
	}
	if f.nTags != 1 {
		t.Errorf("%d calls of TagRole", f.nTags)
	}
}

// A role whose same findings are seen again is not tagged again for the date
// alone; other findings, another state or a lost tag are.
func TestTheDateAloneIsNotWritten(t *testing.T) {
	rows := []struct {
		name   string
		shape  func(*fake, *remediate.Task)
		writes int
	}{
		{"later, all the same", func(*fake, *remediate.Task) {}, 0},
		{"another finding", func(_ *fake, t *remediate.Task) { t.Tags[remediate.TagFinding] = "mfa" }, 1},
		{"another state", func(_ *fake, t *remediate.Task) { t.Tags[remediate.TagState] = "quarantined" }, 1},
		{"the date was taken off", func(f *fake, _ *remediate.Task) { delete(f.role.Tags, remediate.TagAt) }, 1},
		{"the finding was taken off", func(f *fake, _ *remediate.Task) { delete(f.role.Tags, remediate.TagFinding) }, 1},
		{"something to take off besides", func(f *fake, t *remediate.Task) {
			delete(t.Tags, remediate.TagFinding)
			t.Untag = []string{remediate.TagFinding}
		}, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := newFake()
			if _, err := f.apply(t, tag()); err != nil {
				t.Fatal(err)
			}
			before := f.nTags
			task := tag()
			task.Tags[remediate.TagAt] = "20260812T120000Z"
			row.shape(f, &task)
			out, err := f.apply(t, task)
			if err != nil || out.Done != decision.Tag || !out.Verified || out.Problem != "" {
				t.Errorf("%+v, %v", out, err)
			}
			if got := f.nTags - before; got != row.writes {
				t.Errorf("%d writes, want %d; tags %q", got, row.writes, f.role.Tags)
			}
		})
	}
}

// IAM takes every value, however many rules there are and whatever they are called.
func TestTagValuesAreLegal(t *testing.T) {
	legal := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	rapid.Check(t, func(t *rapid.T) {
		d := decision.Decision{Action: decision.Action(rapid.IntRange(0, 8).Draw(t, "action")), Rules: rapid.SliceOfN(rapid.String(), 0, 40).Draw(t, "rules")}
		for key, v := range remediate.Tags(d, finding.Finding{Rule: rapid.String().Draw(t, "rule")}) {
			if !legal.MatchString(v) || len([]rune(v)) > 256 {
				t.Fatalf("%s = %q (%d characters)", key, v, len([]rune(v)))
			}
		}
		writes := d.Action == decision.Tag || d.Action.Replaces()
		if got := remediate.Tags(d) != nil; got != writes {
			t.Fatalf("tags for %s: %t", d.Action, got)
		}
	})
}

// Rules that do not fit are counted, not dropped in silence; exempted ones are not tagged.
func TestTagValueCountsWhatDoesNotFit(t *testing.T) {
	var rules []string
	for i := range 40 {
		rules = append(rules, fmt.Sprintf("some-rule-%02d", i))
	}
	exempted := finding.Finding{Rule: "exempted-rule", Exemption: "SEC-1"}
	got := remediate.Tags(decision.Decision{Action: decision.Tag, Rules: rules}, exempted)[remediate.TagFinding]
	if !regexp.MustCompile(`^some-rule-00 .* \+\d+ more$`).MatchString(got) || regexp.MustCompile("exempted").MatchString(got) {
		t.Errorf("%q", got)
	}
}
