package deployment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

var update = flag.Bool("update", false, "write what Load says into testdata")

// archives gives the cases of a folder of testdata by name. The comment of each
// says which promise it keeps.
func archives(t testing.TB, folder string) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/" + folder + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", folder, err)
	}
	out := map[string]*txtar.Archive{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil || len(a.Files) < 2 {
			t.Fatalf("%s: %v", file, err)
		}
		whole, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		out[whole] = a
	}
	return out
}

// said gives what a case's comment says under a key.
func said(a *txtar.Archive, key string) string {
	for line := range strings.Lines(string(a.Comment)) {
		if value, ok := strings.CutPrefix(line, key+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadCase puts a case's files into a folder of their own and loads it there.
func loadCase(t *testing.T, a *txtar.Archive) (*deployment.Deployment, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range a.Files[:len(a.Files)-1] {
		if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return deployment.Load("deployment.yaml", deployment.Override{Way: said(a, "way")}, today())
}

// compare holds the last file of a case against what was said.
func compare(t *testing.T, file string, a *txtar.Archive, got string) {
	t.Helper()
	last := &a.Files[len(a.Files)-1]
	if *update {
		last.Data = []byte(got + "\n")
		if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(last.Data), got+"\n"); diff != "" {
		t.Error(diff)
	}
}

// placed is how a mistake begins: file, line and column.
var placed = regexp.MustCompile(`^[^:]+:[1-9][0-9]*:[1-9][0-9]*: `)

// Every mistake in a deployment file and its rules file is told, with its line
// and column, the value and the remedy; each case's comment says which promise
// it keeps.
func TestEveryMistakeIsToldWithItsPlaceAndRemedy(t *testing.T) {
	for file, a := range archives(t, "refused") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := loadCase(t, a)
			if err == nil || d != nil {
				t.Fatalf("the file was read: %+v", d)
			}
			compare(t, file, a, err.Error())
			for _, line := range strings.Split(err.Error(), "\n") {
				if !placed.MatchString(line) && said(a, "way") == "" {
					t.Errorf("no place: %s", line)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

// What is read is what the file says, with every default filled in.
func TestAcceptedFilesSayWhatIsDeployed(t *testing.T) {
	for file, a := range archives(t, "accepted") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := loadCase(t, a)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, file, a, show(d))
		})
	}
}

// show gives a deployment for people to read.
func show(d *deployment.Deployment) string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "%s: %v\n", name, value) }
	line("way", d.Way)
	line("account", d.Account)
	line("partition", d.Partition)
	line("region", d.Region)
	line("organization", d.Organization())
	line("rules", d.RulesFile)
	line("architecture", d.Architecture)
	line("remediator", d.Remediator)
	line("slack", d.Slack)
	line("targets", d.Targets)
	line("AssumeRole in", d.AssumeRoleRegions)
	line("AssumeRole of", d.AssumeRoleRoles())
	line("alarms to", d.AlarmEmails)
	line("canary every", d.CanaryEvery)
	line("sweep every", d.SweepEvery)
	line("seal keys", d.SealKeys)
	line("log days", d.LogDays)
	line("SCP at", d.AttachSCP)
	line("RCP at", d.AttachRCP)
	line("reader", d.RoleARN(d.Account, deployment.Path, deployment.ReaderRole))
	return strings.TrimSpace(b.String())
}

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(deployment.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("deployment.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("deployment.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verdict gives what an editor that knows the schema says of a file.
func verdict(s *jsonschema.Schema, text []byte) (string, error) {
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return "unreadable", err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return "unreadable", err
	}
	value, err = jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		return "unreadable", err
	}
	if err := s.Validate(value); err != nil {
		return "refuses", err
	}
	return "accepts", nil
}

// An editor that knows the schema shows the mistakes that a schema can show, and
// never one where there is none.
func TestSchemaAndParserAgree(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for file, a := range archives(t, "accepted") {
		if got, err := verdict(s, a.Files[0].Data); got != "accepts" {
			t.Errorf("%s: the schema %s it: %v", file, got, err)
		}
	}
	for file, a := range archives(t, "refused") {
		if got, err := verdict(s, a.Files[0].Data); got != said(a, "schema") {
			t.Errorf("%s: the schema %s it, the case says that it %s: %v", file, got, said(a, "schema"), err)
		}
	}
	for _, sample := range []string{"single.yaml", "organization.yaml"} {
		text, err := os.ReadFile(samples + sample)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := verdict(s, text); got != "accepts" {
			t.Errorf("%s: the schema %s it: %v", sample, got, err)
		}
	}
}

// What the schema can check, it checks each by itself: every line of the bad
// values below is refused by both, and the good ones by neither.
func TestSchemaAndParserAgreeOnEachValue(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for line, good := range map[string]bool{
		`region: us-east-1`: true, `region: us-east-2`: false, `region: ""`: false,
		`architecture: arm64`: true, `architecture: ARM64`: false,
		`remediator: present`: true, `remediator: no`: false, `remediator: true`: false,
		`slack: absent`: true, `slack: {}`: false, `slack:`: false,
		`alarms: {}`: true, `alarms: {email: [alice@acme.example]}`: true, `alarms: {email: [alice]}`: false, `alarms: {phone: []}`: false,
		`canary: {}`: true, `canary: {everyMinutes: 15}`: true, `canary: {everyMinutes: 14}`: false, `canary: {everyMinutes: 1441}`: false, `canary: {everyMinutes: 15.5}`: false,
		`sweep: {}`: true, `sweep: {everyHours: 1}`: true, `sweep: {everyHours: 24}`: true, `sweep: {everyHours: 0}`: false, `sweep: {everyHours: 25}`: false,
		`seals: {}`: true, `seals: {keys: 2}`: true, `seals: {keys: 0}`: false, `seals: {keys: 10}`: false, `seals: {key: 2}`: false,
		`sweep: {everyHours: 6h}`: false, `sweep: {every: 6h}`: false,
		`logs: {days: 731}`: true, `logs: {days: 730}`: false, `logs: {days: "731"}`: false, `logs: {days: 0}`: false,
		`guardrails: {}`: true, `guardrails: {scp: [r-abcd]}`: true, `guardrails: {scp: ["111122223333"]}`: true, `guardrails: {rcp: [o-exampleorgid]}`: false,
		`guardrails: {scp: []}`: false, `guardrails: {scp: [r-abc]}`: false, `guardrails: {scp: [r-abcd, r-abcd]}`: false,
		`assumeRole: {regions: [eu-west-1]}`: true, `assumeRole: {}`: false, `assumeRole: {regions: [euwest1]}`: false, `assumeRole: {roles: []}`: false,
		`version: 2`: false, `members: {targets: [r-abcd]}`: false, // a second time
	} {
		text := []byte("version: 1\nway: hub\naccount: \"555555555555\"\nrules: rules.yaml\nmembers: {targets: [r-abcd]}\n" + line + "\n")
		if got, err := verdict(s, text); (got == "accepts") != good {
			t.Errorf("%s: the schema %s it: %v", line, got, err)
		}
		_, err := deployment.Parse(samples+"test.yaml", text, today())
		if (err == nil) != good {
			t.Errorf("%s: Parse says %v", line, err)
		}
		var m *strict.Mistake
		if err != nil && (!errors.As(err, &m) || m.Line != 6) {
			t.Errorf("%s: the mistake is not in line 6: %v", line, err)
		}
	}
}
