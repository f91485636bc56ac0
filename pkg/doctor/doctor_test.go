package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Whoever has done everything is told so, from every seat, in every way, and at
// both times.
func TestAHealthyDeploymentHasNoProblem(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"single", "hub", "members"} {
		for _, when := range []doctor.When{doctor.Before, doctor.After} {
			for seat, who := range map[doctor.Seat]string{doctor.Hub: hub, doctor.Management: boss, doctor.Member: prod} {
				if way == "single" && seat != doctor.Hub {
					continue
				}
				d := load(t, way)
				for id, r := range examine(t, d, well(d, who), when, seat) {
					if r.State != doctor.OK && r.State != doctor.Skipped {
						t.Errorf("%s, %s, from %s: %s is %s: %q", way, when, seat, id, r.State, r.Found)
					}
					if len(r.Do) != 0 {
						t.Errorf("%s: there is nothing to do and it says %q", id, r.Do)
					}
				}
			}
		}
	}
}

// Every check is made in at least one way, time and seat; none is forgotten.
func TestEveryCheckIsMadeSomewhere(t *testing.T) {
	t.Parallel()
	made := map[string]bool{}
	for _, way := range []string{"single", "hub", "members"} {
		for seat, who := range map[doctor.Seat]string{doctor.Hub: hub, doctor.Management: boss, doctor.Member: prod} {
			d := load(t, way)
			for id, r := range examine(t, d, well(d, who), doctor.After, seat) {
				made[id] = made[id] || r.State == doctor.OK
			}
			for id, r := range examine(t, d, prepared(d, who), doctor.Before, seat) {
				made[id] = made[id] || r.State == doctor.OK
			}
		}
	}
	form := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, c := range doctor.All() {
		if !made[c.ID] {
			t.Errorf("%s is never made", c.ID)
		}
		if !form.MatchString(c.ID) || c.Looks == "" {
			t.Errorf("%q has no kebab-case id, or does not say what it looks at", c.ID)
		}
	}
	if len(made) != len(doctor.All()) {
		t.Errorf("%d checks have %d ids", len(doctor.All()), len(made))
	}
}

// T84, A9: what may not be looked at is unknown and never fine, names the
// permission that is missing, and hides no other check.
func TestADeniedCallIsUnknownAndHidesNothing(t *testing.T) {
	t.Parallel()
	d := load(t, "members")
	healthy := well(d, hub)
	base := examine(t, d, healthy, doctor.After, doctor.Hub)
	slices.Sort(healthy.calls)
	for _, call := range slices.Compact(healthy.calls) {
		a := well(d, hub)
		a.fails[call] = &doctor.Refusal{Needs: call, Err: fmt.Errorf("AccessDenied: no: %w", role.ErrAccessDenied)}
		hit := 0
		for id, r := range examine(t, d, a, doctor.After, doctor.Hub) {
			switch {
			case r.State == doctor.Unknown:
				hit++
				if n := strings.Count(strings.Join(r.Found, " "), call); n > 1 {
					t.Errorf("%s denied: %s says so %d times: %q", call, id, n, r.Found)
				}
				if do := strings.Join(r.Do, " "); !strings.Contains(do, call) {
					t.Errorf("%s denied: %s does not say what to allow: %q", call, id, r.Do)
				}
			case r.State != base[id].State && r.State != doctor.Warning:
				t.Errorf("%s denied: %s went from %s to %s: %q", call, id, base[id].State, r.State, r.Found)
			}
		}
		if hit == 0 {
			t.Errorf("%s denied: nothing is unknown", call)
		}
	}
}

// panics is an AWS that breaks the check that asks for the organization.
type panics struct{ *account }

func (panics) Organization(context.Context) (doctor.Organization, error) { panic("oh") }

// stuck is an AWS whose trails never answer.
type stuck struct{ *account }

