package access

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// A user gets in under the user's own name and under no other.
func TestSessionNameStory(t *testing.T) {
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},
		"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Decision{"bob": Allowed, "mallory": Denied} {
		r := Request{
			Actions: []string{"sts:AssumeRole"},
			Caller:  Caller{AWS: "arn:aws:iam::111122223333:user/bob"},
			Context: map[string]Value{"sts:RoleSessionName": One(name)},
		}.Complete(nil)
		if got := Evaluate(d, r); got.Decision != want {
			t.Errorf("session name %s: %v (%s), want %v", name, got.Decision, got.Reason, want)
		}
	}
}
