package deployment_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// node is the part of a schema that tells of fields.
type node struct {
	Type       string          `json:"type"`
	Enum       []any           `json:"enum"`
	Default    any             `json:"default"`
	Ref        string          `json:"$ref"`
	Properties map[string]node `json:"properties"`
	Defs       map[string]node `json:"$defs"`
}

// fields gives every field of the schema that holds no others, by path.
func fields(t *testing.T) map[string]node {
	t.Helper()
	var root node
	if err := json.Unmarshal(deployment.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	out := map[string]node{}
	var walk func(path string, n node)
	walk = func(path string, n node) {
		if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
			n = root.Defs[name]
		}
		if len(n.Properties) == 0 {
			out[strings.TrimPrefix(path, ".")] = n
		}
		for name, p := range n.Properties {
			walk(path+"."+name, p)
		}
	}
	walk("", node{Properties: root.Properties})
	return out
}

// The page of the file names every field that there is and no other, with its
// words and its default; so do the comments of the sample.
func TestThePageNamesEveryField(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile(samples + "organization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := fields(t)
	var told []string
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 || !strings.Contains(cells[0], "`") {
			continue
		}
		name := strings.Trim(cells[0], "` ")
		told = append(told, name)
		for _, word := range known[name].Enum {
			if !strings.Contains(cells[2], fmt.Sprint(word)) {
				t.Errorf("%s: the page does not say that it may be %v", name, word)
			}
		}
		if d := known[name].Default; d != nil && strings.Trim(cells[3], "` ") != fmt.Sprint(d) {
			t.Errorf("%s: the default is %v, the page says %s", name, d, cells[3])
		}
		for _, part := range strings.Split(name, ".") {
			if !strings.Contains(string(sample), part+":") {
				t.Errorf("the sample does not show %s", name)
			}
		}
	}
	var all []string
	for name := range known {
		all = append(all, name)
	}
	slices.Sort(all)
	slices.Sort(told)
	if diff := cmp.Diff(all, told); diff != "" {
		t.Error(diff)
	}
}
