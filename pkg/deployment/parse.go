package deployment

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/org/strict"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The defaults of what may be left out.
const (
	// DefaultCanaryMinutes is the time between two runs of the canary.
	DefaultCanaryMinutes = 60
	// DefaultLogDays is how long logs are kept.
	DefaultLogDays = 400

	// DefaultSweepHours is the time between two sweeps.
	DefaultSweepHours = 6

	leastCanaryMinutes = 15
	mostCanaryMinutes  = 24 * 60
	// A sweep of a large organization takes hours. What no event told of is found
	// within one time between two, so it is a day at most.
	leastSweepHours = 1
	mostSweepHours  = 24
	// Each seal that does not fit costs a call for each key.
	mostSealKeys = 9
)

// Override is what a single deployment says in the file's place; whatever is
// empty in it is taken from the file.
type Override struct {
	// Way is the word for a way: one file describes the hub and its members,
	// which are deployed one after the other.
	Way string
}

// Load reads a deployment file and the rules file that it names. Every mistake
// in either is an error of its own, and all of them are joined. A rules file
// that is broken, or holds an exemption that has ended, is not deployed.
func Load(path string, o Override, now time.Time) (*Deployment, error) {
	return load(path, o, now, org.Parse)
}

// LoadDeployed reads what has been deployed, to look at it or to stop it. It
// differs from Load in one thing: exemptions that have ended since are no error,
// so that nobody has to mend a file first in the middle of an incident. They
// are listed in Rules.Expired.
func LoadDeployed(path string, now time.Time) (*Deployment, error) {
	return load(path, Override{}, now, org.ParseDeployed)
}

// rulesParser reads a rules file's text.
type rulesParser func(name string, text []byte, now time.Time) (*org.Rules, error)

func load(path string, o Override, now time.Time, parser rulesParser) (*Deployment, error) {
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("reading the deployment file %s: %w", path, err)
	}
	return parse(path, text, o, now, parser)
}

// Parse is Load for a file whose text is at hand. The file's path tells where
// the rules file is, and where a mistake is.
func Parse(file string, text []byte, now time.Time) (*Deployment, error) {
	return parse(file, text, Override{}, now, org.Parse)
}

// read reads a file that is no larger than what is taken. Anything but a plain
// file could go on for ever.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("it is no plain file")
	}
	if err == nil && info.Size() > strict.MaxBytes {
		return nil, fmt.Errorf("%d bytes are more than the %d of the largest file that is read", info.Size(), strict.MaxBytes)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	// The path is told already, by whoever asked.
	if at := (*os.PathError)(nil); errors.As(err, &at) {
		return nil, at.Err
	}
	return text, err
}

// reader reads one deployment file.
type reader struct {
	*strict.Reader
	file   string
	now    time.Time
	parser rulesParser
	root   strict.Object
	// node is the mapping that root reads.
	node *yaml.Node
	// listed holds the lists of places.
	listed [][]listed
}

func parse(file string, text []byte, o Override, now time.Time, parser rulesParser) (*Deployment, error) {
	r := &reader{Reader: strict.New(file), file: file, now: now, parser: parser}
	r.Elsewhere = elsewhere()
	if blank(text) {
		return nil, &strict.Mistake{File: file, Line: 1, Column: 1, Problem: "nothing is written there", Remedy: remedyEmpty}
	}
	node, err := r.Root(text)
	if err != nil {
		return nil, err
	}
	r.addresses(node)
	r.node = node
	r.root = r.Object(node, "", "version", "way", "account", "region", "rules", "architecture", "remediator",
		"slack", "members", "assumeRole", "alarms", "canary", "sweep", "seals", "logs", "guardrails")
	r.require()
	r.root.Number("version", 1, 1, 1)
	d := &Deployment{File: file}
	wayErr := r.way(d, o)
	rulesErr := r.loadRules(d)
	r.fields(d)
	r.check(d)
	if err := errors.Join(wayErr, r.Err(), rulesErr); err != nil {
		return nil, err
	}
	return d, nil
}

// blank says whether a file holds nothing but blank space, comments and marks.
func blank(text []byte) bool {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return false
	}
	return len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Value == ""
}

// addresses notes the addresses that stand where names of fields belong, and
// takes them out, so that nothing tells them again: somebody pastes a webhook,
// of which all but the host is secret, and forgets the field's name.
func (r *reader) addresses(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var rest []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if shown := strict.Quote(key.Value); shown != strconv.Quote(key.Value) {
				r.Fail(key, "", shown+" stands where the name of a field should", remedyWebhook)
				continue
			}
			rest = append(rest, key, n.Content[i+1])
		}
		n.Content = rest
	}
	for _, c := range n.Content {
		r.addresses(c)
	}
}

// require notes the fields that are missing, each with what to write.
func (r *reader) require() {
	for _, f := range []struct{ name, remedy string }{
		{"version", "write version: 1"},
		{"way", wayWord.Remedy},
		{"account", accountID.Remedy},
		{"rules", rulesPath.Remedy},
	} {
		r.needs(r.node, r.root, f.name, f.remedy)
	}
}

