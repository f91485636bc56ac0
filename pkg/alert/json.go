package alert

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
)

//go:embed alert.schema.json
var schema string

// Schema gives the JSON Schema (2020-12) of an alert's JSON.
func Schema() []byte { return []byte(schema) }

// maxJSON is the most bytes that an alert's JSON has. A message holds it as a
// string inside JSON, which at worst doubles it, beside the text for e-mail.
const maxJSON = 80_000

// JSON gives the alert as programs read it, on one line.
func (a Alert) JSON() []byte {
	text, err := encode(a)
	if err == nil {
		return text
	}
	// Only evidence that did not come from Build can fail to print: an unknown
	// kind, or a request in invalid UTF-8. The rest is told without it.
	bare := a
	bare.Findings = make([]Finding, len(a.Findings))
	for i, f := range a.Findings {
		f.Evidence = Evidence{Sentence: f.Evidence.Sentence}
		bare.Findings[i] = f
	}
	if bare.State > Resolved {
		bare.State = Updated
	}
	if text, err = encode(bare); err == nil {
		return text
	}
	text, _ = encode(Alert{
		Version: Version, ID: a.ID, Fingerprint: a.Fingerprint, Account: a.Account, Role: a.Role, Findings: []Finding{},
		Verdict: "Undecided", Decision: Decision{Action: "Tell"}, Outcome: Outcome{Done: "Ignore", Problem: "The alert could not be printed: " + err.Error()},
	})
	return text
}

// encode prints without escaping <, > and &, which diffs are full of.
func encode(a Alert) ([]byte, error) {
	if a.Findings == nil {
		a.Findings = []Finding{}
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Parse reads what JSON gives. Fields that it does not know are passed over,
// so that a reader may be older than a writer; another version is an error.
func Parse(text []byte) (Alert, error) {
	var a Alert
	if err := json.Unmarshal(text, &a); err != nil {
		return Alert{}, fmt.Errorf("reading an alert: %w", err)
	}
	if a.Version != Version {
		return Alert{}, fmt.Errorf("reading an alert: its version is %d and this is for version %d: deploy the same release everywhere", a.Version, Version)
	}
	if a.ID == "" || a.Decision.Action == "" {
		return Alert{}, errors.New("reading an alert: it has no id or no decision, so it is none of rolewarden's")
	}
	return a, nil
}

// fit makes an alert small enough to be sent: the last findings go, and are counted.
func fit(a Alert) Alert {
	for len(a.JSON()) > maxJSON && len(a.Findings) > 0 {
		keep := len(a.Findings) * 3 / 4
		a.Omitted += len(a.Findings) - keep
		a.Findings = a.Findings[:keep]
	}
	return a
}
