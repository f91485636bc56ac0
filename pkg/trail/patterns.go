package trail

import (
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxPattern is the length of the longest event pattern that EventBridge takes.
const MaxPattern = 2048

// PatternOptions says what to route beside what always is.
type PatternOptions struct {
	// AssumeRole lists the ARNs (or ARN patterns with * and ?) of the roles whose
	// AssumeRole events are routed too. EventBridge has no ?, so it routes
	// somewhat more than a pattern with ? asks for.
	AssumeRole []string
}

// pattern is an EventBridge event pattern (EventBridge User Guide,
// eb-event-patterns).
type pattern struct {
	Source     []string      `json:"source"`
	DetailType []string      `json:"detail-type"`
	Detail     patternDetail `json:"detail"`
}

type patternDetail struct {
	EventSource []string           `json:"eventSource"`
	EventName   []string           `json:"eventName"`
	ErrorCode   []any              `json:"errorCode"`
	Parameters  *patternParameters `json:"requestParameters,omitempty"`
}

type patternParameters struct {
	RoleARN []any `json:"roleArn"`
}

// Patterns renders the event patterns that route the events of the table: one
// for what is routed by default, and as many as are needed for AssumeRole of the
// listed roles. Source, detail-type and event source are pinned, so that nobody
// else's events match, and calls that were refused do not. Calls that AWS did not
// finish do: they may have taken effect.
func Patterns(o PatternOptions) []string {
	byDefault := pattern{}
	onRequest := pattern{}
	for _, e := range Events() {
		switch e.Routing {
		case ByDefault:
			byDefault.add(e)
		case OnRequest:
			onRequest.add(e)
		}
	}
	out := []string{byDefault.render()}
	var batch []any
	for _, arn := range o.AssumeRole {
		onRequest.Detail.Parameters = &patternParameters{RoleARN: append(slices.Clip(batch), roleMatch(arn))}
		if len(batch) > 0 && len(onRequest.render()) > MaxPattern {
			onRequest.Detail.Parameters = &patternParameters{RoleARN: batch}
			out = append(out, onRequest.render())
			batch = nil
		}
		batch = append(slices.Clip(batch), roleMatch(arn))
	}
	if len(batch) > 0 {
		onRequest.Detail.Parameters = &patternParameters{RoleARN: batch}
		out = append(out, onRequest.render())
	}
	return out
}

// add makes room for one more event.
func (p *pattern) add(e Event) {
	p.Source = with(p.Source, e.Source)
	for _, t := range e.DetailTypes {
		p.DetailType = with(p.DetailType, t)
	}
	p.Detail.EventSource = with(p.Detail.EventSource, e.EventSource)
	p.Detail.EventName = with(p.Detail.EventName, e.Name)
	if len(p.Detail.ErrorCode) == 0 {
		p.Detail.ErrorCode = []any{map[string]bool{"exists": false}}
	}
	if e.isRead() && len(p.Detail.ErrorCode) == 1 {
		for _, code := range serviceFailed() {
			p.Detail.ErrorCode = append(p.Detail.ErrorCode, code)
		}
	}
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// wild finds the wildcards that EventBridge takes for one: it refuses two that
// stand side by side.
var wild = regexp.MustCompile(`[*?]+`)

// roleMatch gives the filter for one role or pattern of roles.
func roleMatch(arn string) any {
	if !strings.ContainsAny(arn, "*?") {
		return arn
	}
	return map[string]string{"wildcard": wild.ReplaceAllString(arn, "*")}
}

// render gives the pattern's JSON. It is made of strings, lists and true or
// false, which always have one.
func (p pattern) render() string {
	text, err := json.Marshal(p, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return "{}"
	}
	return string(text)
}
