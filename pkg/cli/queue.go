package cli

import (
	"sync"
	"time"
)

// messageKind says which of SQS's two queues a message would have come from.
type messageKind uint8

const (
	anEvent messageKind = iota
	laterStep
)

// message is one message of a house's queue: an event's envelope or a later
// step, as it would travel through SQS.
type message struct {
	body []byte
	due  time.Time
	kind messageKind
	// receives counts how often it was handed out.
	receives int
	// passing marks an event that nobody handles.
	passing bool
}

// queue keeps messages until they are due. Of those that are due it hands out
// the one that came first.
type queue struct {
	mu       sync.Mutex
	messages []message
	// arrived tells one waiter that something came.
	arrived chan struct{}
}

func newQueue() *queue { return &queue{arrived: make(chan struct{}, 1)} }

func (q *queue) push(m message) {
	q.mu.Lock()
	q.messages = append(q.messages, m)
	q.mu.Unlock()
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// pop hands out the first message that is due; without one, next is when the
// next will be, zero when there is none.
func (q *queue) pop(now time.Time) (m message, ok bool, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, m := range q.messages {
		if !m.due.After(now) {
			q.messages = append(q.messages[:i:i], q.messages[i+1:]...)
			m.receives++
			return m, true, time.Time{}
		}
		if next.IsZero() || m.due.Before(next) {
			next = m.due
		}
	}
	return message{}, false, next
}
