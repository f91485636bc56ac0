package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// samePattern says whether two event patterns mean the same: the order of keys,
// and of the entries of a list, does not matter.
func samePattern(a, b string) (bool, error) {
	first, err := canonical(a)
	if err != nil {
		return false, err
	}
	second, err := canonical(b)
	return first == second, err
}

// canonical gives JSON with sorted keys and sorted lists.
func canonical(text string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "", fmt.Errorf("reading JSON: %w", err)
	}
	return rendered(v), nil
}

// rendered writes a value that came from JSON with its lists sorted.
func rendered(v any) string {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for key, value := range v {
			parts = append(parts, rendered(key)+":"+rendered(value))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		parts := make([]string, 0, len(v))
		for _, value := range v {
			parts = append(parts, rendered(value))
		}
		slices.Sort(parts)
		return "[" + strings.Join(parts, ",") + "]"
	default:
		// What came from JSON goes back to it.
		text, _ := json.Marshal(v)
		return string(text)
	}
}

// compareDocuments compares a policy with the one that is wanted, statement by
// statement: which are missing, and which are there that should not be. Order,
// ids, and the two ways to write one value do not matter.
func compareDocuments(wanted, have string) (lacks, extra []string, err error) {
	w, err := statements(wanted)
	if err != nil {
		return nil, nil, err
	}
	h, err := statements(have)
	if err != nil {
		return nil, nil, err
	}
	return beyond(w, h), beyond(h, w), nil
}

// said is one statement: its name for people and its canonical form.
type said struct{ name, form string }

// beyond gives the names of the statements of a that b lacks.
func beyond(a, b []said) []string {
	var out []string
	b = slices.Clone(b)
	for _, s := range a {
		if at := slices.IndexFunc(b, func(o said) bool { return o.form == s.form }); at >= 0 {
			b = slices.Delete(b, at, at+1)
			continue
		}
		out = append(out, s.name)
	}
	return out
}

// statements reads a policy's statements.
func statements(text string) ([]said, error) {
	var p struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	var all []map[string]any
	if json.Unmarshal(p.Statement, &all) != nil {
		var one map[string]any
		if err := json.Unmarshal(p.Statement, &one); err != nil {
			return nil, fmt.Errorf("reading the policy's statements: %w", err)
		}
		all = []map[string]any{one}
	}
	out := make([]said, len(all))
	for i, s := range all {
		name := fmt.Sprintf("the statement %d", i+1)
		if sid, ok := s["Sid"].(string); ok && sid != "" {
			name = fmt.Sprintf("the statement %q", sid)
		}
		delete(s, "Sid")
		out[i] = said{name, rendered(widened(s))}
	}
	return out, nil
}

// widened writes single texts as lists of one, and everybody as IAM does.
func widened(s map[string]any) map[string]any {
	for key, v := range s {
		switch key {
		case "Action", "NotAction", "Resource", "NotResource":
			s[key] = listed(v)
		case "Principal", "NotPrincipal":
			if v == "*" {
				v = map[string]any{"AWS": "*"}
			}
			s[key] = listedIn(v)
		case "Condition":
			if operators, ok := v.(map[string]any); ok {
				for operator, keys := range operators {
					operators[operator] = listedIn(keys)
				}
			}
		}
	}
	return s
}

func listedIn(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for key, value := range m {
		m[key] = listed(value)
	}
	return m
}

func listed(v any) any {
	if _, ok := v.([]any); ok {
		return v
	}
	return []any{v}
}
