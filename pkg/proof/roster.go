package proof

import "slices"

// rosters keep long lists of accounts ready: the questions about one document
// give the same lists over and over, and an organization may have thousands.
// A list is known by where it lies; nobody changes one between questions.
type rosters struct{ ready []*test }

// of gives the test that an account is in a list.
func (r *rosters) of(list []string) *test {
	if len(list) <= indexAbove || r == nil {
		return (&test{exact: list}).seal()
	}
	for _, t := range r.ready {
		if len(t.exact) == len(list) && &t.exact[0] == &list[0] {
			return t
		}
	}
	t := (&test{exact: list}).seal()
	r.ready = append(r.ready, t)
	return t
}

func (r *rosters) has(list []string, account string) bool {
	if len(list) <= indexAbove {
		return slices.Contains(list, account)
	}
	_, ok := r.of(list).index[account]
	return ok
}

// in reports whether an account is in a set.
func (r *rosters) in(a Accounts, account string) bool {
	return (a.Only == nil || r.has(a.Only, account)) && !r.has(a.Except, account)
}
