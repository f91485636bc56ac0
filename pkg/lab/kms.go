package lab

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"net/http"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// kmsKey is a key of KMS with its policy. Only keys for MACs can be used.
type kmsKey struct {
	id, arn string
	account *account
	alias   string // with "alias/"; empty for none
	spec    string
	state   KeyState
	policy  *trust
	secret  []byte
	created time.Time
}

// macs are the algorithms of HMAC keys, one for each spec. AWS KMS Developer
// Guide, hmac.
var macs = map[string]struct {
	algorithm string
	hash      func() hash.Hash
	size      int
}{
	"HMAC_224": {"HMAC_SHA_224", sha256.New224, 28},
	"HMAC_256": {"HMAC_SHA_256", sha256.New, 32},
	"HMAC_384": {"HMAC_SHA_384", sha512.New384, 48},
	"HMAC_512": {"HMAC_SHA_512", sha512.New, 64},
}

func kmsOperations() map[string]operation {
	name := func(req *request) string { return lastPart(req.text("KeyId")) }
	op := func(run func(*Lab, *request, *kmsKey) (*answer, error)) operation {
		return operation{run: onKey(run), name: name}
	}
	return map[string]operation{
		"GenerateMac": op((*Lab).generateMAC),
		"VerifyMac":   op((*Lab).verifyMAC),
		"DescribeKey": op((*Lab).describeKey),
		"DisableKey":  op((*Lab).disableKey),
		"EnableKey":   op((*Lab).enableKey),
	}
}

// onKey finds the key and asks its policy and the caller's whether the call
// may use it.
func onKey(run func(*Lab, *request, *kmsKey) (*answer, error)) func(*Lab, *request) (*answer, error) {
	return func(l *Lab, req *request) (*answer, error) {
		key, err := l.findKey(req)
		if err != nil {
			return nil, err
		}
		ctx := l.context(req)
		keyContext(ctx, req, key)
		ask := judge.Request{Action: "kms:" + req.action, Resource: key.arn, Caller: req.caller.judged(), Context: ctx}
		if !l.allowed(req.caller, key.account, key.policy.policy.Trust(ask), ask) {
			return nil, accessDenied("User: %s is not authorized to perform: %s on resource: %s", req.caller.arn(), ask.Action, key.arn)
		}
		return run(l, req, key)
	}
}

// keyContext sets the condition keys of the calls that the lab knows. AWS KMS
// Developer Guide, conditions-kms.
func keyContext(ctx judge.Context, req *request, key *kmsKey) {
	ctx.Set("kms:CallerAccount", req.caller.account.ID)
	ctx.Set("kms:KeySpec", key.spec)
	ctx.Set("kms:KeyUsage", key.usage())
	if strings.Contains(req.text("KeyId"), "alias/") {
		ctx.Set("kms:RequestAlias", key.alias)
	}
	if key.alias != "" {
		ctx.SetMany("kms:ResourceAliases", []string{key.alias})
	}
	if algorithm := req.text("MacAlgorithm"); algorithm != "" {
		ctx.Set("kms:MacAlgorithm", algorithm)
	}
}

func (k *kmsKey) usage() string {
	if _, ok := macs[k.spec]; ok {
		return "GENERATE_VERIFY_MAC"
	}
	return "ENCRYPT_DECRYPT"
}

// findKey takes a key's ID or alias in the caller's account and Region, or an
// ARN of either in any account.
func (l *Lab) findKey(req *request) (*kmsKey, error) {
	name, acct := req.text("KeyId"), req.caller.account
	if name == "" {
		return nil, kmsInvalid("1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must not be null")
	}
	if parts := strings.SplitN(name, ":", 6); len(parts) == 6 {
		if parts[3] != req.region {
			return nil, kmsNotFound("Invalid arn " + parts[3])
		}
		acct, name = l.accounts[parts[4]], strings.TrimPrefix(parts[5], "key/")
	}
	if acct != nil {
		for _, id := range sortedKeys(acct.kmsKeys) {
			key := acct.kmsKeys[id]
			if (id == name || key.alias != "" && key.alias == name) && strings.Split(key.arn, ":")[3] == req.region {
				return key, nil
			}
		}
	}
	if strings.HasPrefix(name, "alias/") {
		return nil, kmsNotFound("Alias " + req.text("KeyId") + " is not found.")
	}
	return nil, kmsNotFound("Key '" + req.text("KeyId") + "' does not exist")
}

func kmsNotFound(why string) *problem {
	return failPlain(http.StatusBadRequest, "NotFoundException", "%s", why)
}

func kmsInvalid(format string, args ...any) *problem {
	return failPlain(http.StatusBadRequest, "ValidationException", format, args...)
}

