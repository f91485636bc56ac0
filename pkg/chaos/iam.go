package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// iam is IAM in several accounts: roles whose older versions can still be read
// for a while, and users and roles as principals, whose ARNs are kept as unique
// ids. It has no compare-and-set.
type iam struct {
	roles map[string]*record // by account/lower-case name
	// people gives the unique id of each user's and role's ARN, names the ARN of
	// each unique id that lives.
	people, names map[string]string
	// made counts what was made, for ids.
	made int
	// loneDenyRefused: this IAM takes no policy that is a single Deny.
	loneDenyRefused bool
	// texts are documents that were read once; it is shared by all copies.
	texts map[string]parsed
}

// record is a role and what it was.
type record struct{ versions []version }

// version is a role from a time on; role is nil where there is none.
type version struct {
	from  time.Time
	role  *role.Role
	trust stored
}

// stored is a trust policy as IAM keeps it.
type stored struct {
	text  string
	binds []bind
}

type bind struct{ arn, id string }

type parsed struct {
	err        error
	principals []policy.Principal
	allows     bool
}

func newIAM() *iam {
	return &iam{roles: map[string]*record{}, people: map[string]string{}, names: map[string]string{}, texts: map[string]parsed{}}
}

// copied is the same IAM, to go another way from here.
func (a *iam) copied() *iam {
	b := *a
	b.people, b.names = maps.Clone(a.people), maps.Clone(a.names)
	b.roles = map[string]*record{}
	for k, r := range a.roles {
		b.roles[k] = &record{versions: slices.Clip(r.versions)}
	}
	return &b
}

func place(r role.Ref) string { return r.Account + "/" + strings.ToLower(r.Name) }

// shows is a role as it stood at a time, or so many versions before.
func (a *iam) shows(r role.Ref, at time.Time, back int) (role.Role, bool) {
	rec, ok := a.roles[place(r)]
	if !ok {
		return role.Role{}, false
	}
	for i := len(rec.versions) - 1; i >= 0; i-- {
		if v := rec.versions[i]; !v.from.After(at) {
			if i < back {
				return role.Role{}, false
			}
			return a.render(rec.versions[i-back])
		}
	}
	return role.Role{}, false
}

// older says how many versions before the present one may still be read: those
// that were replaced no longer ago than the bound.
func (a *iam) older(r role.Ref, now time.Time, bound time.Duration) int {
	rec, ok := a.roles[place(r)]
	if !ok {
		return 0
	}
	n := 0
	for i := len(rec.versions) - 1; i > 0 && now.Sub(rec.versions[i].from) < bound; i-- {
		n++
	}
	return n
}

func (a *iam) render(v version) (role.Role, bool) {
	if v.role == nil {
		return role.Role{}, false
	}
	out := *v.role
	out.TrustPolicy = v.trust.text
	for _, b := range v.trust.binds {
		now, lives := a.names[b.id]
		switch {
		case !lives:
			out.TrustPolicy = strings.ReplaceAll(out.TrustPolicy, `"`+b.arn+`"`, `"`+b.id+`"`)
		case now != b.arn:
			out.TrustPolicy = strings.ReplaceAll(out.TrustPolicy, `"`+b.arn+`"`, `"`+now+`"`)
		}
	}
	return out, true
}

// is gives a role as it really is.
func (a *iam) is(r role.Ref) (role.Role, bool) {
	rec, ok := a.roles[place(r)]
	if !ok || len(rec.versions) == 0 {
		return role.Role{}, false
	}
	return a.render(rec.versions[len(rec.versions)-1])
}

func (a *iam) parse(text string) parsed {
	if p, ok := a.texts[text]; ok {
		return p
	}
	var p parsed
	d, err := policy.Parse([]byte(text))
	p.err = err
	for _, s := range d.Statements {
		p.allows = p.allows || s.Effect == policy.Allow
		p.principals = append(append(p.principals, s.Principal.List...), s.NotPrincipal.List...)
	}
	a.texts[text] = p
	return p
}

// save binds a document's principals to whom they are now, or refuses it.
func (a *iam) save(text string) (stored, error) {
	p := a.parse(text)
	switch {
	case p.err != nil:
		return stored{}, fmt.Errorf("%w: %w", role.ErrMalformed, p.err)
	case a.loneDenyRefused && !p.allows:
		return stored{}, fmt.Errorf("a policy that only denies: %w", role.ErrMalformed)
	case len(text) > 4096:
		return stored{}, fmt.Errorf("%d characters: %w", len(text), role.ErrLimit)
	}
	s := stored{text: text}
	for _, q := range p.principals {
		switch q.Kind {
		case policy.User, policy.Role:
			id, ok := a.people[q.Value]
			if !ok {
				return stored{}, fmt.Errorf("%s: %w", q.Value, role.ErrInvalidPrincipal)
			}
			s.binds = append(s.binds, bind{arn: q.Value, id: id})
		case policy.UniqueID:
			arn, ok := a.names[q.Value]
			if !ok {
				return stored{}, fmt.Errorf("%s: %w", q.Value, role.ErrInvalidPrincipal)
			}
			s.text = strings.ReplaceAll(s.text, `"`+q.Value+`"`, `"`+arn+`"`)
			s.binds = append(s.binds, bind{arn: arn, id: q.Value})
		default:
		}
	}
	return s, nil
}

