package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// longestLine bounds one line of evaluate: a policy of the greatest size, with
// every character escaped, and a request.
const longestLine = 1 << 20

type evaluateVerb struct {
	File   string `arg:"" optional:"" default:"-" help:"JSON lines; - is standard input." placeholder:"FILE"`
	Format Format `help:"json for programs (see rolewarden schema evaluate), text for people." enum:"text,json" default:"json" placeholder:"text|json"`
	Rules  string `help:"The rules file, which tells whose organization an account is in (aws:PrincipalOrgID)." placeholder:"FILE"`
}

// Help is the verb's long help.
func (evaluateVerb) Help() string {
	return `Each line holds a policy, as an object or as a string, and a request. One line comes out for each, at once:

    {"policy":{"Version":"2012-10-17","Statement":[...]},"request":{"action":"sts:AssumeRole","role":"arn:aws:iam::111122223333:role/app","caller":{"aws":"arn:aws:iam::444455556666:user/alice"},"context":{"sts:RoleSessionName":"alice"}}}

    {"decision":"Allowed","statements":[0],"reason":"..."}

The decision is the trust policy's alone: Allowed, Denied or Undecided. Several actions ("action":[...]) must all be allowed; null in the context says that a key is absent. Keys that follow from the caller (aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:username, aws:userid, aws:PrincipalOrgID) are filled in when they are not given.

A line that cannot be used gives {"error":"..."}, the others go on, and the status is 3. Denied is a result like any other: status 0. Undecided is status 2.`
}

// answer is one line of output.
type answer struct {
	Decision   string `json:"decision"`
	Statements []int  `json:"statements"`
	Reason     string `json:"reason"`
}

// refusal is the line of output for a line that cannot be used.
type refusal struct {
	Error string `json:"error"`
}

// Run decides every line.
func (v evaluateVerb) Run(s *session) error {
	o, err := s.organization(v.Rules)
	if err != nil {
		return err
	}
	in := s.in
	if v.File == standardInput {
		if s.stdin {
			return errReadAlready
		}
	} else {
		f, err := os.Open(v.File)
		if err != nil {
			return broken(v.File, err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	lines := bufio.NewReaderSize(in, 64<<10)
	out := bufio.NewWriter(s.out)
	for number := 1; ; number++ {
		line, tooLong, err := nextLine(lines)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return errors.Join(out.Flush(), broken(v.File, err))
		}
		if err := s.evaluateLine(out, v.Format, o, line, tooLong, number); err != nil {
			return err
		}
		// A reader at the other end of a pipe gets each answer at once.
		if last || lines.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return fmt.Errorf("writing the answers: %w", err)
			}
		}
		if last {
			return nil
		}
	}
}

// lineLength says whether a line fits. The zero value is a line that does.
type lineLength uint8

const (
	fits lineLength = iota
	tooLong
)

// nextLine reads a line of any length, and keeps no more of it than is allowed.
func nextLine(r *bufio.Reader) ([]byte, lineLength, error) {
	var line []byte
	length := fits
	for {
		piece, err := r.ReadSlice('\n')
		if length == fits {
			line = append(line, piece...)
		}
		if len(line) > longestLine {
			line, length = nil, tooLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, length, err
		}
	}
}

// evaluateLine answers one line; blank lines have no answer.
func (s *session) evaluateLine(out io.Writer, format Format, o *org.Rules, line []byte, length lineLength, number int) error {
	line = bytes.TrimSpace(line)
	if len(line) == 0 && length == fits {
		return nil
	}
	a, err := evaluateOne(o, line, length)
	var result any = a
	switch {
	case err != nil:
		s.end(Unusable)
		a = answer{Decision: "error", Reason: fmt.Sprintf("line %d: %v", number, err)}
		result = refusal{a.Reason}
	case a.Decision == access.Undecided.String():
		s.end(Undecided)
	}
	if format == Text {
		if _, err := fmt.Fprintf(out, "%-9s  %s\n", a.Decision, a.Reason); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
		return nil
	}
	return writeLine(out, result)
}

// writeLine writes a value as one line of JSON, without escapes for HTML.
func writeLine(out io.Writer, value any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// question is one line of input.
type question struct {
	Policy  jsontext.Value `json:"policy"`
	Request jsontext.Value `json:"request"`
}

func evaluateOne(o *org.Rules, line []byte, length lineLength) (answer, error) {
	if length == tooLong {
		return answer{}, fmt.Errorf("longer than %d bytes: give one policy and one request a line", longestLine)
	}
	var q question
	if err := jsonv2.Unmarshal(line, &q, jsonv2.RejectUnknownMembers(true)); err != nil {
		return answer{}, shape(err)
	}
	if q.Policy == nil || q.Request == nil {
		return answer{}, errors.New(`policy or request is missing: write {"policy": ..., "request": ...}`)
	}
	d, err := policyOf(q.Policy)
	if err != nil {
		return answer{}, fmt.Errorf("policy: %w", err)
	}
	r, err := access.ParseRequest(q.Request)
	if err != nil {
		return answer{}, err
	}
	result := access.Evaluate(d, r.Complete(o))
	return answer{Decision: result.Decision.String(), Statements: append([]int{}, result.Statements...), Reason: result.Reason}, nil
}

// shape says what is wrong with the frame of a line. The decoder's own words
// quote the text, which may hold a secret.
func shape(err error) error {
	const remedy = `write one object {"policy": ..., "request": ...} a line`
	var semantic *jsonv2.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("a name appears twice: keep one")
	case errors.Is(err, jsonv2.ErrUnknownName):
		return errors.New("an unknown member beside policy and request: leave it out")
	case errors.As(err, &syntactic):
		return fmt.Errorf("no valid JSON near byte %d: %s", syntactic.ByteOffset, remedy)
	case errors.As(err, &semantic):
		return fmt.Errorf("no JSON object: %s", remedy)
	default:
		return fmt.Errorf("unreadable: %s", remedy)
	}
}

// policyOf reads a policy that is written as an object or as a string.
func policyOf(value jsontext.Value) (policy.Document, error) {
	if value.Kind() != '"' {
		return policy.Parse(value)
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return policy.Document{}, errors.New("the string is no valid UTF-8: write it again")
	}
	return policy.Parse(text)
}
