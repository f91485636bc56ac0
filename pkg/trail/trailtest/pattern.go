package trailtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Matches says whether EventBridge would route an event by a pattern. It decides
// lists of texts, {"exists": …} and {"wildcard": …}, the part of the language
// that trail's patterns use, and gives an error for any other.
//
// It reads events as AWS's own engine does (github.com/aws/event-ruler), which
// is more than meets the eye: an event is its leaves, each under the path of
// names joined by dots, so {"a.b": 1} and {"a": {"b": 1}} are one; a list
// stands for each of its members; leaves that satisfy one pattern together may
// not come from two members of one list; and what has no leaf does not exist.
func Matches(pattern string, event []byte) (bool, error) {
	var p, e any
	if err := json.Unmarshal([]byte(pattern), &p); err != nil {
		return false, fmt.Errorf("reading the pattern %s: %w", pattern, err)
	}
	numbers := json.NewDecoder(bytes.NewReader(event))
	numbers.UseNumber()
	if err := numbers.Decode(&e); err != nil {
		return false, fmt.Errorf("reading the event %s: %w", event, err)
	}
	var fields []field
	if err := readFields(&fields, "", p); err != nil {
		return false, fmt.Errorf("reading the pattern %s: %w", pattern, err)
	}
	w := &walk{leaves: map[string][]leaf{}}
	w.add("", e, nil)
	return w.satisfied(fields, nil), nil
}

// field is one path of a pattern with the alternatives for its value.
type field struct {
	path         string
	alternatives []alternative
}

// alternative accepts a leaf, or, when absent, that there is none.
type alternative struct {
	absent  bool
	accepts func(value any) bool
}

func readFields(out *[]field, path string, pattern any) error {
	switch p := pattern.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(p)) {
			if err := readFields(out, join(path, name), p[name]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		f := field{path: path}
		for _, filter := range p {
			a, err := readFilter(filter)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			f.alternatives = append(f.alternatives, a)
		}
		*out = append(*out, f)
		return nil
	default:
		return fmt.Errorf("%s: a pattern is an object or a list, not %v", path, pattern)
	}
}

func readFilter(filter any) (alternative, error) {
	if text, ok := filter.(string); ok {
		return alternative{accepts: func(v any) bool { return v == text }}, nil
	}
	named, _ := filter.(map[string]any)
	exists, isExists := named["exists"].(bool)
	glob, isWildcard := named["wildcard"].(string)
	switch {
	case len(named) == 1 && isExists:
		return alternative{absent: !exists, accepts: func(any) bool { return exists }}, nil
	case len(named) == 1 && isWildcard && !strings.Contains(glob, "**") && !strings.Contains(glob, `\`):
		return alternative{accepts: func(v any) bool {
			text, ok := v.(string)
			return ok && wildcard(strings.Split(glob, "*"), text)
		}}, nil
	default:
		return alternative{}, fmt.Errorf("the filter %v is not one that trail uses", filter)
	}
}

// wildcard says whether a text is the parts of a glob with anything between.
func wildcard(parts []string, text string) bool {
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// leaf is a value that is neither object nor list, and the member of each list
// that it lies in.
type leaf struct {
	value   any
	members map[int]int
}

// walk collects an event's leaves by path.
type walk struct {
	leaves map[string][]leaf
	lists  int
}

func (w *walk) add(path string, value any, members map[int]int) {
	switch v := value.(type) {
	case map[string]any:
		for name, sub := range v {
			w.add(join(path, name), sub, members)
		}
	case []any:
		w.lists++
		list := w.lists
		for i, sub := range v {
			inside := maps.Clone(members)
			if inside == nil {
				inside = map[int]int{}
			}
			inside[list] = i
			w.add(path, sub, inside)
		}
	default:
		w.leaves[path] = append(w.leaves[path], leaf{value, members})
	}
}

// satisfied says whether leaves can be chosen for all fields, none of which
// lies in another member of a list than those chosen before.
func (w *walk) satisfied(fields []field, chosen map[int]int) bool {
	if len(fields) == 0 {
		return true
	}
	var near []leaf
	for _, l := range w.leaves[fields[0].path] {
		if both, ok := agree(chosen, l.members); ok {
			near = append(near, leaf{l.value, both})
		}
	}
	for _, a := range fields[0].alternatives {
		if a.absent && len(near) == 0 && w.satisfied(fields[1:], chosen) {
			return true
		}
		for _, l := range near {
			if a.accepts(l.value) && w.satisfied(fields[1:], l.members) {
				return true
			}
		}
	}
	return false
}

// agree joins two choices of members, unless they differ about a list.
func agree(a, b map[int]int) (map[int]int, bool) {
	both := maps.Clone(a)
	if both == nil {
		both = map[int]int{}
	}
	for list, member := range b {
		if other, there := both[list]; there && other != member {
			return nil, false
		}
		both[list] = member
	}
	return both, true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
