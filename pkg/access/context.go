package access

import (
	"maps"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Absent makes a Value that says that a key is not in the request. It differs
// from leaving the key out only for Complete, which then does not fill it in.
func Absent() Value { return Value{} }

// IsAbsent reports whether the value stands for no key at all.
func (v Value) IsAbsent() bool { return !v.Many && len(v.Values) == 0 }

// Get gives the value of a context key. Case does not count in names of keys
// (IAM User Guide, reference_policies_elements_condition).
func (r Request) Get(key string) (Value, bool) {
	v, ok := r.find(key)
	return v, ok && !v.IsAbsent()
}

// hasUnknown reports whether a key is surely in the request with a value that
// nobody said: aws:userid of a user or session whose unique id is not given
// (IAM User Guide, reference_policies_variables, "Principal key values").
func (r *Request) hasUnknown(key string) bool {
	if r.Caller.AWS == "" || r.Caller.ID != "" || !sameFold(key, "aws:userid") {
		return false
	}
	if _, given := r.find(key); given {
		return false
	}
	p, ok := r.Caller.principal()
	return ok && (p.Kind == policy.User || p.Kind == policy.RoleSession)
}

// find is Get that also finds keys that are said to be absent. Of several
// spellings of one key it takes the one that is written exactly so, else the
// first in order, so that the answer is always the same.
func (r *Request) find(key string) (Value, bool) {
	if v, ok := r.Context[key]; ok {
		return v, true
	}
	best, found := "", false
	for name := range r.Context {
		if sameFold(name, key) && (!found || name < best) {
			best, found = name, true
		}
	}
	return r.Context[best], found
}

// Masked gives a copy in which every value of a secret key reads "***".
func (r Request) Masked() Request {
	out := r
	out.Context = maps.Clone(r.Context)
	for key, v := range out.Context {
		if !policy.SecretKey(key) {
			continue
		}
		v.Values = slices.Clone(v.Values)
		for i := range v.Values {
			v.Values[i] = "***"
		}
		out.Context[key] = v
	}
	return out
}
