package lab

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signature is a request's Authorization header of Signature Version 4, taken
// apart. The lab does not check how old a signature is: its clock may stand
// still while a client's runs.
type signature struct {
	keyID, date, region, service string
	headers                      []string
	value                        string
}

const algorithm = "AWS4-HMAC-SHA256"

// parseSignature gives nil without an error for a request that is not signed.
func parseSignature(header string) (*signature, error) {
	if header == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return nil, incomplete("the Authorization header must begin with " + algorithm)
	}
	sig := &signature{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 {
				return nil, incomplete("Credential must be given as key/date/region/service/aws4_request")
			}
			sig.keyID, sig.date, sig.region, sig.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			sig.headers = strings.Split(value, ";")
		case "Signature":
			sig.value = value
		}
	}
	if sig.keyID == "" || sig.value == "" || !slices.Contains(sig.headers, "host") {
		return nil, incomplete("Credential, SignedHeaders with host, and Signature must be given")
	}
	return sig, nil
}

func incomplete(why string) *problem {
	return failPlain(http.StatusBadRequest, "IncompleteSignature", "%s", why)
}

// verify recomputes the signature with the secret.
func (s *signature) verify(r *http.Request, body []byte, secret string) error {
	payload := r.Header.Get("X-Amz-Content-Sha256")
	sum := hexSum(body)
	if payload == "" {
		payload = sum
	} else if payload != sum && payload != "UNSIGNED-PAYLOAD" {
		return mismatch()
	}
	canonical := strings.Join([]string{
		r.Method, canonicalPath(r.URL), canonicalQuery(r.URL), s.canonicalHeaders(r), strings.Join(s.headers, ";"), payload,
	}, "\n")
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	stringToSign := strings.Join([]string{algorithm, requestDate(r), scope, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request", stringToSign} {
		key = sum256(key, part)
	}
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(key)), []byte(s.value)) != 1 {
		return mismatch()
	}
	return nil
}

func mismatch() *problem {
	return failPlain(http.StatusForbidden, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
}

func (s *signature) canonicalHeaders(r *http.Request) string {
	var b strings.Builder
	for _, name := range s.headers {
		fmt.Fprintf(&b, "%s:%s\n", name, headerValue(r, name))
	}
	return b.String()
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

func requestDate(r *http.Request) string {
	if date := r.Header.Get("X-Amz-Date"); date != "" {
		return date
	}
	at, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return ""
	}
	return at.UTC().Format("20060102T150405Z")
}

// canonicalPath encodes the path a second time, as every service but S3 asks.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = percentEncode(part)
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, percentEncode(name)+"="+percentEncode(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func hexSum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func sum256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// trailTime and its sisters are the ways in which AWS writes an instant.
func trailTime(t time.Time) string       { return t.UTC().Format("2006-01-02T15:04:05Z") }
func createDate(t time.Time) string      { return t.UTC().Format("Jan 2, 2006 3:04:05 PM") }
func expirationDate(t time.Time) string  { return t.UTC().Format("Jan 2, 2006, 3:04:05 PM") }
func secondsSince1970(t time.Time) int64 { return t.Unix() }
