package main

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// waitsFor gives all that CloudFormation makes before a resource: what it refers
// to, what it is told to wait for, and what those wait for.
func waitsFor(tpl stackTemplate, id string) map[string]bool {
	out := map[string]bool{}
	var visit func(id string)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for name, one := range v {
				if name == "Ref" || name == "Fn::GetAtt" {
					visit(listOf(one)[0])
				}
				walk(one)
			}
		}
	}
	visit = func(id string) {
		r, ok := tpl.Resources[id]
		if !ok || out[id] {
			return
		}
		out[id] = true
		walk(r.Properties)
		for _, one := range listOf(r.DependsOn) {
			visit(one)
		}
	}
	visit(id)
	delete(out, id)
	return out
}

// A first deployment that fails, as most do for want of concurrency or of a
// permission, can be tried again: CloudFormation takes away all that it made. The
// keys go with a creation that failed and with nothing else. The table is
// protected, also from CloudFormation, so it is made after the functions, and all
// that they take; and nothing runs them before it is there.
func TestAFirstDeploymentThatFailsCanBeTriedAgain(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, r := range tpl.Resources {
			want := ""
			switch r.Type {
			case "AWS::KMS::Key":
				want = "RetainExceptOnCreate"
			case "AWS::DynamoDB::Table":
				want = "Retain"
			}
			if r.DeletionPolicy != want {
				t.Errorf("%s: what a failed deployment does with %s is %q, want %q", stack, id, r.DeletionPolicy, want)
			}
			if r.Type == "AWS::Lambda::Function" && !waitsFor(tpl, "Ledger")[id] {
				t.Errorf("%s: the ledger may be made before %s, which may fail", stack, id)
			}
			starts := r.Type == "AWS::Lambda::EventSourceMapping" || r.Properties["ScheduleExpression"] != nil
			if starts && !waitsFor(tpl, id)["Ledger"] {
				t.Errorf("%s: %s may start a function before there is a ledger", stack, id)
			}
		}
	}
}

// A new account has ten Lambda executions, or fifty, and none of them can be
// reserved: the way for the first try works there. In the hub rolewarden has what
// nobody else in the account can take away: nineteen, which the operator's page
// names.
func TestASingleAccountNeedsNoMoreThanANewAccountHas(t *testing.T) {
	sum := map[string]float64{}
	for stack, tpl := range cores(t) {
		for id, r := range of(t, tpl, "AWS::Lambda::Function") {
			n := r.Properties["ReservedConcurrentExecutions"]
			if stack == deployment.SingleStack {
				if n != nil {
					t.Errorf("%s reserves %v", id, n)
				}
				continue
			}
			if number(t, n) < 1 {
				t.Errorf("%s: %s never runs", stack, id)
			}
			sum[stack] += number(t, n)
		}
		for id, r := range of(t, tpl, "AWS::Lambda::EventSourceMapping") {
			if most := number(t, at(r.Properties, "ScalingConfig", "MaximumConcurrency")); most > 9 {
				t.Errorf("%s: %s may take %v of an account's executions", stack, id, most)
			}
		}
	}
	if sum[deployment.HubStack] != 19 {
		t.Errorf("the hub reserves %v, and the operator's page says 19", sum[deployment.HubStack])
	}
}
