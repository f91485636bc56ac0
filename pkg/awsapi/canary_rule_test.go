package awsapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The rule is that of the account's default bus, with its state and pattern as
// EventBridge has them; one of the name on another bus is none.
func TestTheCanaryReadsTheAccountsRule(t *testing.T) {
	w := motoWorld(t)
	s, err := w.canaries(t).Open(t.Context(), prod)
	must(t, err)
	client := eventbridge.NewFromConfig(w.admin(t, prod))
	_, _ = client.DeleteRule(t.Context(), &eventbridge.DeleteRuleInput{Name: aws.String(canaryRule)})
	_, err = client.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(unique(t, "bus"))})
	must(t, err)
	pattern := `{"source":["aws.iam"]}`
	_, err = client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(canaryRule), EventBusName: aws.String(unique(t, "bus")), EventPattern: &pattern})
	must(t, err)
	if r, err := s.Rule(t.Context()); !errors.Is(err, role.ErrNotFound) || !strings.Contains(err.Error(), canaryRule) {
		t.Fatalf("got %+v, %v", r, err)
	}
	for _, state := range []types.RuleState{types.RuleStateEnabled, types.RuleStateDisabled} {
		_, err = client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(canaryRule), EventPattern: &pattern, State: state})
		must(t, err)
		r, err := s.Rule(t.Context())
		must(t, err)
		if r != (canary.Rule{Name: canaryRule, State: string(state), Pattern: pattern}) {
			t.Errorf("it reads %+v", r)
		}
	}
}

// eventBridge answers the calls of that service itself, and notes what was asked.
type eventBridge struct {
	next   http.RoundTripper
	status int
	body   string
	asked  []string
}

// Do implements aws.HTTPClient.
func (e *eventBridge) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSEvents.") {
		return e.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	e.asked = append(e.asked, r.Header.Get("X-Amz-Target")+" "+string(body)+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Amz-Security-Token"))
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	return &http.Response{StatusCode: e.status, Header: header, Body: io.NopCloser(strings.NewReader(e.body)), Request: r}, nil
}

// The answers of EventBridge are told apart, T84 among them: a refusal is none
// that says the rule is fine or gone. The call is made once, under the session's
// credentials and in the Region of the configuration.
func TestWhatEventBridgeAnswersTheCanary(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
		rule   canary.Rule
	}{
		"the rule":  {http.StatusOK, `{"Name":"rolewarden-forward","State":"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS","EventPattern":"{}"}`, nil, canary.Rule{Name: canaryRule, State: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", Pattern: "{}"}},
		"nothing":   {http.StatusOK, `{}`, nil, canary.Rule{Name: canaryRule}},
		"denied":    {http.StatusBadRequest, `{"__type":"AccessDeniedException","message":"no"}`, role.ErrAccessDenied, canary.Rule{}},
		"gone":      {http.StatusBadRequest, `{"__type":"ResourceNotFoundException","message":"no"}`, role.ErrNotFound, canary.Rule{}},
		"throttled": {http.StatusBadRequest, `{"__type":"ThrottlingException","message":"slow"}`, role.ErrThrottled, canary.Rule{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := labWorld(t)
			fake := &eventBridge{next: http.DefaultTransport, status: c.status, body: c.body}
			w.wire.next = fake
			s, err := w.canaries(t).Open(t.Context(), prod)
			must(t, err)
			r, err := s.Rule(t.Context())
			if r != c.rule || !errors.Is(err, c.want) || strings.Contains(fmt.Sprintf("%v %+v", err, err), externalID) {
				t.Errorf("got %+v, %v", r, err)
			}
			if len(fake.asked) == 0 || !strings.HasPrefix(fake.asked[0], `AWSEvents.DescribeRule {"Name":"rolewarden-forward"} `) || !strings.Contains(fake.asked[0], "/us-east-1/events/aws4_request") {
				t.Errorf("asked %q", fake.asked)
			}
			if c.want == nil && len(fake.asked) != 1 {
				t.Errorf("%d calls", len(fake.asked))
			}
			if token := fake.asked[0][strings.LastIndexByte(fake.asked[0], ' ')+1:]; token == "" {
				t.Error("the call bears no session")
			}
		})
	}
}
