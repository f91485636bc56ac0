// Package pkg_test holds the house rules that no single room can hold: which
// room may import which, and why.
package pkg_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/rolewarden/rolewarden/"

// floors gives each room its floor. A room imports only rooms of lower floors,
// so that data flows one way and a room can be read without those above it.
var floors = map[string]int{
	"pkg/policy":         0,
	"pkg/access":         1,
	"pkg/proof":          2,
	"pkg/role":           3,
	"pkg/org":            3,
	"pkg/trail":          3,
	"pkg/finding":        3,
	"pkg/rules":          4,
	"pkg/decision":       4,
	"pkg/meter":          0,
	"pkg/deployment":     5,
	"pkg/remediate":      5,
	"pkg/alert":          5,
	"pkg/ledger":         6,
	"pkg/notify":         6,
	"pkg/grants":         6,
	"pkg/guard":          7,
	"pkg/preview":        7,
	"pkg/sweep":          8, // above the line, which judges every role that a sweep reads
	"pkg/canary":         7,
	"pkg/doctor":         7,
	"pkg/awsapi":         8,
	"pkg/awsapi/actions": 0,
	"pkg/lab":            0,
	"pkg/invariant":      8,
	"pkg/chaos":          9,
	"pkg/cli":            9,
	"functions/start":    9,
	"functions/canary":   10,
	"functions/guard":    10,
	"functions/notify":   10,
	"functions/sweep":    10,
	"infra":              10,
	"":                   11,
	"pkg/matrix":         12, // tries everything below it, and nobody imports it
}

// ban keeps a kind of import to the rooms that may have it.
type ban struct {
	prefix string
	only   []string
	reason string
}

var bans = []ban{
	{"github.com/aws/aws-sdk-go-v2", []string{"pkg/awsapi"}, "AWS SDK only in awsapi: every AWS call is found in one room, and its errors are sorted there once"},
	{"github.com/aws/smithy-go", []string{"pkg/awsapi"}, "AWS SDK only in awsapi"},
	{"github.com/aws/aws-lambda-go", []string{"functions"}, "Lambda only in functions: the line runs anywhere, the lab included"},
	{"github.com/aws/aws-cdk-go", []string{"infra"}, "CDK only in infra"},
	{"github.com/aws/constructs-go", []string{"infra"}, "CDK only in infra"},
	{"github.com/aws/jsii-runtime-go", []string{"infra"}, "CDK only in infra"},
	{module + "pkg/awsapi", []string{"functions", "pkg/cli", "infra", "pkg/awsapi", "pkg/grants", "pkg/matrix", ""}, "only programs know that AWS is behind the interfaces; grants reads the list of calls in awsapi/actions"},
	{module + "pkg/lab", []string{"pkg/cli", "pkg/lab", "pkg/matrix"}, "the lab is for people and tests, never in what is deployed"},
	{module + "pkg/cli", []string{""}, "only main.go runs the command line"},
	{module + "pkg/invariant", []string{"pkg/invariant", "pkg/chaos"}, "what must be true is looked at by tests, never by what is deployed"},
	{module + "pkg/chaos", []string{"pkg/chaos"}, "the simulation is for tests, never in what is deployed"},
}

// words that say nothing about what a room holds.
var empty = []string{"util", "common", "helper", "manager", "service", "processor", "engine", "types", "models", "misc"}

func TestRoomsImportOnlyLowerFloors(t *testing.T) {
	for file, imports := range sources(t) {
		room := roomOf(file)
		floor, known := floors[room]
		if !known {
			t.Errorf("%s: the room %q is on no floor; give it one in floors_test.go", file, room)
			continue
		}
		for _, path := range imports {
			other, ours := strings.CutPrefix(path, module)
			if !ours || strings.HasPrefix(other, room+"/") {
				continue
			}
			target := roomOf(other + "/x.go")
			f, ok := floors[target]
			if !ok {
				t.Errorf("%s imports %q, which is on no floor", file, other)
				continue
			}
			if f >= floor && target != room {
				t.Errorf("%s: %s (floor %d) imports %s (floor %d); a room imports only lower floors", file, room, floor, target, f)
			}
		}
	}
}

func TestForeignWorldsStayInTheirRooms(t *testing.T) {
	for file, imports := range sources(t) {
		for _, path := range imports {
			for _, b := range bans {
				if strings.HasPrefix(path, b.prefix) && !allowed(file, b) {
					t.Errorf("%s imports %s: %s", file, path, b.reason)
				}
			}
		}
	}
}

func TestTheLabImportsNoRoomOfOurs(t *testing.T) {
	for file, imports := range sources(t) {
		for _, path := range imports {
			if strings.HasPrefix(file, "pkg/lab/") && strings.HasPrefix(path, module) && !strings.HasPrefix(path, module+"pkg/lab/") {
				t.Errorf("%s imports %s: trying a witness in the lab is a second opinion, not an echo", file, path)
			}
		}
	}
}

func TestRoomsHaveNamesThatSayWhatTheyHold(t *testing.T) {
	for file := range sources(t) {
		for _, part := range strings.Split(strings.TrimSuffix(file, ".go"), "/") {
			for _, word := range empty {
				if part == word {
					t.Errorf("%s: %q says nothing about what is in it", file, word)
				}
			}
		}
	}
}

func TestEveryRoomOnAFloorExists(t *testing.T) {
	seen := map[string]bool{}
	for file := range sources(t) {
		seen[roomOf(file)] = true
	}
	for room := range floors {
		if !seen[room] {
			t.Errorf("floors_test.go speaks of %q, which does not exist", room)
		}
	}
}

func allowed(file string, b ban) bool {
	for _, room := range b.only {
		if room == "" && !strings.Contains(file, "/") {
			return true
		}
		if room != "" && strings.HasPrefix(file, room+"/") {
			return true
		}
	}
	return false
}

// sources gives the imports of every file that is no test, by path from the top.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != top || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "cdk.out") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if testSupport(rel) {
			return nil
		}
		out[rel] = nil
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			out[rel] = append(out[rel], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// testSupport reports whether a file is only ever imported by tests.
func testSupport(file string) bool {
	dir := filepath.Dir(file)
	return strings.HasSuffix(dir, "test")
}

// roomOf is the room a file belongs to: the longest one on a floor above it.
func roomOf(file string) string {
	dir := filepath.ToSlash(filepath.Dir(file))
	if dir == "." {
		return ""
	}
	for d := dir; d != "."; d = filepath.ToSlash(filepath.Dir(d)) {
		if _, ok := floors[d]; ok {
			return d
		}
	}
	return dir
}
