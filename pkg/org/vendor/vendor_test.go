package vendor

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// Every account of the list is found under its name, and the accounts beside
// it are not.
func TestNameKnowsTheList(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(accounts, "\n"), "\n")
	if len(lines) < 400 {
		t.Fatalf("the list has %d accounts", len(lines))
	}
	listed := map[string]string{}
	before := ""
	for _, line := range lines {
		id, name, _ := strings.Cut(line, " ")
		if len(id) != idDigits || strings.Trim(id, "0123456789") != "" || name == "" || name != strings.TrimSpace(name) || id <= before {
			t.Fatalf("%q after %q: want twelve digits, a blank and a name, in order", line, before)
		}
		listed[id], before = name, id
	}
	for id, name := range listed {
		if got, ok := Name(id); !ok || got != name {
			t.Errorf("Name(%q) = %q, %v; want %q", id, got, ok, name)
		}
		next := id[:idDigits-1] + string('0'+(id[idDigits-1]-'0'+1)%10)
		if _, ok := Name(next); ok && listed[next] == "" {
			t.Errorf("Name(%q) knows an account that is not listed", next)
		}
	}
	for _, no := range []string{"", "x", "000000000000", "999999999999", "111122223333", "11112222333", "1111222233334"} {
		if name, ok := Name(no); ok {
			t.Errorf("Name(%q) = %q", no, name)
		}
	}
}

// The list says what its source says.
func TestListIsTheSource(t *testing.T) {
	file := os.Getenv("ROLEWARDEN_KNOWN_ACCOUNTS")
	if file == "" {
		t.Skip("ROLEWARDEN_KNOWN_ACCOUNTS names no copy of known_aws_accounts' accounts.yaml")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var vendors []struct {
		Name     string
		Accounts []string
	}
	if err := yaml.Unmarshal(text, &vendors); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range vendors {
		for _, id := range v.Accounts {
			n++
			if got, ok := Name(id); !ok || strings.TrimPrefix(got, "AWS ") != strings.TrimPrefix(v.Name, "AWS ") {
				t.Errorf("Name(%q) = %q, %v; the source says %q", id, got, ok, v.Name)
			}
		}
	}
	if lines := strings.Count(accounts, "\n"); n != lines {
		t.Errorf("the source has %d accounts, the list %d", n, lines)
	}
}
