package main

// watched names what the alarms and the dashboard of a stack look at.
type watched struct {
	// Functions are the names of the functions.
	Functions []string
	// Queues are the queues that feed functions, each with its dead-letter queue.
	Queues []watchedQueue
	// RuleDLQ is the name of the queue that holds what the rules could not deliver.
	RuleDLQ string
	// Rules are the rules that bring events to the intake queue.
	Rules []watchedRule
	// Bus is the name of the hub's bus; empty in the way Single, which uses the
	// default bus.
	Bus string
	// Table is the name of the ledger's table.
	Table string
	// AlertTopic is the name of the topic that alerts are published on.
	AlertTopic string
	// AlarmTopic is the ARN of the topic that alarms are told on. It is a token.
	AlarmTopic string
}

// watchedQueue is a queue with its dead-letter queue, by name.
type watchedQueue struct{ Name, DeadLetters string }

// watchedRule is a rule on a bus, by name. Bus is empty for the default bus.
type watchedRule struct{ Bus, Name string }
