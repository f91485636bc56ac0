package cli_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"github.com/rolewarden/rolewarden/pkg/cli"
)

// noon is when the rules' cases are judged.
func noon() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

func runAt(stdin string, args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = cli.RunAt(args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs}, noon)
	return out.String(), errs.String(), status
}

// aCase is a policy out of the rules' own cases.
type aCase struct {
	name, policy, role, rules string
}

// corpus writes the rules' cases into files, and adds the shared corpus.
func corpus(t *testing.T) []aCase {
	t.Helper()
	pages, err := filepath.Glob("../rules/*.txtar")
	if err != nil || len(pages) == 0 {
		t.Fatalf("the rules' cases are missing: %v", err)
	}
	var out []aCase
	for _, page := range pages {
		archive, err := txtar.ParseFile(page)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		dir := t.TempDir()
		for _, f := range archive.Files {
			path := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			files[f.Name] = strings.TrimSpace(string(f.Data))
		}
		for _, f := range archive.Files {
			folder, name := filepath.Split(f.Name)
			if name != "policy.json" {
				continue
			}
			c := aCase{name: filepath.Base(page) + " " + folder, policy: filepath.Join(dir, f.Name), role: files["role"], rules: filepath.Join(dir, "rules.yaml")}
			if own, ok := files[folder+"role"]; ok {
				c.role = own
			}
			if _, ok := files[folder+"rules.yaml"]; ok {
				c.rules = filepath.Join(dir, folder, "rules.yaml")
			}
			out = append(out, c)
		}
	}
	return append(out, policies(t)...)
}

// policies are the corpus that several rooms share.
func policies(t *testing.T) []aCase {
	t.Helper()
	const folder = "../../testdata/policies"
	var out []aCase
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".json") {
			out = append(out, aCase{name: path, policy: path, role: "arn:aws:iam::111122223333:role/app", rules: filepath.Join(folder, "org.yaml")})
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("the corpus of policies is missing: %v", err)
	}
	return out
}

// judged is what these tests read of the output of check.
type judged struct {
	Policies []struct {
		Findings []struct {
			Rule     string
			Evidence struct {
				Kind    string
				Request json.RawMessage
			}
		}
	}
}

func validator(t *testing.T, name string) func(what, text string) {
	t.Helper()
	schema, err := compiled(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(what, text string) {
		t.Helper()
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v in %s", what, err, text)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Evidence can be tried: every request that check shows with --show-secrets is
// taken by evaluate, which allows it, or refuses it where the finding is that
// it is refused. And the output of check obeys its schema, over all the rules'
// own cases and the shared corpus.
func TestEveryRequestThatCheckShowsIsConfirmedByEvaluate(t *testing.T) {
	t.Parallel()
	valid := validator(t, "check")
	tried := 0
	for _, c := range corpus(t) {
		args := []string{"check", "--format", "json", "--show-secrets", "--rules", c.rules, c.policy}
		if c.role != "" {
			args = append(args, "--role-arn", c.role)
		}
		out, errs, status := runAt("", args...)
		if status == 3 {
			t.Errorf("%s: %s", c.name, errs)
			continue
		}
		valid(c.name, out)
		var j judged
		if err := json.Unmarshal([]byte(out), &j); err != nil {
			t.Fatal(err)
		}
		for _, f := range j.Policies[0].Findings {
			if f.Evidence.Request == nil {
				continue
			}
			tried++
			want := map[string]string{"Allowed": "Allowed", "Refused": "Denied"}[f.Evidence.Kind]
			if got := both(t, c, f.Evidence.Request); got != want {
				t.Errorf("%s, %s: evaluate says %q of the request, want %s: %s", c.name, f.Rule, got, want, f.Evidence.Request)
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d requests were tried", tried)
	}
}

// The same of the witnesses that compare shows, between the policies of
// neighbouring cases, both ways.
func TestEveryRequestThatCompareShowsIsConfirmedByEvaluate(t *testing.T) {
	t.Parallel()
	valid := validator(t, "compare")
	cases := corpus(t)
	tried := 0
	for i := 0; i+1 < len(cases); i += 3 {
		before, after := cases[i], cases[i+1]
		out, errs, status := runAt("", "compare", "--format", "json", "--show-secrets", before.policy, after.policy, "--role-arn", "arn:aws:iam::111122223333:role/app")
		if status == 3 {
			t.Fatalf("%s: %s", after.name, errs)
		}
		valid(before.name+" -> "+after.name, out)
		var c struct{ Witness, LostWitness json.RawMessage }
		if err := json.Unmarshal([]byte(out), &c); err != nil {
			t.Fatal(err)
		}
		for _, half := range []struct {
			request json.RawMessage
			by, not aCase
		}{{c.Witness, after, before}, {c.LostWitness, before, after}} {
			if half.request == nil {
				continue
			}
			tried++
			if got := evaluated(t, half.by, half.request); got != "Allowed" {
				t.Errorf("%s: evaluate says %q of %s", half.by.name, got, half.request)
			}
			if got := evaluated(t, half.not, half.request); got == "Allowed" {
				t.Errorf("%s allows it as well: %s", half.not.name, half.request)
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d requests were tried", tried)
	}
}

// both gives what evaluate says of a request under the case's rules file,
// which must be what it says without one.
func both(t *testing.T, c aCase, request json.RawMessage) string {
	t.Helper()
	with, without := evaluated(t, c, request, "--rules", c.rules), evaluated(t, c, request)
	if with != without {
		return with + " with the rules file and " + without + " without"
	}
	return with
}

// evaluated gives what evaluate says of a request.
func evaluated(t *testing.T, c aCase, request json.RawMessage, args ...string) string {
	t.Helper()
	text, err := os.ReadFile(c.policy)
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(map[string]any{"policy": string(text), "request": request})
	if err != nil {
		t.Fatal(err)
	}
	out, _, _ := runAt(string(line), append([]string{"evaluate"}, args...)...)
	var a struct{ Decision, Error string }
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return a.Decision + a.Error
}
