package alert_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite testdata")

// The words that people read most, as they read them; testdata shows each
// alert as an e-mail, as JSON, and with its message attributes.
func TestTypicalAlerts(t *testing.T) {
	for name, build := range typical() {
		t.Run(name, func(t *testing.T) {
			a := build()
			attributes, err := json.MarshalIndent(a.Attributes(), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := json.Indent(&text, a.JSON(), "", "  "); err != nil {
				t.Fatal(err)
			}
			got := txtar.Format(&txtar.Archive{Files: []txtar.File{
				{Name: "subject", Data: []byte(a.Subject() + "\n")},
				{Name: "text", Data: []byte(a.Text())},
				{Name: "attributes.json", Data: append(attributes, '\n')},
				{Name: "alert.json", Data: append(text.Bytes(), '\n')},
			}})
			file := filepath.Join("testdata", name+".txtar")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got; go test -update rewrites):\n%s", file, diff)
			}
		})
	}
}
