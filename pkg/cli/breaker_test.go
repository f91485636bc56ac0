package cli_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// conforms holds what a verb printed to its schema.
func conforms(t *testing.T, name, out string) {
	t.Helper()
	schema, err := compiled(name)
	fine(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	fine(t, err)
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

// A breaker stays tripped until a person resets it by its name and with a reason;
// whoever looks is shown which ones are tripped and since when.
func TestAPersonResetsABreaker(t *testing.T) {
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, "123456789012", "version: 1\n", "way: single\n")
	table := makeLedger(t, cfg)
	spend := func(token string) error {
		return table.Spend(t.Context(), token, time.Now(), []ledger.Counter{{Name: "account/111122223333", Window: time.Hour, Limit: 2, Full: ledger.Trip}})
	}
	says := func(want string, status int, args ...string) string {
		t.Helper()
		out, errs, got := run("", append([]string{"breaker"}, append(args, "--deployment", p.path)...)...)
		if got != status || !strings.Contains(out+errs, want) {
			t.Errorf("%v: status %d, want %d; it says %q, want %q", args, got, status, out+errs, want)
		}
		return out
	}
	conforms(t, "breaker", says(`"tripped":[]`, 0, "show", "--format", "json"))
	says("no breaker of this name is tripped", 3, "reset", "account/111122223333", "--reason", "to be sure")
	fine(t, spend("one"))
	fine(t, spend("two"))
	var tripped *ledger.TrippedError
	if err := spend("three"); !errors.As(err, &tripped) {
		t.Fatalf("after as many writes as are allowed: %v", err)
	}
	says("account/111122223333 is tripped since", 1, "show")
	conforms(t, "breaker", says(`"limit":2`, 1, "show", "--format", "json"))
	says("resetting a breaker needs a reason", 3, "reset", "account/111122223333")
	says("which breaker is to be reset", 3, "reset", "--reason", "x")
	says("show lists all of them", 3, "show", "account/111122223333")
	says("account/111122223333 was reset by arn:aws:sts::123456789012:user/moto", 0, "reset", "account/111122223333", "--reason", "the pipeline is mended")
	says("no breaker is tripped", 0, "show")
	fine(t, spend("three"))
}
