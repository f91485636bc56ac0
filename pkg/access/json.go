package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// ParseRequest reads the JSON form of a request:
//
//	{"action": "sts:AssumeRole", "role": ARN,
//	 "caller": {"aws": ARN, "id": ID, "issuer": ROLE-ARN} | {"service": NAME} | {"federated": ARN-or-name},
//	 "context": {KEY: "text" | ["text", ...] | null}}
//
// action may be a list, all of which must be allowed; null means that the key
// is absent, and stays so (see Complete). Members that it does not know,
// members given twice and anything after the end are errors, each with its
// place. An error holds no value of a secret key.
func ParseRequest(text []byte) (Request, error) {
	d := &requestReader{dec: jsontext.NewDecoder(bytes.NewBuffer(text))}
	var r Request
	if err := d.object(func(name string) error { return d.member(&r, name) }); err != nil {
		return Request{}, err
	}
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Request{}, d.fail("something follows the end of the request", "write one JSON object")
	}
	if err := r.check(); err != nil {
		return Request{}, err
	}
	return r, nil
}

// UnmarshalJSON is ParseRequest for programs that decode larger texts.
func (r *Request) UnmarshalJSON(text []byte) error {
	parsed, err := ParseRequest(text)
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// check refuses a request that nobody could make.
func (r *Request) check() error {
	c := &r.Caller
	set := 0
	for _, s := range []string{c.AWS, c.Service, c.Federated} {
		if s != "" {
			set++
		}
	}
	switch {
	case len(r.Actions) == 0:
		return errors.New(`request: action is missing: write "action": "sts:AssumeRole"`)
	case set == 0:
		return errors.New(`request: caller is missing: write "caller": {"aws": ARN}, {"service": NAME} or {"federated": ARN}`)
	case set > 1:
		return errors.New("request: caller: it has several of aws, service and federated: keep one")
	case c.AWS == "" && (c.ID != "" || c.Issuer != ""):
		return errors.New("request: caller: id and issuer belong beside aws only: remove them")
	}
	if r.Role != "" {
		if p, err := policy.ParsePrincipal("AWS", r.Role); err != nil || p.Kind != policy.Role {
			return fmt.Errorf("request: role %s is not the ARN of a role: write arn:aws:iam::ACCOUNT:role/NAME", short(r.Role))
		}
	}
	if c.AWS == "" {
		return nil
	}
	alone := *c
	alone.Issuer = ""
	if _, ok := alone.principal(); !ok {
		return fmt.Errorf("request: caller.aws %s is not the ARN of a user, role, session, federated user or account root: "+
			"write one such as arn:aws:iam::ACCOUNT:user/NAME", short(c.AWS))
	}
	if _, ok := c.principal(); !ok {
		return fmt.Errorf("request: caller.issuer %s is not the ARN of the role of that session: "+
			"write arn:aws:iam::ACCOUNT:role/PATH/NAME", short(c.Issuer))
	}
	return nil
}

// short quotes a value for an error.
func short(s string) string {
	if runes := []rune(s); len(runes) > 100 {
		return strconv.QuoteToASCII(string(runes[:100])) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// requestReader reads tokens and knows where it is.
type requestReader struct {
	dec  *jsontext.Decoder
	path []string
}

// fail makes an error at the current place.
func (d *requestReader) fail(problem, remedy string) error {
	place := ""
	for _, name := range d.path {
		if place != "" && name[0] != '[' {
			place += "."
		}
		place += printable(name)
	}
	if place != "" {
		place += ": "
	}
	return fmt.Errorf("request: %s%s: %s", place, problem, remedy)
}

// within reads something that belongs to a name.
func (d *requestReader) within(name string, read func() error) error {
	d.path = append(d.path, name)
	if err := read(); err != nil {
		return err
	}
	d.path = d.path[:len(d.path)-1]
	return nil
}

func (d *requestReader) token() (jsontext.Token, error) {
	tok, err := d.dec.ReadToken()
	if err == nil {
		return tok, nil
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return tok, d.fail("a name appears twice", "keep one")
	}
	// The decoder's own words quote the text, which may hold a secret.
	return tok, d.fail(fmt.Sprintf("this is not valid JSON near byte %d", d.dec.InputOffset()), "write plain JSON in UTF-8")
}

// object reads an object; an empty name is handed on as "".
func (d *requestReader) object(member func(name string) error) error {
	tok, err := d.token()
	if err != nil {
		return err
	}
	if tok.Kind() != '{' {
		return d.fail("this must be an object", "put it in braces")
	}
	for {
		tok, err := d.token()
		if err != nil {
			return err
		}
		if tok.Kind() == '}' {
			return nil
		}
		name := tok.String()
		if name == "" {
			return d.fail("a name is empty", "name the member")
		}
		if err := d.within(name, func() error { return member(name) }); err != nil {
			return err
		}
	}
}

func (d *requestReader) member(r *Request, name string) error {
	switch name {
	case "action":
		v, err := d.value()
		if err == nil && v.IsAbsent() {
			err = d.fail("this must be a string or a list of strings", `write "sts:AssumeRole"`)
		}
		for _, a := range v.Values {
			if err == nil && (!strings.Contains(a, ":") || strings.ContainsAny(a, "*?")) {
				err = d.fail(short(a)+" is not one action", "write sts:AssumeRole")
			}
		}
		r.Actions = v.Values
		return err
	case "role":
		return d.text(&r.Role)
	case "caller":
		return d.object(func(name string) error { return d.callerMember(&r.Caller, name) })
	case "context":
		r.Context = map[string]Value{}
		return d.object(func(key string) error { return d.contextMember(r, key) })
	default:
		return d.fail("unknown member", "write one of action, role, caller, context")
	}
}

func (d *requestReader) callerMember(c *Caller, name string) error {
	switch name {
	case "aws":
		return d.text(&c.AWS)
	case "id":
		return d.text(&c.ID)
	case "issuer":
		return d.text(&c.Issuer)
	case "service":
		return d.text(&c.Service)
	case "federated":
		return d.text(&c.Federated)
	default:
		return d.fail("unknown member", "write one of aws, id, issuer, service, federated")
	}
}

func (d *requestReader) contextMember(r *Request, key string) error {
	if _, twice := r.find(key); twice {
		return d.fail("this key appears twice; case does not count in names of keys", "keep one")
	}
	v, err := d.value()
	r.Context[key] = v
	return err
}

// text reads a string that is not empty.
func (d *requestReader) text(to *string) error {
	tok, err := d.token()
	if err != nil {
		return err
	}
	if tok.Kind() != '"' || tok.String() == "" {
		return d.fail("this must be a string and not empty", "write its value or leave the member out")
	}
	*to = tok.String()
	return nil
}

// value reads a string, a list of strings, or null.
func (d *requestReader) value() (Value, error) {
	tok, err := d.token()
	if err != nil {
		return Value{}, err
	}
	switch tok.Kind() {
	case 'n':
		return Absent(), nil
	case '"':
		return One(tok.String()), nil
	case '[':
	default:
		return Value{}, d.fail("this must be a string, a list of strings or null", "put numbers and booleans in quotation marks")
	}
	v := Value{Many: true}
	for i := 0; ; i++ {
		done := false
		err := d.within("["+strconv.Itoa(i)+"]", func() error {
			tok, err := d.token()
			if err != nil {
				return err
			}
			switch tok.Kind() {
			case ']':
				done = true
			case '"':
				v.Values = append(v.Values, tok.String())
			default:
				return d.fail("this must be a string", "put numbers and booleans in quotation marks")
			}
			return nil
		})
		if err != nil || done {
			return v, err
		}
	}
}
