package invariant

import (
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// String gives "crashed", "failed", "done" or "ignored".
func (e Ending) String() string {
	switch e {
	case Crashed:
		return "crashed"
	case Failed:
		return "failed"
	case Done:
		return "done"
	case Ignoring:
		return "ignored"
	default:
		return "ending?"
	}
}

// String gives "no answer", "yes" or "no".
func (a Answer) String() string {
	switch a {
	case NoAnswer:
		return "no answer"
	case Yes:
		return "yes"
	case No:
		return "no"
	default:
		return "answer?"
	}
}

// String gives "in a queue" or "in the dead-letter queue".
func (p Place) String() string {
	switch p {
	case InQueue:
		return "in a queue"
	case InDeadLetters:
		return "in the dead-letter queue"
	default:
		return "place?"
	}
}

// String gives "seen" or "unseen".
func (k Knowledge) String() string {
	switch k {
	case Seen:
		return "seen"
	case Unseen:
		return "unseen"
	default:
		return "knowledge?"
	}
}

// String gives "current" or "lagged".
func (l Lag) String() string {
	switch l {
	case Current:
		return "current"
	case Lagged:
		return "lagged"
	default:
		return "lag?"
	}
}

// String gives "undetected" or "detected".
func (d Detection) String() string {
	switch d {
	case Undetected:
		return "undetected"
	case Detected:
		return "detected"
	default:
		return "detection?"
	}
}

// Line tells one entry in a line, for traces.
func (e Entry) Line(since time.Time) string {
	who := "world"
	if e.Run > 0 {
		who = fmt.Sprintf("run %d", e.Run)
	}
	return fmt.Sprintf("%10s  %-8s %s", e.At.Sub(since).Round(time.Millisecond), who, describe(e.Fact))
}

func describe(f Fact) string {
	switch f := f.(type) {
	case Ruled:
		return "the rules file is " + shortHash(f.Rules.Hash)
	case Joined:
		return "account " + f.Account + " has joined"
	case Principal:
		return fmt.Sprintf("%s is %q now", f.ARN, f.ID)
	case Arrived:
		return "event arrives: " + f.Key.String()
	case Lost:
		return "event is lost: " + f.Key.String()
	case Turned:
		return fmt.Sprintf("the kill switch says %s", f.Switch)
	case Reset:
		return "a person resets the breaker " + f.Scope
	case Gave:
		return fmt.Sprintf("%s gives a word on %s until %s", f.Word.By, shortHash(f.Word.Digest), f.Word.Until.Format(time.DateTime))
	case Ticked:
		return "the schedule asks for a sweep"
	case Healed:
		return "HEALED: no more faults, no more foreign writers"
	case Left:
		return "left " + f.Place.String() + ": " + f.Key.String()
	case Stands:
		return fmt.Sprintf("role %s (%s) stands with %s, %s", f.Role.Ref(), f.Role.ID, Short(f.Role.TrustPolicy), f.Unseen)
	case Over:
		return "OVER"
	default:
		return describeRun(f)
	}
}

func describeRun(f Fact) string {
	switch f := f.(type) {
	case Began:
		return "begins: " + f.What
	case Ended:
		return strings.TrimSpace(f.How.String() + " " + f.Note)
	case Asked:
		return fmt.Sprintf("%s takes decision %s back until %s", f.Undoing.By, f.Undoing.Decision, f.Undoing.Until.Format(time.DateTime))
	case Weighed:
		return fmt.Sprintf("reads that the kill switch says %s", f.Switch)
	case Troubled:
		return "does not learn what came of " + f.Call
	case Read:
		return fmt.Sprintf("reads %s (%s): %s", f.Role.Ref(), f.Role.ID, Short(f.Role.TrustPolicy))
	case Listed:
		return fmt.Sprintf("is shown %d roles of an account", len(f.RoleIDs))
	case Looked:
		return fmt.Sprintf("looks who %s is: %q", f.ARN, f.ID)
	case Took:
		return "takes " + f.Key.String()
	default:
		return describeWork(f)
	}
}

func describeWork(f Fact) string {
	switch f := f.(type) {
	case Intended:
		return fmt.Sprintf("intends to %s %s (%s) for %s: %s", f.Intent.Decision.Action, f.Intent.Role, f.Intent.RoleID, f.Intent.Event, Short(f.Intent.After))
	case Spent:
		return fmt.Sprintf("spends %s: %s", f.Token, f.Answer)
	case Concluded:
		s := fmt.Sprintf("concludes %s as %s: %s", f.Conclusion.Event, f.Conclusion.End, f.Conclusion.Reason)
		if st := f.Conclusion.State; st != nil {
			s += fmt.Sprintf(" [%s %s decided %s did %s alert %q]", Short(st.Document), st.Verdict, st.Decided, st.Action, st.AlertID)
		}
		return s
	case Baselined:
		return fmt.Sprintf("makes a baseline of %s: %s", f.Baseline.RoleID, Short(f.Baseline.Document))
	case Wrote:
		s := fmt.Sprintf("%s WRITES %s of %s (%s)", f.By, f.Call, f.Role.Ref(), f.Role.ID)
		if f.Call == UpdateTrust {
			s += ": " + Short(f.Role.TrustPolicy) + " becomes " + Short(f.Document)
		}
		return s
	case Told:
		return fmt.Sprintf("tells %s: %s %s of %s: %s %s/%s verified %t %s, answer %s", f.Channel, f.Alert.ID, f.Alert.State, f.Alert.Role.ARN, f.Alert.Verdict, f.Alert.Decision.Action, f.Alert.Outcome.Done, f.Alert.Outcome.Verified, f.Alert.Outcome.Problem, f.Answer)
	case Delivered:
		return "records that letter " + f.Letter + " was told"
	case Unrecorded:
		return "cannot record that a letter was told"
	case Alarmed:
		return "ALARM " + f.Word + " " + f.Key
	case Said:
		return "says in " + f.Where + " what is secret"
	case Panicked:
		return "PANIC " + f.Value
	default:
		return fmt.Sprintf("%T", f)
	}
}

// Short names a document in a trace: the start of its digest, and whom it lets in.
func Short(text string) string {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		return fmt.Sprintf("unreadable (%d characters)", len(text))
	}
	var who []string
	for _, s := range d.Statements {
		for _, p := range s.Principal.List {
			who = append(who, s.Effect.String()+" "+p.Value)
		}
	}
	return "doc " + shortHash(d.Digest("aws")) + " {" + strings.Join(who, ", ") + "}"
}

func shortHash(h string) string {
	h = strings.TrimPrefix(h, "sha256:")
	return h[:min(6, len(h))]
}
