package doctor_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// wiretap notes that somebody was about to post, and lets nothing out.
type wiretap struct{ asked bool }

func (w *wiretap) client() *http.Client { return &http.Client{Transport: w} }

// RoundTrip implements http.RoundTripper.
func (w *wiretap) RoundTrip(*http.Request) (*http.Response, error) {
	w.asked = true
	return nil, errors.New("nothing leaves this test")
}

// trouble is some alert.
func trouble(t *testing.T) alert.Alert {
	t.Helper()
	return alert.BuildTrouble(alert.Trouble{Account: prod, Problem: "something is wrong", Now: today()})
}
