package policy

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// SyntaxError says why a text is not a trust policy that Parse accepts. It
// never holds the value of a secret key.
type SyntaxError struct {
	// Place is where, such as "Statement[1].Principal.AWS[0]"; "" is the whole text.
	Place string
	// Problem is what is wrong, in a few words.
	Problem string
	// Value is the offending value, quoted and shortened; "" when there is none to show.
	Value string
	// Remedy is what to write instead.
	Remedy string
	// Offset is the place in bytes from the start of the text.
	Offset int64
}

// Error gives "place: problem value: remedy" on one line.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	if e.Place == "" {
		b.WriteString("trust policy")
	} else {
		b.WriteString(e.Place)
	}
	b.WriteString(": ")
	b.WriteString(e.Problem)
	if e.Value != "" {
		b.WriteByte(' ')
		b.WriteString(e.Value)
	}
	if e.Remedy != "" {
		b.WriteString(": ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

// longestShown is how many characters of an offending value an error repeats.
const longestShown = 60

// show quotes a value for an error: escaped, so that it cannot forge a line of
// output, and shortened, so that it cannot flood one.
func show(value string) string {
	if utf8.RuneCountInString(value) <= longestShown {
		return strconv.QuoteToASCII(value)
	}
	short := []rune(value)[:longestShown]
	return strconv.QuoteToASCII(string(short)) + "..."
}
