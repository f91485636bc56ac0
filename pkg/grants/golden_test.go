package grants_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/rolewarden/rolewarden/pkg/grants"
)

var update = flag.Bool("update", false, "rewrite testdata")

// Every document of every partition, with an organization and without, is
// written down, so that a change of what rolewarden may do is seen for what it
// is in review.
func TestEveryDocumentIsAsItWasReviewed(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		archive := &txtar.Archive{}
		for _, d := range all(w) {
			archive.Files = append(archive.Files, txtar.File{Name: d.name + ".json", Data: indented(t, d.document)})
		}
		got, file := txtar.Format(archive), filepath.Join("testdata", name+".txtar")
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got; go test -update rewrites):\n%s", file, diff)
		}
	}
}

func indented(t *testing.T, d grants.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(d.JSON()), "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}
