package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

type compareVerb struct {
	Old string `arg:"" help:"The trust policy as it was; - is standard input." placeholder:"OLD"`
	New string `arg:"" help:"The trust policy as it is to be." placeholder:"NEW"`
	situation
	form
	secrecy
}

// Help is the verb's long help.
func (compareVerb) Help() string {
	return `It looks at all requests at once, not at the text: two policies that are written differently and let in the same people are equal. What NEW lets in that OLD does not is shown as one concrete request, and what OLD let in that NEW does not as another.

    rolewarden compare main.json branch.json
    git show HEAD:trust.json | rolewarden compare - trust.json

Status: 0 nothing new; 1 NEW allows a request that OLD does not; 2 undecided, or a file is no valid policy; 3 a file could not be read. Access that is only lost is status 0.`
}

// compared is the JSON form of the result. Null means undecided.
type compared struct {
	NewAccess   *bool           `json:"newAccess"`
	Witness     *access.Request `json:"witness,omitempty"`
	LostAccess  *bool           `json:"lostAccess"`
	LostWitness *access.Request `json:"lostWitness,omitempty"`
	Undecided   string          `json:"undecided,omitempty"`
}

// Run compares the two policies.
func (v compareVerb) Run(s *session) error {
	o, r, err := v.learn(s)
	if err != nil {
		return err
	}
	before, undecided, err := v.policyAt(s, v.Old)
	if err != nil {
		return err
	}
	after, why, err := v.policyAt(s, v.New)
	if err != nil {
		return err
	}
	undecided = append(undecided, why...)
	var result compared
	if len(undecided) == 0 {
		c := v.everywhere(before, after, worlds(before, after, o, r, s))
		result.NewAccess, result.LostAccess = yesNo(c.New), yesNo(c.Lost)
		result.Witness, result.LostWitness = v.shown(c.New.Witness), v.shown(c.Lost.Witness)
		undecided = append(append(undecided, c.New.Undecided...), c.Lost.Undecided...)
		slices.Sort(undecided)
		undecided = slices.Compact(undecided)
	}
	result.Undecided = strings.Join(undecided, "; ")
	s.end(result.status())
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	return v.print(s, result)
}

// policyAt reads a policy. The reasons say why what was read is none.
func (v compareVerb) policyAt(s *session, path string) (d policy.Document, reasons []string, err error) {
	text, err := s.read(path, policyLimit)
	if err != nil {
		return d, nil, err
	}
	d, err = policy.Parse(text)
	if err != nil {
		return d, []string{path + ": " + err.Error()}, nil //nolint:nilerr // what was read and is no policy is undecided
	}
	return d, nil, nil
}

func (c compared) status() Status {
	switch {
	case c.NewAccess != nil && *c.NewAccess:
		return Found
	case c.NewAccess == nil || c.LostAccess == nil:
		return Undecided
	default:
		return Fine
	}
}

// yesNo gives whether an access exists, nil when that is undecided.
func yesNo(a proof.Answer) *bool {
	switch a.Outcome {
	case proof.Found, proof.None:
		found := a.Outcome == proof.Found
		return &found
	case proof.Unknown:
		return nil
	default:
		return nil
	}
}

// mostWorlds bounds how many accounts are tried as the role's own.
const mostWorlds = 32

// The texts that name an account or an organization, wherever they stand.
var (
	accountText      = regexp.MustCompile(`\b[0-9]{12}\b`)
	organizationText = regexp.MustCompile(`\bo-[a-z0-9]{10,32}\b`)
)

// worlds gives every reading of what was not said: whose account the role is
// in, and which organization that account is in. The first takes them for ones
// that no document names.
func worlds(before, after policy.Document, o *org.Rules, r role.Role, s *session) []proof.World {
	text := string(before.Print()) + "\n" + string(after.Print())
	owns, organizations := []string{r.Account}, []string{o.Organization.ID}
	if r.Account == "" {
		owns = append([]string{unnamed(text, o)}, unique(accountText.FindAllString(text, -1))...)
	}
	if o.Organization.ID == "" {
		organizations = append(organizations, unique(organizationText.FindAllString(text, -1))...)
	}
	var out []proof.World
	for _, organization := range organizations {
		known := *o
		known.Organization.ID = organization
		for _, own := range owns {
			r.Account = own
			out = append(out, rules.World(rules.Input{Role: r, Org: &known, Now: s.now()}))
		}
	}
	return out
}

// unnamed gives an account that nothing names.
func unnamed(text string, o *org.Rules) string {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%012d", 111122223333+i)
		if _, partner := o.Partner(id); !partner && !o.Member(id) && !strings.Contains(text, id) {
			return id
		}
	}
}

func unique(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// everywhere compares under every reading; an answer that is not the same
// under all of them is none.
func (v compareVerb) everywhere(before, after policy.Document, worlds []proof.World) proof.Comparison {
	first := proof.Compare(before, after, worlds[0])
	tried := min(len(worlds), mostWorlds)
	for _, w := range worlds[1:tried] {
		c := proof.Compare(before, after, w)
		first.New = agree(first.New, c.New, worlds[0], w)
		first.Lost = agree(first.Lost, c.Lost, worlds[0], w)
	}
	if tried < len(worlds) {
		const why = "the policies name too many accounts to try each as the role's own: say which role this is with --role-arn"
		first.New = open(why, first.New)
		first.Lost = open(why, first.Lost)
	}
	return first
}

func agree(first, other proof.Answer, a, b proof.World) proof.Answer {
	switch {
	case first.Outcome == other.Outcome:
		return first
	case first.Outcome == proof.Unknown:
		return first
	case other.Outcome == proof.Unknown:
		return other
	case a.Own != b.Own:
		return open("whether account "+b.Own+" is the role's own decides this: say which role this is with --role-arn", first)
	default:
		return open("whether "+b.OrganizationID+" is the role's own organization decides this: name the organization in the rules file (organization.id)", first)
	}
}

// open gives an answer that is left open, with the reason.
func open(why string, a proof.Answer) proof.Answer {
	return proof.Answer{Outcome: proof.Unknown, Undecided: append([]string{why}, a.Undecided...)}
}

func (v compareVerb) print(s *session, c compared) error {
	var b strings.Builder
	for _, half := range []struct {
		access  *bool
		witness *access.Request
		yes, no string
		unknown string
	}{
		{c.NewAccess, c.Witness, red.Render("new access") + ": NEW allows what OLD does not", green.Render("no new access") + ": NEW allows nothing that OLD does not", "new access"},
		{c.LostAccess, c.LostWitness, "lost access: NEW no longer allows what OLD does", "no lost access: NEW allows all that OLD does", "lost access"},
	} {
		switch {
		case half.access == nil:
			fmt.Fprintf(&b, "%s: %s\n", half.unknown, amber.Render("undecided"))
		case *half.access:
			fmt.Fprintln(&b, half.yes)
			if err := describeRequest(&b, half.witness); err != nil {
				return err
			}
		default:
			fmt.Fprintln(&b, half.no)
		}
	}
	if c.Undecided != "" {
		fmt.Fprintf(&b, "%s %s\n", amber.Render("undecided:"), plain(c.Undecided))
	}
	return s.show(b.String())
}

// describeRequest writes a request as a sentence and as the JSON that evaluate takes.
func describeRequest(b *strings.Builder, r *access.Request) error {
	if r == nil {
		return nil
	}
	text, err := r.MarshalJSON()
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	line(b, "", r.Sentence())
	line(b, "request", string(text))
	return nil
}
