package awsapi_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// closed is a trust policy that lets only the account itself in.
const closed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`

// answering makes a client that answers one call with a fixed body.
func answering(status int, body, call string, next aws.HTTPClient) aws.HTTPClient {
	return clientFunc(func(r *http.Request) (*http.Response, error) {
		w := &wire{next: clientFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("not sent") })}
		sent, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(sent)))
		_, _ = w.Do(r)
		r.Body = io.NopCloser(strings.NewReader(string(sent)))
		if w.sent[0].call != call {
			return next.Do(r)
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func decide(a decision.Action) decision.Decision {
	return decision.Decision{ID: decision.ID(prod, "event-1", "AROA1"), Action: a}
}

// opened makes a role and a writing session for it.
func opened(t *testing.T, w *world, a decision.Action) (remediate.IAM, role.Role) {
	t.Helper()
	name := unique(t, "App")
	makeRole(t, w, name, "/team/")
	accounts := w.accounts(t)
	r, err := accounts.Role(t.Context(), ref(name))
	must(t, err)
	w.wire.take()
	session, err := accounts.Writer(t.Context(), r, decide(a))
	must(t, err)
	return session, r
}

// A writing session names its decision and can do one action to one role.
func TestWritingSessionIsNarrow(t *testing.T) {
	calls := map[decision.Action]string{
		decision.Revert:     `"iam:GetRole","iam:UpdateAssumeRolePolicy","iam:UntagRole"`,
		decision.Quarantine: `"iam:GetRole","iam:UpdateAssumeRolePolicy","iam:TagRole"`,
		decision.Tag:        `"iam:GetRole","iam:TagRole"`,
		decision.Clear:      `"iam:GetRole","iam:UntagRole"`,
	}
	worlds(t, func(t *testing.T, w *world) {
		for _, action := range slices.Sorted(maps.Keys(calls)) {
			t.Run(action.String(), func(t *testing.T) {
				_, r := opened(t, w, action)
				sent := w.wire.take()
				if len(sent) != 1 {
					t.Fatalf("%d calls were made", len(sent))
				}
				id := decide(action).ID
				want := map[string]string{
					"Action": "AssumeRole", "RoleArn": "arn:aws:iam::" + prod + ":role/rolewarden/rolewarden-remediator",
					"RoleSessionName": "rw-" + id, "SourceIdentity": "rolewarden-" + id, "DurationSeconds": "900", "ExternalId": externalID,
					"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + calls[action] + `],"Resource":["` + r.ARN + `"]}]}`,
				}
				for key, value := range want {
					if got := sent[0].form.Get(key); got != value {
						t.Errorf("%s is %q, want %q", key, got, value)
					}
				}
			})
		}
	})
}

// Every writing session is opened anew; none is kept for the next decision.
func TestWritingSessionsAreNotShared(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		_, r := opened(t, w, decision.Revert)
		a := w.accounts(t)
		w.wire.take()
		for range 2 {
			session, err := a.Writer(t.Context(), r, decide(decision.Tag))
			must(t, err)
			_, err = session.Role(t.Context(), r.Ref())
			must(t, err)
		}
		sent := w.wire.take()
		if len(sent) != 4 || sent[0].call != "sts:AssumeRole" || sent[2].call != "sts:AssumeRole" || sent[1].token == sent[3].token {
			t.Errorf("two sessions made %d calls or shared their credentials", len(sent))
		}
	})
}

// What is written is what is read afterwards.
func TestWrites(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		session, r := opened(t, w, decision.Quarantine)
		must(t, session.UpdateTrust(t.Context(), r.Ref(), closed))
		must(t, session.Tag(t.Context(), r.Ref(), map[string]string{"rolewarden:state": "reverted", "rolewarden:finding": "external-id"}))
		must(t, session.Tag(t.Context(), r.Ref(), nil))
		got, err := session.Role(t.Context(), role.Ref{Account: prod, Name: strings.ToUpper(r.Name)})
		must(t, err)
		if got.TrustPolicy != closed {
			t.Errorf("the trust policy is %s", got.TrustPolicy)
		}
		tags := map[string]string{"Team": "a b", "rolewarden:state": "reverted", "rolewarden:finding": "external-id"}
		if d := cmp.Diff(tags, got.Tags); d != "" {
			t.Errorf("the tags (-want +got):\n%s", d)
		}
		session, err = w.accounts(t).Writer(t.Context(), r, decide(decision.Clear))
		must(t, err)
		must(t, session.Untag(t.Context(), r.Ref(), []string{"rolewarden:state", "rolewarden:finding", "rolewarden:at"}))
		must(t, session.Untag(t.Context(), r.Ref(), nil))
		got, err = session.Role(t.Context(), r.Ref())
		must(t, err)
		if d := cmp.Diff(map[string]string{"Team": "a b"}, got.Tags); d != "" {
			t.Errorf("the tags (-want +got):\n%s", d)
		}
	})
}

// T74: the session refuses another role before AWS has to.
func TestWritingSessionIsForOneRole(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		session, _ := opened(t, w, decision.Revert)
		w.wire.take()
		for _, r := range []role.Ref{ref("Other"), {Account: hub, Name: unique(t, "App")}} {
			_, err := session.Role(t.Context(), r)
			for call, err := range map[string]error{
				"Role": err, "UpdateTrust": session.UpdateTrust(t.Context(), r, closed),
				"Tag": session.Tag(t.Context(), r, map[string]string{"a": "b"}), "Untag": session.Untag(t.Context(), r, []string{"a"}),
			} {
				if !errors.Is(err, role.ErrAccessDenied) {
					t.Errorf("%s of %s: got %v", call, r, err)
				}
			}
		}
		if calls := w.wire.calls(); len(calls) != 0 {
			t.Errorf("calls were made: %v", calls)
		}
	})
}

// S2, T74: AWS itself refuses the session what its action does not need. The
// lab applies session policies, moto does not.
func TestAWSRefusesTheSessionMore(t *testing.T) {
	w := labWorld(t)
	for action, refused := range map[decision.Action]func(remediate.IAM, role.Ref) error{
		decision.Tag: func(s remediate.IAM, r role.Ref) error { return s.UpdateTrust(t.Context(), r, closed) },
		decision.Clear: func(s remediate.IAM, r role.Ref) error {
			return s.Tag(t.Context(), r, map[string]string{"rolewarden:state": "x"})
		},
		decision.Quarantine: func(s remediate.IAM, r role.Ref) error { return s.Untag(t.Context(), r, []string{"rolewarden:state"}) },
		decision.Revert: func(s remediate.IAM, r role.Ref) error {
			return s.Tag(t.Context(), r, map[string]string{"rolewarden:state": "x"})
		},
	} {
		t.Run(action.String(), func(t *testing.T) {
			session, r := opened(t, w, action)
			if err := refused(session, r.Ref()); !errors.Is(err, role.ErrAccessDenied) {
				t.Errorf("got %v, want ErrAccessDenied", err)
			}
		})
	}
}

// A write whose answer is lost may have happened: it is not sent again, and the
// error says that reading decides. What AWS refused surely did not happen.
func TestWriteFaults(t *testing.T) {
	tests := []struct {
		kind  lab.FaultKind
		want  error
		sends int
	}{
		{lab.TimeoutBefore, role.ErrUncertain, 1},
		{lab.TimeoutAfter, role.ErrUncertain, 1},
		{lab.ServerError, role.ErrUncertain, 1},
		{lab.Throttle, role.ErrThrottled, 3},
		{lab.AccessDenied, role.ErrAccessDenied, 1},
		{lab.NotFound, role.ErrNotFound, 1},
		{lab.UnmodifiableEntity, role.ErrUnmodifiable, 1},
		{lab.LimitExceeded, role.ErrLimit, 1},
		{lab.ConcurrentModification, role.ErrConflict, 1},
		{lab.RefusePolicy, role.ErrMalformed, 1},
	}
	for _, test := range tests {
		t.Run(test.kind.String(), func(t *testing.T) {
			w := labWorld(t)
			session, r := opened(t, w, decision.Revert)
			w.wire.take()
			w.lab.Inject(lab.Fault{Service: "iam", Action: "UpdateAssumeRolePolicy", Kind: test.kind})
			err := session.UpdateTrust(t.Context(), r.Ref(), closed)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if !errors.Is(test.want, role.ErrUncertain) && errors.Is(err, role.ErrUncertain) {
				t.Errorf("%v is said to be uncertain", err)
			}
			if n := len(w.wire.take()); n != test.sends {
				t.Errorf("the write was sent %d times, want %d", n, test.sends)
			}
		})
	}
}

// A revert may do all that a revert does: write the policy, and take off the
// tags that told of the role before.
func TestRevertTakesTagsOff(t *testing.T) {
	w := labWorld(t)
	session, r := opened(t, w, decision.Tag)
	must(t, session.Tag(t.Context(), r.Ref(), map[string]string{"rolewarden:state": "noncompliant"}))
	session, err := w.accounts(t).Writer(t.Context(), r, decide(decision.Revert))
	must(t, err)
	remedier, err := remediate.New(remediate.Config{Now: now, Wait: func(context.Context, time.Duration) error { return nil }})
	must(t, err)
	out, err := remedier.Apply(t.Context(), session, remediate.Task{Decision: decide(decision.Revert), Role: r, Document: closed, Untag: remediate.TagKeys()})
	must(t, err)
	got, err := session.Role(t.Context(), r.Ref())
	must(t, err)
	if d := cmp.Diff(map[string]string{"Team": "a b"}, got.Tags); d != "" || out.Problem != "" || !out.Verified {
		t.Errorf("outcome %+v; the tags (-want +got):\n%s", out, d)
	}
}

// T67: a principal that is gone has an error of its own.
func TestInvalidPrincipal(t *testing.T) {
	w := labWorld(t)
	session, r := opened(t, w, decision.Revert)
	gone := strings.Replace(closed, ":root", ":user/gone", 1)
	if err := session.UpdateTrust(t.Context(), r.Ref(), gone); !errors.Is(err, role.ErrInvalidPrincipal) || errors.Is(err, role.ErrMalformed) {
		t.Errorf("got %v, want ErrInvalidPrincipal", err)
	}
}

// A write that never left did not happen.
func TestUnsentWriteIsCertain(t *testing.T) {
	w := labWorld(t)
	session, r := opened(t, w, decision.Revert)
	w.wire.next = clientFunc(func(r *http.Request) (*http.Response, error) {
		return newWire().next.Do(redirected(r))
	})
	err := session.UpdateTrust(t.Context(), r.Ref(), closed)
	if err == nil || errors.Is(err, role.ErrUncertain) {
		t.Errorf("got %v, want an error that is not uncertain", err)
	}
}

// redirected sends a request to a port where nobody listens.
func redirected(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.URL.Host = "127.0.0.1:1"
	return r
}

// What STS refuses of a session will be refused again, and is told so; what
// will pass is not.
func TestWriterTellsWhatWillNeverPass(t *testing.T) {
	for code, want := range map[string]permanence{
		"PackedPolicyTooLarge": permanent, "MalformedPolicyDocument": permanent, "ValidationError": permanent,
		"AccessDenied": passing, "Throttling": passing, "RegionDisabledException": passing, "InternalFailure": passing,
	} {
		t.Run(code, func(t *testing.T) {
			w := labWorld(t)
			w.wire.next = answering(400, `<ErrorResponse><Error><Type>Sender</Type><Code>`+code+`</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`, "sts:AssumeRole", w.wire.next)
			_, err := w.accounts(t).Writer(t.Context(), role.Role{Partition: "aws", Account: prod, Name: "App", Path: "/", ARN: "arn:aws:iam::" + prod + ":role/App", ID: "AROA1"}, decide(decision.Revert))
			if err == nil || errors.Is(err, role.ErrUnmodifiable) != (want == permanent) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// permanence is what a row expects of an error.
type permanence uint8

const (
	passing permanence = iota
	permanent
)

// What cannot be narrowed or traced is not opened, no call is made, and the
// error says that it stays so.
func TestWriterRefuses(t *testing.T) {
	w := labWorld(t)
	a := w.accounts(t)
	good := role.Role{Partition: "aws", Account: prod, Name: "App", Path: "/", ARN: "arn:aws:iam::" + prod + ":role/App", ID: "AROA1"}
	tests := map[string]func(*role.Role, *decision.Decision){
		"another account's ARN":   func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + hub + ":role/App" },
		"another name's ARN":      func(r *role.Role, _ *decision.Decision) { r.ARN += "2" },
		"another partition":       func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws-cn:iam::" + prod + ":role/App" },
		"a wildcard in the path":  func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + prod + ":role/*/App" },
		"a variable in the path":  func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + prod + ":role/${aws:username}/App" },
		"a user's ARN":            func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + prod + ":user/App" },
		"a decision without id":   func(_ *role.Role, d *decision.Decision) { d.ID = "" },
		"an id beyond the letter": func(_ *role.Role, d *decision.Decision) { d.ID = "a b" },
		"an id beyond the length": func(_ *role.Role, d *decision.Decision) { d.ID = strings.Repeat("a", 54) },
		"an action that writes nothing": func(_ *role.Role, d *decision.Decision) {
			d.Action = decision.Hold
		},
		"an unknown action": func(_ *role.Role, d *decision.Decision) { d.Action = 99 },
	}
	for name, spoil := range tests {
		r, d := good, decide(decision.Revert)
		spoil(&r, &d)
		if _, err := a.Writer(t.Context(), r, d); !errors.Is(err, role.ErrUnmodifiable) {
			t.Errorf("%s: %v, want ErrUnmodifiable", name, err)
		}
	}
	if calls := w.wire.calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}
