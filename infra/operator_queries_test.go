package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// question is a saved query of Logs Insights, as far as those of this project
// go: fields, one filter, stats … by, sort, limit (CloudWatch Logs User Guide,
// CWL_QuerySyntax).
type question struct {
	t *testing.T
	// shows are the fields that it shows or counts by.
	shows []string
	// tokens are what is left of the filter.
	tokens []string
	// compared counts, for each comparison, the lines for which it held.
	compared map[string]int
}

// asked reads a query, and runs its filter over lines.
func asked(t *testing.T, text string, lines []map[string]string) (q question, found []map[string]string) {
	t.Helper()
	q = question{t: t, compared: map[string]int{}}
	var filter []string
	for command := range strings.SplitSeq(text, "\n| ") {
		verb, rest, _ := strings.Cut(command, " ")
		switch verb {
		case "fields":
			q.shows = append(q.shows, strings.Split(rest, ", ")...)
		case "filter":
			filter = regexp.MustCompile(`"[^"]*"|[\w.@]+|!=|[=()\[\],]`).FindAllString(rest, -1)
		case "stats":
			counted, by, _ := strings.Cut(rest, " by ")
			q.shows = append(q.shows, strings.Split(by, ", ")...)
			for _, m := range regexp.MustCompile(`\((\w+)\)`).FindAllStringSubmatch(counted, -1) {
				q.shows = append(q.shows, m[1])
			}
		case "sort", "limit":
		default:
			t.Fatalf("%s is not known here", verb)
		}
	}
	for _, line := range lines {
		q.tokens = slices.Clone(filter)
		if q.either(line) {
			found = append(found, line)
		}
		if len(q.tokens) > 0 {
			t.Fatalf("of the filter %q is left %q", filter, q.tokens)
		}
	}
	return q, found
}

func (q *question) next() string {
	if len(q.tokens) == 0 {
		q.t.Fatal("the filter breaks off")
	}
	token := q.tokens[0]
	q.tokens = q.tokens[1:]
	return token
}

func (q *question) follows(token string) bool {
	if len(q.tokens) == 0 || q.tokens[0] != token {
		return false
	}
	q.tokens = q.tokens[1:]
	return true
}

// either reads terms with or between them, both those with and between them:
// and binds more tightly.
func (q *question) either(line map[string]string) bool {
	holds := q.both(line)
	for q.follows("or") {
		other := q.both(line)
		holds = holds || other
	}
	return holds
}

func (q *question) both(line map[string]string) bool {
	holds := q.term(line)
	for q.follows("and") {
		other := q.term(line)
		holds = holds && other
	}
	return holds
}

func (q *question) term(line map[string]string) bool {
	if q.follows("(") {
		holds := q.either(line)
		if !q.follows(")") {
			q.t.Fatal("a bracket is not closed")
		}
		return holds
	}
	field := q.next()
	if field == "ispresent" && q.follows("(") {
		value := line[q.next()]
		if !q.follows(")") {
			q.t.Fatal("a bracket is not closed")
		}
		return value != ""
	}
	operator, values := q.next(), []string{}
	if operator == "in" && q.follows("[") {
		for !q.follows("]") {
			if value := q.next(); value != "," {
				values = append(values, value)
			}
		}
	} else {
		values = append(values, q.next())
	}
	return q.compare(line, field, operator, values)
}

// compare compares a field, and counts which of the words ever occurs.
func (q *question) compare(line map[string]string, field, operator string, values []string) bool {
	holds := false
	for _, value := range values {
		word, quoted := strings.CutPrefix(value, `"`)
		is := quoted && line[field] == strings.TrimSuffix(word, `"`)
		name := field + " = " + value
		q.compared[name] += 0
		if is {
			q.compared[name]++
		}
		holds = holds || is
	}
	switch operator {
	case "=", "in":
		return holds
	case "!=":
		return line[field] != "" && !holds
	}
	q.t.Fatalf("the operator %s is not known here", operator)
	return false
}

// Step 5: the saved queries find in the log of the built function what they say
// that they find, and nothing else. Every field that they show is one of the
// log's, and every word that they look for occurs there.
func TestTheOperatorReadsAWeekOfFindings(t *testing.T) {
	t.Parallel()
	w := newWeek(t)
	denied, err := os.ReadFile(filepath.Join("..", "events", "UpdateAssumeRolePolicy.denied.json"))
	w.must(err)
	w.handles(denied)
	w.creates(prod, "fine", onlyEC2)
	w.creates(prod, "born-open", openToAll)
	w.creates(prod, "mended", anyName)
	w.updates(prod, "mended", onlyEC2)
	w.stood(prod, "opened")
	w.updates(prod, "opened", openToAll)
	w.creates(prod, "any-name", anyName)
	w.creates(prod, "vault", openToAll)
	w.creates(prod, "vague", unsettled)
	w.creates(trial, "told", openToAll)
	w.creates(trial, "told-too", stranger)
	lines := w.linesOf(w.handler.Log())

	want := map[string][]string{
		"findings":                     {"any-name Tag", "born-open Quarantine", "mended Tag", "opened Revert", "told Tell", "told-too Tell", "vault Hold"},
		"findings-by-rule-and-account": {"any-name Tag", "born-open Quarantine", "mended Tag", "opened Revert", "told Tell", "told-too Tell", "vault Hold"},
		"undecided-or-held":            {"vague Tell", "vault Hold"},
		"written":                      {"any-name Tag", "born-open Quarantine", "mended Clear", "mended Tag", "opened Revert"},
		"alarms":                       {"vault Hold"},
	}
	for _, one := range queries() {
		if !slices.Contains(one.of, deployment.GuardFunction) {
			continue
		}
		q, found := asked(t, one.text, lines)
		var got []string
		for _, line := range found {
			got = append(got, line["role"][strings.LastIndex(line["role"], "/")+1:]+" "+line["action"])
		}
		slices.Sort(got)
		if diff := cmp.Diff(want[one.name], got); diff != "" {
			t.Errorf("%s finds (-want +got):\n%s", one.name, diff)
		}
		for _, field := range q.shows {
			if !slices.ContainsFunc(found, func(line map[string]string) bool { return line[field] != "" }) {
				t.Errorf("%s shows %s, which no line that it finds has", one.name, field)
			}
		}
		for comparison, held := range q.compared {
			// A prune takes two looks some time apart, and no week of this test has as much.
			if held == 0 && comparison != fmt.Sprintf("done = %q", decision.Prune) {
				t.Errorf("%s looks for %s, which no line has", one.name, comparison)
			}
		}
	}
	if !strings.Contains(operatorsPage(t), fmt.Sprintf("lists %s saved queries", map[int]string{6: "six"}[len(queries())])) {
		t.Error("the page speaks of another number of queries")
	}
}
