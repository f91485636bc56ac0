package awsapi_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// kindOfItem is one row of the ledger's README.
type kindOfItem struct {
	name    string
	pk, sk  *regexp.Regexp
	holds   []string
	expires bool
}

var quotedCode = regexp.MustCompile("`[^`]+`")

// pattern makes an expression of a key as it is written: capitals and the #
// after them are fixed, the rest is anything.
func pattern(cell string) *regexp.Regexp {
	code := strings.Trim(cell, "`")
	fixed := regexp.MustCompile(`^[A-Z]+#?`).FindString(code)
	if fixed == code {
		return regexp.MustCompile("^" + regexp.QuoteMeta(fixed) + "$")
	}
	return regexp.MustCompile("^" + regexp.QuoteMeta(fixed) + ".")
}

// writtenKinds reads the table of items from the ledger's README.
func writtenKinds(t *testing.T) []kindOfItem {
	t.Helper()
	text, err := os.ReadFile("../ledger/README.md")
	must(t, err)
	_, rows, _ := strings.Cut(string(text), "|---|---|---|---|---|\n")
	rows, _, _ = strings.Cut(rows, "\n\n")
	var out []kindOfItem
	for row := range strings.Lines(rows) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		k := kindOfItem{name: cells[0], pk: pattern(cells[1]), sk: pattern(cells[2]), expires: cells[4] != "never"}
		for _, code := range quotedCode.FindAllString(cells[3], -1) {
			k.holds = append(k.holds, strings.Trim(code, "`"))
		}
		out = append(out, k)
	}
	return out
}

// What operators and auditors read about the table is what lies in it: every
// kind of item, its attributes, and whether it is ever removed.
func TestTheTableIsAsItIsWritten(t *testing.T) {
	var number atomic.Int64
	_, _, r := told(t, &number)
	items, kinds := r.items(t), writtenKinds(t)
	met := map[string]bool{}
	for _, i := range items {
		at := slices.IndexFunc(kinds, func(k kindOfItem) bool {
			return k.pk.MatchString(textIn(i, "pk")) && k.sk.MatchString(textIn(i, "sk"))
		})
		if at < 0 {
			t.Errorf("the item %s is of no kind that is written", keysOf(i))
			continue
		}
		k := kinds[at]
		met[k.name] = true
		if _, expires := i["expires"]; expires != k.expires {
			t.Errorf("%s: %s expires: %v, and is written to: %v", k.name, keysOf(i), expires, k.expires)
		}
		got := slices.Sorted(maps.Keys(i))
		got = slices.DeleteFunc(got, func(name string) bool { return name == "pk" || name == "sk" || name == "expires" })
		if d := cmp.Diff(slices.Sorted(slices.Values(k.holds)), got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-written +stored):\n%s", k.name, d)
		}
	}
	for _, k := range kinds {
		if !met[k.name] {
			t.Errorf("no item is a %s", k.name)
		}
	}
}

// unread are the items that no answer is made of: they are there or not.
var unread = regexp.MustCompile(`^(LETTER|POSTED|SPENT|COUNT|LEASE|RESET)#|^SWITCH `)

// with gives an item with one attribute changed.
func with(i stored, name string, v types.AttributeValue) stored {
	i = maps.Clone(i)
	i[name] = v
	return i
}

// instead changes the first of some attributes that an item has.
func instead(v types.AttributeValue, names ...string) func(stored) stored {
	return func(i stored) stored {
		for _, name := range names {
			if i[name] != nil {
				return with(i, name, v)
			}
		}
		return nil
	}
}

// only spoils the items of one kind.
func only(some func(stored) bool, spoil func(stored) stored) func(stored) stored {
	return func(i stored) stored {
		if !some(i) {
			return nil
		}
		return spoil(i)
	}
}

