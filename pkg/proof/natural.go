package proof

import (
	"strings"
	"unicode"
)

// natural fills a pattern's wildcards with what usually stands there, so that
// a witness reads like a request that somebody makes. The account stands where
// an ARN's account is open.
func (p *pattern) natural(account string) string {
	return p.filledBy(func(i int, before string) string {
		last := i == len(p.tokens)-1
		if !last && inWord(p.tokens[i+1].r) {
			return ""
		}
		fill := usual(before, account)
		if last {
			fill += ending(before+fill, account)
		}
		return fill
	})
}

// inWord reports whether a word goes on with a rune: nothing is missing before it.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// arnFields are natural fields of an ARN; the account is given.
func arnFields(account string) [6]string {
	return [...]string{"arn", "aws", "lambda", "us-east-1", account, "function:app"}
}

// subjects are how the subjects of two issuers that many use go on after the
// name of a repository, by how they begin.
var subjects = [...]struct{ head, tail string }{
	{"repo:", ":ref:refs/heads/main"},
	{"project_path:", ":ref_type:branch:ref:main"},
}

// usual gives what usually stands at a star, by what stands before it.
func usual(before, account string) string {
	if at := strings.Count(before, ":"); strings.HasPrefix(before, "arn:") && at < 5 && strings.HasSuffix(before, ":") {
		return arnFields(account)[at]
	}
	for _, s := range subjects {
		rest, ok := strings.CutPrefix(before, s.head)
		switch {
		case !ok:
		case rest == "":
			return "mallory/app"
		case strings.Count(rest, ":") == 1 && strings.HasSuffix(rest, ":"):
			return s.tail[1:]
		}
	}
	return usualWord(before)
}

// ending completes a text that a star ended too soon for what it is.
func ending(text, account string) string {
	if at := strings.Count(text, ":"); strings.HasPrefix(text, "arn:") && at < 5 {
		fields := arnFields(account)
		return ":" + strings.Join(fields[at+1:], ":")
	}
	for _, s := range subjects {
		rest, ok := strings.CutPrefix(text, s.head)
		switch {
		case !ok || strings.Contains(rest, ":"):
		case strings.Contains(rest, "/"):
			return s.tail
		default:
			return "/app" + s.tail
		}
	}
	return ""
}

// usualWord gives a word where one begins, and nothing inside of one.
func usualWord(before string) string {
	if before == "" || strings.HasSuffix(before, "/") && !strings.HasSuffix(before, "refs/heads/") {
		return "app"
	}
	switch before[len(before)-1] {
	case '/':
		return "main"
	case ':', '.', '@', '=':
		return "app"
	case '-', '_':
		return "1"
	default:
		return ""
	}
}

// tryARNs fills the first ARN patterns with an account that is asked for beside
// them, or with one of nobody's.
func tryARNs(lits []lit, try func(string) bool) bool {
	account := naturalAccounts[0]
	for i := range lits {
		if l := &lits[i]; l.win == accountWindow && !l.neg && l.t.finite() && len(l.t.exact) > 0 {
			account = l.t.exact[0]
		}
	}
	for i := range min(len(lits), mostSampled) {
		l := &lits[i]
		if l.neg || l.win != wholeWindow || l.t == nil {
			continue
		}
		for j := range min(len(l.t.patterns), 2) {
			if try(l.t.patterns[j].natural(account)) {
				return true
			}
		}
	}
	return false
}

// naturalName fills the stars of the end of an ARN as usual.
func naturalName(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "*") {
		if i > 0 && (part == "" || !inWord(rune(part[0]))) {
			b.WriteString(usualWord(b.String()))
		}
		b.WriteString(strings.ReplaceAll(part, "?", "1"))
	}
	return b.String()
}

// filledName fills the stars of the end of an ARN all alike.
func filledName(text, fill string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "*", fill), "?", "1")
}
