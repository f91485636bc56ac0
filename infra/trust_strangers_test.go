package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// strangers gives the guest with one thing changed, and everybody else who may
// come to mind.
func strangers(one trusted, guests []visitor) []visitor {
	var out []visitor
	var guest visitor
	if len(guests) > 0 {
		guest = guests[0]
	}
	add := func(name string, edit func(r *access.Request)) {
		r := guest.request
		r.Context = maps.Clone(guest.request.Context)
		if r.Context == nil {
			r = access.Request{Actions: []string{"sts:AssumeRole"}, Role: one.arn, Context: map[string]access.Value{"sts:RoleSessionName": access.One("rolewarden")}}
		}
		edit(&r)
		out = append(out, visitor{name, r})
	}
	for _, key := range slices.Sorted(maps.Keys(guest.request.Context)) {
		add("the guest without "+key, func(r *access.Request) { delete(r.Context, key) })
		for _, value := range []string{"", "x", "alice", "rolewarden", "123456789012", "RW-1234", "Rolewarden-1234", "x" + sampleExternalID} {
			add(fmt.Sprintf("the guest with %s %q", key, value), func(r *access.Request) { r.Context[key] = access.One(value) })
		}
	}
	for name, caller := range callers(one, guests) {
		add(name, func(r *access.Request) { r.Caller = caller })
		// Each statement keeps others out by itself, not only all of them together.
		for _, action := range guest.request.Actions {
			// A trust policy has no room for two roles in both statements, so the second
			// takes all functions. It opens no session by itself.
			if len(guests) > 1 && action == "sts:SetSourceIdentity" && ownFunction.MatchString(strings.TrimPrefix(caller.Issuer, "arn:aws:iam::"+one.d.Account)) {
				continue
			}
			add(name+" for "+action+" alone", func(r *access.Request) { r.Caller, r.Actions = caller, []string{action} })
		}
	}
	for _, service := range []string{"lambda.amazonaws.com", "events.amazonaws.com", "ec2.amazonaws.com", "cloudformation.amazonaws.com", "scheduler.amazonaws.com"} {
		if service != guest.request.Caller.Service {
			add(service, func(r *access.Request) { r.Caller = access.Caller{Service: service} })
		}
	}
	if len(guest.request.Actions) > 0 {
		add("the guest with tags", func(r *access.Request) { r.Actions = append(slices.Clone(r.Actions), "sts:TagSession") })
	}
	for _, action := range []string{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"} {
		add(action, func(r *access.Request) { r.Actions = []string{action} })
	}
	return out
}

// ownFunction is the role of a function of the hub's, behind the account.
var ownFunction = regexp.MustCompile(`^:role/rolewarden/rolewarden-[a-z]+-fn$`)

// callers are principals that a role is not for: near relations of the guest
// first.
func callers(one trusted, guests []visitor) map[string]access.Caller {
	session := func(account, path, name string) access.Caller {
		return access.Caller{
			AWS: "arn:aws:sts::" + account + ":assumed-role/" + name + "/rw-1234", ID: "AROASTRANGER000000001:rw-1234",
			Issuer: "arn:aws:iam::" + account + ":role" + path + name,
		}
	}
	out := map[string]access.Caller{}
	for _, account := range []string{one.d.Account, one.place.account, "777788889999", "123456789012"} {
		out["the root user of "+account] = access.Caller{AWS: "arn:aws:iam::" + account + ":root"}
		out["a user of "+account] = access.Caller{AWS: "arn:aws:iam::" + account + ":user/mallory", ID: "AIDASTRANGER000000001"}
		out["an administrator of "+account] = session(account, "/", "OrganizationAccountAccessRole")
		for _, name := range []string{deployment.GuardRole, deployment.CanaryRole, deployment.NotifyRole, deployment.SweepRole, deployment.ReaderRole} {
			for _, path := range []string{"/", deployment.Path, deployment.CanaryPath, "/rolewarden/x/", "/Rolewarden/"} {
				c := session(account, path, name)
				if !slices.ContainsFunc(guests, func(g visitor) bool { return g.request.Caller.Issuer == c.Issuer }) {
					out["a session of "+strings.TrimPrefix(c.Issuer, "arn:aws:iam::")] = c
				}
			}
		}
	}
	return out
}
