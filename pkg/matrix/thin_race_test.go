//go:build race

package matrix

// every says that under the race detector, which makes all of it ten times as
// slow, every twentieth cell is tried.
const every = 20