// spoilings are what may be wrong with an item. Each gives nothing where it
// does not apply.
func spoilings() map[string]func(stored) stored {
	ended := func(i stored) bool { return i["ended"] != nil && i["reason"] != nil }
	// Of a role's last write the time beside the body is only compared: one that is none refuses.
	notEnded := func(i stored) bool { return i["ended"] == nil && textIn(i, "sk") != "WRITTEN" }
	record := func(i stored) bool { return i["body"] != nil && !strings.HasPrefix(textIn(i, "pk"), "OUTBOX") }
	body := func(i stored) bool { return i["body"] != nil }
	letter := func(i stored) bool { return i["writtenAt"] != nil }
	return map[string]func(stored) stored{
		"another form":              only(body, instead(aNumber("2"), "form")),
		"a form of another kind":    only(body, instead(aText("1"), "form")),
		"a body of another kind":    instead(aText("{}"), "body"),
		"an empty body":             only(record, instead(&types.AttributeValueMemberB{Value: []byte(`{}`)}, "body")),
		"a time that is none":       only(notEnded, instead(aText("yesterday"), "writtenAt", "firstSeen", "deletedAt", "endedAt", "arnSeen", "confirmedAt")),
		"an end that is none":       only(ended, instead(aText("Forgotten"), "ended")),
		"an end that is no end":     only(ended, instead(aText("InFlight"), "ended")),
		"an end of another kind":    only(ended, instead(aNumber("1"), "ended")),
		"letters that are no list":  instead(aText("a1"), "letters"),
		"another letter's name":     only(letter, instead(aText("another"), "id")),
		"a name of another kind":    instead(aNumber("7"), "roleId", "arn", "endedEvent", "confirmedBy", "afterEventId"),
		"another name that is none": instead(aNumber("7"), "endedAs"),
		"a body cut off": only(record, func(i stored) stored {
			b := i["body"].(*types.AttributeValueMemberB).Value
			return with(i, "body", &types.AttributeValueMemberB{Value: b[:len(b)/2]})
		}),
	}
}

// Whoever can write the table, and a version that is not this one, can make an
// item unreadable. It is told by its keys and never taken for nothing, which
// could let a write through or a letter be lost (T61).
func TestNoItemIsTakenForNothing(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	calls := readings(d)
	for name, call := range calls {
		if err := call(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, i := range r.items(t) {
		if unread.MatchString(keysOf(i)) {
			continue
		}
		tried := 0
		for what, spoil := range spoilings() {
			bad := spoil(i)
			if bad == nil {
				continue
			}
			tried++
			r.put(t, bad)
			told := ""
			for name, call := range calls {
				if err := call(t.Context()); err != nil {
					if !strings.Contains(err.Error(), textIn(i, "pk")) || !strings.Contains(err.Error(), textIn(i, "sk")) {
						t.Errorf("%s with %s: %s does not say which item: %v", keysOf(i), what, name, err)
					}
					told = name
				}
			}
			if told == "" {
				t.Errorf("%s with %s is taken for nothing", keysOf(i), what)
			}
			r.put(t, i)
		}
		if tried == 0 {
			t.Errorf("nothing was tried on %s", keysOf(i))
		}
	}
}

// T53, T61: what lies under another role's, decision's or scope's key is
// nobody's: a good past cannot be copied onto another role.
func TestNoItemPassesForAnothers(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	moves := map[string]string{
		"ROLE#" + prod + "#" + roleID: "ROLE#" + prod + "#AROA2", "DECISION#dec1": "DECISION#dec2", "SWEEP#s1": "SWEEP#s2",
	}
	moved := 0
	for _, i := range r.items(t) {
		pk, sk := moves[textIn(i, "pk")], textIn(i, "sk")
		if textIn(i, "pk") == "BREAKER" {
			pk, sk = "BREAKER", "account"
		}
		if pk == "" {
			continue
		}
		moved++
		copied := maps.Clone(i)
		copied["pk"], copied["sk"] = aText(pk), aText(sk)
		r.put(t, copied)
		var errs []string
		for _, err := range []error{
			second(d.Recall(t.Context(), prod, "AROA2")), last(d.Decided(t.Context(), "dec2")),
			last(d.Sweeping(t.Context(), "s2")), second(d.Breakers(t.Context())),
		} {
			if err != nil {
				errs = append(errs, err.Error())
			}
		}
		if len(errs) != 1 || !strings.Contains(errs[0], pk) {
			t.Errorf("%s under %s / %s is told as %q", keysOf(i), pk, sk, errs)
		}
		r.remove(t, copied)
	}
	if moved < 9 {
		t.Errorf("%d items were moved", moved)
	}
}

func second[A any](_ A, err error) error { return err }

func last[A, B, C any](_ A, _ B, _ C, err error) error { return err }

// T5: a replay is known for 400 days, by the event, by the token that paid for
// its write and by the letter that was posted; and nothing that happens to the
// event later shortens that.
func TestAReplayIsKnownForFourHundredDays(t *testing.T) {
	var number atomic.Int64
	_, _, r := told(t, &number)
	until := strconv.FormatInt(now().AddDate(0, 0, 400).Unix(), 10)
	for _, keys := range []string{"EVENT#", "SPENT#t1", "POSTED#", "DECISION#"} {
		n, ok := r.find(t, keys)["expires"].(*types.AttributeValueMemberN)
		if !ok || n.Value != until {
			t.Errorf("%s is removed at %v, want %s", keys, n, until)
		}
	}
}
