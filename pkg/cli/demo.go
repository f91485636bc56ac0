package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/org"
)

type demoVerb struct{ form }

// Help is the verb's long help.
func (demoVerb) Help() string {
	return `It builds an AWS organization in this process, lets rolewarden watch it with the very parts that the Lambda functions are made of (real SDK clients, over the wire), and tells nine stories. Nothing of your own AWS settings is used, and nothing leaves this machine.

Each witness is tried in earnest, before and after rolewarden acts. Status 0: every story ended as told; 1: one did not, and it is named with what was expected and what was seen.`
}

// told is the JSON form of the demo.
type told struct {
	Version int     `json:"version"`
	OK      bool    `json:"ok"`
	Stories []*tale `json:"stories"`
}

//go:embed demo.yaml
var demoRules []byte

// demoStart is when the stories begin. It lies ahead of the machine's clock,
// by which the SDK tells whether credentials have expired.
func demoStart() time.Time { return time.Date(2035, time.June, 4, 9, 0, 0, 0, time.UTC) }

// demoSeed makes the ids and keys of the stories, the same ones every time.
const demoSeed = 35

// Run tells the stories.
func (v demoVerb) Run(s *session) error {
	return v.under(context.Background(), s, demoRules)
}

// under tells the stories under a rules file.
func (v demoVerb) under(ctx context.Context, s *session, rules []byte) error {
	result, err := tellAll(ctx, rules)
	if err != nil {
		return err
	}
	if !result.OK {
		s.end(Found)
	}
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	return s.show(timeline(result))
}

// tellAll builds the house and tells every story in it.
func tellAll(ctx context.Context, text []byte) (result told, err error) {
	start := &story{now: demoStart()}
	rules, err := org.Parse("demo.yaml", text, start.Now())
	if err != nil {
		return told{}, fmt.Errorf("reading the demo's own rules: %w", err)
	}
	h, err := newHouse(ctx, houseConfig{
		Rules: rules, Hub: security, Clock: start, Random: rand.NewChaCha8([32]byte{demoSeed}),
		Accounts: []lab.Account{
			{ID: security, Name: "security", OU: "security"},
			{ID: prod, Name: "prod", OU: "workloads/prod"},
			{ID: dev, Name: "dev", OU: "workloads/dev"},
			{ID: partner, Name: "acme", Outside: true},
			{ID: stranger, Name: "unknown", Outside: true},
		},
	})
	if err != nil {
		return told{}, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	result = told{Version: 1, OK: true}
	for i, one := range stories() {
		// Each story has an hour of its own, so that the limits on writes per
		// hour do not reach from one into the next.
		start.until(demoStart().Add(time.Duration(i) * 2 * time.Hour))
		t := &tale{ID: one.id, Title: one.title, Scenes: []scene{}, Expectations: []expectation{}, h: h}
		t.tell(ctx, one.tell)
		result.OK = result.OK && t.OK
		result.Stories = append(result.Stories, t)
	}
	return result, nil
}
