package policy

import "github.com/go-json-experiment/json/jsontext"

// Print gives the document as compact JSON, in the order of its elements and
// without HTML escapes (T26). A list of one value is written as that value.
// For every document d that Parse gave, Parse(d.Print()) is d again.
func (d Document) Print() []byte {
	w := writer{buf: make([]byte, 0, 512)}
	w.begin('{')
	if d.Version != "" {
		w.member("Version", d.Version)
	}
	if d.ID != "" {
		w.member("Id", d.ID)
	}
	w.name("Statement")
	w.begin('[')
	for _, s := range d.Statements {
		w.comma()
		w.statement(s)
	}
	w.end(']')
	w.end('}')
	return w.buf
}

// writer appends JSON to buf.
type writer struct{ buf []byte }

func (w *writer) begin(bracket byte) { w.buf = append(w.buf, bracket) }
func (w *writer) end(bracket byte)   { w.buf = append(w.buf, bracket) }

// comma separates a value from the one before it, if there is one.
func (w *writer) comma() {
	if last := w.buf[len(w.buf)-1]; last != '{' && last != '[' {
		w.buf = append(w.buf, ',')
	}
}

func (w *writer) quote(s string) {
	// Every text that Parse gives is valid UTF-8; elsewhere U+FFFD stands for
	// what is not, which AppendQuote also reports.
	w.buf, _ = jsontext.AppendQuote(w.buf, s)
}

func (w *writer) name(s string) {
	w.comma()
	w.quote(s)
	w.buf = append(w.buf, ':')
}

func (w *writer) member(name, value string) {
	w.name(name)
	w.quote(value)
}

// values writes one value as itself and any other number of them as an array.
func (w *writer) values(values []string) {
	if len(values) == 1 {
		w.quote(values[0])
		return
	}
	w.begin('[')
	for _, v := range values {
		w.comma()
		w.quote(v)
	}
	w.end(']')
}

func (w *writer) statement(s Statement) {
	w.begin('{')
	if s.Sid != "" {
		w.member("Sid", s.Sid)
	}
	if s.Effect != NoEffect {
		w.member("Effect", s.Effect.String())
	}
	w.principals("Principal", s.Principal)
	w.principals("NotPrincipal", s.NotPrincipal)
	w.list("Action", s.Actions)
	w.list("NotAction", s.NotActions)
	w.list("Resource", s.Resources)
	w.list("NotResource", s.NotResources)
	w.conditions(s.Conditions)
	w.end('}')
}

func (w *writer) list(name string, values []string) {
	if len(values) > 0 {
		w.name(name)
		w.values(values)
	}
}

func (w *writer) principals(name string, p Principals) {
	switch {
	case p.Star:
		w.member(name, "*")
	case len(p.List) > 0:
		w.name(name)
		w.begin('{')
		groups(p.List, func(p Principal) string { return p.Type }, func(typ string, group []Principal) {
			values := make([]string, len(group))
			for i := range group {
				values[i] = group[i].Value
			}
			w.list(typ, values)
		})
		w.end('}')
	}
}

func (w *writer) conditions(conditions []Condition) {
	if conditions == nil {
		return
	}
	w.name("Condition")
	w.begin('{')
	groups(conditions, func(c Condition) string { return c.Operator }, func(operator string, group []Condition) {
		w.name(operator)
		w.begin('{')
		for _, c := range group {
			if c.Key == "" && len(c.Values) == 0 {
				continue
			}
			w.name(c.Key)
			w.values(c.Values)
		}
		w.end('}')
	})
	w.end('}')
}

// groups calls f once for each name, in order of first appearance, with all
// elements of that name.
func groups[T any](list []T, name func(T) string, f func(name string, group []T)) {
	var names []string
	byName := map[string][]T{}
	for _, e := range list {
		n := name(e)
		if _, seen := byName[n]; !seen {
			names = append(names, n)
		}
		byName[n] = append(byName[n], e)
	}
	for _, n := range names {
		f(n, byName[n])
	}
}
