package matrix

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// A call that the other side refuses takes no effect, also where its caller never
// hears of that; one that is taken does, whatever becomes of the answer.
func TestOnlyWhatTakesEffectIsToldAsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(prod, "app", closed)
		took := map[Fault]int{}
		w.wire.Took = func(_ context.Context, call string, _ []byte, f Fault) {
			if call == "iam:UpdateAssumeRolePolicy" {
				took[f]++
			}
		}
		write := func(f Fault, name string) {
			w.wire.Arm(Call{Function: "person", Name: "iam:UpdateAssumeRolePolicy"}, f, Always)
			defer w.wire.Heal()
			// The SDK reads no body of this call's answer, so a malformed one is none to it.
			_, err := w.admins[prod].UpdateAssumeRolePolicy(context.Background(), &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: ptr(narrow)})
			if err == nil && f != Malformed {
				t.Errorf("%s: the caller hears nothing of it", f)
			}
		}
		for _, f := range []Fault{TimeoutBefore, TimeoutAfter, Malformed, ServerError} {
			write(f, "nobody")
		}
		if len(took) > 0 {
			t.Errorf("what was refused is told as taken: %v", took)
		}
		for _, f := range []Fault{TimeoutBefore, TimeoutAfter, Malformed, ServerError} {
			write(f, "app")
		}
		if took[TimeoutBefore]+took[ServerError] > 0 || took[TimeoutAfter] == 0 || took[Malformed] == 0 {
			t.Errorf("told as taken: %v", took)
		}
	})
}
