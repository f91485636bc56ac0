package proof

import "testing"

// TestUniqueIDsOfAnyLength bars every id of the length that ids have today:
// nothing that AWS documents keeps the next one from being longer.
func TestUniqueIDsOfAnyLength(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	bar := func(patterns string) string {
		return document(statementText("Allow", anyone, "sts:AssumeRole", ""), statementText("Deny", anyone, "sts:AssumeRole", cond("StringLike", "aws:userid", patterns)))
	}
	runGuards(t, q, []guard{
		{"today's length", bar(`["AIDA?????????????????","AROA?????????????????:*"]`), Found},
		{"today's prefixes", bar(`["AIDA*","AROA*"]`), None},
		{"every length from sixteen on", bar(`["AIDA????????????*","AROA????????????*:*"]`), None},
	})
}
