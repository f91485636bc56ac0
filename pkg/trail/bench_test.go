package trail_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// BenchmarkParse prints what reading one event costs.
func BenchmarkParse(b *testing.B) {
	text := event(b, "CreateRole.terraform")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := trail.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
