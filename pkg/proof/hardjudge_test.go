package proof_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// BenchmarkHardJudge prints what judging the hard documents by all rules takes,
// making them ready included.
func BenchmarkHardJudge(b *testing.B) {
	for name, text := range proof.HardOnes() {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			b.Fatal(name, err)
		}
		in := rules.Input{Document: d, Now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), Role: role.Role{ARN: "arn:aws:iam::111122223333:role/app"}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rules.Judge(in)
			}
		})
	}
}

// BenchmarkHardCompile prints what making the hard documents ready takes.
func BenchmarkHardCompile(b *testing.B) {
	for name, text := range proof.HardOnes() {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			b.Fatal(name, err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				proof.Compile(d, "aws")
			}
		})
	}
}
