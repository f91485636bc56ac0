// Package notifytest holds the tests that every notify.Channel passes.
//
// It takes a way to open a channel whose far end does what a test says, and
// fails the test where the channel leaks a secret, tries again what is refused
// for good, gives up on what would get better, or changes the alert.
package notifytest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// Fate is what the far end of a channel does with every alert.
type Fate uint8

// The fates of an alert.
const (
	// Taken: the far end takes it.
	Taken Fate = iota
	// Refused: the far end would refuse the same again.
	Refused
	// Busy: the far end asks to come again later.
	Busy
	// Broken: the far end fails on its side.
	Broken
	// Silent: nobody answers at all.
	Silent
)

// String gives the name of the constant.
func (f Fate) String() string {
	names := []string{"Taken", "Refused", "Busy", "Broken", "Silent"}
	if int(f) >= len(names) {
		return "Fate?"
	}
	return names[f]
}

// Trial is a channel to try.
type Trial struct {
	// Channel is nil where the channel knows no such fate.
	Channel notify.Channel
	// Secrets must not be in any error.
	Secrets []string
}

// Conformance tries a channel under every fate.
func Conformance(t *testing.T, open func(t *testing.T, f Fate) Trial) {
	t.Helper()
	for _, f := range []Fate{Taken, Refused, Busy, Broken, Silent} {
		t.Run(f.String(), func(t *testing.T) {
			trial := open(t, f)
			if trial.Channel == nil {
				t.Skip("the channel knows no such fate")
			}
			try(t, f, trial)
		})
	}
	t.Run("Ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		trial := open(t, Silent)
		if trial.Channel == nil {
			t.Skip("the channel knows no such fate")
		}
		retry, err := trial.Channel.Notify(ctx, Sample())
		if err == nil || retry.When == notify.Never {
			t.Errorf("a context that has ended: %v, %v; want an error that may be tried again", retry, err)
		}
	})
	t.Run("Together", func(t *testing.T) {
		trial := open(t, Taken)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := trial.Channel.Notify(t.Context(), Sample()); err != nil {
					t.Errorf("eight at once: %v", err)
				}
			})
		}
		all.Wait()
	})
}

func try(t *testing.T, f Fate, trial Trial) {
	t.Helper()
	a := Sample()
	retry, err := trial.Channel.Notify(t.Context(), a)
	if string(a.JSON()) != string(Sample().JSON()) {
		t.Error("the channel changed the alert")
	}
	if name := trial.Channel.Name(); name == "" || leaks(name, trial.Secrets) != "" {
		t.Errorf("Name = %q", name)
	}
	if f == Taken {
		if err != nil || retry != (notify.Retry{}) {
			t.Errorf("an alert that is taken: %v, %v", retry, err)
		}
		return
	}
	if err == nil {
		t.Fatal("an alert that did not arrive is called told")
	}
	if secret := leaks(err.Error(), trial.Secrets); secret != "" {
		t.Errorf("the error shows %q", secret)
	}
	if wants := f != Refused; wants != (retry.When != notify.Never) {
		t.Errorf("%s: %s", f, retry)
	}
	if retry.When == notify.Later && retry.After <= 0 || retry.When != notify.Later && retry.After != 0 {
		t.Errorf("%s: %s after %s", f, retry.When, retry.After)
	}
}

// leaks gives the first secret that a text holds.
func leaks(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" && strings.Contains(text, s) {
			return s
		}
	}
	return ""
}

// Sample is an alert with every field set.
func Sample() alert.Alert {
	return alert.Alert{
		Version: alert.Version, ID: "5435b187fda17f2e", Fingerprint: "sha256:" + strings.Repeat("0a", 32), State: alert.Updated,
		Time: time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC), Account: "111122223333",
		Role: alert.Role{ARN: "arn:aws:iam::111122223333:role/team/app", ID: "AROAEXAMPLEAPP"}, Verdict: "Noncompliant",
		Findings: []alert.Finding{{
			Rule: "external-id", Severity: "high", Where: "Statement[0]", Message: "Account 999999999999 may assume the role without an external id.",
			Fix: "Ask for sts:ExternalId.", Evidence: alert.Evidence{Sentence: "user mallory of account 999999999999 may call sts:AssumeRole"},
		}},
		Reasons:  []string{"Statement[1].Condition.StringEquals: a reason."},
		Change:   &alert.Change{Actor: "arn:aws:iam::111122223333:user/bob", SourceIP: "198.51.100.7", Event: "UpdateAssumeRolePolicy", EventID: "e-1", Tool: "Terraform", Diff: "--- before\n+++ after\n-a\n+b\n", NewlyAllowed: "user mallory of account 999999999999 may call sts:AssumeRole"},
		Decision: alert.Decision{ID: "wiudtzt6", Action: "Revert", Reasons: []string{"The rule external-id is broken, in mode enforce."}},
		Outcome:  alert.Outcome{Done: "Revert", Verified: true, Dropped: []string{"AIDA3ZFZ4X6FO5HB76XYS"}, Problem: "The role's tags were not changed: limit exceeded."},
		Undo:     "aws iam update-assume-role-policy --role-name app --policy-document file://app-before.json", Mend: "Statement[0]: Ask for sts:ExternalId.",
	}
}
