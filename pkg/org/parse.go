package org

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxBytes is the size of the largest rules file that is read.
const MaxBytes = 1 << 20

// MaxExemption is how far ahead an exemption may end.
const MaxExemption = 90 * 24 * time.Hour

// expiry says what to do with an exemption that has ended.
type expiry uint8

const (
	// refuseExpired: a file that is being written or deployed must not hold one.
	refuseExpired expiry = iota
	// setExpiredAside: a running deployment must not stop at midnight because of one.
	setExpiredAside
)

// Parse reads a rules file for somebody who can mend it: on the command line
// and before a deployment. Every mistake is an error of its own, a *Mistake,
// all of them joined in the order of the file; an exemption that has ended is
// one of them. The name is only used to tell where a mistake is.
func Parse(name string, text []byte, now time.Time) (*Rules, error) {
	return parse(&reader{file: name, now: now, expired: refuseExpired}, text)
}

// ParseDeployed reads a rules file that has been deployed. It differs from
// Parse in one thing: exemptions that have ended since are no error; they
// exempt nothing and are listed in Rules.Expired, to be told of.
func ParseDeployed(name string, text []byte, now time.Time) (*Rules, error) {
	return parse(&reader{file: name, now: now, expired: setExpiredAside}, text)
}

// Empty gives the rules of an organization of which nothing is known, in which
// every rule only observes.
func Empty() *Rules {
	return &Rules{Limits: defaultLimits()}
}

func parse(r *reader, text []byte) (*Rules, error) {
	root, err := load(r.file, text)
	if err != nil {
		return nil, err
	}
	r.plain(root)
	if len(r.mistakes) > 0 {
		return nil, r.err()
	}
	rules := r.rules(root)
	if len(r.mistakes) > 0 {
		return nil, r.err()
	}
	sum := sha256.Sum256(text)
	rules.Hash = "sha256:" + hex.EncodeToString(sum[:])
	return rules, nil
}

// load gives the root of the one YAML document in text.
func load(file string, text []byte) (*yaml.Node, error) {
	whole := func(problem, remedy string) error {
		return &Mistake{File: file, Line: 1, Column: 1, Problem: problem, Remedy: remedy}
	}
	if len(text) > MaxBytes {
		return nil, whole(fmt.Sprintf("%d bytes", len(text)), fmt.Sprintf("write at most %d", MaxBytes))
	}
	if !utf8.Valid(text) {
		return nil, whole("bytes that are no UTF-8", "save the file as UTF-8")
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, whole("an empty file", "write at least version: 1")
	}
	if err != nil {
		return nil, syntax(file, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, &Mistake{
			File: file, Line: max(second.Line, 1), Column: max(second.Column, 1),
			Problem: "a second YAML document", Remedy: "keep one document in a file",
		}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntax(file, err)
	}
	return doc.Content[0], nil
}

// syntax puts what the YAML reader says into the form of a Mistake.
func syntax(file string, err error) error {
	m := &Mistake{File: file, Line: 1, Column: 1, Problem: err.Error(), Remedy: "mend the YAML"}
	var at *yaml.LoadError
	if errors.As(err, &at) {
		m.Problem = at.Message
		m.Line, m.Column = max(at.Mark.Line, 1), max(at.Mark.Column, 1)
	}
	return m
}
