package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// proposal is the JSON form of a mended policy.
type proposal struct {
	Rules    []string        `json:"rules"`
	Document json.RawMessage `json:"document"`
	// Diff is left out where it would show a secret.
	Diff string `json:"diff,omitempty"`
}

// propose gives the proposal for a policy that was read, and tells on standard
// error what it mends, what it leaves, and how to apply or to see it.
func (v checkVerb) propose(s *session, in rules.Input, path string, text []byte, report finding.Report) (*proposal, error) {
	var open []string
	for _, f := range report.Open() {
		if !slices.Contains(open, f.Rule) {
			open = append(open, f.Rule)
		}
	}
	d, err := policy.Parse(text)
	if err != nil || len(open) == 0 {
		return nil, nil //nolint:nilerr // what is no policy is told of as Undecided, and has nothing to mend
	}
	in.Document = d
	p, ok := rules.Propose(in, report)
	left := slices.DeleteFunc(slices.Clone(open), func(rule string) bool { return ok && slices.Contains(p.Rules, rule) })
	if len(left) > 0 {
		s.note(fmt.Sprintf("%s: no proposal for %s: what is meant is for people to say, see rolewarden check", path, strings.Join(left, ", ")))
	}
	if !ok {
		return nil, nil
	}
	out := &proposal{Rules: p.Rules, Document: p.Document.Masked().Print()}
	if v.ShowSecrets {
		out.Document = p.Document.Print()
	}
	after, err := rewritten(text, p.Document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if is, was := sizeOf(p.Document), sizeOf(d); is > grants.MaxTrust && is > was {
		s.note(fmt.Sprintf("%s: the proposal makes the policy %d characters long without blank space, where it has %d; IAM takes %d unless the account's quota was raised", path, is, was, grants.MaxTrust))
	}
	diff := unified(filepath.ToSlash(filepath.Clean(path)), text, after, v.hides(d, p.Document))
	switch {
	case diff.secret > 0:
		s.note(fmt.Sprintf("%s: the proposal for %s changes line %d, which holds an external ID: add --show-secrets to see it", path, strings.Join(p.Rules, ", "), diff.secret))
		return out, nil
	case diff.bare:
		s.note(path + ": a line that holds an external ID is left out of the diff beside a change: apply it with patch -p1 or git apply --unidiff-zero, or add --show-secrets")
	}
	out.Diff = string(diff.text)
	return out, nil
}

// sizeOf counts the characters of a policy as IAM does, which leaves out blank
// space (IAM User Guide, reference_iam-quotas).
func sizeOf(d policy.Document) int {
	n := 0
	for _, r := range string(d.Print()) {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// hides tells of the lines of a text that hold a secret of one of two documents.
func (v checkVerb) hides(documents ...policy.Document) func([]byte) []bool {
	var secrets []string
	for _, d := range documents {
		for _, st := range d.Statements {
			for _, c := range st.Conditions {
				if !policy.SecretKey(c.Key) || v.ShowSecrets {
					continue
				}
				for _, value := range c.Values {
					if strings.Trim(value, "*?") != "" {
						secrets = append(secrets, value)
					}
				}
			}
		}
	}
	return func(text []byte) []bool { return linesWith(text, secrets) }
}

// linesWith tells of each line of a JSON text whether it holds one of some
// texts, however it is spelled there: as a whole, or, if it is long enough to be
// no accident, as a part.
func linesWith(text []byte, secrets []string) []bool {
	const noAccident = 8
	out := make([]bool, strings.Count(string(text), "\n")+1)
	v, err := hujson.Parse(text)
	if err != nil {
		return out
	}
	for e := range v.All() {
		word, ok := e.Value.(hujson.Literal)
		if !ok {
			continue
		}
		held := word.String()
		for _, secret := range secrets {
			if held == secret || utf8.RuneCountInString(secret) >= noAccident && strings.Contains(held, secret) {
				out[strings.Count(string(text[:e.StartOffset]), "\n")] = true
			}
		}
	}
	return out
}

// printDiffs writes the diffs of all policies, and nothing else, so that the
// output can be applied.
func (v checkVerb) printDiffs(s *session, result checked) error {
	for _, p := range result.Policies {
		if p.Proposal == nil {
			continue
		}
		if _, err := s.out.Write([]byte(p.Proposal.Diff)); err != nil {
			return errors.Join(errors.New("writing the diff"), err)
		}
	}
	return nil
}
