package alert

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// mask stands for a value that is not told.
const mask = "***"

// The longest texts of an alert, in characters. Together with maxJSON they
// keep a message under the 256 KB of SNS (Amazon SNS Developer Guide,
// "Amazon SNS message size").
const (
	maxName     = 2048
	maxSentence = 1500
	maxDiff     = 12000
	maxReasons  = 20
	// maxRequest is in bytes of JSON.
	maxRequest = 6000
)

// Plain gives a text as one line that cannot act: no control characters, no
// marks that reorder or hide text (T79), valid UTF-8, and at most limit
// characters, the last of which says that some are missing.
func Plain(s string, limit int) string {
	return limited(strings.Join(strings.Fields(visible(s, ' ')), " "), limit)
}

// PlainLines is Plain for a text of several lines, whose breaks and blanks
// stay; what is missing is said in lines.
func PlainLines(s string, limit int) string { return limitedLines(visible(s, '\n'), limit) }

// visible replaces line breaks by newline and drops what does not show: control
// characters, direction marks, zero-width characters.
func visible(s string, newline rune) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\u2028', r == '\u2029':
			return newline
		case r == '\t':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// limited cuts a text after a number of characters.
func limited(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-1]) + "…"
}

// limitedLines cuts a text of several lines, and says how much is missing.
func limitedLines(s string, limit int) string {
	if len([]rune(s)) <= limit {
		return s
	}
	lines := strings.SplitAfter(s, "\n")
	var b strings.Builder
	for i, line := range lines {
		if len([]rune(b.String()))+len([]rune(line)) > limit {
			b.WriteString("[" + strconv.Itoa(len(lines)-i) + " more lines are not shown here]\n")
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

// minSecret is the length from which a secret value is looked for in running
// text; the shorter ones occur in words by chance. In its own place, a
// condition or a request, a secret is masked at any length.
const minSecret = 6

// cleaner takes secrets and marks out of texts.
type cleaner struct{ secrets []string }

// add notes the secret values of a policy's text, read leniently: a text that
// is no valid policy can hold a secret all the same.
func (c *cleaner) add(documents ...string) {
	for _, text := range documents {
		c.walk(json.NewDecoder(strings.NewReader(text)), 0)
	}
}

// walk reads one JSON value, in which all texts are secret within the value of
// a secret key, and says whether reading may go on.
func (c *cleaner) walk(d *json.Decoder, secret int) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	delim, nested := token.(json.Delim)
	if !nested {
		if text, ok := token.(string); ok && secret > 0 {
			c.note([]string{text})
		}
		return true
	}
	for d.More() {
		inside := secret
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return false
			}
			if name, ok := key.(string); ok && policy.SecretKey(name) {
				inside++
			}
		}
		if !c.walk(d, inside) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}

// request notes the secret values of a request.
func (c *cleaner) request(r *access.Request) {
	if r == nil {
		return
	}
	for key, v := range r.Context {
		if policy.SecretKey(key) {
			c.note(v.Values)
		}
	}
}

// note remembers values in every spelling in which a text may quote them. An
// account id is no secret, though some use it for one.
func (c *cleaner) note(values []string) {
	for _, v := range values {
		c.spell(parts(v)...)
	}
	// The longest first: one secret may begin with another.
	slices.SortFunc(c.secrets, func(a, b string) int { return len(b) - len(a) })
}

func (c *cleaner) spell(values ...string) {
	for _, v := range values {
		if len([]rune(v)) < minSecret || policy.IsAccountID(v) {
			continue
		}
		for _, spelled := range []string{v, inner(strconv.Quote(v)), inner(strconv.QuoteToASCII(v)), Plain(v, len(v)+1), visible(v, '\n')} {
			if len([]rune(spelled)) >= minSecret && !slices.Contains(c.secrets, spelled) {
				c.secrets = append(c.secrets, spelled)
			}
		}
	}
}

// parts gives what is secret of a value: the whole, what it means where ${*},
// ${?} and ${$} stand for themselves (IAM User Guide,
// reference_policies_variables), and what stands in or beside its variables. A
// value of AWS's own variables alone is none: sentences about it name them. A
// piece beside a variable may be a word, which would be hidden everywhere; one
// with a digit hardly is.
func parts(v string) []string {
	if !strings.Contains(v, "${") {
		return []string{v}
	}
	meant := strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(v)
	out := []string{v, meant}
	secret := meant != v
	for rest := v; rest != ""; {
		piece, after, variable := strings.Cut(rest, "${")
		inside, next, _ := strings.Cut(after, "}")
		rest = next
		secret = secret || piece != ""
		if strings.ContainsAny(piece, "0123456789") {
			out = append(out, piece)
		}
		name, otherwise, _ := strings.Cut(inside, ",")
		if otherwise = strings.Trim(otherwise, " '"); otherwise != "" {
			secret, out = true, append(out, otherwise)
		}
		if variable && !ownVariable(name) {
			_, tail, _ := strings.Cut(name, ":")
			secret, out = true, append(out, name, tail)
		}
	}
	if !secret {
		return nil
	}
	return out
}

// ownVariable says whether a variable is one of AWS's, which are no secrets.
func ownVariable(name string) bool {
	prefix, _, ok := strings.Cut(strings.ToLower(name), ":")
	return ok && (prefix == "aws" || prefix == "sts" || prefix == "saml")
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// masked takes secrets out of a text, before and after what hides in it is dropped.
func (c *cleaner) masked(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, mask)
	}
	return s
}

