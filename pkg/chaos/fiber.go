package chaos

import (
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
)

// fiber is one handling that runs until it makes a call, and goes on when it
// is given the answer. At any time one fiber runs at most, so what happens
// depends on nothing but the answers and their order.
type fiber struct {
	next  func() (call, bool)
	stop  func()
	yield func(call) bool
	now   func() time.Time

	answer reply
	// dead: it has crashed. What it does while it unwinds reaches nobody.
	dead bool
	out  ending
}

// ending is how a handling ended by itself.
type ending struct {
	result   guard.Result
	err      error
	panicked string
}

// crash is thrown in the midst of a handling that ends without notice.
type crash struct{}

var errDead = errors.New("the function is gone")

// start makes a fiber, which does nothing yet.
func start(now func() time.Time, body func(a asker) (guard.Result, error)) *fiber {
	f := &fiber{now: now}
	f.next, f.stop = iter.Pull(func(yield func(call) bool) {
		f.yield = yield
		defer f.recovered()
		f.out.result, f.out.err = body(f)
	})
	return f
}

func (f *fiber) recovered() {
	switch p := recover().(type) {
	case nil, crash:
	default:
		f.out.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
	}
}

// ask implements asker.
func (f *fiber) ask(c call) reply {
	if f.dead {
		return reply{err: errDead}
	}
	if !f.yield(c) {
		f.dead = true
		panic(crash{})
	}
	return f.answer
}

// clock implements asker.
func (f *fiber) clock() time.Time { return f.now() }

// resume gives the answer to the last call and runs to the next; ok is false
// when the handling has ended.
func (f *fiber) resume(r reply) (c call, ok bool) {
	f.answer = r
	return f.next()
}

// kill ends the handling where it is.
func (f *fiber) kill() { f.stop() }