func (stuck) Trails(ctx context.Context, _ string) ([]doctor.Trail, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A check that breaks, or never ends, is unknown; the others are made.
func TestACheckThatBreaksHidesNoOther(t *testing.T) {
	t.Parallel()
	d := load(t, "hub")
	for check, broken := range map[string]doctor.AWS{"organization": panics{well(d, hub)}, "trail": stuck{well(d, hub)}} {
		results := doctor.Examine(t.Context(), doctor.Config{Deployment: d, AWS: broken, When: doctor.After, Now: today(), Patience: 1})
		if len(results) != len(doctor.All()) {
			t.Fatalf("%d results of %d checks", len(results), len(doctor.All()))
		}
		fine := 0
		for _, r := range results {
			if r.Check == check && r.State != doctor.Unknown {
				t.Errorf("%s is %s: %q", check, r.State, r.Found)
			}
			if r.State == doctor.OK {
				fine++
			}
		}
		if fine < 10 {
			t.Errorf("with a broken %s only %d checks are fine", check, fine)
		}
	}
}

// T80: the webhook's URL is a secret, whatever is wrong with it.
func TestTheWebhookIsNowhereInTheResults(t *testing.T) {
	t.Parallel()
	for _, value := range []string{hook, "http://hooks.slack.com/services/T0/notforanyone", "notforanyone", "https://notforanyone.example/x", " ", "https://notforanyone@hooks.slack.com/services/x", ":notforanyone"} {
		d := load(t, "hub")
		a := well(d, hub)
		a.secrets["rolewarden/slack-webhook"] = value
		results := doctor.Examine(t.Context(), doctor.Config{Deployment: d, AWS: a, When: doctor.After, Now: today()})
		if text := fmt.Sprintf("%+v", results); strings.Contains(text, "notforanyone") {
			t.Errorf("the secret is shown: %s", text)
		}
	}
}

// What the doctor takes for a webhook is what notify will post to, and nothing else.
func TestTheDoctorAndNotifyAgreeOnWebhooks(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		hook, " " + hook + "\n", "https://hooks.slack-gov.com/services/T0/B0/x",
		"", "nothing", "http://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com.example/services/x",
		"https://hooks.slack.com:8443/x", "https://a@hooks.slack.com/x", "https://hooks.slack.com/x#y", "https://acme.example/x", ":",
	} {
		d := load(t, "hub")
		a := well(d, hub)
		a.secrets["rolewarden/slack-webhook"] = value
		fine := examine(t, d, a, doctor.After, doctor.Hub)["slack-secret"].State == doctor.OK
		if posts := wouldPost(t, value); posts != fine {
			t.Errorf("%q: notify posts: %v; the doctor is content: %v", value, posts, fine)
		}
	}
}

// wouldPost says whether notify would post to a webhook.
func wouldPost(t *testing.T, value string) bool {
	t.Helper()
	w := &wiretap{}
	s := notify.Slack{URL: func(context.Context) (notify.Secret, error) { return notify.NewSecret(value), nil }, HTTP: w.client()}
	_, _ = s.Notify(t.Context(), trouble(t))
	return w.asked
}

// In the way single nobody asks Organizations, StackSets, or for a bus.
func TestOneAccountNeedsNoOrganization(t *testing.T) {
	t.Parallel()
	d := load(t, "single")
	a := well(d, hub)
	examine(t, d, a, doctor.After, doctor.Hub)
	for _, call := range a.calls {
		if strings.HasPrefix(call, "organizations:") || strings.Contains(call, "StackSet") || strings.Contains(call, "EventBus") {
			t.Errorf("%s was called", call)
		}
	}
}

// Before the deployment nothing is looked for that is only there afterwards.
func TestBeforeTheDeploymentNothingIsMissed(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"single", "hub"} {
		d := load(t, way)
		for id, r := range examine(t, d, prepared(d, hub), doctor.Before, doctor.Hub) {
			if r.State != doctor.OK && r.State != doctor.Skipped {
				t.Errorf("%s: %s is %s: %q", way, id, r.State, r.Found)
			}
		}
	}
	// The members need the hub first.
	d := load(t, "members")
	if r := examine(t, d, prepared(d, hub), doctor.Before, doctor.Hub)["stack"]; r.State != doctor.Problem {
		t.Errorf("without the hub, the stack is %s: %q", r.State, r.Found)
	}
}

// What to do depends on why it could not be looked at.
func TestWhatToDoAboutAnError(t *testing.T) {
	t.Parallel()
	refused := func(err error) error { return &doctor.Refusal{Needs: "sts:GetCallerIdentity", Err: err} }
	for want, err := range map[string]error{
		"Allow sts:GetCallerIdentity":   refused(role.ErrAccessDenied),
		"Allow the call":                role.ErrAccessDenied,
		"AWS asks for fewer calls":      refused(role.ErrThrottled),
		"network":                       refused(context.DeadlineExceeded),
		"Mend what the error says":      refused(errors.New("ExpiredToken: no")),
		"Mend what the error says, and": errors.New("two\nlines"),
	} {
		d := load(t, "single")
		a := well(d, hub)
		a.fails["sts:GetCallerIdentity"] = err
		r := examine(t, d, a, doctor.After, doctor.Hub)["identity"]
		if r.State != doctor.Unknown || len(r.Do) != 1 || !strings.Contains(r.Do[0], want) || strings.Contains(r.Found[0], "\n") {
			t.Errorf("%v: %s, %q, to do %q", err, r.State, r.Found, r.Do)
		}
	}
}

// T10: each trail that does not do is named with what it lacks.
func TestWhatTrailsLackIsTold(t *testing.T) {
	t.Parallel()
	d := load(t, "single")
	a := well(d, hub)
	stopped, elsewhere, narrow := orgTrail(), orgTrail(), orgTrail()
	stopped.Name, stopped.Logging = "stopped", doctor.Stopped
	elsewhere.Name, elsewhere.Reach, elsewhere.Home = "elsewhere", doctor.OneRegion, "eu-west-1"
	narrow.Name, narrow.Selectors = "narrow", nil
	a.trails[usEast] = []doctor.Trail{stopped, elsewhere, narrow}
	found := strings.Join(examine(t, d, a, doctor.Before, doctor.Hub)["trail"].Found, " ")
	for _, want := range []string{"The trail stopped is not logging.", "The trail elsewhere is for eu-west-1 alone.", "The trail narrow does not record what IAM does"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not said: %s", want, found)
		}
	}
}
