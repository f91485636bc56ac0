// Package cli is the command line: it takes arguments and streams, and gives
// output and an exit status.
//
// Each verb is one file that reads its input, asks the rooms below, and prints
// text for people or JSON for programs. The JSON of every verb has a published
// schema (folder schemas, verb `schema`). Nothing is judged here, and nothing
// secret is printed unless --show-secrets asks for it.
package cli

import (
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Status is an exit status of the command.
type Status int

// The exit statuses. Several at once are settled by gravity: 3 beats 1 beats 2
// beats 0.
const (
	// Fine: everything was read and nothing was found.
	Fine Status = 0
	// Found: a policy is Noncompliant (check, handle), a policy allows something
	// new (compare), a deployment has a problem (doctor), or a story went wrong
	// (demo).
	Found Status = 1
	// Undecided: an element of a policy leaves the answer open, a file that was
	// read is no valid policy, or something could not be looked at (doctor).
	Undecided Status = 2
	// Unusable: the command was misused, or an input could not be read.
	Unusable Status = 3
)

// graver gives the status that counts when there are two.
func (s Status) graver(t Status) Status {
	gravity := func(s Status) int {
		switch s {
		case Fine:
			return 0
		case Undecided:
			return 1
		case Found:
			return 2
		case Unusable:
			return 3
		default:
			return 3
		}
	}
	if gravity(t) > gravity(s) {
		return t
	}
	return s
}

// exit ends a run from inside the parser: kong asks for it after --help and
// --version, which have nothing more to do.
type exit struct{ code int }

// Run runs the command with the given arguments, without the program's name,
// and gives its exit status.
func Run(args []string, streams Streams) int {
	return runAt(args, streams, time.Now)
}

// runAt is Run with a clock.
func runAt(args []string, streams Streams, now func() time.Time) (status int) {
	s := newSession(streams, os.Environ(), now)
	defer func() {
		switch left := recover().(type) {
		case nil:
		case exit:
			status = left.code
		default:
			panic(left)
		}
	}()
	if err := emptyFlag(args); err != nil {
		s.fault(err)
		return int(s.status)
	}
	parser, err := newParser(s)
	if err != nil {
		s.fault(err)
		return int(s.status)
	}
	command, err := parser.Parse(args)
	if err != nil {
		s.misuse(err)
		return int(s.status)
	}
	if err := command.Run(s); err != nil {
		s.fault(err)
	}
	return int(s.status)
}

func newParser(s *session) (*kong.Kong, error) {
	return kong.New(&grammar{},
		kong.Name("rolewarden"),
		kong.Description(description),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { panic(exit{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"version": version()},
	)
}

// emptyFlag refuses a file or ARN that is given and empty: a variable that was
// not set would otherwise pass for a choice, and judge by an empty organization.
func emptyFlag(args []string) error {
	for i, a := range args {
		for _, flag := range []string{"--rules", "--role-arn", "--credentials", "--deployment"} {
			if a == flag+"=" || a == flag && i+1 < len(args) && args[i+1] == "" {
				return &unusable{flag, "it is given and empty", "give a value, or leave the flag out"}
			}
		}
	}
	return nil
}
