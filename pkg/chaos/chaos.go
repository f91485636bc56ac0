// Package chaos is a simulated world in which the line and the sweep run
// against everything that can go wrong, and what must be true is checked.
//
// It takes a seed and gives figures and the violations of pkg/invariant. Two
// ways lead through the same simulation of IAM, queues, clock and people:
//
// Run plays episodes: calls fail before or after their effect, readings lag,
// functions vanish at any call, events come twice, late, shuffled or never, and
// others change roles, people and rules all the while, and people at the command
// line turn the kill switch, reset breakers and take decisions back; then all
// heals, and every role must come to rest. One goroutine runs at a time, and the
// seed alone decides what happens next, so a seed replays.
//
// Explore walks through every order in which two handlings of one role, somebody
// else's writes, a crash at any step and lagging readings can meet, up to a
// stated depth, and from there to the end.
//
// It is for tests alone: no room of the product imports it, it touches no
// network, and no time passes in it but its own.
package chaos
