// Package vendor knows the AWS accounts that vendors publish as their own.
//
// It takes an account id and gives a name for messages, so that a reader need
// not look up whose an account is. The list is a courtesy and no authority: an
// account may have changed hands, so no verdict rests on it, and nobody is
// trusted because of it. SOURCE.md says where it comes from.
package vendor

import (
	_ "embed"
	"sort"
	"strings"
)

//go:embed accounts.txt
var accounts string

// idDigits is the length of an account id, with which every line begins.
const idDigits = 12

// Name gives the name under which a vendor publishes an account as its own. It
// reads the embedded list in place, so that nothing is made ready at start-up.
func Name(account string) (name string, known bool) {
	if len(account) != idDigits {
		return "", false
	}
	// The first offset whose whole line is not before the account.
	offset := sort.Search(len(accounts), func(i int) bool {
		line := lineFrom(i)
		return line == "" || line[:idDigits] >= account
	})
	id, name, found := strings.Cut(lineFrom(offset), " ")
	return name, found && id == account
}

// lineFrom gives the first line that begins at an offset or after it.
func lineFrom(offset int) string {
	if offset > 0 && offset <= len(accounts) && accounts[offset-1] != '\n' {
		end := strings.IndexByte(accounts[offset:], '\n')
		if end < 0 {
			return ""
		}
		offset += end + 1
	}
	if offset >= len(accounts) {
		return ""
	}
	line, _, _ := strings.Cut(accounts[offset:], "\n")
	return line
}
