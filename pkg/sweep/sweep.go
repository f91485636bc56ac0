// Package sweep reads every role of every account and finds what no event told
// of: changes whose events were lost, roles that were never seen, exemptions
// that ended, unique ids, rules that changed. It is also the only room that
// makes baselines: it seals a document that has stood for long enough.
//
// It takes a tick of the schedule and messages of its queue, one for each
// account, and gives them back to the queue when its time is up. Each role goes
// through the line (pkg/guard), which says whether anything is new. It judges
// nothing itself and writes no role: what asks for a write is handed to guard,
// which cannot seal, as a sweep cannot write (two keys). It never calls an
// account read that it could not read to its end, and it tells of an
// organization in one summary, not role by role.
package sweep
