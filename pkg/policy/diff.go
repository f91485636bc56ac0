package policy

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/rogpeppe/go-internal/diff"
)

// Diff gives a unified diff of the two documents printed with indentation, ""
// when they print alike. Values of secret keys read "***"; a value that only
// one side has says so, so that a changed secret is still seen to change.
func Diff(old, new Document) string {
	before, after := secrets(old), secrets(new)
	text := diff.Diff(
		"before", indented(old.maskedBy(marker(after, mask+" (removed)"))),
		"after", indented(new.maskedBy(marker(before, mask+" (added)"))))
	// The first line, "diff before after", repeats the two that follow.
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	return string(text)
}

// marker masks a value, with a word when the other side does not have it.
func marker(other []string, word string) func(value string) string {
	return func(value string) string {
		if slices.Contains(other, value) {
			return mask
		}
		return word
	}
}

// secrets lists the values of secret keys.
func secrets(d Document) []string {
	var values []string
	for _, s := range d.Statements {
		for _, c := range s.Conditions {
			if SecretKey(c.Key) {
				values = append(values, c.Values...)
			}
		}
	}
	return values
}

// indented prints a document over several lines.
func indented(d Document) []byte {
	text := jsontext.Value(d.Print())
	// Only a text that is no JSON cannot be indented, and Print gives JSON.
	if err := text.Indent(jsontext.WithIndent("  ")); err != nil {
		return d.Print()
	}
	return append(text, '\n')
}
