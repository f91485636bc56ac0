package proof

// HardOnes gives the documents made to be hard, for tests from outside.
func HardOnes() map[string]string { return hardOnes() }
