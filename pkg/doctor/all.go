package doctor

// All gives every check, in the order in which they are made: what the rest
// stands on comes first.
func All() []Check {
	return []Check{
		identity(), region(), rulesFile(), bootstrap(), concurrency(),
		aTrail(), trailReads(),
		organization(), accounts(), trustedAccess(), delegatedAdministrator(), targets(), policyTypes(),
		stack(), leftovers(), rulesHash(),
		bus(), intakeRule(), forwardRule(), assumeRoleRules(), schedules(),
		stackSet(), instances(), coverage(), managementAccount(), guardrails(),
		alarms(), topics(), deadLetters(), sweep(), slackSecret(), killSwitch(),
	}
}
