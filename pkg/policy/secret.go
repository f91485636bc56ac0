package policy

import "strings"

// mask stands for a value that is not shown.
const mask = "***"

// SecretKey reports whether a condition key's values are shared secrets that
// must not be printed: sts:ExternalId, in any case.
func SecretKey(name string) bool { return strings.EqualFold(name, "sts:ExternalId") }

// Masked gives a copy of the document in which every value of a secret key
// reads "***".
func (d Document) Masked() Document {
	return d.maskedBy(func(string) string { return mask })
}

// maskedBy gives a copy with each value of a secret key replaced by what f
// makes of it.
func (d Document) maskedBy(f func(value string) string) Document {
	out := d
	out.Statements = append([]Statement(nil), d.Statements...)
	for i := range out.Statements {
		conditions := out.Statements[i].Conditions
		for j, c := range conditions {
			if !SecretKey(c.Key) {
				continue
			}
			copied := append([]Condition(nil), conditions...)
			copied[j].Values = make([]string, len(c.Values))
			for k, v := range c.Values {
				copied[j].Values[k] = f(v)
			}
			conditions = copied
		}
		out.Statements[i].Conditions = conditions
	}
	return out
}
