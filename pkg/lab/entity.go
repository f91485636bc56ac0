package lab

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// tag keeps its key's case; keys that differ only in case are one.
type tag struct{ key, value string }

// identity is what users and roles share. inline maps a policy's name to its
// document.
type identity struct {
	id, name, path string
	account        *account
	created        time.Time
	visible        time.Time // when trust policies may name it
	inline         map[string]string
	attached       []string
	boundary       string
	deleted        bool
}

// user is an IAM user. keys are the IDs of its access keys.
type user struct {
	identity
	tags []tag
	keys []string
	// changed says that the user was written since it was made.
	changed bool
}

func (u *user) arn(p partition) string { return p.iam(u.account.ID, "user"+u.path+u.name) }

// role is an IAM role. What GetRole shows and may lag is in state; since says
// when it became so, and past what it was before.
type role struct {
	identity
	state     state
	since     time.Time
	past      []moment
	deletedAt time.Time
	service   string // of a service-linked role
	template  *acquired
}

// state is the part of a role that GetRole shows and writes change.
type state struct {
	description string
	maxSession  int
	boundary    string
	tags        []tag
	trust       *trust
}

type moment struct {
	since time.Time
	state state
}

type acquired struct {
	arn   string
	minor int
}

func (r *role) arn(p partition) string { return p.iam(r.account.ID, "role"+r.path+r.name) }

// rememberedStates bounds how far back a lagging read can look.
const rememberedStates = 64

// change keeps the present state as past and lets edit make the new one.
func (r *role) change(now time.Time, edit func(*state)) {
	r.past = append(r.past, moment{since: r.since, state: r.state})
	if len(r.past) > rememberedStates {
		r.past = r.past[len(r.past)-rememberedStates:]
	}
	r.state.tags = slices.Clone(r.state.tags)
	edit(&r.state)
	r.since = now
}

// at gives the state that a reader sees at an instant; ok is false when the
// role was not there yet.
func (r *role) at(instant time.Time) (s state, ok bool) {
	if !r.since.After(instant) {
		return r.state, true
	}
	for _, m := range slices.Backward(r.past) {
		if !m.since.After(instant) {
			return m.state, true
		}
	}
	return state{}, false
}

// before gives the state before the last write.
func (r *role) before() (s state, ok bool) {
	if len(r.past) == 0 {
		return state{}, false
	}
	return r.past[len(r.past)-1].state, true
}

// owner is whom a unique ID was given to; it is kept after deletion.
type owner struct {
	user *user
	role *role
}

func (o *owner) alive() bool {
	if o.user != nil {
		return !o.user.deleted
	}
	return !o.role.deleted
}

func (o *owner) arn(p partition) string {
	if o.user != nil {
		return o.user.arn(p)
	}
	return o.role.arn(p)
}

func (o *owner) id() string {
	if o.user != nil {
		return o.user.id
	}
	return o.role.id
}

func (o *owner) visible() time.Time {
	if o.user != nil {
		return o.user.visible
	}
	return o.role.visible
}

func (l *Lab) newIdentity(acct *account, prefix, name, path string) (identity, error) {
	id, err := l.uniqueID(prefix, idLetters)
	if err != nil {
		return identity{}, err
	}
	now := l.now()
	return identity{
		id: id, name: name, path: path, account: acct, created: now, visible: now.Add(l.propagation),
		inline: map[string]string{},
	}, nil
}

func (l *Lab) addUser(acct *account, name, path string) (*user, error) {
	who, err := l.newIdentity(acct, userPrefix, name, path)
	if err != nil {
		return nil, err
	}
	u := &user{identity: who}
	acct.users[fold(name)] = u
	l.owners[u.id] = &owner{user: u}
	return u, nil
}

func (l *Lab) addRole(acct *account, name, path string) (*role, error) {
	who, err := l.newIdentity(acct, rolePrefix, name, path)
	if err != nil {
		return nil, err
	}
	r := &role{identity: who, since: who.created, state: state{maxSession: defaultSession}}
	acct.roles[fold(name)] = r
	l.owners[r.id] = &owner{role: r}
	return r, nil
}

const (
	defaultSession = 3600
	longestSession = 43200
	maxTags        = 50
)

var (
	namePattern = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	pathPattern = regexp.MustCompile(`^(/|/[\x21-\x7e]+/)$`)
	tagPattern  = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

func checkName(field, name string) error {
	if !namePattern.MatchString(name) {
		return validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_- and be at most 64 characters long", field)
	}
	return nil
}

// checkPath gives the path, "/" when there is none.
func checkPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if !pathPattern.MatchString(path) || len(path) > 512 {
		return "", validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

func checkTags(tags []tag) error {
	for _, t := range tags {
		switch {
		case t.key == "" || len([]rune(t.key)) > 128 || len([]rune(t.value)) > 256:
			return validation("1 validation error detected: Value at 'tags' failed to satisfy constraint: a key has 1 to 128 characters and a value at most 256")
		case !tagPattern.MatchString(t.key) || !tagPattern.MatchString(t.value):
			return validation("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+")
		case strings.HasPrefix(fold(t.key), "aws:"):
			return invalidInput("Tag keys must not begin with aws:")
		}
	}
	return nil
}

// mergeTags sets tags; a key in another case replaces the one that was there.
// IAM User Guide, id_tags.
func mergeTags(have, add []tag) ([]tag, error) {
	seen := map[string]bool{}
	for _, t := range add {
		if seen[fold(t.key)] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[fold(t.key)] = true
		have = append(removeTags(have, []string{t.key}), t)
	}
	if len(have) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return have, nil
}

func removeTags(have []tag, keys []string) []tag {
	var out []tag
	for _, t := range have {
		if !slices.ContainsFunc(keys, func(k string) bool { return fold(k) == fold(t.key) }) {
			out = append(out, t)
		}
	}
	return out
}
