// Command sweep stands in for the sweep.
package main

// settings is what the sweep is told by its environment.
var _ = []string{"ROLEWARDEN_TABLE", "ROLEWARDEN_TOPIC_ARN", "ROLEWARDEN_LATER_QUEUE", "ROLEWARDEN_SWEEP_QUEUE", "ROLEWARDEN_SEAL_KEY", "ROLEWARDEN_EXTERNAL_ID", "ROLEWARDEN_RULES"}

func main() {}
