package strict_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// told reads a file with the fields name and accounts, and gives what is wrong with it.
func told(t *testing.T, text string) []string {
	t.Helper()
	r := strict.New("f.yaml")
	r.Elsewhere = map[string]string{"password": "keep it out of files"}
	root, err := r.Root([]byte(text))
	if err == nil {
		o := r.Object(root, "", "name", "accounts", "externalId", "number")
		o.Require("name")
		o.Text("name", strict.OneOf("word", "alpha", "beta"))
		o.Texts("accounts", strict.Matching("account id", `[0-9]{12}`, "write twelve digits in quotes"))
		o.Number("number", 1, 10, 5)
		err = r.Err()
	}
	var m *strict.Mistake
	if err != nil && !errors.As(err, &m) {
		t.Fatalf("%v is no mistake with a place", err)
	}
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// Every mistake is told at once, in the order of the file, with the value and
// what to write instead; a field that is nearly right is named.
func TestMistakesAreToldTogetherAndInOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing is wrong", "name: alpha\naccounts: ['111122223333']\nnumber: 10\n", nil},
		{
			"several things are", "number: 11\naccounts: [111122223333, x, '444455556666', '444455556666']\nname: gamma\n",
			[]string{
				"f.yaml:1:9: number: 11 is out of range: write a number from 1 to 10",
				"f.yaml:2:12: accounts[0]: 111122223333 stands where text should: put it in quotes",
				`f.yaml:2:26: accounts[1]: "x" is no account id: write twelve digits in quotes`,
				`f.yaml:2:45: accounts[3]: "444455556666" a second time: keep one of the two`,
				`f.yaml:3:7: name: "gamma" is no word: write one of alpha, beta`,
			},
		},
		{
			"fields that are nearly right", "Name: alpha\naccount: []\nexternal-id: x\nnum: 1\ncolour: red\npassword: hunter2\n",
			[]string{
				"f.yaml:1:1: Name: an unknown field: write name (or accounts, externalId, number)",
				"f.yaml:1:1: name: missing: write it",
				"f.yaml:2:1: account: an unknown field: write accounts (or name, externalId, number)",
				"f.yaml:3:1: external-id: an unknown field: write externalId (or name, accounts, number)",
				"f.yaml:4:1: num: an unknown field: write number (or name, accounts, externalId)",
				"f.yaml:5:1: colour: an unknown field: write one of name, accounts, externalId, number",
				"f.yaml:6:1: password: an unknown field: keep it out of files",
			},
		},
		{"a number that YAML 1.1 reads as another", "name: alpha\nnumber: 010\n", []string{"f.yaml:2:9: number: 010 can be read in two ways: write 10, without leading zeros or a sign"}},
		{"nothing at all", "# a comment\n", []string{"f.yaml:1:1: an empty file: write at least version: 1"}},
		{"an anchor and a tag", "name: &a alpha\naccounts: !!seq []\nx: *a\n", []string{
			"f.yaml:1:7: an anchor or alias: write the value out in every place",
			"f.yaml:2:11: the tag !!seq: leave tags out",
			"f.yaml:3:4: an anchor or alias: write the value out in every place",
		}},
		{"too much", strings.Repeat("#", strict.MaxBytes+1), []string{"f.yaml:1:1: 1048577 bytes: write at most 1048576"}},
	} {
		if diff := cmp.Diff(tt.want, told(t, tt.text)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// A webhook that somebody wrote where none belongs is a secret all the same, and
// messages end in the logs of pipelines.
func TestTheSecretPartOfAURLIsNeverShown(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"https://hooks.slack.com/services/T0/B0/s3cret", "HTTPS://hooks.slack-gov.com/services/T0/B0/s3cret",
		"hooks.slack.com/services/T0/B0/s3cret", "see https://example.com/s3cret",
	} {
		for _, text := range []string{"name: " + url, "number: " + url, "accounts: " + url, "name: alpha\naccounts: ['" + url + "']", url} {
			for _, line := range told(t, text) {
				if strings.Contains(line, "s3cret") {
					t.Errorf("%q is told as %s", text, line)
				}
			}
		}
	}
}
