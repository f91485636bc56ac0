package main

// The CDK takes pointers where Go has values. These turn one into the other at
// the leaf calls, and nowhere else. None of them looks at what it is given: a
// string may be a token that the CDK replaces later.

// str points to a string.
func str(s string) *string { return &s }

// strs points to a list of strings; nil where there is none, which leaves the
// property out.
func strs(list []string) *[]*string {
	if len(list) == 0 {
		return nil
	}
	out := make([]*string, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return &out
}

// num points to a number.
func num(n float64) *float64 { return &n }

// yes and no point to true and false.
func yes() *bool { b := true; return &b }

func no() *bool { b := false; return &b }

// object is a JSON object, such as a policy document or an event pattern. Its
// keys reach the template sorted.
func object(m map[string]any) any { return m }
