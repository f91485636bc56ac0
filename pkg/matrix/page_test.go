package matrix

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
)

var update = flag.Bool("update", false, "write README.md anew")

// caller is who makes calls that are not in the matrix, and why they are not.
type caller struct {
	name      string
	functions []string
	why       string
}

// outside are the functions whose calls are not in the matrix, and why.
func outside() []caller {
	return []caller{
		{actions.Notify, []string{actions.Notify}, "it has a matrix of its own beside it: functions/notify/MATRIX.md"},
		{actions.Canary, []string{actions.Canary}, "it changes only a role that is there for that, and whatever goes wrong is what it tells: an alarm rings when it is silent"},
		{actions.Doctor, []string{actions.Doctor}, "it runs where a person sees it, and only reads"},
		{"people's commands", actions.People(), "whoever types one sees what went wrong and tries again"},
	}
}

// page holds the README against the results.
func page(t *testing.T, results map[Cell]Ends, impossible map[Cell]string) {
	t.Helper()
	var out strings.Builder
	fmt.Fprintf(&out, `# The matrix of faults

Every call of AWS that the guard and the sweep make goes wrong in every way that
there is, while a story is told: a role is opened, a user is deleted, a sweep
reads an account. The calls are made by the SDK's own clients, signed, over HTTP
requests that the lab answers in the same process, on a clock that jumps. Then
AWS is well again, what lies in dead-letter queues is given back, time passes,
and a sweep runs. This page is written by the test; `+"`go test ./pkg/matrix -update`"+` writes
it anew.

%d cells are tried; %d cannot be and are listed below. Each of them is judged twice,
while AWS is unwell and after.

Once by the invariants of `+"`pkg/invariant`"+`, all twelve, over the history of what took
effect: what the functions read, recorded, wrote and told, what others did, how each
handling ended, and how every role stands in the end. The calls go wrong below the
functions, so it is the wire that says what took effect: a write whose answer was
lost is in the history, one that never arrived is not, and who cannot know that an
alert was told is excused if it tells it again. No invariant is left out in any cell.
While AWS is unwell a message in a queue or a dead-letter queue counts for an event,
and a letter in the ledger for an alert (I1, I7); that every role has settled (I6) is
asked at the end, but of a role that nobody can read any more. Functions with one
thing broken on purpose each (`+"`TestTheMatrixNoticesWhatIsBroken`"+`) show that the
invariants notice. For I5 the code and the member role's policy would both have to
be broken, so that one is planted in the tests of `+"`pkg/invariant`"+`.

And once more by checks of its own, which look at the calls that the lab saw and at
nothing that is recorded:

- every event has ended once, or is in a queue (I1);
- no role is written before the ledger has the intent (I2);
- what is written is the sealed baseline, the document without its orphan, or the
  quarantine, and nothing wider (I3, I4);
- no protected role is written (I5), no role more than three times, and nothing
  while the kill switch says stop (I10);
- once AWS is well, the role is put right, or it is held and people know (I6);
- people are told, once; a second time only after a crash, or where the answer to
  the telling or to its record was lost (I7);
- no secret is in any log, error, message or alert (I11).

`, len(results), len(impossible))
	out.WriteString("## How they end\n\n" + Counted(results))
	out.WriteString("\n" + `*blip*: one request goes wrong, and what the SDK repeats goes through. *once*,
*2nd*: one call goes wrong with all its repetitions. *always*: until AWS is well
again. A cell with one word ends so at every moment. "untold" means that the alert
waits in the ledger, "DLQ" that the message is in a dead-letter queue, "waits" that
it is in a queue, "multiplies" that each handling of a message leads to several more
while it lasts; what follows "then" is how it ends when AWS is well.
` + "\n" + Table(results))
	out.WriteString("\n## Cells that cannot be\n\n" + Impossible(impossible))
	out.WriteString("\n## Calls that are not tried\n\n")
	for c, why := range unmadeSorted() {
		fmt.Fprintf(&out, "- %s: %s.\n", c, why)
	}
	for _, o := range outside() {
		var names []string
		for _, a := range actions.All() {
			if slices.Contains(o.functions, a.Function) {
				names = append(names, a.Name)
			}
		}
		slices.Sort(names)
		fmt.Fprintf(&out, "- %s (%s): %s.\n", o.name, strings.Join(slices.Compact(names), ", "), o.why)
	}
	const file = "README.md"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("calls end otherwise than README.md says; look at each, then write it anew with -update (-want +got):\n%s", diff)
	}
}

// Every function has its calls in the matrix, or is listed as outside of it.
func TestEveryFunctionIsInTheMatrixOrOutsideOfIt(t *testing.T) {
	in := []string{actions.Guard, actions.Sweep}
	for _, o := range outside() {
		in = append(in, o.functions...)
	}
	for _, a := range actions.All() {
		if !slices.Contains(in, a.Function) {
			t.Errorf("the calls of %s are neither tried nor listed as outside", a.Function)
		}
	}
}
