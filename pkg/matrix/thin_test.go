//go:build !race

package matrix

// every says that every cell is tried.
const every = 1
