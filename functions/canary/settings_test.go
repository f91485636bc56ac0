package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func environment(change map[string]string) func(string) string {
	good := map[string]string{
		"ROLEWARDEN_TABLE": "rolewarden-ledger", "ROLEWARDEN_TOPIC_ARN": "arn:aws:sns:us-east-1:555555555555:rolewarden-alerts",
		"ROLEWARDEN_TARGETS": "r-abcd, ou-abcd-11111111", "ROLEWARDEN_EXTERNAL_ID": "example-external-id",
	}
	return func(name string) string {
		if v, ok := change[name]; ok {
			return v
		}
		return good[name]
	}
}

// All that is missing is said at once.
func TestSettingsSayAllThatIsMissing(t *testing.T) {
	_, err := readSettings(func(string) string { return "" })
	for _, name := range []string{"ROLEWARDEN_TABLE", "ROLEWARDEN_TOPIC_ARN", "ROLEWARDEN_TARGETS", "ROLEWARDEN_ACCOUNTS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

// A setting that cannot work stops the start, and is named with its value: a
// canary that looks nowhere would be taken for good news.
func TestSettingsRefuseWhatCannotWork(t *testing.T) {
	for name, values := range map[string][]string{
		"ROLEWARDEN_PARTITION":     {"aws-eu", "AWS"},
		"ROLEWARDEN_ACCOUNTS":      {"111122223333", "1111"},
		"ROLEWARDEN_MANAGEMENT":    {"111122223333,444455556666", "root"},
		"ROLEWARDEN_EVERY_MINUTES": {"0", "14", "1441", "an hour", "60m"},
		"ROLEWARDEN_TABLE":         {" "},
		"ROLEWARDEN_RULE":          {"rolewarden-*", "another"},
	} {
		for _, value := range values {
			_, err := readSettings(environment(map[string]string{name: value}))
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
	if _, err := readSettings(environment(map[string]string{"ROLEWARDEN_TARGETS": "", "ROLEWARDEN_ACCOUNTS": "11112222333x"})); err == nil || !strings.Contains(err.Error(), "11112222333x") {
		t.Errorf("an account that is none: %v", err)
	}
}

// The settings of the three ways to deploy are read, and the external id never
// prints.
func TestSettingsAreRead(t *testing.T) {
	s, err := readSettings(environment(map[string]string{"ROLEWARDEN_MANAGEMENT": "999999999999", "ROLEWARDEN_EVERY_MINUTES": "60", "ROLEWARDEN_PARTITION": "aws-cn"}))
	if err != nil || !slices.Equal(s.targets, []string{"r-abcd", "ou-abcd-11111111"}) || !slices.Equal(s.accounts, []string{"999999999999"}) ||
		s.partition != "aws-cn" || s.rule != "rolewarden-forward" || s.fresh != 2*time.Hour+10*time.Minute {
		t.Errorf("got %+v, %v", s, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", s, s, s); strings.Contains(text, "example-external-id") {
		t.Error("the external id prints")
	}
	s, err = readSettings(environment(map[string]string{"ROLEWARDEN_TARGETS": "", "ROLEWARDEN_ACCOUNTS": "111122223333", "ROLEWARDEN_RULE": "rolewarden-intake"}))
	if err != nil || s.rule != "rolewarden-intake" || !slices.Equal(s.accounts, []string{"111122223333"}) || s.partition != "aws" || s.fresh != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// walk gives what Organizations would.
type walk struct {
	ids []string
	err error
}

// Accounts implements canary.Accounts.
func (w walk) Accounts(context.Context) ([]string, error) { return w.ids, w.err }

// The management account is covered beside what stands below the targets; it
// does not hide that nothing stands there, nor that the listing failed.
func TestWhatOughtToBeCovered(t *testing.T) {
	broken := errors.New("throttled")
	for name, c := range map[string]struct {
		from covered
		want []string
		fail bool
	}{
		"listed":              {covered{listed: []string{"1"}}, []string{"1"}, false},
		"below, and beside":   {covered{listed: []string{"1"}, below: walk{ids: []string{"2", "3"}}}, []string{"2", "3", "1"}, false},
		"nothing below":       {covered{listed: []string{"1"}, below: walk{}}, []string{"1"}, true},
		"a part of the whole": {covered{listed: []string{"1"}, below: walk{ids: []string{"2"}, err: broken}}, []string{"2", "1"}, true},
	} {
		got, err := c.from.Accounts(t.Context())
		if !slices.Equal(got, c.want) || (err != nil) != c.fail {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
