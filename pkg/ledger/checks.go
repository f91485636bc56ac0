package ledger

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Check refuses a key without account or event id. Two events under one empty
// key would take each other's place, and the second would be lost.
func (k Key) Check() error {
	if k.Account == "" || k.EventID == "" {
		return fmt.Errorf("naming the event %q: it needs an account and an event id", k)
	}
	return nil
}

// Check refuses a conclusion that ends nothing.
func (c Conclusion) Check() error {
	if err := c.Event.Check(); err != nil {
		return err
	}
	if c.End == InFlight || c.End.String() == "End?" {
		return fmt.Errorf("concluding %s: %s is no end: give one of %v", c.Event, c.End, Ends()[1:])
	}
	if c.State != nil && (c.State.Account == "" || c.State.RoleID == "") {
		return fmt.Errorf("concluding %s: the role's state needs an account and a RoleId", c.Event)
	}
	if err := c.checkLetters(); err != nil {
		return err
	}
	return CheckIdentities(c.Seen)
}

// maxLetters is how many letters one event may lead to, and maxLetterBytes how
// long they may be together: with the end and the state they are written in one
// step, which takes 4 MB (Amazon DynamoDB API Reference, API_TransactWriteItems).
const (
	maxLetters     = 25
	maxLetterBytes = 3_000_000
)

func (c Conclusion) checkLetters() error {
	if len(c.Letters) > maxLetters {
		return fmt.Errorf("concluding %s: %d letters are more than the %d that are kept in one step", c.Event, len(c.Letters), maxLetters)
	}
	had, size := map[string]bool{}, 0
	for _, l := range c.Letters {
		size += len(l.Body)
		if err := l.Check(); err != nil {
			return fmt.Errorf("concluding %s: %w", c.Event, err)
		}
		if l.Event != c.Event {
			return fmt.Errorf("concluding %s: the letter %q is of the event %q: give it this one", c.Event, l.ID, l.Event)
		}
		if had[l.ID] {
			return fmt.Errorf("concluding %s: two letters have the id %q", c.Event, l.ID)
		}
		had[l.ID] = true
	}
	if size > maxLetterBytes {
		return fmt.Errorf("concluding %s: letters of %d bytes are more than the %d that are kept in one step", c.Event, size, maxLetterBytes)
	}
	return nil
}

// The bounds of a letter: its name is part of a key, and its body fits one item
// of the table even where it cannot be squeezed.
const (
	maxLetterID = 256
	maxLetter   = 350_000
)

// CheckName refuses a letter that is not named.
func (l Letter) CheckName() error {
	if l.ID == "" || len(l.ID) > maxLetterID || !utf8.ValidString(l.ID) {
		return fmt.Errorf("naming the letter %q: it needs an id of at most %d bytes in UTF-8", l.ID, maxLetterID)
	}
	if l.Event != (Key{}) {
		return l.Event.Check()
	}
	return nil
}

// Check refuses a letter that says nothing, or that could not be kept.
func (l Letter) Check() error {
	if err := l.CheckName(); err != nil {
		return err
	}
	if len(l.Body) == 0 || len(l.Body) > maxLetter || l.At.IsZero() {
		return fmt.Errorf("writing the letter %q: it needs a time and a body of at most %d bytes, and has %d", l.ID, maxLetter, len(l.Body))
	}
	return nil
}

// CheckPost refuses a letter that cannot be posted.
func CheckPost(token string, l Letter) error {
	if token == "" {
		return fmt.Errorf("posting letter %q: a token is needed, so that a repeated call posts it once", l.ID)
	}
	if l.Event != (Key{}) {
		return fmt.Errorf("posting letter %q: it is of the event %s and is kept when that is concluded", l.ID, l.Event)
	}
	return l.Check()
}

// CheckLimit refuses to read no letter.
func CheckLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("reading the letters that wait: a limit of %d gives none", limit)
	}
	return nil
}

// Check refuses an intent that could not be found again.
func (i Intent) Check() error {
	if err := i.Event.Check(); err != nil {
		return err
	}
	if i.Decision.ID == "" || i.Role.Account == "" || i.RoleID == "" {
		return fmt.Errorf("recording the intent of event %s: it needs a decision, and an account and RoleId", i.Event)
	}
	return nil
}

// Check refuses a word that is on no document, or that no person answers for.
func (w Word) Check() error {
	if w.Account == "" || w.RoleID == "" || w.Digest == "" || w.By == "" || !w.Until.After(w.At) {
		return fmt.Errorf("recording a word on role %s/%s: it needs an account, a RoleId, a digest, the person who gives it and an end after its time", w.Account, w.RoleID)
	}
	return nil
}

// CheckRules refuses a version of the rules file that has no hash.
func CheckRules(hash string) error {
	if hash == "" {
		return errors.New("recording the rules: their hash is missing")
	}
	return nil
}

// CheckConfirmation refuses a confirmation of nothing, or one that no person answers for.
func CheckConfirmation(hash, by string) error {
	if by == "" {
		return errors.New("confirming the rules: say which person confirms them")
	}
	return CheckRules(hash)
}

// Check refuses a sweep without a name.
func (s Sweep) Check() error {
	if s.ID == "" {
		return errors.New("beginning a sweep: its id is missing")
	}
	return nil
}

// Check refuses progress that belongs to no sweep or account.
func (a SweptAccount) Check() error {
	if a.Sweep == "" || a.Account == "" {
		return fmt.Errorf("saving the sweep %q of account %q: both must be given", a.Sweep, a.Account)
	}
	return nil
}

// CheckIdentities refuses identities without an id or an ARN.
func CheckIdentities(ids []Identity) error {
	for _, i := range ids {
		if i.ID == "" || i.ARN == "" {
			return fmt.Errorf("recording the identity %q of %q: both must be given", i.ID, i.ARN)
		}
	}
	return nil
}

// Distinct gives the counters by name and window once each, in order, with the
// lowest limit that was given, and tripping when one of them does; an error for one without name or window.
func Distinct(counters []Counter) ([]Counter, error) {
	var out []Counter
	for _, c := range counters {
		if c.Name == "" || c.Window < time.Second {
			return nil, fmt.Errorf("counting %q over %s: a counter needs a name and a window of a second or more", c.Name, c.Window)
		}
		at := -1
		for i, o := range out {
			if o.Name == c.Name && o.Window == c.Window {
				at = i
			}
		}
		switch {
		case at < 0:
			out = append(out, c)
		default:
			out[at].Limit = min(c.Limit, out[at].Limit)
			out[at].Full = max(c.Full, out[at].Full)
		}
	}
	return out, nil
}

// errNoToken refuses a Spend that could not be told from another.
var errNoToken = errors.New("spending: a token is needed, so that a repeated call is counted once")

// CheckToken refuses an empty token.
func CheckToken(token string) error {
	if token == "" {
		return errNoToken
	}
	return nil
}
