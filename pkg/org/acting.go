package org

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// The defaults of how rolewarden acts, in hours.
const (
	defaultAge     = 24
	defaultObserve = 24
)

// mostGrace is the longest grace in minutes: a backdoor in a new role stands open
// for as long.
const mostGrace = 30

// AcceptsFirstSighting reports whether a person has accepted what was found on a
// role, by its ARN or its account.
func (r *Rules) AcceptsFirstSighting(account, roleARN string) bool {
	if r == nil {
		return false
	}
	return account != "" && slices.Contains(r.Baselines.FirstSightings, account) ||
		roleARN != "" && slices.Contains(r.Baselines.FirstSightings, roleARN)
}

// Contains reports whether a breach of one of some rules leads to containment.
func (r *Rules) Contains(rules []string) bool {
	return r != nil && slices.ContainsFunc(rules, func(id string) bool { return slices.Contains(r.Containment.Rules, id) })
}

// acting reads the sections that say how rolewarden acts.
func (r *reader) acting(o strict.Object, rules *Rules) {
	if n := o.Field("baselines"); n != nil {
		b := r.Object(n, "baselines", "ageHours", "firstSightings")
		rules.Baselines.Age = hours(b.Number("ageHours", 1, 24*90, defaultAge))
		rules.Baselines.FirstSightings = b.Texts("firstSightings", r.home(sighting, rules))
	}
	if n := o.Field("ruleChanges"); n != nil {
		c := r.Object(n, "ruleChanges", "observeHours")
		rules.RuleChanges.ObserveFor = hours(c.Number("observeHours", 0, 24*14, defaultObserve))
	}
	if n := o.Field("quarantine"); n != nil {
		rules.Quarantine.Grace = time.Duration(r.Object(n, "quarantine", "graceMinutes").Number("graceMinutes", 0, mostGrace, 0)) * time.Minute
	}
	if n := o.Field("containment"); n != nil {
		rules.Containment = r.containment(n)
	}
	if n := o.Field("pruning"); n != nil {
		if r.Object(n, "pruning", "orphans").Truth("orphans") {
			rules.Pruning = PruningOn
		}
	}
}

func (r *reader) containment(n *yaml.Node) Containment {
	o := r.Object(n, "containment", "rules")
	c := Containment{Rules: o.Texts("rules", ruleID)}
	for _, item := range o.Items("rules") {
		c.Places = append(c.Places, Located{ID: item.Value, Line: item.Line, Column: item.Column})
	}
	return c
}

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }
