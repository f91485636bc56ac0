package trail_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// forgery is an envelope that somebody made to look like one of AWS's.
type forgery struct {
	name  string
	event map[string]any
}

func (f forgery) text(t testing.TB) []byte {
	t.Helper()
	text, err := json.Marshal(f.event)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// strange are values of which none is like the one they are put in place of.
var strange = []any{nil, "", " ", 1, true, map[string]any{}, []any{}}

// nearMisses gives texts that a person, or a careless comparison, takes for s.
func nearMisses(s string) []any {
	look := map[string]string{"a": "а", "e": "е", "i": "і", "o": "о", "c": "с", "s": "ѕ", "A": "А", "C": "С", "D": "Ꭰ", "U": "Ս"}
	out := []any{
		s + " ", " " + s, s + "\u200b", s + ".evil.example", "x" + s, s + "\x00", s[:len(s)-1], s + "*", "*", "?",
		fullWidth(s),
		map[string]any{s: s},
		map[string]any{"value": s},
		[]any{map[string]any{"value": s}},
		[]any{s + " "},
	}
	for _, other := range []string{strings.ToLower(s), strings.ToUpper(s), strings.ToUpper(s[:1]) + s[1:], strings.ToLower(s[:1]) + s[1:]} {
		if other != s {
			out = append(out, other)
		}
	}
	for _, letter := range slices.Sorted(maps.Keys(look)) {
		if strings.Contains(s, letter) {
			out = append(out, strings.Replace(s, letter, look[letter], 1))
		}
	}
	return out
}

// fullWidth writes ASCII in the letters that East Asian text mixes with it.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// pinned are the places that a pattern names, and other names that are in use.
var pinned = []struct {
	path   string
	others []any
}{
	{"source", []any{"acme.iam", "aws.ec2", "aws.sso", "aws.cloudtrail", "com.aws.iam", "iam", "aws"}},
	{"detail-type", []any{"AWS API Call", "AWS Console Sign In via CloudTrail", "AWS Console Action via CloudTrail", "CreateRole"}},
	{"detail.eventSource", []any{"ec2.amazonaws.com", "iam.amazonaws.com.cn", "iam", "aws.iam", "https://iam.amazonaws.com", "sso.amazonaws.com"}},
	{"detail.eventName", []any{"GetRole", "TagRole", "PutRolePolicy", "CreateUser", "DeleteRolePolicy", "UpdateRole", "iam:CreateRole", "CreateRole20100508"}},
}

// refusals are error codes of calls that did nothing, and what is none.
var refusals = []any{
	"AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "MalformedPolicyDocumentException", "NoSuchEntityException",
	"ThrottlingException", "servicefailure", "ServiceFailure ", "InternalErrorX", "", " ", "null", "false", nil, false, 0,
	[]any{"AccessDenied"},
}

// forgeries gives what can be made of an event that arrives by changing what
// AWS alone can write.
func forgeries(t testing.TB, name string, event []byte) []forgery {
	t.Helper()
	var out []forgery
	change := func(what string, edit func(e map[string]any)) {
		e := clone(t, event)
		edit(e)
		out = append(out, forgery{name + " with " + what, e})
	}
	for _, p := range pinned {
		real, _ := at(clone(t, event), p.path).(string)
		for _, v := range slices.Concat(strange, nearMisses(real), p.others) {
			change(fmt.Sprintf("%s = %#v", p.path, v), func(e map[string]any) { set(e, p.path, v) })
		}
		change("no "+p.path, func(e map[string]any) { remove(e, p.path) })
		change("the name of "+p.path+" in capitals", func(e map[string]any) {
			set(e, strings.ToUpper(p.path), at(e, p.path))
			remove(e, p.path)
		})
	}
	for _, v := range refusals {
		change(fmt.Sprintf("detail.errorCode = %#v", v), func(e map[string]any) { set(e, "detail.errorCode", v) })
	}
	nestings(change)
	return out
}

// nestings puts the right words in the wrong places.
func nestings(change func(string, func(map[string]any))) {
	change("detail as text", func(e map[string]any) {
		text, _ := json.Marshal(e["detail"])
		e["detail"] = string(text)
	})
	change("a detail in the detail", func(e map[string]any) { e["detail"] = map[string]any{"detail": e["detail"]} })
	change("the record under another name", func(e map[string]any) { e["detail"] = map[string]any{"record": e["detail"]} })
	change("an envelope in the detail of a custom event", func(e map[string]any) {
		inner := maps.Clone(e)
		clear(e)
		maps.Copy(e, map[string]any{"source": "acme.app", "detail-type": inner["detail-type"], "account": inner["account"], "detail": inner})
	})
	change("an envelope in an envelope", func(e map[string]any) {
		inner := maps.Clone(e)
		clear(e)
		e["event"] = inner
	})
	change("the record beside the detail", func(e map[string]any) {
		maps.Copy(e, e["detail"].(map[string]any))
		e["detail"] = map[string]any{}
	})
	change("a custom source and the right detail", func(e map[string]any) { e["source"] = "acme.security" })
	change("source and account changed places", func(e map[string]any) { e["source"], e["account"] = e["account"], e["source"] })
	other := map[any]string{"aws.iam": "aws.sts", "aws.sts": "aws.iam"}
	change("the source of another row", func(e map[string]any) { e["source"] = other[e["source"]] })
	change("source and record of another row", func(e map[string]any) {
		e["source"] = other[e["source"]]
		set(e, "detail.eventSource", strings.TrimPrefix(e["source"].(string), "aws.")+".amazonaws.com")
	})
}

// lookalikes are envelopes that EventBridge routes although AWS never writes
// them, for its patterns look at leaves, whatever lists and dots are around
// them. The code has to refuse them.
func lookalikes(t testing.TB, name string, event []byte) []forgery {
	t.Helper()
	var out []forgery
	change := func(what string, edit func(e map[string]any)) {
		e := clone(t, event)
		edit(e)
		out = append(out, forgery{name + " with " + what, e})
	}
	for _, p := range pinned {
		real := at(clone(t, event), p.path)
		for _, v := range []any{[]any{real}, []any{[]any{real}}, []any{"acme", real}, []any{real, nil}} {
			change(fmt.Sprintf("%s = %v", p.path, v), func(e map[string]any) { set(e, p.path, v) })
		}
	}
	for _, v := range []any{map[string]any{}, map[string]any{"code": "AccessDenied"}, []any{}, []any{"AccessDenied", "ServiceFailure"}} {
		change(fmt.Sprintf("detail.errorCode = %v", v), func(e map[string]any) { set(e, "detail.errorCode", v) })
	}
	change("a list for the detail", func(e map[string]any) { e["detail"] = []any{e["detail"]} })
	change("dots for the detail", func(e map[string]any) {
		for name, v := range e["detail"].(map[string]any) {
			e["detail."+name] = v
		}
		delete(e, "detail")
	})
	return out
}

func clone(t testing.TB, event []byte) map[string]any {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// place finds the object that holds a path's last name.
func place(e map[string]any, path string) (map[string]any, string) {
	for {
		name, rest, deeper := strings.Cut(path, ".")
		next, ok := e[name].(map[string]any)
		if !deeper || !ok {
			return e, path
		}
		e, path = next, rest
	}
}

func at(e map[string]any, path string) any {
	holder, name := place(e, path)
	return holder[name]
}

func set(e map[string]any, path string, value any) {
	holder, name := place(e, path)
	holder[name] = value
}

func remove(e map[string]any, path string) {
	holder, name := place(e, path)
	delete(holder, name)
}
