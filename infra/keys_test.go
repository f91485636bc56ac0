package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// T61: who says what a revert goes back to is not who reverts: the sweep alone
// seals, the guard checks, and nobody else does either.
func TestOnlyTheSweepSeals(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, r := range of(t, tpl, "AWS::IAM::Role") {
			may := map[string]bool{}
			for _, document := range policies(stackTemplate{Resources: map[string]resource{id: r}}) {
				for _, s := range statements(t, document) {
					for _, action := range listOf(s["Action"]) {
						if s["Effect"] == "Allow" && strings.HasSuffix(action, "Mac") {
							may[action] = true
							if got := listOf(s["Resource"]); !slices.Equal(got, []string{"${SealKey.Arn}"}) {
								t.Errorf("%s: %s may %s with %v", stack, id, action, got)
							}
						}
					}
				}
			}
			name := r.Properties["RoleName"]
			if may["kms:GenerateMac"] != (name == deployment.SweepRole) || may["kms:VerifyMac"] != (name == deployment.GuardRole) {
				t.Errorf("%s: %s may %v", stack, id, may)
			}
		}
	}
}

// A seal key is replaced by one line of the deployment file: the new key seals,
// the former one stays as it is, goes on to check what it sealed, and seals no
// more. Both functions are told of both, the new one first; the guard checks with
// either, the sweep seals with the new one.
func TestAFormerSealKeyGoesOnToCheck(t *testing.T) {
	before, d := cores(t)[deployment.HubStack], load1(t, "organization.yaml", "hub")
	d.SealKeys = 2
	a, err := render(d)
	if err != nil {
		t.Fatal(err)
	}
	tpl := a.templates[deployment.HubStack]
	former, current := tpl.Resources["SealKey"], tpl.Resources["SealKey2"]
	if former.Type == "" || former.Properties["KeySpec"] != before.Resources["SealKey"].Properties["KeySpec"] || former.DeletionPolicy != before.Resources["SealKey"].DeletionPolicy {
		t.Errorf("the former key is another one now: %+v", former)
	}
	for name, key := range map[string]resource{"former": former, "current": current} {
		seals, nobody := false, false
		for _, s := range statements(t, key.Properties["KeyPolicy"]) {
			if slices.Contains(listOf(s["Action"]), "kms:GenerateMac") {
				seals = seals || s["Effect"] == "Allow"
				nobody = nobody || s["Effect"] == "Deny" && s["Condition"] == nil
			}
		}
		if seals != (name == "current") || nobody == seals {
			t.Errorf("with the %s key one may seal: %t", name, seals)
		}
	}
	if alias := named(t, tpl, "AWS::KMS::Alias", "AliasName", deployment.SealKey); referred(alias.Properties["TargetKeyId"]) != "SealKey2" {
		t.Errorf("the alias is %v", alias.Properties)
	}
	for _, function := range []string{deployment.GuardFunction, deployment.SweepFunction} {
		f := named(t, tpl, "AWS::Lambda::Function", "FunctionName", function)
		if got := shown(at(f.Properties, "Environment", "Variables", "ROLEWARDEN_SEAL_KEY")); got != "${SealKey2.Arn},${SealKey.Arn}" {
			t.Errorf("%s is told %s", function, got)
		}
		role := tpl.Resources[referred(f.Properties["Role"])]
		checks := map[string]bool{}
		for _, document := range policies(stackTemplate{Resources: map[string]resource{"": role}}) {
			for _, s := range statements(t, document) {
				for _, action := range listOf(s["Action"]) {
					for _, key := range listOf(s["Resource"]) {
						checks[action+" "+key] = s["Effect"] == "Allow"
					}
				}
			}
		}
		guards := function == deployment.GuardFunction
		if checks["kms:VerifyMac ${SealKey.Arn}"] != guards || checks["kms:VerifyMac ${SealKey2.Arn}"] != guards ||
			checks["kms:GenerateMac ${SealKey.Arn}"] || checks["kms:GenerateMac ${SealKey2.Arn}"] == guards {
			t.Errorf("%s may %v", function, sortedKeys(checks))
		}
	}
}
