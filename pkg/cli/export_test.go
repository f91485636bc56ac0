package cli

// RunAt is Run with a clock, for tests.
var RunAt = runAt
