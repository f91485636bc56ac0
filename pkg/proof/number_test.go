package proof

import "testing"

// TestTokensReachBack is about aws:TokenIssueTime: a session that was issued
// before now may call, up to 36 hours later; none is used before it is issued.
func TestTokensReachBack(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	open := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	const token, now = "aws:TokenIssueTime", "aws:CurrentTime"
	runGuards(t, q, []guard{
		{"issued before now", open(cond("DateLessThan", token, `"2026-06-30T23:50:00Z"`)), Found},
		{"issued 36 hours ago", open(cond("DateLessThanEquals", token, `"2026-06-29T12:00:00Z"`)), Found},
		{"expired", open(cond("DateLessThan", token, `"2026-06-29T12:00:00Z"`)), None},
		{"issued later", open(cond("DateGreaterThan", token, `"2027-01-01T00:00:00Z"`)), Found},
		{"issued later, used later", open(`"DateGreaterThan":{"aws:TokenIssueTime":"2027-01-01T00:00:00Z","aws:CurrentTime":"2026-12-01T00:00:00Z"}`), Found},
		{"used before it is issued", open(cond("DateGreaterThan", token, `"2027-01-01T00:00:00Z"`) + "," + cond("DateLessThan", now, `"2027-01-01T00:00:00Z"`)), None},
		{"used in the second it is issued", open(`"DateGreaterThanEquals":{"aws:TokenIssueTime":"2027-01-01T00:00:00Z"},"DateLessThanEquals":{"aws:EpochTime":"1798761600"}`), Found},
		{"the time of the request does not reach back", open(cond("DateLessThan", now, `"2026-06-30T23:50:00Z"`)), None},
	})
}

// TestNumbersAreExact is about bounds that a floating-point number cannot
// tell apart, and about spellings that AWS does not document.
func TestNumbersAreExact(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	between := func(key, low, high string) string {
		return allow(anyone, "sts:AssumeRole", `"NumericGreaterThan":{"`+key+`":"`+low+`"},"NumericLessThan":{"`+key+`":"`+high+`"}`)
	}
	const age = "aws:MultiFactorAuthAge"
	runGuards(t, q, []guard{
		{"one whole number between", between(age, "59.99999999999999999999", "60.00000000000000000001"), Found},
		{"none between", between(age, "60", "60.99999999999999999999"), None},
		{"a great number", between(age, "8999999999.99999999999999999999", "9000000000.00000000000000000001"), Found},
		{"a key that nobody documents", between("foo:x", "59.99999999999999999999", "60.00000000000000000001"), Unknown},
		{"no digit before the point", between(age, ".5", "1.5"), Unknown},
		{"no digit behind the point", between(age, "0", "2."), Unknown},
		{"dates apart by less than a microsecond", allow(anyone, "sts:AssumeRole",
			`"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T22:00:00.0000001Z"},"DateLessThan":{"aws:CurrentTime":"2026-11-21T22:00:00.0000005Z"}`), Found},
		{"dates in the wrong order", allow(anyone, "sts:AssumeRole",
			`"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T22:00:00.0000005Z"},"DateLessThan":{"aws:CurrentTime":"2026-11-21T22:00:00.0000001Z"}`), None},
	})
}
