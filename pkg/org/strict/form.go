package strict

import (
	"regexp"
	"slices"
	"strings"
)

// Form is a form that a text must have.
type Form struct {
	Name   string
	OK     func(string) bool
	Remedy string
	// Then is a further form that a text of this one must have.
	Then *Form
}

// Matching makes the form of the texts that an expression matches as a whole.
func Matching(name, expression, remedy string) Form {
	return Form{Name: name, OK: regexp.MustCompile(`^(?:` + expression + `)$`).MatchString, Remedy: remedy}
}

// OneOf makes the form of some words.
func OneOf(name string, words ...string) Form {
	return Form{
		Name:   name,
		OK:     func(s string) bool { return slices.Contains(words, s) },
		Remedy: "write one of " + strings.Join(words, ", "),
	}
}
