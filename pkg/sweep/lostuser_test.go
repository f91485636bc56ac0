package sweep_test

import (
	"slices"
	"testing"
	"time"
)

// letsInByName lets alice in by her name.
const letsInByName = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`

// A user whose deletion no event told is found all the same where a condition
// lets the name in, which is free for whoever takes it (T42): but not while
// somebody has the name, or while nobody may look.
func TestAUserWhoIsGoneWithoutAnEventIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*sweeping)
		free    bool
	}{
		"gone":            {func(s *sweeping) { delete(s.principals, alice) }, true},
		"made again":      {func(s *sweeping) { s.principals[alice] = "AIDANEWALICE111111111" }, false},
		"nobody may look": {func(s *sweeping) { delete(s.principals, alice); s.hidden[alice] = true }, false},
		"nothing happens": {func(*sweeping) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSweeping(newWorld(t, rulesFile))
			s.put(dev, "named", letsInByName)
			s.sweep()
			s.hand()
			if st := s.recall(dev, "named").State; st == nil || len(st.OpenRules) > 0 {
				t.Fatalf("before: %+v", st)
			}
			c.happens(s)
			for range 3 {
				s.now, s.told = s.now.Add(6*time.Hour), nil
				s.sweep()
				s.hand()
				if sum, _ := s.one(); says(sum, "not read to its end") {
					t.Errorf("the summary says %q", sum.Reasons)
				}
			}
			st := s.recall(dev, "named").State
			if got := slices.Contains(st.OpenRules, "dangling-principal-condition"); got != c.free {
				t.Errorf("after: %v %v", st.Verdict, st.OpenRules)
			}
		})
	}
}

// A role that is gone is nobody's way in: it is in no chain of trust (T45).
func TestARoleThatIsGoneIsInNoChain(t *testing.T) {
	s := organization(t)
	s.put(dev, "open", opened)
	s.principals["arn:aws:iam::444455556666:role/open"] = s.roles[key(dev, "open")].ID
	s.put(prod, "inner", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/open"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`)
	s.sweep()
	s.hand()
	delete(s.roles, key(prod, "inner"))
	for range 2 {
		s.now, s.told = s.now.Add(time.Hour), nil
		s.sweep()
	}
	if sum, _ := s.one(); says(sum, "role/inner") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
}
