// Package judge decides one request against one IAM policy, written plainly
// from AWS's documentation.
//
// It takes a policy document and a request, and gives Allow, Deny or neither,
// with the statement that decided. It never combines policies: the lab joins
// identity policies, boundaries, session policies and trust. It shares nothing
// with the product's own evaluator on purpose: it is the second opinion that
// one is compared with.
//
// AWS's documentation leaves some cells open. Here the judge reads them like
// this, and a caller that cares must not rely on it:
//
//   - a key with many values under an operator without ForAllValues or
//     ForAnyValue matches nothing;
//   - an ARN pattern or value without six parts matches nothing;
//   - a wildcard inside a variable's value is a literal character;
//   - {"AWS":"*"} means users, roles and sessions, not services or identity
//     providers;
//   - "TRUE" equals "true" under Bool.
package judge
