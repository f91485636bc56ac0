package policy

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a text that Parse accepts (T22). IAM itself takes 131,072
// characters in the PolicyDocument parameter (IAM API Reference, UpdateAssumeRolePolicy).
const (
	// MaxBytes is the greatest size of a text, in characters.
	MaxBytes = 131072
	// MaxDepth is how deep objects and arrays may nest.
	MaxDepth = 32
	// MaxStatements is how many statements a document may have.
	MaxStatements = 512
	// MaxPrincipals is how many principals a document may name: so many accounts,
	// the shortest that mean anything, hardly fit into MaxBytes.
	MaxPrincipals = 8192
)

// reader reads tokens and knows where it is.
type reader struct {
	dec *jsontext.Decoder
	// named counts the principals so far.
	named int
	text  []byte
	// path leads to the value being read.
	path []step
	// start is the offset of the token that was read last.
	start int64
}

// step is one part of a place: a member's name, or an index when name is "".
type step struct {
	name  string
	index int
}

func newReader(text []byte) (*reader, error) {
	r := &reader{text: text}
	switch {
	case len(text) > MaxBytes && utf8.RuneCount(text) > MaxBytes:
		return nil, r.fail("the text is longer than 131072 characters", "", "IAM accepts no policy of that size")
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return nil, r.fail("the text begins with a byte order mark", "", "save it as UTF-8 without one")
	case nesting(text) > MaxDepth:
		return nil, r.fail("the text nests deeper than 32 levels", "", "no element of a trust policy nests so deep")
	}
	// Duplicate names are found by the reader itself: it compares them without
	// case, and says where both stand.
	r.dec = jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))
	return r, nil
}

// nesting gives the greatest depth of brackets outside strings.
func nesting(text []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// next reads one token.
func (r *reader) next() (jsontext.Token, error) {
	r.start = r.dec.InputOffset()
	for r.start < int64(len(r.text)) && strings.IndexByte(" \t\r\n,:", r.text[r.start]) >= 0 {
		r.start++
	}
	tok, err := r.dec.ReadToken()
	if err != nil {
		return tok, r.syntax(err)
	}
	return tok, nil
}

// syntax turns the decoder's complaint into ours.
func (r *reader) syntax(err error) error {
	out := r.fail("this is not valid JSON", "", "write plain JSON in UTF-8")
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic):
		out.Offset = syntactic.ByteOffset
		// The decoder's words quote a little of the text, which may be a secret.
		if !r.secret() && syntactic.Err != nil {
			out.Problem += " (" + syntactic.Err.Error() + ")"
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		out.Problem = "the text ends too early"
		out.Remedy = "write the whole policy"
	}
	return out
}

// end makes sure that nothing follows the document.
func (r *reader) end() error {
	_, err := r.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return nil
	}
	r.start = r.dec.InputOffset()
	return r.fail("something follows the end of the policy", "", "write one JSON object and nothing after it")
}

// fail makes an error at the current place. The value is shown as it is given,
// unless it belongs to a secret key.
func (r *reader) fail(problem, value, remedy string) *SyntaxError {
	if r.secret() {
		value = ""
	}
	return &SyntaxError{Place: r.place(), Problem: problem, Value: value, Remedy: remedy, Offset: r.start}
}

// secret reports whether the current place lies under a secret key.
func (r *reader) secret() bool {
	for _, s := range r.path {
		if SecretKey(s.name) {
			return true
		}
	}
	return false
}

// place writes the path as people read it.
func (r *reader) place() string {
	var b strings.Builder
	for _, s := range r.path {
		if s.name == "" {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(plain(s.name))
	}
	return b.String()
}

// plain gives a name as it is when it is short printable ASCII, else quoted.
func plain(name string) string {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return show(name)
		}
	}
	if len(name) > 2*longestShown {
		return show(name)
	}
	return name
}

func (r *reader) enter(s step) { r.path = append(r.path, s) }
func (r *reader) leave()       { r.path = r.path[:len(r.path)-1] }

// object reads the members of an object whose opening brace has been read, and
// refuses a name that appears twice, in whatever case (T18, T19, T34).
func (r *reader) object(member func(name string) error) error {
	seen := map[string]string{}
	for {
		tok, err := r.next()
		if err != nil {
			return err
		}
		if tok.Kind() == '}' {
			return nil
		}
		name := tok.String()
		if name == "" {
			return r.fail("a name is empty", `""`, "name the element")
		}
		r.enter(step{name: name})
		if err := r.legal(name); err != nil {
			return err
		}
		folded := strings.ToLower(name)
		if before, twice := seen[folded]; twice {
			problem := "this name appears twice"
			if before != name {
				problem = "this name differs only in case from one before it"
			}
			return r.fail(problem, show(name), "keep one; which of the two counts is not defined")
		}
		seen[folded] = name
		if err := member(name); err != nil {
			return err
		}
		r.leave()
	}
}

// oneOrMany reads a value, or every value of an array, and reports whether it
// was an array.
func (r *reader) oneOrMany(each func(tok jsontext.Token) error) (array bool, err error) {
	tok, err := r.next()
	if err != nil {
		return false, err
	}
	if tok.Kind() != '[' {
		return false, each(tok)
	}
	for i := 0; ; i++ {
		r.enter(step{index: i})
		tok, err := r.next()
		if err != nil {
			return true, err
		}
		if tok.Kind() == ']' {
			r.leave()
			return true, nil
		}
		if err := each(tok); err != nil {
			return true, err
		}
		r.leave()
	}
}

// str takes the string out of a token.
func (r *reader) str(tok jsontext.Token) (string, error) {
	if tok.Kind() != '"' {
		return "", r.fail("this must be a string, not "+kindName(tok), tokenText(tok), "put it in quotation marks")
	}
	s := tok.String()
	return s, r.legal(s)
}

// legal refuses the characters that IAM refuses in a policy (IAM API
// Reference, UpdateAssumeRolePolicy: U+0009, U+000A, U+000D, U+0020 to U+00FF).
func (r *reader) legal(s string) error {
	for _, c := range s {
		if c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c <= 0xFF {
			continue
		}
		out := r.fail("IAM refuses the character", "", "write characters from U+0020 to U+00FF only")
		if !r.secret() {
			out.Value = strconv.QuoteRuneToASCII(c) + " in " + show(s)
		}
		return out
	}
	return nil
}

// kindName names a token's kind with its article.
func kindName(tok jsontext.Token) string {
	switch tok.Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	default:
		return "that"
	}
}

// tokenText gives a scalar token's text for an error, and "" for the others.
func tokenText(tok jsontext.Token) string {
	switch tok.Kind() {
	case '"', '0', 't', 'f':
		return show(tok.String())
	default:
		return ""
	}
}
