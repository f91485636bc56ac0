package access

import (
	"strings"
	"testing"
)

// A value taken apart is the value put together again, and the short way to put
// in variables comes to what the long one does.
func FuzzExpand(f *testing.F) {
	f.Fuzz(func(t *testing.T, value, username, team string) {
		pieces, ok := Pieces(value)
		var whole strings.Builder
		for _, p := range pieces {
			whole.WriteString(p.Text)
			switch {
			case p.Char != "":
				whole.WriteString("${" + p.Char + "}")
			case p.Default != nil:
				whole.WriteString("${" + p.Key + ", '" + *p.Default + "'}")
			case p.Key != "":
				whole.WriteString("${" + p.Key + "}")
			}
		}
		if ok && whole.String() != value {
			t.Fatalf("%q becomes %q", value, whole.String())
		}
		r := Request{Context: map[string]Value{"aws:username": One(username), "aws:PrincipalTag/team": One(team)}}
		short, plain := plainly(value, &r)
		if !plain || !HasVariable(value) {
			return
		}
		var long strings.Builder
		for _, p := range pieces {
			long.WriteString(p.Text)
			if p.Key != "" {
				v, _ := r.Get(p.Key)
				long.WriteString(v.Values[0])
			}
		}
		if !ok || short != long.String() {
			t.Fatalf("%q becomes %q or %q", value, short, long.String())
		}
	})
}
