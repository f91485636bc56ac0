package access

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// MarshalJSON gives the form that ParseRequest reads, with keys in order. It
// prints values of secret keys: mask the request first (see Masked) unless its
// reader may know them.
func (r Request) MarshalJSON() ([]byte, error) {
	var w requestWriter
	w.raw(`{"action":`)
	w.value(Value{Many: len(r.Actions) != 1, Values: r.Actions})
	if r.Role != "" {
		w.raw(`,"role":`)
		w.text(r.Role)
	}
	w.raw(`,"caller":{`)
	between := ""
	for _, m := range []struct{ name, value string }{
		{`"aws":`, r.Caller.AWS},
		{`"id":`, r.Caller.ID},
		{`"issuer":`, r.Caller.Issuer},
		{`"service":`, r.Caller.Service},
		{`"federated":`, r.Caller.Federated},
	} {
		if m.value != "" {
			w.raw(between + m.name)
			w.text(m.value)
			between = ","
		}
	}
	w.raw(`},"context":{`)
	for i, key := range slices.Sorted(maps.Keys(r.Context)) {
		if i > 0 {
			w.raw(",")
		}
		w.text(key)
		w.raw(":")
		w.value(r.Context[key])
	}
	w.raw("}}")
	return w.buf, w.err
}

// requestWriter appends JSON and keeps the first error: a text in invalid UTF-8.
type requestWriter struct {
	buf []byte
	err error
}

func (w *requestWriter) raw(s string) { w.buf = append(w.buf, s...) }

func (w *requestWriter) text(s string) {
	buf, err := jsontext.AppendQuote(w.buf, s)
	w.buf = buf
	if w.err == nil {
		w.err = err
	}
}

func (w *requestWriter) value(v Value) {
	switch {
	case v.IsAbsent():
		w.raw("null")
	case !v.Many && len(v.Values) == 1:
		w.text(v.Values[0])
	default:
		w.raw("[")
		for i, s := range v.Values {
			if i > 0 {
				w.raw(",")
			}
			w.text(s)
		}
		w.raw("]")
	}
}
