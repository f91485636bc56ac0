package rules

// rolls are the lists of accounts of a large organization that the questions
// about one document give over and over: made once, they are made ready once.
type rolls struct {
	members []string
	longer  []roll
}

// roll is a list with one account more.
type roll struct {
	of   []string
	and  string
	list []string
}

// memberIDs gives all accounts of the organization, in order.
func (in Input) memberIDs() []string {
	if in.rolls == nil {
		return in.Org.MemberIDs()
	}
	if in.rolls.members == nil {
		in.rolls.members = in.Org.MemberIDs()
	}
	return in.rolls.members
}

// with gives a list with one account more.
func (r *rolls) with(list []string, account string) []string {
	if r == nil || len(list) <= fewMembers {
		return append(list[:len(list):len(list)], account)
	}
	for _, l := range r.longer {
		if l.and == account && len(l.of) == len(list) && &l.of[0] == &list[0] {
			return l.list
		}
	}
	longer := append(list[:len(list):len(list)], account)
	r.longer = append(r.longer, roll{of: list, and: account, list: longer[:len(longer):len(longer)]})
	return r.longer[len(r.longer)-1].list
}
