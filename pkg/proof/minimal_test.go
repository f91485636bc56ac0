package proof

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// readPolicies gives the documents of the corpus that parse, by path.
func readPolicies(t testing.TB) map[string]policy.Document {
	t.Helper()
	out := map[string]policy.Document{}
	root := os.DirFS("../../testdata/policies")
	err := fs.WalkDir(root, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if d, bad := policy.Parse(text); bad == nil {
			out[path] = d
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range typical {
		out["typical "+name] = parse(t, text)
	}
	return out
}

// regions are questions such as rules ask.
func regions() map[string]Query {
	w := world()
	loose := w
	loose.OtherMembers = MayBeMore
	all := []Callers{{Kind: Users}, {Kind: RoleSessions}, {Kind: Services}}
	return map[string]Query{
		"anybody":           {World: w, Callers: all, Actions: assume},
		"outsiders":         {World: w, Callers: outsiders(), Actions: assume},
		"unlisted members":  {World: loose, Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Fails, "StringEquals", "aws:PrincipalOrgID", "o-exampleorg1")}},
		"another name":      {World: w, Callers: users(), Actions: assume, Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", "${aws:username}")}},
		"another id":        {World: w, Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Fails, "StringEquals", "sts:ExternalId", "acme-0123456789")}},
		"no MFA":            {World: w, Callers: users(), Actions: assume, Where: [][]Requirement{require(Fails, "Bool", "aws:MultiFactorAuthPresent", "true")}},
		"a source identity": {World: w, Callers: all, Actions: assume, Where: [][]Requirement{require(Holds, "Null", "sts:SourceIdentity", "false")}},
		"a tag":             {World: w, Callers: all, Actions: assume, Where: [][]Requirement{require(Holds, "Null", "aws:RequestTag/team", "false")}},
		"web identities":    {World: w, Callers: []Callers{{Kind: OIDCIdentities}}, Actions: []string{"sts:AssumeRoleWithWebIdentity"}},
		"SAML identities":   {World: w, Callers: []Callers{{Kind: SAMLIdentities}}, Actions: []string{"sts:AssumeRoleWithSAML"}},
		"services": {World: w, Callers: []Callers{{Kind: Services}}, Actions: assume, Where: [][]Requirement{
			require(Fails, "StringEquals", "aws:SourceAccount", "111122223333"), require(Fails, "ArnLike", "aws:SourceArn", "arn:aws:*:*:111122223333:*"),
		}},
	}
}

// needed are keys that a caller of a kind shows whatever the request is.
var needed = []string{"sts:rolesessionname", "saml:aud", "saml:iss", "saml:sub", "saml:sub_type", "aws:requestedregion", "aws:currenttime", "aws:epochtime"}

// TestNoKeyOfAWitnessCanGo is the promise that a witness is minimal: of what it
// shows beside who calls, no key and no value of a set can be left out with the
// request still allowed and still in the region. Over the corpus, and over the
// documents of the small world.
func TestNoKeyOfAWitnessCanGo(t *testing.T) {
	eachWitness(t, func(path string, d policy.Document, q Query, full access.Request) {
		for key, value := range full.Context {
			if slices.Contains(needed, strings.ToLower(key)) || isDerived(key) {
				continue
			}
			for _, smaller := range smallerValues(value) {
				r := full
				r.Context = maps.Clone(full.Context)
				if r.Context[key] = smaller; smaller.IsAbsent() {
					delete(r.Context, key)
				}
				if possible(r, full, key) && inRegion(d, r, q) {
					t.Errorf("%s: %s is not needed as %v: %+v", path, key, value, full.Context)
				}
			}
		}
	})
}

