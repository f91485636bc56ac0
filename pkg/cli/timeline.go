package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// accountName gives the name that an account has in the stories.
func accountName(id string) string {
	switch id {
	case security:
		return "security"
	case prod:
		return "prod"
	case dev:
		return "dev"
	case partner:
		return "acme"
	case stranger:
		return "unknown"
	default:
		return id
	}
}

// The widths of the timeline: its lines, and the gutter where a scene's own
// lines begin.
const (
	lineWidth = 110
	gutter    = "            "
)

// timeline prints the stories for people.
func timeline(result told) string {
	var b strings.Builder
	b.WriteString(bold.Render("An AWS organization in a lab, and rolewarden at work in it.") + "\n")
	wrapped(&b, "", fmt.Sprintf("Accounts: security %s (rolewarden's own), prod %s, dev %s; outside the organization: acme %s, a partner, and %s, which nobody knows. "+
		"All rules are in mode enforce.", security, prod, dev, partner, stranger))
	wrong := 0
	for _, t := range result.Stories {
		fmt.Fprintf(&b, "\n%s  %s\n\n", bold.Render(t.ID), bold.Render(t.Title))
		alerts := 0
		for _, s := range t.Scenes {
			if s.Kind == Told {
				alerts++
			}
			s.print(&b, alerts)
		}
		b.WriteByte('\n')
		if t.OK {
			fmt.Fprintf(&b, "    %s: %d expectations, all met\n", green.Render("ended as told"), len(t.Expectations))
			continue
		}
		wrong++
		wrapped(&b, "    ", red.Render("went wrong")+": "+plain(t.Problem))
	}
	b.WriteByte('\n')
	if wrong == 0 {
		b.WriteString(green.Render(fmt.Sprintf("All %d stories ended as told.", len(result.Stories))) + "\n")
	} else {
		b.WriteString(red.Render(fmt.Sprintf("%d of %d stories went wrong.", wrong, len(result.Stories))) + "\n")
	}
	return b.String()
}

// wrapped writes a text in lines that are indented alike and broken at spaces
// only, so that names and commands stay whole.
func wrapped(b *strings.Builder, indent, text string) {
	words := strings.Split(text, " ")
	line := words[0]
	for _, word := range words[1:] {
		if lipgloss.Width(indent+line)+1+lipgloss.Width(word) <= lineWidth || strings.TrimSpace(line) == "" {
			line += " " + word
			continue
		}
		b.WriteString(indent + strings.TrimRight(line, " ") + "\n")
		line = word
	}
	b.WriteString(strings.TrimRight(indent+line, " ") + "\n")
}

// at writes a scene's first line, with the time in the gutter.
func (s scene) at(b *strings.Builder, text string) {
	var lines strings.Builder
	wrapped(&lines, gutter, text)
	b.WriteString("  " + s.Time.Format("15:04:05") + lines.String()[len("  15:04:05"):])
}

// print writes a scene. The first alert of a story is shown whole.
func (s scene) print(b *strings.Builder, alerts int) {
	head := s.Who
	if s.Account != "" {
		head += " in " + accountName(s.Account)
	}
	head = bold.Render(head) + ": "
	switch s.Kind {
	case Remark:
		s.at(b, faint.Render("("+plain(s.Text)+")"))
	case Told:
		s.at(b, head+plain(s.Subject))
		s.printAlert(b, alerts)
	case Call, Attempt:
		s.at(b, head+plain(s.Text)+" -> "+resultStyle(s.Kind, s.Result).Render(plain(s.Result)))
	case Handled:
		text := plain(s.Text)
		if s.Verdict != "" {
			text = verdictStyle(s.Verdict).Render(s.Verdict) + ": " + text
		}
		s.at(b, head+text)
		s.printJudgement(b)
	}
}

// printJudgement writes what was found, decided and done.
func (s scene) printJudgement(b *strings.Builder) {
	for _, f := range s.Findings {
		wrapped(b, gutter, fmt.Sprintf("%s %s at %s", severityStyle(f.Severity).Render(f.Severity.String()), f.Rule, plain(f.Where)))
		if words := evidenceWords(f.Evidence); words != "" {
			wrapped(b, gutter+"  ", faint.Render(evidenceName(f.Evidence.Kind)+":")+" "+plain(words))
		}
	}
	for _, r := range s.Reasons {
		wrapped(b, gutter, amber.Render("undecided:")+" "+plain(r))
	}
	if s.Action == "" || s.Action == "Ignore" {
		return
	}
	done := doneWords(s.Done, s.Verified)
	if len(s.Dropped) > 0 {
		done += "; left out: " + plain(strings.Join(s.Dropped, ", "))
	}
	wrapped(b, gutter, faint.Render("decided:")+" "+s.Action+"; "+done)
}

// evidenceName is what the evidence of a kind is called.
func evidenceName(k finding.EvidenceKind) string {
	switch k {
	case finding.Allowed:
		return "witness"
	case finding.Refused:
		return "refused"
	case finding.Pair, finding.Place, finding.Fact, finding.NoEvidence:
		return "evidence"
	default:
		return "evidence"
	}
}

// shownJSON is how much of an alert's JSON the timeline shows; --format json
// has all of it.
const shownJSON = lineWidth - len(gutter) - len("...")

// printAlert writes the beginning of an alert's JSON, as programs get it, and
// what Slack shows: of the first alert all, of further ones what is not like
// the first, of a resolved one the headline.
func (s scene) printAlert(b *strings.Builder, number int) {
	text := string(s.Alert)
	if r := []rune(text); len(r) > shownJSON {
		text = string(r[:shownJSON]) + "..."
	}
	fmt.Fprintf(b, "%s%s\n", gutter, faint.Render(plain(text)))
	var attributes []string
	for _, name := range slices.Sorted(maps.Keys(s.Attributes)) {
		attributes = append(attributes, name+"="+s.Attributes[name])
	}
	wrapped(b, gutter, faint.Render("attributes: "+plain(strings.Join(attributes, " "))))
	const bar = "┃ "
	resolved := strings.Contains(string(s.Alert), `"state":"resolved"`)
	for n, line := range strings.Split(strings.TrimSuffix(s.Slack, "\n"), "\n") {
		if line = strings.TrimPrefix(line, bar); n > 0 && (resolved || number > 1 && strings.HasPrefix(line, "What changed")) {
			break
		}
		wrapped(b, gutter+bar, plain(line))
	}
}

func verdictStyle(word string) lipgloss.Style {
	var v finding.Verdict
	if v.UnmarshalText([]byte(word)) != nil {
		return amber
	}
	return colourOf(v)
}

func resultStyle(kind SceneKind, result string) lipgloss.Style {
	switch {
	case kind == Attempt && result == credentials:
		return amber
	case result == ok || result == credentials:
		return green
	default:
		return red
	}
}
