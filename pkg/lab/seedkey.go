package lab

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/lab/ordered"
)

// SeedKey describes a KMS key that is put into the lab without a call.
type SeedKey struct {
	// ID is made when it is empty.
	ID string
	// Alias begins with "alias/"; empty is none.
	Alias string
	// Spec defaults to HMAC_256. A key of a spec that is not for MACs exists
	// and can do nothing.
	Spec string
	// Policy defaults to KMS's own default: the account decides by its identity
	// policies. Principals that do not exist are made.
	Policy string
	State  KeyState
}

// KeyState says whether a key can be used. The zero value is an enabled key,
// as KMS makes it.
type KeyState int

// The states of a key.
const (
	KeyEnabled KeyState = iota
	KeyDisabled
	KeyPendingDeletion
)

// String gives the state's name in KMS.
func (s KeyState) String() string {
	switch s {
	case KeyEnabled:
		return "Enabled"
	case KeyDisabled:
		return "Disabled"
	case KeyPendingDeletion:
		return "PendingDeletion"
	default:
		return fmt.Sprintf("KeyState(%d)", int(s))
	}
}

// SeedKey puts a key into KMS, in the partition's home Region, and gives its
// ARN. A key that is there already, by its ID, gets the alias, policy and
// state anew and keeps its secret.
func (l *Lab) SeedKey(account string, seed SeedKey) (arn string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, err := l.known(account)
	if err != nil {
		return "", fmt.Errorf("seeding key %s: %w", seed.ID, err)
	}
	key, err := l.seedKey(acct, seed)
	if err != nil {
		return "", fmt.Errorf("seeding key %s/%s: %w", account, seed.ID, err)
	}
	return key.arn, nil
}

func (l *Lab) seedKey(acct *account, seed SeedKey) (*kmsKey, error) {
	if seed.Alias != "" && !strings.HasPrefix(seed.Alias, "alias/") {
		return nil, fmt.Errorf(`the alias %q: write "alias/" before the name`, seed.Alias)
	}
	if seed.ID == "" {
		seed.ID = l.uuid()
	}
	if seed.Spec == "" {
		seed.Spec = "HMAC_256"
	}
	if seed.Policy == "" {
		seed.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + l.partition.root(acct.ID) + `"},"Action":"kms:*","Resource":"*"}]}`
	}
	root, err := ordered.Parse([]byte(seed.Policy))
	if err != nil {
		return nil, err
	}
	policy, err := newStored(seed.Policy, root, func(kind, name string) (string, error) {
		return l.seedPrincipal(CreateMissing, kind, name)
	})
	if err != nil {
		return nil, err
	}
	key, ok := acct.kmsKeys[seed.ID]
	if !ok {
		secret, err := l.random(max(macs[seed.Spec].size, 32))
		if err != nil {
			return nil, err
		}
		key = &kmsKey{
			id: seed.ID, arn: l.partition.arn("kms", l.partition.home(), acct.ID, "key/"+seed.ID), account: acct, secret: secret,
			spec: seed.Spec, created: l.now(),
		}
	}
	for id, other := range acct.kmsKeys {
		if seed.Alias != "" && other.alias == seed.Alias && id != seed.ID {
			return nil, fmt.Errorf("the alias %s is that of key %s", seed.Alias, id)
		}
	}
	key.alias, key.policy, key.state = seed.Alias, policy, seed.State
	acct.kmsKeys[key.id] = key
	return key, nil
}
