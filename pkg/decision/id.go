package decision

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// ID names the decision about one role after one event. The same three values
// give the same id, so a repeated handling decides under the same name; any
// other three give another.
//
// It is 26 lower-case letters and digits: short and plain enough for a role
// session name, a source identity (2 to 64 characters of [\w+=,.@-], STS API
// Reference, API_AssumeRole), a tag and a Sid.
func ID(account, eventID, roleID string) string {
	h := sha256.New()
	for _, part := range []string{account, eventID, roleID} {
		// The length goes in first, so that no two triples run together.
		_ = binary.Write(h, binary.BigEndian, uint64(len(part)))
		h.Write([]byte(part))
	}
	sum := h.Sum(nil)
	code := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
	return strings.ToLower(code)
}
