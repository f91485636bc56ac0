package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/charmbracelet/colorprofile"
)

// session is one run of the command: its streams, its clock, and the gravest
// status so far.
type session struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	// pretty is out for styled text: it drops the styles that the terminal
	// cannot show, and all of them where out is no terminal or NO_COLOR is set.
	pretty io.Writer
	now    func() time.Time
	status Status
	// stdin says that standard input was taken already.
	stdin bool
}

func newSession(streams Streams, env []string, now func() time.Time) *session {
	pretty := colorprofile.NewWriter(streams.Out, env)
	// NO_COLOR counts whatever else is set (https://no-color.org).
	if pretty.Profile > colorprofile.NoTTY && slices.ContainsFunc(env, func(pair string) bool {
		value, found := strings.CutPrefix(pair, "NO_COLOR=")
		return found && value != ""
	}) {
		pretty.Profile = colorprofile.NoTTY
	}
	return &session{in: streams.In, out: streams.Out, err: streams.Err, now: now, pretty: pretty}
}

// end notes a status; the gravest one stays.
func (s *session) end(status Status) { s.status = s.status.graver(status) }

// fault tells of inputs that cannot be used, each on a line of its own.
func (s *session) fault(err error) {
	s.end(Unusable)
	// Only errors that are nothing but a list are taken apart: those around a
	// list say where it belongs.
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // see above
		for _, e := range joined.Unwrap() {
			s.fault(e)
		}
		return
	}
	s.note(err.Error())
}

// misuse tells of arguments that make no sense.
func (s *session) misuse(err error) {
	problem, remedy := strings.TrimSuffix(err.Error(), "."), "run rolewarden --help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if c := parse.Context.Selected(); c != nil {
			remedy = "run rolewarden " + c.Name + " --help"
		} else if strings.HasPrefix(problem, "expected one of ") {
			// The parser names the first five only.
			problem = "expected one of " + strings.Join(verbs(parse.Context.Model.Node), ", ")
		}
	}
	s.fault(fmt.Errorf("%s: %s", problem, remedy))
}

// verbs gives the names of the commands below a node.
func verbs(n *kong.Node) []string {
	var out []string
	for _, c := range n.Children {
		if !c.Hidden {
			out = append(out, c.Name)
		}
	}
	return out
}

// note prints one line on standard error, whatever the text holds.
func (s *session) note(text string) {
	// Standard error is the last resort: there is nobody to tell when it fails.
	_, _ = fmt.Fprintln(s.err, "rolewarden: "+plain(text))
}

// plain gives a text that stays on one line and cannot steer a terminal.
func plain(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			quoted := strconv.Quote(text)
			return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		}
	}
	return text
}

// version is the version of the module, as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "rolewarden (devel)"
	}
	return "rolewarden " + info.Main.Version
}
