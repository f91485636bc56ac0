package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Secret is a text that prints as "[secret]" however it is printed. A webhook's
// URL is one: who has it can post.
type Secret struct {
	// value is a function since fmt prints unexported fields by reflection,
	// without asking the methods below.
	value func() string
}

const redacted = "[secret]"

// NewSecret makes a secret of a text.
func NewSecret(value string) Secret { return Secret{value: func() string { return value }} }

// Reveal gives the text, to be used and never printed.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return s.value()
}

// String gives "[secret]".
func (s Secret) String() string { return redacted }

// GoString gives "[secret]".
func (s Secret) GoString() string { return redacted }

// Format gives "[secret]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText gives "[secret]"; JSON gets the same.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// in takes the secret, and each piece of it that would do as one, out of a text.
func (s Secret) in(text string) string {
	value := s.Reveal()
	pieces := []string{value, strings.TrimSpace(value)}
	if u, err := url.Parse(strings.TrimSpace(value)); err == nil {
		pieces = append(pieces, u.String(), u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery)
		for _, part := range strings.Split(u.Path, "/") {
			if len(part) > 7 && part != "services" {
				pieces = append(pieces, part)
			}
		}
	}
	for _, p := range pieces {
		if len(p) > 1 {
			text = strings.ReplaceAll(text, p, redacted)
		}
	}
	return text
}

// redactURL gives an error without the URL that the packages net/http and
// net/url write into theirs. What it wrapped cannot be reached any more, since
// whoever prints it would print the URL.
func redactURL(err error, s Secret) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return errors.New(s.in(err.Error()))
}
