package lab

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/lab/ordered"
)

// SeedRole describes a role that is put into the lab without a call: no
// event, no permission check, no refusal of what IAM would refuse.
type SeedRole struct {
	Name string
	// Path defaults to "/". One below /aws-service-role/ makes the role
	// service-linked.
	Path        string
	TrustPolicy string
	// RoleID is made when it is empty.
	RoleID string
	Tags   map[string]string
	// Missing says what becomes of principals that do not exist.
	Missing Missing
}

// Missing says what seeding does with principals that do not exist.
type Missing int

// What becomes of a missing principal. The zero value makes it: a user or
// role of a lab account, and a foreign account as one outside the
// organization. A unique ID without an owner stays as it is.
const (
	CreateMissing Missing = iota
	KeepMissing           // the name stays as written and is bound to nobody
	RefuseMissing
)

// String gives the choice's name.
func (m Missing) String() string {
	switch m {
	case CreateMissing:
		return "CreateMissing"
	case KeepMissing:
		return "KeepMissing"
	case RefuseMissing:
		return "RefuseMissing"
	default:
		return fmt.Sprintf("Missing(%d)", int(m))
	}
}

// SeedRole puts a role into an account; one of the same name gets the new
// trust policy and tags and, when a RoleID is given, that ID.
func (l *Lab) SeedRole(account string, seed SeedRole) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	fail := func(err error) error {
		return fmt.Errorf("seeding role %s/%s: %w", account, seed.Name, err)
	}
	acct, err := l.known(account)
	if err != nil {
		return fail(err)
	}
	if err := checkName("roleName", seed.Name); err != nil {
		return fail(err)
	}
	path, err := checkPath(seed.Path)
	if err != nil {
		return fail(err)
	}
	root, err := ordered.Parse([]byte(seed.TrustPolicy))
	if err != nil {
		return fail(err)
	}
	r, ok := acct.roles[fold(seed.Name)]
	if !ok {
		if r, err = l.addRole(acct, seed.Name, path); err != nil {
			return fail(err)
		}
		r.visible = l.now()
	}
	if service, found := strings.CutPrefix(path, "/aws-service-role/"); found {
		r.service = strings.TrimSuffix(service, "/")
	}
	if err := l.giveID(r, seed.RoleID); err != nil {
		return fail(err)
	}
	trust, err := newStored(seed.TrustPolicy, root, func(kind, name string) (string, error) {
		return l.seedPrincipal(seed.Missing, kind, name)
	})
	if err != nil {
		if !ok {
			delete(acct.roles, fold(seed.Name))
		}
		return fail(err)
	}
	var tags []tag
	for _, key := range sortedKeys(seed.Tags) {
		tags = append(tags, tag{key: key, value: seed.Tags[key]})
	}
	set := func(s *state) { s.trust, s.tags = trust, tags }
	if ok {
		r.change(l.now(), set)
	} else {
		set(&r.state)
	}
	return nil
}

func (l *Lab) giveID(r *role, id string) error {
	if id == "" || id == r.id {
		return nil
	}
	if o, taken := l.owners[id]; taken && o.role != r {
		return fmt.Errorf("the unique ID %s belongs to %s", id, o.arn(l.partition))
	}
	delete(l.owners, r.id)
	r.id = id
	l.owners[id] = &owner{role: r}
	return nil
}

func (l *Lab) seedPrincipal(missing Missing, kind, name string) (string, error) {
	stored, err := l.storePrincipal(kind, name, l.now())
	if err == nil || missing == RefuseMissing {
		return stored, err
	}
	if kind != "AWS" || uniqueIDPattern.MatchString(name) {
		return name, nil
	}
	if missing == KeepMissing {
		return unbound + name, nil
	}
	if err := l.makePrincipal(name); err != nil {
		return "", err
	}
	if stored, err := l.storePrincipal(kind, name, l.now()); err == nil {
		return stored, nil
	}
	return unbound + name, nil
}

// unbound marks a kept name so that it matches no caller, not even one who
// comes to bear it later.
const unbound = "unbound "

var principalPattern = regexp.MustCompile(`^arn:[a-z-]+:(?:iam|sts)::([0-9]{12}):(root|user|role|assumed-role|federated-user)(?:/(.+))?$`)

// makePrincipal makes the account and the user or role behind an ARN. What is
// no such ARN is left alone.
func (l *Lab) makePrincipal(name string) error {
	if accountID.MatchString(name) {
		return l.outside(name)
	}
	m := principalPattern.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	if err := l.outside(m[1]); err != nil {
		return err
	}
	acct, path := l.accounts[m[1]], "/"
	if i := strings.LastIndexByte(m[3], '/'); i >= 0 && m[2] != "assumed-role" {
		path = "/" + m[3][:i+1]
	}
	switch m[2] {
	case "user":
		return l.seedUser(acct, lastPart(m[3]), path)
	case "role":
		return l.bareRole(acct, lastPart(m[3]), path)
	case "assumed-role":
		role, _, _ := strings.Cut(m[3], "/")
		return l.bareRole(acct, role, "/")
	}
	return nil
}

// outside makes an account that is not in the organization, unless it is
// known.
func (l *Lab) outside(id string) error {
	if _, ok := l.accounts[id]; ok {
		return nil
	}
	return l.addAccount(Account{ID: id, Outside: true})
}

// bareRole makes a role that only its own account's root may assume.
func (l *Lab) bareRole(acct *account, name, path string) error {
	if _, ok := acct.roles[fold(name)]; ok {
		return nil
	}
	r, err := l.addRole(acct, name, path)
	if err != nil {
		return err
	}
	r.visible = l.now()
	r.state.trust, err = l.newTrust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+
		l.partition.root(acct.ID)+`"},"Action":"sts:AssumeRole"}]}`, l.now())
	return err
}

// SeedUser puts a user into an account without an event. One that is there
// already stays as it is.
func (l *Lab) SeedUser(account, name, path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, err := l.known(account)
	if err != nil {
		return fmt.Errorf("seeding user %s/%s: %w", account, name, err)
	}
	path, err = checkPath(path)
	if err != nil {
		return fmt.Errorf("seeding user %s/%s: %w", account, name, err)
	}
	return l.seedUser(acct, name, path)
}

func (l *Lab) seedUser(acct *account, name, path string) error {
	if _, ok := acct.users[fold(name)]; ok {
		return nil
	}
	if err := checkName("userName", name); err != nil {
		return fmt.Errorf("seeding user %s/%s: %w", acct.ID, name, err)
	}
	u, err := l.addUser(acct, name, path)
	if err != nil {
		return err
	}
	u.visible = l.now()
	return nil
}