// TestValuesAreNaturalWhereFree is the promise that a witness is readable: no
// value that was searched for stands where a natural one would do, nor does a
// caller.
func TestValuesAreNaturalWhereFree(t *testing.T) {
	eachWitness(t, func(path string, d policy.Document, q Query, full access.Request) {
		for key, value := range full.Context {
			row := lookupKey(lowerKey(key))
			if value.Many || isDerived(key) || slices.Contains(row.natural, value.Values[0]) || lowerKey(key) == "aws:currenttime" || lowerKey(key) == "aws:sourceidentity" {
				continue
			}
			for _, natural := range row.natural {
				r := full
				r.Context = maps.Clone(full.Context)
				r.Context[key] = access.One(natural)
				if possible(r, full, key) && agree(r) && inRegion(d, r, q) {
					t.Errorf("%s: %s could be %s in place of %v", path, key, natural, value)
				}
			}
		}
		if full.Caller.AWS == "" || strings.Contains(full.Caller.AWS, "assumed-role") {
			return
		}
		account, name := arnAccount(full.Caller.AWS), look(full.Caller.AWS, nameWindow)
		if full.Caller.AWS == "arn:aws:iam::"+account+":user/"+name && slices.Contains(naturalUsers, name) {
			return
		}
		r := full
		r.Context = maps.Clone(full.Context)
		for key := range full.Context {
			if key == "aws:username" || key == "aws:PrincipalArn" {
				delete(r.Context, key)
			}
		}
		r.Caller.AWS = "arn:aws:iam::" + account + ":user/mallory"
		if r = r.Complete(nil); inRegion(d, r, q) {
			t.Errorf("%s: the caller could be mallory: %s", path, full.Caller.AWS)
		}
	})
}

// agree reports whether a source ARN and a source account agree.
func agree(r access.Request) bool {
	arn, ok := r.Get("aws:SourceArn")
	account, both := r.Get("aws:SourceAccount")
	return !ok || !both || arnAccount(arn.Values[0]) == "" || arnAccount(arn.Values[0]) == account.Values[0]
}

func isDerived(key string) bool {
	return strings.HasPrefix(key, "aws:Principal") && !strings.HasPrefix(key, "aws:PrincipalTag") || key == "aws:username" || key == "aws:userid"
}

// eachWitness visits the witnesses that regions have in the corpus and in
// documents of the small world.
func eachWitness(t *testing.T, visit func(string, policy.Document, Query, access.Request)) {
	documents := readPolicies(t)
	for seed := range 600 {
		g := newSmall(uint64(3_000_000 + seed))
		documents["small "+strconv.Itoa(seed)] = g.document(g.keys())
	}
	witnesses := 0
	for path, d := range documents {
		for name, q := range regions() {
			if a := Find(d, q); a.Outcome == Found {
				witnesses++
				visit(path+", "+name, d, q, *a.Witness)
			}
		}
	}
	t.Logf("%d documents, %d witnesses", len(documents), witnesses)
}

func smallerValues(v access.Value) []access.Value {
	out := []access.Value{{}}
	for i := range v.Values {
		if v.Many && len(v.Values) > 1 {
			out = append(out, access.Many(slices.Delete(slices.Clone(v.Values), i, i+1)...))
		}
	}
	return out
}

// possible reports whether AWS could show a request that lacks what another one has.
func possible(r access.Request, full access.Request, key string) bool {
	switch strings.ToLower(key) {
	case "aws:username", "aws:userid", "aws:federatedprovider", "aws:sourceidentity":
		return false
	case "aws:multifactorauthpresent", "aws:tokenissuetime":
		// Temporary credentials show both, an MFA sign-in shows its presence.
		_, age := r.Get("aws:MultiFactorAuthAge")
		_, issued := r.Get("aws:TokenIssueTime")
		_, used := r.Get("aws:MultiFactorAuthPresent")
		return !age && issued == used && strings.Contains(full.Caller.AWS, ":user/")
	case "aws:sourceip", "aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip":
		return false
	}
	if _, held := full.Get("aws:SourceIdentity"); held && lowerKey(key) == "sts:sourceidentity" {
		return false
	}
	if strings.Contains(key, ":aud") || strings.Contains(key, ":sub") {
		return false
	}
	tags, _ := r.Get("aws:TagKeys")
	for name := range r.Context {
		if tag, ok := strings.CutPrefix(name, "aws:RequestTag/"); ok && !slices.Contains(tags.Values, tag) {
			return false
		}
	}
	for _, tag := range tags.Values {
		if _, ok := r.Get("aws:RequestTag/" + tag); !ok {
			return false
		}
	}
	return true
}

func inRegion(d policy.Document, r access.Request, q Query) bool {
	r.Actions = slices.Clone(q.Actions)
	for _, e := range extras {
		if carries(&r, e.keys) {
			r.Actions = append(r.Actions, e.action)
		}
	}
	return access.Evaluate(d, r).Decision == access.Allowed && meets(r, q.Where)
}
