package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/cli"
)

// shown is a block of README that shows a command and what it prints.
var shown = regexp.MustCompile("(?s)```console\n\\$ rolewarden ([^\n]*)\n(.*?)```\n")

// What README shows of the command line is what it prints. A line "(status N)"
// at the end of a block is the exit status.
func TestReadmeShowsWhatTheCommandsPrint(t *testing.T) {
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	fresh := shown.ReplaceAllStringFunc(string(text), func(block string) string {
		m := shown.FindStringSubmatch(block)
		if strings.HasSuffix(m[1], "&") {
			return block
		}
		n++
		var out bytes.Buffer
		status := cli.Run(strings.Fields(m[1]), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
		return "```console\n$ rolewarden " + m[1] + "\n" + out.String() + "(status " + string(rune('0'+status)) + ")\n```\n"
	})
	if n < 5 {
		t.Fatalf("README shows %d commands", n)
	}
	if fresh == string(text) {
		return
	}
	if !*update {
		t.Fatalf("README is out of date; run go test ./pkg/cli -run Readme -update and read the difference (-README +now):\n%s", cmp.Diff(string(text), fresh))
	}
	if err := os.WriteFile("README.md", []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}
