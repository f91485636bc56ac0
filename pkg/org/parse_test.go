package org_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org"
)

var update = flag.Bool("update", false, "write what Parse says into testdata/refused")

// refusals gives the cases of testdata/refused by name.
func refusals(t testing.TB) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/refused/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	out := map[string]*txtar.Archive{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil || len(a.Files) != 2 {
			t.Fatalf("%s: %v", file, err)
		}
		out[file] = a
	}
	return out
}

// Every mistake in a rules file is told, with its line and column, the value
// and the remedy; each case's comment says which promise it keeps.
func TestEveryMistakeIsToldWithItsPlaceAndRemedy(t *testing.T) {
	for file, a := range refusals(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			rules, err := org.Parse("rules.yaml", a.Files[0].Data, today())
			if err == nil || rules != nil {
				t.Fatalf("the file was read: %+v", rules)
			}
			if *update {
				a.Files[1].Data = []byte(err.Error() + "\n")
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), err.Error()+"\n"); diff != "" {
				t.Error(diff)
			}
			var m *org.Mistake
			if !errors.As(err, &m) || m.Line < 1 || m.Column < 1 || m.Remedy == "" {
				t.Errorf("no place or remedy: %+v", m)
			}
		})
	}
}

// accepted gives the files that are read without a mistake, by name.
func accepted(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/accepted/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	out := map[string][]byte{}
	for _, file := range append(files, exampleFile) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = text
	}
	// The example with its exemption in force.
	out["example with exemption"] = bytes.ReplaceAll(out["example.yaml"], []byte("\n#|"), []byte("\n"))
	return out
}

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(org.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rules.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain turns YAML into what an editor holds against a schema: names are text,
// and so are dates.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.AliasNode:
		return plain(n.Alias)
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, plain(c))
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return out
	default:
		var v any
		if err := n.Decode(&v); err != nil || n.ShortTag() == "!!timestamp" {
			return n.Value
		}
		return v
	}
}

