package notify

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// Plain gives what Slack would show for an alert, for a terminal: the same
// blocks, unescaped, with a bar at the left.
func Plain(a alert.Alert) string {
	var b strings.Builder
	for _, block := range Blocks(a) {
		switch block := block.(type) {
		case *slack.HeaderBlock:
			paragraph(&b, block.Text.Text)
		case *slack.SectionBlock:
			if block.Text != nil {
				paragraph(&b, block.Text.Text)
			}
			for _, f := range block.Fields {
				paragraph(&b, f.Text)
			}
		case *slack.ContextBlock:
			for _, e := range block.ContextElements.Elements {
				if text, ok := e.(*slack.TextBlockObject); ok {
					paragraph(&b, text.Text)
				}
			}
		}
	}
	return b.String()
}

// paragraph writes the lines of one text, without the marks of a code block.
func paragraph(b *strings.Builder, text string) {
	text = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
	for _, line := range strings.Split(text, "\n") {
		if line == "```" {
			continue
		}
		if title, ok := strings.CutPrefix(line, "*"); ok && strings.HasSuffix(title, "*") {
			line = strings.TrimSuffix(title, "*")
		}
		b.WriteString("┃ " + line + "\n")
	}
}
