package rules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The page shows the table as the rule uses it.
func TestPageShowsTheServiceTable(t *testing.T) {
	const mark = "<!-- table: services -->\n"
	page, err := os.ReadFile("service_confused_deputy.md")
	if err != nil {
		t.Fatal(err)
	}
	head, shown, ok := strings.Cut(string(page), mark)
	if !ok {
		t.Fatal("the page has no place for the table")
	}
	var b strings.Builder
	b.WriteString("| service | sends | evidence | aws:SourceArn, as the page writes it | page |\n|---|---|---|---|---|\n")
	for _, row := range assumers() {
		source := row.arn
		if source != "" {
			source = "`" + source + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", row.name, row.sends, row.grade, source, row.page)
	}
	if shown == b.String() {
		return
	}
	if !*update {
		t.Error("the page does not show the table: run go test ./pkg/rules -update and read the difference")
		return
	}
	if err := os.WriteFile("service_confused_deputy.md", []byte(head+mark+b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The table is looked up by binary search and is what a reader checks the rule
// against: it is in order, names each service once and without what is the same
// for all, and gives a guide and a page for each.
func TestServiceTable(t *testing.T) {
	rows := assumers()
	if !slices.IsSortedFunc(rows, func(a, b assumer) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the table is not in order")
	}
	sends, grades := map[sourceKeys]int{}, map[grade]int{}
	for i, row := range rows {
		sends[row.sends]++
		grades[row.grade]++
		if i > 0 && rows[i-1].name == row.name {
			t.Errorf("%s is there twice", row.name)
		}
		if row.sends == undocumented {
			t.Errorf("%s: what is not documented has no row", row.name)
		}
		if strings.Contains(row.name, "amazonaws") || strings.ToLower(row.name) != row.name {
			t.Errorf("%q is not the name alone", row.name)
		}
		if row.sends > sendsNone && row.grade == unseen {
			t.Errorf("%s: what was not seen on a page is not asked for", row.name)
		}
		if row.sends.arn() != (row.arn != "") || row.arn != "" && !strings.Contains(row.arn, ":ACCOUNT:") {
			t.Errorf("%s, which sends %s: its ARN is %q", row.name, row.sends, row.arn)
		}
		if guide, page, ok := strings.Cut(row.page, ", "); !ok || guide == "" || page == "" {
			t.Errorf("%s: %q is no guide and page", row.name, row.page)
		}
		if got := assumerOf(row.name + ".amazonaws.com"); got != row {
			t.Errorf("%s is not found: %+v", row.name, got)
		}
	}
	for _, k := range []sourceKeys{sendsNone, sendsARN, sendsAccount, sendsBoth} {
		if sends[k] == 0 {
			t.Errorf("no service is known to send %s", k)
		}
	}
	for _, g := range []grade{unseen, seenForSome, seen} {
		if grades[g] == 0 {
			t.Errorf("no row is %s", g)
		}
	}
}

// A service is known in every region and partition, and by nothing that only
// looks like it.
func TestServiceNames(t *testing.T) {
	for name, want := range map[string]string{
		"states.amazonaws.com":                 "states",
		"states.us-east-1.amazonaws.com":       "states",
		"states.us-gov-west-1.amazonaws.com":   "states",
		"states.cn-north-1.amazonaws.com.cn":   "states",
		"ec2.amazonaws.com.cn":                 "ec2",
		"monitoring.rds.amazonaws.com":         "monitoring.rds",
		"rds.amazonaws.com":                    "rds",
		"batchoperations.s3.amazonaws.com":     "batchoperations.s3",
		"amplify.ap-southeast-4.amazonaws.com": "amplify",
		"states.example.com":                   "",
		"states.x-y-z.amazonaws.com":           "",
		"states.internal.amazonaws.com":        "",
		"evil-states.amazonaws.com":            "",
		"us-east-1.amazonaws.com":              "",
		"states":                               "",
		"amazonaws.com":                        "",
		"":                                     "",
	} {
		if got := assumerOf(name).name; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Each service that sends keys is held by each of them and let go without, so
// no row of the table asks for what its own guard does not satisfy.
func TestEveryServiceIsHeldByItsOwnKeys(t *testing.T) {
	for _, row := range assumers() {
		if row.sends <= sendsNone {
			continue
		}
		head := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + row.name + `.amazonaws.com"},"Action":"sts:AssumeRole"`
		in, open := judgeOne(t, bare, head+`}]}`)
		if !strings.Contains(lines(open, ""), serviceConfusedDeputyID) {
			t.Errorf("%s, without a condition: %s", row.name, lines(open, ""))
		}
		// A revert of a role that AWS's own page shows so would break what works.
		if slices.ContainsFunc(open.Findings, breaks) != row.sure() {
			t.Errorf("%s, %s, without a condition: %s", row.name, row.grade, lines(open, ""))
		}
		guard := string(ownSource(in.settled(), row.sends).print())
		if _, held := judgeOne(t, bare, head+`,"Condition":`+guard+`}]}`); len(held.Findings)+len(held.Reasons) > 0 {
			t.Errorf("%s, with %s: %s", row.name, guard, lines(held, ""))
		}
	}
}
