package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden templates anew")

// hash is what the CDK names the code of a function by.
var hash = regexp.MustCompile(`[0-9a-f]{64}`)

// A change of a template is seen in review: there is one golden template for
// each stack of each way, without the hashes of the code.
func TestTemplatesAreTheOnesInTheRepository(t *testing.T) {
	for folder, get := range map[string]func() (assembly, error){"hub": hubWay, "members": membersWay, "single": singleWay} {
		a := way(t, get)
		dir := filepath.Join("testdata", folder)
		for _, name := range sortedKeys(a.templates) {
			file := name + ".template.json"
			path := filepath.Join(dir, file)
			got := hash.ReplaceAllString(a.files[file], "HASH")
			if *update {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s differs (-want +got); if it ought to, run go test ./infra -run Repository -update:\n%s", path, diff)
			}
		}
		golden, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
		if err != nil || len(golden) != len(a.templates) {
			t.Errorf("%s holds %d templates and the way has %d: %v", dir, len(golden), len(a.templates), err)
		}
	}
}

// The same source gives the same bytes, so that a diff before a deployment
// shows what was changed and nothing else.
func TestASecondRunWritesTheSameBytes(t *testing.T) {
	for _, one := range []struct {
		file, way string
		first     func() (assembly, error)
	}{{"organization.yaml", "hub", hubWay}, {"organization.yaml", "members", membersWay}, {"single.yaml", "", singleWay}} {
		second, err := rendered(one.file, one.way)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(way(t, one.first).files, second.files); diff != "" {
			t.Errorf("%s %s (-first +second):\n%s", one.file, one.way, diff)
		}
	}
}

// Whether the CDK's command line runs the app or a person does, the templates
// are the same: what the command line asks for by itself is not followed.
func TestTheCommandLineOfTheCDKChangesNothing(t *testing.T) {
	d, err := load("organization.yaml", "hub")
	if err != nil {
		t.Fatal(err)
	}
	a, err := renderWith(d, map[string]any{
		"aws:cdk:enable-path-metadata": true, "aws:cdk:enable-asset-metadata": true, "aws:cdk:version-reporting": true,
		"aws:cdk:performance-reporting": true, "aws:cdk:bundling-stacks": []string{"**"}, "@aws-cdk/core:explicitStackTags": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(way(t, hubWay).files, a.files); diff != "" {
		t.Errorf("(-without +with):\n%s", diff)
	}
}