// put makes the newest version of a role.
func (a *iam) put(at time.Time, r role.Ref, live *role.Role, trust stored) {
	rec, ok := a.roles[place(r)]
	if !ok {
		rec = &record{}
		a.roles[place(r)] = rec
	}
	const kept = 8
	if len(rec.versions) > kept {
		rec.versions = slices.Clone(rec.versions[len(rec.versions)-kept:])
	}
	rec.versions = append(rec.versions, version{from: at, role: live, trust: trust})
}

func (a *iam) newest(r role.Ref) (version, bool) {
	rec, ok := a.roles[place(r)]
	if !ok || len(rec.versions) == 0 {
		return version{}, false
	}
	v := rec.versions[len(rec.versions)-1]
	return v, v.role != nil
}

// create makes a role; one that is there already is refused.
func (a *iam) create(at time.Time, r role.Ref, path, document string, tags map[string]string) (role.Role, error) {
	if _, ok := a.newest(r); ok {
		return role.Role{}, fmt.Errorf("creating %s: it exists", r)
	}
	trust, err := a.save(document)
	if err != nil {
		return role.Role{}, err
	}
	a.made++
	made := &role.Role{
		Partition: "aws", Account: r.Account, Name: r.Name, Path: path, ARN: "arn:aws:iam::" + r.Account + ":role" + path + r.Name,
		ID: fmt.Sprintf("AROA%016d", a.made), Tags: maps.Clone(tags), Created: at.Truncate(time.Second),
	}
	a.put(at, r, made, trust)
	a.people[made.ARN], a.names[made.ID] = made.ID, made.ARN
	out, _ := a.is(r)
	return out, nil
}

// remove deletes a role.
func (a *iam) remove(at time.Time, r role.Ref) (role.Role, bool) {
	gone, ok := a.is(r)
	if !ok {
		return gone, false
	}
	a.put(at, r, nil, stored{})
	delete(a.people, gone.ARN)
	delete(a.names, gone.ID)
	return gone, true
}

// update replaces a trust policy.
func (a *iam) update(at time.Time, r role.Ref, document string) error {
	v, ok := a.newest(r)
	if !ok {
		return fmt.Errorf("%s: %w", r, role.ErrNotFound)
	}
	if strings.HasPrefix(v.role.Path, "/aws-service-role/") {
		return fmt.Errorf("%s: %w", r, role.ErrUnmodifiable)
	}
	trust, err := a.save(document)
	if err != nil {
		return err
	}
	a.put(at, r, v.role, trust)
	return nil
}

// retag changes a role's tags. Keys ignore case and keep that of the last who
// set them (IAM User Guide, id_tags); a role has 50 tags at most.
func (a *iam) retag(at time.Time, r role.Ref, set map[string]string, unset []string) error {
	v, ok := a.newest(r)
	if !ok {
		return fmt.Errorf("%s: %w", r, role.ErrNotFound)
	}
	changed := *v.role
	changed.Tags = maps.Clone(v.role.Tags)
	if changed.Tags == nil {
		changed.Tags = map[string]string{}
	}
	drop := func(key string) {
		maps.DeleteFunc(changed.Tags, func(k, _ string) bool { return strings.EqualFold(k, key) })
	}
	for _, k := range unset {
		drop(k)
	}
	for k, value := range set {
		drop(k)
		changed.Tags[k] = value
	}
	if len(changed.Tags) > 50 {
		return fmt.Errorf("%s has 50 tags: %w", r, role.ErrLimit)
	}
	a.put(at, r, &changed, v.trust)
	return nil
}

// bound sets a role's permissions boundary.
func (a *iam) bound(at time.Time, r role.Ref, policyARN string) error {
	v, ok := a.newest(r)
	if !ok {
		return fmt.Errorf("%s: %w", r, role.ErrNotFound)
	}
	changed := *v.role
	changed.Boundary = policyARN
	a.put(at, r, &changed, v.trust)
	return nil
}

// disguised is a document with the ids of the users and roles that it names.
func (a *iam) disguised(text string) string {
	for _, p := range a.parse(text).principals {
		if id, ok := a.people[p.Value]; ok {
			text = strings.ReplaceAll(text, `"`+p.Value+`"`, `"`+id+`"`)
		}
	}
	return text
}

// user makes a user, or gives the one that is there.
func (a *iam) user(arn string) string {
	if id, ok := a.people[arn]; ok {
		return id
	}
	a.made++
	id := fmt.Sprintf("AIDA%016d", a.made)
	a.people[arn], a.names[id] = id, arn
	return id
}

// forget deletes a user.
func (a *iam) forget(arn string) bool {
	id, ok := a.people[arn]
	delete(a.people, arn)
	delete(a.names, id)
	return ok
}

// rename gives a user another name; the id stays.
func (a *iam) rename(from, to string) bool {
	id, ok := a.people[from]
	if _, taken := a.people[to]; !ok || taken {
		return false
	}
	delete(a.people, from)
	a.people[to], a.names[id] = id, to
	return true
}