// An editor that knows the schema shows the mistakes that a schema can show, and
// never one where there is none.
func TestSchemaAndParserAgree(t *testing.T) {
	t.Parallel()
	s := schema(t)
	validate := func(text []byte) (string, error) {
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil || doc.Kind == 0 {
			return "unreadable", nil //nolint:nilerr // that is the answer
		}
		if err := s.Validate(plain(&doc)); err != nil {
			return "refuses", err
		}
		return "accepts", nil
	}
	for name, text := range accepted(t) {
		if got, err := validate(text); got != "accepts" {
			t.Errorf("%s: the schema %s it: %v", name, got, err)
		}
		if _, err := org.Parse(name, text, today()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, a := range refusals(t) {
		_, want, _ := strings.Cut(strings.TrimSpace(string(a.Comment)), "schema: ")
		if got, err := validate(a.Files[0].Data); got != want {
			t.Errorf("%s: the schema %s it, the case says that it %s: %v", name, got, want, err)
		}
	}
}

// What the schema can check, it checks each by itself: every line of the bad
// values below is refused by both.
func TestSchemaRefusesEachBadValueAlone(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, line := range []string{
		`organization: {id: o-short}`,
		`organization: {partition: aws}`,
		`organization: {id: o-exampleorgid, management: "99999999999"}`,
		`organization: {id: o-exampleorgid, accounts: [{name: prod}]}`,
		`organization: {id: o-exampleorgid, accounts: [{id: "111122223333", unit: "a//b"}]}`,
		`organization: {id: o-exampleorgid, complete: 1}`,
		`partners: [{name: acme}]`,
		`partners: [{name: acme, accounts: ["444455556666"], externalId: none}]`,
		`partners: [{name: acme, accounts: ["444455556666"], roles: ["arn:aws:iam::111122223333:user/x"]}]`,
		`partners: [{name: acme, accounts: ["444455556666"], acceptedPrincipals: ["arn:aws:iam::444455556666:root"]}]`,
		`identityProviders: ["https://issuer.example"]`,
		`identityProviders: ["*.example.com"]`,
		`protected: ["*"]`,
		`protected: ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/a"]`,
		`modes: {default: off}`,
		`modes: {units: {"/a": observe}}`,
		`modes: {accounts: {prod: observe}}`,
		`rules: {Session-Name: {}}`,
		`rules: {session--name: {}}`,
		`rules: {session-name: {sessionName: "**"}}`,
		`rules: {session-name: {sessionName: ""}}`,
		`rules: {session-name: {sessionName: "${}"}}`,
		`rules: {source-identity: {values: ["aws:x"]}}`,
		`rules: {source-identity: {callers: [anyone]}}`,
		`rules: {external-id: {minLength: 1225}}`,
		`rules: {external-id: {roles: ["payroll"]}}`,
		`limits: {perHour: 0}`,
		`limits: {perHour: "3"}`,
		`baselines: {ageHours: 0}`,
		`baselines: {ageHours: 2161}`,
		`baselines: {firstSightings: ["arn:aws:iam::111122223333:role/*"]}`,
		`baselines: {firstSightings: ["prod"]}`,
		`baselines: {firstSightings: ["111122223333", "111122223333"]}`,
		`ruleChanges: {observeHours: -1}`,
		`ruleChanges: {observeHours: 337}`,
		`quarantine: {graceMinutes: 31}`,
		`quarantine: {graceMinutes: -1}`,
		`quarantine: {graceMinutes: "5"}`,
		`containment: {rules: ["Public"]}`,
		`containment: [public-principal]`,
		`pruning: {orphans: "true"}`,
		`pruning: true`,
	} {
		text := []byte("version: 1\n" + line + "\n")
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if s.Validate(plain(&doc)) == nil {
			t.Errorf("the schema accepts %s", line)
		}
		_, err := org.Parse("rules.yaml", text, today())
		if err == nil {
			t.Errorf("Parse accepts %s", line)
		} else if !strings.HasPrefix(err.Error(), "rules.yaml:2:") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// A deployed file goes on working when an exemption in it ends overnight, and
// the exemption ends all the same; every other mistake still stops it.
func TestDeployedFileOutlivesItsExemptions(t *testing.T) {
	t.Parallel()
	text := accepted(t)["exempting.yaml"]
	tomorrow := today().AddDate(0, 0, 1)
	if _, err := org.Parse("rules.yaml", text, tomorrow); err == nil || !strings.Contains(err.Error(), "rules.yaml:27:14: exemptions[1].expires: the exemption ended") {
		t.Errorf("Parse says %v", err)
	}
	rules, err := org.ParseDeployed("rules.yaml", text, tomorrow)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules.Exemptions) != 1 || len(rules.Expired) != 1 || rules.Expired[0].Ticket != "SEC-2" {
		t.Errorf("in force %+v, ended %+v", rules.Exemptions, rules.Expired)
	}
	if _, ok := rules.Exempt("mfa", rules.Expired[0].Role, rules.Expired[0].RoleID, "", tomorrow); ok {
		t.Error("an exemption that ended still exempts")
	}
	if _, err := org.ParseDeployed("rules.yaml", append(text, "x: 1\n"...), tomorrow); err == nil {
		t.Error("an unknown field is deployed")
	}
}

// Decisions name the very bytes of the file they were made under.
func TestHashIsOfTheBytes(t *testing.T) {
	t.Parallel()
	a, err := org.Parse("a", []byte("version: 1\n"), today())
	if err != nil {
		t.Fatal(err)
	}
	if a.Hash != "sha256:09bfcc6a14b83e2192b8673677725c84883ee9cd0c70e45c9ec09daa8f2b2847" {
		t.Errorf("hash %s", a.Hash)
	}
	b, err := org.Parse("a", []byte("version: 1 \n"), today())
	if err != nil || b.Hash == a.Hash {
		t.Errorf("another file has the same hash %s, %v", b.Hash, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range accepted(f) {
		f.Add(text)
	}
	for _, a := range refusals(f) {
		f.Add(a.Files[0].Data)
	}
	s := schema(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := org.Parse("rules.yaml", text, today())
		deployed, derr := org.ParseDeployed("rules.yaml", text, today())
		var m *org.Mistake
		if err != nil {
			if !errors.As(err, &m) || m.Line < 1 || m.Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			if derr == nil && len(deployed.Expired) == 0 {
				t.Fatal("what is deployed is read more kindly, and not because something ended")
			}
			return
		}
		if diff := cmp.Diff(rules, deployed); diff != "" {
			t.Fatalf("Parse and ParseDeployed differ:\n%s", diff)
		}
		for _, x := range rules.Exemptions {
			if x.Owner == "" || x.Ticket == "" || x.Reason == "" || !today().Before(x.Expires) || x.Expires.Sub(today()) > 90*24*time.Hour {
				t.Fatalf("an exemption %+v", x)
			}
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(plain(&doc)); err != nil {
			t.Fatalf("Parse accepts what the schema refuses: %v", fmt.Sprintf("%#v", err))
		}
	})
}
