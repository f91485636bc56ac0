package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// SecretsConfig is what a Secrets needs.
type SecretsConfig struct {
	AWS aws.Config
	Now func() time.Time
	// Keep is how long a value is kept; zero means MaxKeep, which it may not exceed.
	Keep time.Duration
}

// MaxKeep is the longest that a secret is kept: a rotated one is used soon.
const MaxKeep = 5 * time.Minute

// Secrets reads secrets and keeps them for a short while. It is safe for
// concurrent use.
type Secrets struct {
	cfg    SecretsConfig
	client func() *secretsmanager.Client
	mu     sync.Mutex
	kept   map[string]keptSecret
}

type keptSecret struct {
	value Secret
	until time.Time
}

// NewSecrets makes one.
func NewSecrets(cfg SecretsConfig) (*Secrets, error) {
	if cfg.Now == nil {
		return nil, errors.New("opening secrets: Now is missing: give time.Now")
	}
	if cfg.Keep == 0 {
		cfg.Keep = MaxKeep
	}
	if cfg.Keep < 0 || cfg.Keep > MaxKeep {
		return nil, fmt.Errorf("opening secrets: Keep is %s: give up to %s", cfg.Keep, MaxKeep)
	}
	return &Secrets{
		cfg: cfg, kept: map[string]keptSecret{},
		client: sync.OnceValue(func() *secretsmanager.Client {
			return secretsmanager.NewFromConfig(cfg.AWS, func(o *secretsmanager.Options) { o.Retryer = patient() })
		}),
	}, nil
}

// Value gives a secret by its name or ARN. A value that is kept no longer and
// cannot be read anew is an error.
func (s *Secrets) Value(ctx context.Context, id string) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.kept[id]; ok && s.cfg.Now().Before(k.until) {
		return k.value, nil
	}
	delete(s.kept, id)
	out, err := s.client().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	if err != nil {
		return Secret{}, fmt.Errorf("reading the secret %s: %w", id, sorted(err))
	}
	if aws.ToString(out.SecretString) == "" {
		return Secret{}, fmt.Errorf("reading the secret %s: it holds no text: put the value in as a text", id)
	}
	value := NewSecret(*out.SecretString)
	s.kept[id] = keptSecret{value: value, until: s.cfg.Now().Add(s.cfg.Keep)}
	return value, nil
}
