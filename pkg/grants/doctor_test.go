package grants_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// The doctor may make its calls and no other, and none of them writes.
func TestTheDoctorMayLookAndNothingElse(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		got := slices.DeleteFunc(allowed(grants.Doctor(w)), func(a string) bool { return a == "kms:Decrypt" })
		slices.Sort(got)
		if want := actions.Permissions(actions.Doctor, actions.Own); !slices.Equal(got, want) {
			t.Errorf("%s: it may %v, and calls %v", world, got, want)
		}
		for _, a := range got {
			_, call, _ := strings.Cut(a, ":")
			if !slices.ContainsFunc([]string{"Get", "List", "Describe"}, func(p string) bool { return strings.HasPrefix(call, p) }) {
				t.Errorf("%s: %s writes", world, a)
			}
		}
	}
}
