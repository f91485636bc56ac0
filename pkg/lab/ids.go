package lab

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// partition knows the names that differ between AWS's partitions.
type partition string

func (p partition) arn(service, region, account, resource string) string {
	return "arn:" + string(p) + ":" + service + ":" + region + ":" + account + ":" + resource
}

func (p partition) iam(account, resource string) string { return p.arn("iam", "", account, resource) }

func (p partition) sts(account, resource string) string { return p.arn("sts", "", account, resource) }
func (p partition) root(account string) string          { return p.iam(account, "root") }
func (p partition) managed(name string) string          { return p.iam("aws", "policy/"+name) }

// home is the Region of the partition's IAM control plane, where its events
// appear.
func (p partition) home() string {
	switch p {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	default:
		return "us-east-1"
	}
}

// The prefixes of AWS's unique IDs. IAM User Guide, reference_identifiers.
const (
	userPrefix     = "AIDA"
	rolePrefix     = "AROA"
	policyPrefix   = "ANPA"
	longTermKey    = "AKIA"
	temporaryKey   = "ASIA"
	idLetters      = 17
	keyLetters     = 16
	secretLength   = 40
	tokenBytes     = 96
	randomPerRunes = 5
)

func (l *Lab) random(n int) ([]byte, error) {
	buf := make([]byte, n)
	if _, err := io.ReadFull(l.config.Rand, buf); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	return buf, nil
}

// uniqueID makes a prefix and so many letters of A-Z and 2-7.
func (l *Lab) uniqueID(prefix string, letters int) (string, error) {
	buf, err := l.random(letters*randomPerRunes/8 + 1)
	if err != nil {
		return "", err
	}
	return prefix + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(buf)[:letters], nil
}

func (l *Lab) secretText(length int) (string, error) {
	buf, err := l.random(length)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(buf)[:length], nil
}

// uuid makes a version 4 UUID. Random bytes that cannot be read give the zero
// UUID: an event without a good ID is still an event.
func (l *Lab) uuid() string {
	buf, err := l.random(16)
	if err != nil {
		buf = make([]byte, 16)
	}
	buf[6] = buf[6]&0x0f | 0x40
	buf[8] = buf[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", buf[:4], buf[4:6], buf[6:8], buf[8:10], buf[10:])
}

// fold gives the key under which names that differ only in case are one.
func fold(name string) string { return strings.ToLower(name) }

// percentEncode is RFC 3986: everything but letters, digits and - . _ ~ .
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// clip cuts a text to so many bytes without cutting a rune.
func clip(s string, size int) string {
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}