// kmsMessage and kmsMAC bound what one call takes. AWS KMS API Reference,
// API_VerifyMac.
const (
	kmsMessage = 4096
	kmsMAC     = 6144
)

// bytesOf reads a blob of a JSON call.
func bytesOf(req *request, field, shown string, most int) ([]byte, error) {
	text, ok := req.body[field].(string)
	if !ok {
		return nil, kmsInvalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must not be null", shown)
	}
	out, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return nil, failPlain(http.StatusBadRequest, "SerializationException", "%s is not base64", field)
	case len(out) == 0:
		return nil, kmsInvalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1", shown)
	case len(out) > most:
		return nil, kmsInvalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", shown, most)
	}
	return out, nil
}

// usable refuses keys in a state or of a kind that makes no MACs.
func (k *kmsKey) usable(req *request) error {
	switch k.state {
	case KeyEnabled:
	case KeyDisabled:
		return failPlain(http.StatusBadRequest, "DisabledException", "%s is disabled.", k.arn)
	case KeyPendingDeletion:
		return failPlain(http.StatusBadRequest, "KMSInvalidStateException", "%s is pending deletion.", k.arn)
	}
	mac, ok := macs[k.spec]
	if !ok {
		return failPlain(http.StatusBadRequest, "InvalidKeyUsageException", "%s key usage is %s which is not valid for %s.", k.arn, k.usage(), req.action)
	}
	for _, known := range macs {
		if known.algorithm != req.text("MacAlgorithm") {
			continue
		}
		if known.algorithm != mac.algorithm {
			return failPlain(http.StatusBadRequest, "InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", known.algorithm, k.spec)
		}
		return dryRun(req)
	}
	return kmsInvalid("1 validation error detected: Value '%s' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]", req.text("MacAlgorithm"))
}

// dryRun answers a call that only asks whether it would succeed.
func dryRun(req *request) error {
	if asked, _ := req.body["DryRun"].(bool); asked {
		return failPlain(http.StatusPreconditionFailed, "DryRunOperationException", "The request would have succeeded, but the DryRun parameter is set.")
	}
	return nil
}

func (k *kmsKey) mac(message []byte) []byte {
	h := hmac.New(macs[k.spec].hash, k.secret)
	h.Write(message)
	return h.Sum(nil)
}

func (l *Lab) generateMAC(req *request, key *kmsKey) (*answer, error) {
	message, err := bytesOf(req, "Message", "message", kmsMessage)
	if err != nil {
		return nil, err
	}
	if err := key.usable(req); err != nil {
		return nil, err
	}
	return &answer{json: map[string]any{
		"KeyId": key.arn, "Mac": base64.StdEncoding.EncodeToString(key.mac(message)), "MacAlgorithm": req.text("MacAlgorithm"),
	}}, nil
}

func (l *Lab) verifyMAC(req *request, key *kmsKey) (*answer, error) {
	message, err := bytesOf(req, "Message", "message", kmsMessage)
	if err != nil {
		return nil, err
	}
	given, err := bytesOf(req, "Mac", "mac", kmsMAC)
	if err != nil {
		return nil, err
	}
	if err := key.usable(req); err != nil {
		return nil, err
	}
	if !hmac.Equal(given, key.mac(message)) {
		return nil, failPlain(http.StatusBadRequest, "KMSInvalidMacException", "The MAC does not fit message, key and algorithm.")
	}
	return &answer{json: map[string]any{"KeyId": key.arn, "MacAlgorithm": req.text("MacAlgorithm"), "MacValid": true}}, nil
}

func (l *Lab) describeKey(_ *request, key *kmsKey) (*answer, error) {
	about := map[string]any{
		"AWSAccountId": key.account.ID, "KeyId": key.id, "Arn": key.arn, "CreationDate": secondsSince1970(key.created),
		"Enabled": key.state == KeyEnabled, "KeyState": key.state.String(), "KeyUsage": key.usage(), "KeySpec": key.spec,
		"CustomerMasterKeySpec": key.spec, "KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "MultiRegion": false, "Description": "",
	}
	if mac, ok := macs[key.spec]; ok {
		about["MacAlgorithms"] = []string{mac.algorithm}
	}
	return &answer{json: map[string]any{"KeyMetadata": about}}, nil
}

func (l *Lab) disableKey(_ *request, key *kmsKey) (*answer, error) {
	return key.turn(KeyDisabled)
}

func (l *Lab) enableKey(_ *request, key *kmsKey) (*answer, error) {
	return key.turn(KeyEnabled)
}

func (k *kmsKey) turn(state KeyState) (*answer, error) {
	if k.state == KeyPendingDeletion {
		return nil, failPlain(http.StatusBadRequest, "KMSInvalidStateException", "%s is pending deletion.", k.arn)
	}
	k.state = state
	return &answer{}, nil
}
