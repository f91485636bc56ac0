package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const slackHost = "hooks.slack.com"

// slackFake answers in the place of Slack, under its name: behind a proxy, with a
// certificate that only the function under test trusts.
type slackFake struct {
	mu sync.Mutex
	// good is the path of the webhook that is not revoked.
	good string
	// posted are the messages that it took.
	posted []string
	proxy  *httptest.Server
	// authority is the file with its certificate.
	authority string
}

func newSlackFake(t *testing.T) *slackFake {
	t.Helper()
	s := &slackFake{authority: filepath.Join(t.TempDir(), "authority.pem")}
	host := httptest.NewUnstartedServer(http.HandlerFunc(s.hook))
	host.TLS = &tls.Config{Certificates: []tls.Certificate{s.certificate(t)}, MinVersion: tls.VersionTLS12}
	host.Config.ErrorLog = log.New(io.Discard, "", 0)
	host.StartTLS()
	t.Cleanup(host.Close)
	s.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != slackHost+":443" {
			t.Errorf("it asks for %s %s", r.Method, r.Host)
			http.Error(w, "nowhere else", http.StatusForbidden)
			return
		}
		// What the other side sent already lies in the buffer.
		near, sent, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		far, err := net.Dial("tcp", host.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			_ = near.Close()
			return
		}
		if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			t.Error(err)
		}
		go func() { _, _ = io.Copy(far, sent); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}))
	t.Cleanup(s.proxy.Close)
	return s
}

// certificate makes one for Slack's host, and writes it to the file.
func (s *slackFake) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{slackHost}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	made, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

// hook takes what is posted to the webhook that is not revoked (Slack API,
// "Sending messages using incoming webhooks", "Error handling").
func (s *slackFake) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || r.URL.Path != s.good {
		http.Error(w, "no_service", http.StatusNotFound)
		return
	}
	s.posted = append(s.posted, string(body))
	_, _ = io.WriteString(w, "ok")
}

// goodIs says which webhook is the one that is not revoked, from now on.
func (s *slackFake) goodIs(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good = path
}

// took gives what it took since the last call.
func (s *slackFake) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.posted
	s.posted = nil
	return out
}