// line cleans a text of one line.
func (c *cleaner) line(s string) string {
	return limited(c.masked(Plain(c.masked(s), len(s)+1)), maxSentence)
}

// name cleans a name or an ARN.
func (c *cleaner) name(s string) string {
	return limited(c.masked(Plain(c.masked(s), len(s)+1)), maxName)
}

// lines cleans each text of a list.
func (c *cleaner) lines(texts []string) []string {
	var out []string
	for i, s := range texts {
		if i == maxReasons {
			return append(out, strconv.Itoa(len(texts)-i)+" more are not shown here.")
		}
		out = append(out, c.line(s))
	}
	return out
}

// diff cleans a text of several lines.
func (c *cleaner) diff(s string) string {
	return limitedLines(c.masked(visible(c.masked(s), '\n')), maxDiff)
}

// evidence cleans a finding's evidence.
func (c *cleaner) evidence(e finding.Evidence) Evidence {
	e.Sentence = c.line(e.Sentence)
	e.Others = c.lines(e.Others)
	if e.Principal != nil {
		p := *e.Principal
		p.ID, p.ARN, p.DeletedBy = c.name(p.ID), c.name(p.ARN), c.name(p.DeletedBy)
		p.DeletedEvent, p.LivesAgainAs, p.RenamedTo = c.name(p.DeletedEvent), c.name(p.LivesAgainAs), c.name(p.RenamedTo)
		p.DeletedAt = p.DeletedAt.UTC()
		e.Principal = &p
	}
	if e.Request != nil {
		e.Request = c.witness(*e.Request)
	}
	return e
}

// witness masks a request. One that cannot be shown as it is, since it holds
// marks or a text without end or is unreadable once masked, is not shown:
// another one would not be evidence. Its sentence stays.
func (c *cleaner) witness(r access.Request) *access.Request {
	r = r.Masked()
	faithful := true
	clean := func(s string) string {
		s = c.masked(s)
		faithful = faithful && Plain(s, maxName) == s
		return s
	}
	r.Role = clean(r.Role)
	r.Caller = access.Caller{
		AWS: clean(r.Caller.AWS), ID: clean(r.Caller.ID), Issuer: clean(r.Caller.Issuer),
		Service: clean(r.Caller.Service), Federated: clean(r.Caller.Federated),
	}
	r.Actions = slices.Clone(r.Actions)
	for i := range r.Actions {
		r.Actions[i] = clean(r.Actions[i])
	}
	context := make(map[string]access.Value, len(r.Context))
	for key, v := range r.Context {
		v.Values = slices.Clone(v.Values)
		for i := range v.Values {
			v.Values[i] = clean(v.Values[i])
		}
		context[clean(key)] = v
	}
	r.Context = context
	text, err := r.MarshalJSON()
	if err != nil || !faithful || len(text) > maxRequest {
		return nil
	}
	if _, err := access.ParseRequest(text); err != nil {
		return nil
	}
	return &r
}
