package lab

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/lab/ordered"
)

// trust is a role's trust policy as IAM keeps it: principals of the AWS kind
// are unique IDs. sent is the document as it was sent.
type trust struct {
	sent   string
	stored *ordered.Node
	policy *judge.Policy
}

const (
	defaultTrustPolicyQuota = 2048
	// policyParameterLimit is the API's own limit on a document.
	policyParameterLimit = 131072
)

// newTrust reads a document as IAM does on save.
func (l *Lab) newTrust(document string, now time.Time) (*trust, error) {
	if err := checkPolicyText(document); err != nil {
		return nil, err
	}
	root, policy, err := parsePolicy(document)
	if err != nil {
		return nil, err
	}
	if err := checkTrust(policy); err != nil {
		return nil, err
	}
	t, err := newStored(document, root, func(kind, name string) (string, error) {
		return l.storePrincipal(kind, name, now)
	})
	if err != nil {
		return nil, err
	}
	if size := visibleSize(document); size > l.config.TrustPolicyQuota {
		return nil, limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", l.config.TrustPolicyQuota)
	}
	return t, nil
}

// newStored replaces the principals and reads the result once for the judge.
func newStored(document string, root *ordered.Node, store func(kind, name string) (string, error)) (*trust, error) {
	stored, err := mapPrincipals(root, store)
	if err != nil {
		return nil, err
	}
	policy, err := judge.FromTree(stored)
	if err != nil {
		return nil, malformedPolicy("Syntax errors in policy.")
	}
	return &trust{sent: document, stored: stored, policy: policy}, nil
}

var policyText = regexp.MustCompile(`^[\x{9}\x{A}\x{D}\x{20}-\x{FF}]+$`)

func checkPolicyText(document string) error {
	if len([]rune(document)) > policyParameterLimit {
		return validation("1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: Member must have length less than or equal to %d", policyParameterLimit)
	}
	if !policyText.MatchString(document) {
		return validation("The specified value for policyDocument is invalid. It must contain only printable ASCII characters.")
	}
	return nil
}

// visibleSize counts the characters that AWS's quotas count.
func visibleSize(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// parsePolicy reads any policy and answers with IAM's texts.
func parsePolicy(document string) (*ordered.Node, *judge.Policy, error) {
	root, err := ordered.Parse([]byte(document))
	if err != nil {
		return nil, nil, malformedPolicy("This policy contains invalid Json")
	}
	if leadingSpace(root) {
		return nil, nil, malformedPolicy("JSON strings must not have leading spaces")
	}
	policy, err := judge.FromTree(root)
	if err != nil {
		var op judge.UnknownOperatorError
		if asError(err, &op) {
			return nil, nil, malformedPolicy("Invalid Condition type : %s.", string(op))
		}
		return nil, nil, malformedPolicy("Syntax errors in policy.")
	}
	return root, policy, checkSids(policy)
}

func leadingSpace(n *ordered.Node) bool {
	if n.Kind == ordered.String && strings.HasPrefix(n.Text, " ") {
		return true
	}
	if slices.ContainsFunc(n.Items, leadingSpace) {
		return true
	}
	for _, m := range n.Members {
		// Condition values may begin with a blank; nothing else may.
		if m.Name != "Condition" && leadingSpace(m.Value) {
			return true
		}
	}
	return false
}

var sidPattern = regexp.MustCompile(`^[0-9A-Za-z]*$`)

func checkSids(policy *judge.Policy) error {
	seen := map[string]bool{}
	for _, st := range policy.Statements {
		if !sidPattern.MatchString(st.Sid) {
			return malformedPolicy("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if st.Sid != "" && seen[st.Sid] {
			return malformedPolicy("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[st.Sid] = true
	}
	return nil
}

// checkTrust refuses what IAM refuses in a trust policy and nowhere else.
func checkTrust(policy *judge.Policy) error {
	for _, st := range policy.Statements {
		switch {
		case st.Resource != nil:
			return malformedPolicy("Has prohibited field Resource")
		case st.NotResource != nil:
			return malformedPolicy("Has prohibited field NotResource")
		case st.NotPrincipal != nil:
			return malformedPolicy("Has prohibited field NotPrincipal")
		case st.Principal == nil:
			return malformedPolicy("Missing required field Principal")
		case st.Principal.Everyone:
			return malformedPolicy(`AssumeRolepolicy contained an invalid principal: "STAR":"*".`)
		}
		for _, action := range st.Action {
			if !trustAction(action) {
				return malformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	}
	return nil
}

// trustActions are what a trust policy may speak of.
var trustActions = []string{
	"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
	"sts:tagsession", "sts:setsourceidentity", "sts:setcontext",
}

func trustAction(action string) bool {
	action = fold(action)
	if !strings.HasPrefix(action, "sts:") {
		return false
	}
	probe := &judge.Policy{Statements: []judge.Statement{{
		Effect: judge.Allow, Action: []string{action}, Resource: []string{"*"},
	}}}
	return slices.ContainsFunc(trustActions, func(known string) bool {
		return probe.Identity(judge.Request{Action: known}).Effect == judge.Allow
	})
}

// checkIdentityPolicy reads a permission policy as PutRolePolicy does.
func checkIdentityPolicy(document string) (*judge.Policy, error) {
	if err := checkPolicyText(document); err != nil {
		return nil, err
	}
	_, policy, err := parsePolicy(document)
	if err != nil {
		return nil, err
	}
	for _, st := range policy.Statements {
		switch {
		case st.Principal != nil:
			return nil, malformedPolicy("Policy document should not specify a principal.")
		case st.NotPrincipal != nil:
			return nil, malformedPolicy("Has prohibited field NotPrincipal")
		case st.Resource == nil && st.NotResource == nil:
			return nil, malformedPolicy("Policy statement must contain resources.")
		}
	}
	return policy, nil
}

// shown is the document as IAM gives it back: compact, IDs of living owners
// turned into ARNs.
func (l *Lab) shown(t *trust) string {
	root, err := mapPrincipals(t.stored, func(_, name string) (string, error) { return l.showPrincipal(name), nil })
	if err != nil {
		return t.sent
	}
	return string(root.Bytes())
}

func badRequest(code, format string, args ...any) *problem {
	return fail(http.StatusBadRequest, code, format, args...)
}
