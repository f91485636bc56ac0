package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// Slack's limits (Slack API, "Reference: blocks"): characters of a text, of a
// header and of a field, and blocks of a message. They count what is sent,
// escapes included.
const (
	maxText   = 3000
	maxHeader = 150
	maxField  = 2000
	maxBlocks = 50
)

// maxFindings is how many findings are told one by one; the others are counted.
const maxFindings = 10

// cut ends a text that was too long.
const cut = " … (cut)"

// Blocks gives an alert in Slack's Block Kit. Whatever anybody could choose (a
// role's name, a session name, a user agent) is plain text or a code block, is
// escaped, and is never a link or a mention (T77).
func Blocks(a alert.Alert) []slack.Block {
	var p page
	p.add(slack.NewHeaderBlock(plainText(emblem(a)+a.Headline(), maxHeader)))
	p.fields("Role: "+a.Role.ARN, "Account: "+a.Account, "Verdict: "+a.Verdict+", "+a.Severity(), "Alert: "+a.State.String())
	if c := a.Change; c != nil {
		p.section("Who: " + c.Actor + prefixed(" from ", c.SourceIP) + prefixed(" with ", c.Tool) + " (" + c.Event + " " + c.EventID + ")")
		if c.NewlyAllowed != "" {
			p.section("Newly allowed: " + c.NewlyAllowed)
		}
	}
	if a.Notice == "" {
		p.section("Done: " + done(a.Outcome) + prefixed(" Why: ", strings.Join(a.Decision.Reasons, " ")))
	} else {
		p.section(strings.Join(a.Decision.Reasons, " "))
	}
	if a.Outcome.Problem != "" {
		p.section("Problem: " + a.Outcome.Problem)
	}
	for i, f := range a.Findings {
		if i == maxFindings {
			break
		}
		p.finding(f)
	}
	if left := len(a.Findings) - maxFindings; left > 0 || a.Omitted > 0 {
		p.section(fmt.Sprintf("%d more findings are not shown here.", max(left, 0)+a.Omitted))
	}
	if len(a.Reasons) > 0 {
		p.section("Left undecided: " + strings.Join(a.Reasons, " "))
	}
	if a.Change != nil && a.Change.Diff != "" {
		p.code("What changed (external ids are masked)", a.Change.Diff)
	}
	if a.Mend != "" {
		p.code("How to mend", a.Mend)
	}
	if a.Undo != "" {
		p.code("How to undo", a.Undo)
	}
	p.add(slack.NewContextBlock("", plainText(fmt.Sprintf("Alert %s, decision %s, %s", a.ID, a.Decision.ID, a.Time.UTC().Format(time.RFC3339)), maxText)))
	return p.blocks[:min(len(p.blocks), maxBlocks)]
}

// emblem shows at a glance how bad it is; it is a character and no emoji code.
func emblem(a alert.Alert) string {
	switch {
	case a.State == alert.Resolved:
		return "✔ "
	case a.Severity() == "critical" || a.Severity() == "high":
		return "▲ "
	default:
		return "• "
	}
}

func done(o alert.Outcome) string {
	switch {
	case o.Done == "" || o.Done == "Ignore":
		return "nothing was written."
	case o.Verified:
		return o.Done + ", and a later read showed it."
	default:
		return o.Done + ", and no later read has shown it yet."
	}
}

// prefixed gives a text with a beginning, or nothing where there is no text.
func prefixed(beginning, s string) string {
	if s == "" {
		return ""
	}
	return beginning + s
}

// page collects blocks.
type page struct{ blocks []slack.Block }

func (p *page) add(b slack.Block) { p.blocks = append(p.blocks, b) }

// section adds a paragraph.
func (p *page) section(s string) {
	p.add(slack.NewSectionBlock(plainText(alert.Plain(s, maxText), maxText), nil, nil))
}

// fields adds short texts side by side.
func (p *page) fields(texts ...string) {
	var fields []*slack.TextBlockObject
	for _, s := range texts {
		fields = append(fields, plainText(alert.Plain(s, maxField), maxField))
	}
	p.add(slack.NewSectionBlock(nil, fields, nil))
}

func (p *page) finding(f alert.Finding) {
	head := "[" + f.Severity + "] " + f.Rule + prefixed(" at ", f.Where)
	if f.Exemption != "" {
		head += " (exempted: " + f.Exemption + ")"
	}
	p.section(head + ": " + f.Message + prefixed(" Evidence: ", f.Evidence.Sentence))
}

// code adds a title and lines in a code block, in which Slack reads no
// formatting but its escapes.
func (p *page) code(title, text string) {
	const fence = "```"
	// A fence within would end the block.
	text = strings.ReplaceAll(alert.PlainLines(strings.TrimRight(text, "\n"), 4*maxText), "`", "'")
	head := "*" + title + "*\n" + fence + "\n"
	inside := escape(strings.TrimRight(text, "\n"), maxText-len(head)-len(fence)-1)
	p.add(slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, head+inside+"\n"+fence, false, true), nil, nil))
}

// plainText makes a text without formatting. Slack refuses empty ones.
func plainText(s string, limit int) *slack.TextBlockObject {
	if s = alert.Plain(s, limit); s == "" {
		s = "-"
	}
	return slack.NewTextBlockObject(slack.PlainTextType, escape(s, limit), false, false)
}

// escape writes the three characters that Slack gives a meaning as it asks for
// (Slack API, "Formatting text for app surfaces", "Escaping text"), in at most
// limit characters, of which a longer text's last say that it is cut.
func escape(s string, limit int) string {
	var b strings.Builder
	used, keep := 0, 0
	for _, r := range s {
		piece := escaped(r)
		used += width(piece)
		if used > limit {
			return b.String()[:keep] + cut
		}
		b.WriteString(piece)
		if used <= limit-width(cut) {
			keep = b.Len()
		}
	}
	return b.String()
}

func escaped(r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	default:
		return string(r)
	}
}

// width counts as the strictest reader would: in UTF-16 code units.
func width(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