// needs notes a field that a mapping lacks.
func (r *reader) needs(n *yaml.Node, o strict.Object, field, remedy string) {
	if n.Kind == yaml.MappingNode && o.Field(field) == nil {
		r.Fail(n, o.At(field), "missing", remedy)
	}
}

// way reads the way, unless another is given in the file's place.
func (r *reader) way(d *Deployment, o Override) error {
	word, _ := r.root.Text("way", wayWord)
	d.Way = wayNamed(word)
	if o.Way == "" {
		return nil
	}
	d.Way = wayNamed(o.Way)
	if d.Way == NoWay {
		return fmt.Errorf("reading the way that is given in place of the one in %s: %s is no %s: %s", r.file, strict.Quote(o.Way), wayWord.Name, wayWord.Remedy)
	}
	return nil
}

// fields reads what each field says by itself.
func (r *reader) fields(d *Deployment) {
	o := r.root
	d.Account, _ = o.Text("account", accountID)
	r.place(d)
	word, _ := o.Text("architecture", architectureWord)
	d.Architecture = architectureNamed(word)
	d.Remediator = r.presence("remediator", presenceWord)
	d.Slack = r.presence("slack", slackWord)
	if m, ok := r.object("members", "targets"); ok {
		r.needs(o.Field("members"), m, "targets", remedyTargets)
		d.Targets = r.places(m, "targets", target, remedyTargets)
	}
	if a, ok := r.object("assumeRole", "regions"); ok {
		r.needs(o.Field("assumeRole"), a, "regions", remedyRegions)
		d.AssumeRoleRegions = r.list(a, "regions", regionName, remedyRegions)
		r.checkRegions(a, d.Partition)
	}
	if a, ok := r.object("alarms", "email"); ok {
		d.AlarmEmails = r.list(a, "email", email, remedyList)
	}
	d.CanaryEvery, d.LogDays = DefaultCanaryMinutes*time.Minute, DefaultLogDays
	if c, ok := r.object("canary", "everyMinutes"); ok {
		minutes := c.Number("everyMinutes", leastCanaryMinutes, mostCanaryMinutes, DefaultCanaryMinutes)
		d.CanaryEvery = time.Duration(minutes) * time.Minute
	}
	d.SweepEvery = DefaultSweepHours * time.Hour
	if s, ok := r.object("sweep", "everyHours"); ok {
		d.SweepEvery = time.Duration(s.Number("everyHours", leastSweepHours, mostSweepHours, DefaultSweepHours)) * time.Hour
	}
	d.SealKeys = 1
	if s, ok := r.object("seals", "keys"); ok {
		d.SealKeys = s.Number("keys", 1, mostSealKeys, 1)
	}
	if l, ok := r.object("logs", "days"); ok {
		d.LogDays = r.logDays(l)
	}
	if g, ok := r.object("guardrails", "scp", "rcp"); ok {
		d.AttachSCP = r.places(g, "scp", attachable, remedyList)
		d.AttachRCP = r.places(g, "rcp", attachable, remedyList)
	}
}

// presence reads whether something is deployed.
func (r *reader) presence(name string, f strict.Form) Presence {
	word, _ := r.root.Text(name, f)
	return presenceNamed(word)
}

// object reads a mapping at the top of the file; ok is false when it is left out.
func (r *reader) object(name string, known ...string) (o strict.Object, ok bool) {
	n := r.root.Field(name)
	if n == nil {
		return o, false
	}
	return r.Object(n, name, known...), true
}

// list reads a list that has at least one item: an empty one looks as if it
// did something.
func (r *reader) list(o strict.Object, name string, f strict.Form, remedy string) []string {
	if n := o.Field(name); n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.Fail(n, o.At(name), "an empty list", remedy)
	}
	return o.Texts(name, f)
}

// items gives the items of a list, and nothing for anything else.
func items(o strict.Object, name string) []*yaml.Node {
	if n := o.Field(name); n != nil && n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

// retentions are the days that CloudWatch Logs can keep a log group's events
// (CloudWatch Logs API Reference, API_PutRetentionPolicy).
func retentions() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

// logDays reads for how long logs are kept.
func (r *reader) logDays(o strict.Object) int {
	all := retentions()
	days := o.Number("days", all[0], all[len(all)-1], DefaultLogDays)
	i, ok := slices.BinarySearch(all, days)
	if !ok {
		r.Fail(o.Field("days"), o.At("days"), fmt.Sprintf("CloudWatch Logs cannot keep logs for %d days", days),
			"write "+strconv.Itoa(all[i-1])+" or "+strconv.Itoa(all[i]))
	}
	return days
}

// AssumeRoleRoles gives the ARN patterns of the sensitive roles, those of the
// rule session-policy, whose AssumeRole events can be watched.
func (d *Deployment) AssumeRoleRoles() []string {
	s := d.Rules.Setting(sessionPolicy)
	if s.Off {
		return nil
	}
	return slices.Clone(s.Roles)
}

// RoleARN gives the ARN of a role in the deployment's partition. The path has
// both slashes, such as Path.
func (d *Deployment) RoleARN(account, path, name string) string {
	return role.ARN{Partition: d.Partition, Account: account, Path: path, Name: name}.String()
}
