package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/org"
)

type labVerb struct {
	Listen      string `help:"Where to listen: address and port; ${default} if not given." default:"127.0.0.1:9290" placeholder:"ADDRESS:PORT"`
	Rules       string `help:"The organization's rules file (YAML). Its accounts are the lab's. Without it the lab is the organization of rolewarden demo, with accounts security, prod and dev, and every rule acts." placeholder:"FILE"`
	Credentials string `help:"Where to write the shared-credentials file, with one profile for each account. Without it a temporary file is written." placeholder:"FILE"`
	AllowRemote bool   `help:"Listen on an address that other machines can reach. Whoever reaches the lab owns it."`
	Speed       int    `help:"Let time in the lab pass so many times as fast: the hour before a trust policy becomes a baseline, and all other waits; ${default} if not given." default:"1" placeholder:"N"`
}

// Help is the verb's long help.
func (labVerb) Help() string {
	return `It serves an AWS organization on this machine, IAM, STS, SNS and Organizations, with rolewarden watching it, until it is interrupted. The unmodified AWS command line works with it:

    rolewarden lab --credentials lab.credentials &
    export AWS_SHARED_CREDENTIALS_FILE=lab.credentials AWS_ENDPOINT_URL=http://127.0.0.1:9290
    aws --profile prod iam create-role --role-name ops --assume-role-policy-document file://trust.json

Each event, verdict, action and alert is printed as it happens. A trust policy that obeys the rules is one to revert to once it has stood for an hour (baselines.ageHours of your own rules file), and a sweep has sealed it; --speed 60 makes that a minute. Nothing is kept when the lab ends.`
}

// Run serves the lab until it is interrupted.
func (v labVerb) Run(s *session) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return v.serve(ctx, s)
}

// serve serves the lab until the context ends.
func (v labVerb) serve(ctx context.Context, s *session) (err error) {
	if err := v.check(); err != nil {
		return err
	}
	cfg, err := v.house(s)
	if err != nil {
		return err
	}
	h, err := newHouse(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	path, remove, err := v.keep(h, cfg.Accounts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := s.show(fmt.Sprintf("The lab listens, and rolewarden watches it. Interrupt to end.\n\n    export AWS_SHARED_CREDENTIALS_FILE=%s AWS_ENDPOINT_URL=%s\n    aws --profile %s sts get-caller-identity\n\nAccounts: %s\n\n",
		path, h.server.URL, profile(cfg.Accounts[min(1, len(cfg.Accounts)-1)]), accountList(cfg.Accounts))); err != nil {
		return err
	}
	return h.watch(ctx, s)
}

// check refuses what would be unsafe or make no sense.
func (v labVerb) check() error {
	host, _, err := net.SplitHostPort(v.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: it is no address and port: write 127.0.0.1:9290", v.Listen)
	}
	ip := net.ParseIP(host)
	if !v.AllowRemote && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen %q: other machines could reach the lab there, and whoever reaches it owns it: write 127.0.0.1:PORT, or give --allow-remote", v.Listen)
	}
	if old, err := os.ReadFile(v.Credentials); err == nil && !strings.HasPrefix(string(old), mark) {
		return &unusable{v.Credentials, "there is a file that is no lab's", "name another one with --credentials"}
	}
	if v.Speed < 1 || v.Speed > fastest {
		return fmt.Errorf("--speed %d: write a number from 1 to %d", v.Speed, fastest)
	}
	return nil
}

// fastest is how fast time may pass.
const fastest = 10_000

// house says what the lab holds.
func (v labVerb) house(s *session) (houseConfig, error) {
	cfg := houseConfig{Listen: v.Listen, Everything: true, Clock: quick{start: s.now(), speed: time.Duration(v.Speed)}}
	var err error
	if v.Rules == "" {
		if cfg.Rules, err = org.Parse("demo.yaml", demoRules, demoStart()); err != nil {
			return cfg, fmt.Errorf("reading the lab's own rules: %w", err)
		}
		// Its exemption is a story's, in a story's time; and nobody sits before a lab
		// for a day.
		cfg.Rules.Exemptions, cfg.Rules.Baselines.Age = nil, time.Hour
	} else if cfg.Rules, err = s.organization(v.Rules); err != nil {
		return cfg, err
	}
	o := cfg.Rules.Organization
	cfg.Hub = o.Management
	for _, a := range o.Accounts {
		cfg.Accounts = append(cfg.Accounts, lab.Account{ID: a.ID, Name: a.Name, OU: a.Unit})
		if cfg.Hub == "" {
			cfg.Hub = a.ID
		}
	}
	switch {
	case cfg.Hub == "":
		return cfg, &unusable{v.Rules, "it names no account", "list the organization's accounts under organization.accounts"}
	case !cfg.Rules.Member(cfg.Hub) || len(cfg.Accounts) < len(cfg.Rules.MemberIDs()):
		cfg.Accounts = append([]lab.Account{{ID: cfg.Hub, Name: "management"}}, cfg.Accounts...)
	}
	for _, p := range cfg.Rules.Partners {
		for _, id := range p.Accounts {
			cfg.Accounts = append(cfg.Accounts, lab.Account{ID: id, Name: p.Name, Outside: true})
		}
	}
	return cfg, nil
}

// mark begins every credentials file of a lab, so that no other file is
// overwritten.
const mark = "# Written by rolewarden lab. These keys are good in that lab only.\n"

// keep writes the shared-credentials file. What it gives removes it, where it
// is a temporary one.
func (v labVerb) keep(h *house, accounts []lab.Account) (path string, remove func() error, err error) {
	path, remove = v.Credentials, func() error { return nil }
	if path == "" {
		dir, err := os.MkdirTemp("", "rolewarden-lab-")
		if err != nil {
			return "", nil, fmt.Errorf("making a folder for the credentials: %w", err)
		}
		path, remove = filepath.Join(dir, "credentials"), func() error { return os.RemoveAll(dir) }
	}
	text := mark
	seen := map[string]bool{}
	for _, a := range accounts {
		keys, err := h.lab.Admin(a.ID)
		if err != nil {
			return "", nil, fmt.Errorf("making keys for account %s: %w", a.ID, err)
		}
		name := profile(a)
		if seen[name] {
			name = a.ID
		}
		seen[name] = true
		text += fmt.Sprintf("\n[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = %s\nendpoint_url = %s\n",
			name, keys.AccessKeyID, keys.SecretAccessKey, homeRegion, h.server.URL)
	}
	// A file that is there already keeps its mode, so it is made anew.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", nil, broken(path, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", nil, &unusable{path, "the credentials cannot be written there", "name another file with --credentials"}
	}
	return path, remove, nil
}

var profileName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// profile names an account in the credentials file.
func profile(a lab.Account) string {
	if profileName.MatchString(a.Name) {
		return a.Name
	}
	return a.ID
}

func accountList(accounts []lab.Account) string {
	var out []string
	for _, a := range accounts {
		words := profile(a) + " " + a.ID
		if a.Outside {
			words += " (outside the organization)"
		}
		out = append(out, words)
	}
	return strings.Join(out, ", ")
}
