package awsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// SealsConfig is what a Seals needs.
type SealsConfig struct {
	AWS aws.Config
	// KeyID is the ARN of an HMAC key that never leaves KMS. Who may seal with it
	// and who may only check is for its policy to say. Where the key was replaced,
	// the ARNs of those that sealed before follow, with commas between, the newest
	// first: what they sealed is checked with them, and nothing new is sealed.
	KeyID string
}

// Seals seals baselines, and checks their seals, with a key in KMS. A baseline
// that somebody wrote or changed who cannot seal is found out (T61).
type Seals struct {
	// keys begins with the one that seals.
	keys   []string
	client func() *kms.Client
}

// sealSize is the length of a seal in bytes, that of SHA-256.
const sealSize = 32

// NewSeals makes one.
func NewSeals(cfg SealsConfig) (*Seals, error) {
	var keys []string
	for _, key := range strings.Split(cfg.KeyID, ",") {
		if key = strings.TrimSpace(key); key == "" {
			return nil, errors.New("opening the seals: KeyID is missing: give the ARN of the key that seals baselines")
		}
		keys = append(keys, key)
	}
	return &Seals{keys: keys, client: sync.OnceValue(func() *kms.Client {
		return kms.NewFromConfig(cfg.AWS, func(o *kms.Options) { o.Retryer = patient() })
	})}, nil
}

// Seal gives the seal of a baseline as it stands, its present Seal left out.
func (s *Seals) Seal(ctx context.Context, b role.Baseline) ([]byte, error) {
	out, err := s.client().GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: aws.String(s.keys[0]), Message: b.Message(), MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("sealing a baseline of role %s in account %s: %w", b.RoleID, b.Account, sorted(err))
	case len(out.Mac) != sealSize:
		return nil, fmt.Errorf("sealing a baseline of role %s in account %s: the seal has %d bytes and not %d", b.RoleID, b.Account, len(out.Mac), sealSize)
	}
	return out.Mac, nil
}

// Verify says whether a baseline is as it was sealed: nil when it is, an error
// that wraps role.ErrSealBroken when it is not, and any other error when that
// could not be found out. A baseline without a seal, or with one that KMS cannot
// have made, is not sealed, and KMS is not asked.
func (s *Seals) Verify(ctx context.Context, b role.Baseline) error {
	what := fmt.Sprintf("checking the seal of a baseline of role %s in account %s", b.RoleID, b.Account)
	if len(b.Seal) != sealSize {
		return fmt.Errorf("%s: %w: it has %d bytes and not %d", what, role.ErrSealBroken, len(b.Seal), sealSize)
	}
	// A key that does not answer may be the one that made the seal: only when all
	// have answered is it broken.
	var unknown error
	for _, key := range s.keys {
		switch fits, err := s.fits(ctx, key, b); {
		case err != nil:
			unknown = errors.Join(unknown, sorted(err))
		case fits:
			return nil
		}
	}
	if unknown != nil {
		return fmt.Errorf("%s: %w", what, unknown)
	}
	return fmt.Errorf("%s: %w", what, role.ErrSealBroken)
}

// fits asks KMS whether a key made a baseline's seal.
func (s *Seals) fits(ctx context.Context, key string, b role.Baseline) (bool, error) {
	out, err := s.client().VerifyMac(ctx, &kms.VerifyMacInput{
		KeyId: aws.String(key), Message: b.Message(), Mac: b.Seal, MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
	})
	if broken := (*types.KMSInvalidMacException)(nil); errors.As(err, &broken) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// KMS answers a seal that does not fit with the error above (AWS KMS API
	// Reference, API_VerifyMac: MacValid); whatever else says so counts too.
	return out.MacValid, nil
}
