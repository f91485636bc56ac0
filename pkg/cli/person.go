package cli

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// person is somebody in a story who calls AWS: a user, a session, a build, an
// attacker. The calls go over the wire, signed as any client signs them
// (Signature Version 4, Query protocol), so that the lab sees of a person
// exactly what AWS would: key, address, user agent.
type person struct {
	endpoint string
	keys     lab.Credentials
	// agent and address are what CloudTrail will show.
	agent   string
	address string
	now     func() time.Time
}

// refused is AWS's answer to a call that it does not grant.
type refused struct{ code, message string }

func (e *refused) Error() string { return e.code + ": " + e.message }

// codeOf gives AWS's error code, and "" for a call that succeeded.
func codeOf(err error) string {
	var r *refused
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return r.code
	default:
		return "no answer"
	}
}

// reply is an answer of the Query protocol.
type reply []byte

// text gives the text of the first element of that name.
func (r reply) text(name string) string {
	d := xml.NewDecoder(bytes.NewReader(r))
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var text string
			if d.DecodeElement(&text, &start) != nil {
				return ""
			}
			return text
		}
	}
}

// credentials gives the credentials that an answer of STS or CreateAccessKey holds.
func (r reply) credentials() lab.Credentials {
	return lab.Credentials{
		AccessKeyID: r.text("AccessKeyId"), SecretAccessKey: r.text("SecretAccessKey"), SessionToken: r.text("SessionToken"),
	}
}

// versions are the API versions of the services that people call.
func apiVersion(service string) string {
	switch service {
	case "iam":
		return "2010-05-08"
	case "sns":
		return "2010-03-31"
	default:
		return "2011-06-15"
	}
}

// answerLimit is far above the largest answer.
const answerLimit = 4 << 20

// call makes one API call. Its error is a *refused where AWS answered with one.
func (p person) call(ctx context.Context, service, action string, parameters map[string]string) (reply, error) {
	form := url.Values{"Action": {action}, "Version": {apiVersion(service)}}
	for name, value := range parameters {
		form.Set(name, value)
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint+"/", strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("calling %s:%s: %w", service, action, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", p.agent)
	if p.address != "" {
		r.Header.Set("X-Forwarded-For", p.address)
	}
	if p.keys.AccessKeyID != "" {
		p.sign(r, service, body)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("calling %s:%s: %w", service, action, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("reading the answer to %s:%s: %w", service, action, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, &refused{code: reply(text).text("Code"), message: reply(text).text("Message")}
	}
	return text, nil
}

const (
	signingAlgorithm = "AWS4-HMAC-SHA256"
	homeRegion       = "us-east-1"
)

// sign signs a request (IAM User Guide, reference_sigv-create-signed-request).
func (p person) sign(r *http.Request, service, body string) {
	date := p.now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", date)
	headers, names := "host:"+r.URL.Host+"\nx-amz-date:"+date+"\n", "host;x-amz-date"
	if p.keys.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", p.keys.SessionToken)
		headers, names = headers+"x-amz-security-token:"+p.keys.SessionToken+"\n", names+";x-amz-security-token"
	}
	canonical := strings.Join([]string{r.Method, "/", "", headers, names, hexDigest(body)}, "\n")
	scope := []string{date[:8], homeRegion, service, "aws4_request"}
	key := []byte("AWS4" + p.keys.SecretAccessKey)
	for _, part := range append(scope, strings.Join([]string{signingAlgorithm, date, strings.Join(scope, "/"), hexDigest(canonical)}, "\n")) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		signingAlgorithm, p.keys.AccessKeyID, strings.Join(scope, "/"), names, hex.EncodeToString(key)))
}

func hexDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
