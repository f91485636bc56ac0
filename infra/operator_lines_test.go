package main

import (
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// stacksOf gives the stacks of a way to deploy: its templates, without those
// that StackSets bring.
func stacksOf(t *testing.T, name string) map[string]stackTemplate {
	t.Helper()
	get, known := map[string]func() (assembly, error){"hub": hubWay, "members": membersWay, "single": singleWay}[name]
	if !known {
		t.Fatalf("there is no way %q", name)
	}
	out := map[string]stackTemplate{}
	for stack, tpl := range way(t, get).templates {
		if !slices.Contains([]string{deployment.MemberStackSet, deployment.CanaryStackSet, deployment.RegionalStackSet}, stack) {
			out[stack] = tpl
		}
	}
	return out
}

// The lines that the page has for the CDK name stacks that the way has, context
// that the app reads, parameters that the stacks take, and options that the
// pinned command line knows.
func TestTheOperatorsLinesForTheCDKAreTaken(t *testing.T) {
	options := map[string]string{}
	n := 0
	for _, line := range typed(operatorsPage(t), "cdk") {
		line, _, _ = strings.Cut(strings.ReplaceAll(line, "$(openssl rand -hex 16)", "0123456789abcdef"), " # ")
		all := words(t, line)
		if len(all) == 2 {
			continue
		}
		n++
		verb, given, chosen, parameters, patterns := all[1], map[string]string{}, "", []string{}, []string{}
		if options[verb] == "" {
			help := exec.CommandContext(t.Context(), cdk(t), verb, "--help")
			help.Env = append(os.Environ(), "CDK_DISABLE_VERSION_CHECK=1")
			text, err := help.CombinedOutput()
			if err != nil {
				t.Fatalf("cdk %s --help: %v\n%s", verb, err, text)
			}
			options[verb] = string(text)
		}
		for i := 2; i < len(all); i++ {
			name := all[i]
			if !strings.HasPrefix(name, "-") {
				patterns = append(patterns, name)
				continue
			}
			if !regexp.MustCompile(`(?m)[ ,]` + regexp.QuoteMeta(name) + `[ ,]`).MatchString(options[verb]) {
				t.Errorf("%s: cdk %s knows no %s", line, verb, name)
			}
			i++
			switch key, value, _ := strings.Cut(all[i], "="); name {
			case "-c":
				given[key] = value
			case "--parameters":
				parameters = append(parameters, key)
			}
		}
		for key := range given {
			if key != "deployment" && key != "way" {
				t.Errorf("%s: the app reads no context %s", line, key)
			}
		}
		if verb != "deploy" && verb != "destroy" {
			continue
		}
		switch chosen = given["way"]; {
		case given["deployment"] == "my/single.yaml" || patterns[0] == "rolewarden*":
			chosen = "single"
		case chosen == "":
			chosen = "members"
		}
		found := 0
		for stack, tpl := range stacksOf(t, chosen) {
			if ok, err := path.Match(patterns[0], stack); !ok || err != nil {
				continue
			}
			found++
			needs := tpl.Parameters[deployment.ExternalIDParameter] != nil
			if verb == "deploy" && len(given) > 0 && needs != slices.Contains(parameters, deployment.ExternalIDParameter) {
				t.Errorf("%s: that %s takes the parameter is %t, and it is given %q", line, stack, needs, parameters)
			}
		}
		if found == 0 || len(patterns) != 1 {
			t.Errorf("%s: the way %s has no such stack", line, chosen)
		}
	}
	if n < 8 {
		t.Errorf("only %d lines", n)
	}
}

// The lines that the page has for AWS's command line are taken by the pinned one,
// which reads all of them and sends nothing; and the stacks, queues, topics and
// the secret in them are those of the templates.
func TestTheOperatorsLinesForAWSAreTaken(t *testing.T) {
	program, hub := toolstest.Program(t, "aws"), stacksOf(t, "hub")[deployment.HubStack]
	names := map[string]bool{}
	for _, kind := range []struct{ of, name string }{{"AWS::SQS::Queue", "QueueName"}, {"AWS::SNS::Topic", "TopicName"}, {"AWS::SecretsManager::Secret", "Name"}} {
		for _, r := range of(t, hub, kind.of) {
			names[r.Properties[kind.name].(string)] = true
		}
	}
	for _, one := range []string{"hub", "members", "single"} {
		for stack := range stacksOf(t, one) {
			names[stack] = true
		}
	}
	n := 0
	for _, line := range typed(operatorsPage(t), "aws") {
		n++
		all := words(t, line)
		c := exec.CommandContext(t.Context(), program, append(all[1:], "--generate-cli-skeleton", "input")...)
		// A file that a line reads is one that a line before it has written.
		c.Dir = t.TempDir()
		for _, word := range all {
			if path, ok := strings.CutPrefix(word, "file://cdk.out/"); ok {
				path = filepath.Join(c.Dir, "cdk.out", path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("{}"), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=", "AWS_CONFIG_FILE=" + os.DevNull}
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		for i, word := range all {
			name := ""
			if i > 0 && slices.Contains([]string{"--stack-name", "--secret-id"}, all[i-1]) {
				name = word
			}
			if arn := strings.SplitN(word, ":", 6); len(arn) == 6 && (arn[2] == "sns" || arn[2] == "sqs") {
				name = arn[5]
			}
			if name != "" && !names[name] {
				t.Errorf("%s: nothing is called %s", line, name)
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d lines", n)
	}
}

// The policies that the page speaks of are written where it says, by the lines
// that it has for make.
func TestTheOperatorsPoliciesAreWrittenWhereThePageSays(t *testing.T) {
	files := map[string][]string{
		"hub": {"rolewarden-hub.deployer.json", "rolewarden-hub.operator.json", doctorFile},
		"members": {
			"rolewarden-members.deployer.json", "rolewarden-members.operator.json", "rolewarden-management.deployer.json", "rolewarden-management.operator.json", doctorFile,
		},
		"single": {"rolewarden.deployer.json", "rolewarden.operator.json", doctorFile},
	}
	page := section(t, "2.")
	lines := append(typed(page, "make"), "make synth DEPLOYMENT=my/organization.yaml WAY=members")
	for folder, wanted := range files {
		stacksOf(t, folder)
		a := way(t, map[string]func() (assembly, error){"hub": hubWay, "members": membersWay, "single": singleWay}[folder])
		for _, file := range wanted {
			if a.files[file] == "" {
				t.Errorf("the way %s has no %s", folder, file)
			}
		}
		if !strings.Contains(page, "`cdk.out/"+folder+"`") {
			t.Errorf("the page does not name the folder of the way %s", folder)
		}
		if !slices.ContainsFunc(lines, func(line string) bool {
			c := exec.CommandContext(t.Context(), "make", append([]string{"-n"}, words(t, line)[1:]...)...)
			c.Dir = ".."
			out, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			return strings.Contains(string(out), "/cdk.out/"+folder+"' go run ./infra ")
		}) {
			t.Errorf("none of %q writes to cdk.out/%s", lines, folder)
		}
	}
	if !strings.Contains(page, "`WAY=members`") {
		t.Error("the page does not say how to write the policies for the members")
	}
	for _, line := range typed(operatorsPage(t), "make") {
		c := exec.CommandContext(t.Context(), "make", append([]string{"-n"}, words(t, strings.Split(line, " #")[0])[1:]...)...)
		c.Dir = ".."
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
}

// The stacks are deployed, upgraded and removed in an order that each of them can
// bear: what the members' templates name in the hub is there before them, and the
// hub's names nothing that they make.
func TestTheOperatorsOrderIsThatOfTheStacks(t *testing.T) {
	order := func(text string, verb string) []string {
		var out []string
		for _, line := range typed(text, "cdk") {
			if all := words(t, strings.Split(line, " #")[0]); all[1] == verb && len(all) > 3 {
				out = append(out, strings.TrimSuffix(all[2], "*"))
			}
		}
		return out
	}
	forward := []string{deployment.HubStack, deployment.MembersStack, deployment.ManagementStack, deployment.SingleStack}
	if got := order(section(t, "3."), "deploy"); !slices.Equal(got, forward) {
		t.Errorf("they are deployed in the order %v", got)
	}
	if !strings.Contains(section(t, "8."), "hub, members, management, in this order") {
		t.Error("they are upgraded in another order")
	}
	if got := order(section(t, "10."), "destroy"); !slices.Equal(got, []string{deployment.MembersStack, deployment.ManagementStack, deployment.HubStack, deployment.SingleStack}) {
		t.Errorf("they are removed in the order %v", got)
	}
	made := map[string]map[string]bool{}
	var hub placed
	texts := map[string]string{}
	for _, p := range everywhere(t) {
		made[p.stack], texts[p.stack] = map[string]bool{}, p.text
		for id, r := range p.Resources {
			if !slices.Contains([]string{"AWS::IAM::Role", "AWS::Events::EventBus", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Lambda::Function"}, r.Type) {
				continue
			}
			arn, err := p.attribute(id, "Arn")
			if err != nil {
				t.Fatal(err)
			}
			made[p.stack][arn] = true
		}
		if p.stack == deployment.HubStack {
			hub = p
		}
	}
	bus, err := hub.attribute(only(t, hub.stackTemplate, "AWS::Events::EventBus"), "Arn")
	if err != nil || !strings.Contains(texts[deployment.MemberStackSet], bus) || !strings.Contains(texts[deployment.ManagementStack], bus) {
		t.Errorf("the members' templates do not send to %s, %v", bus, err)
	}
	for later, arns := range made {
		for arn := range arns {
			if later != deployment.HubStack && strings.Contains(hub.text, `"`+arn+`"`) {
				t.Errorf("the hub's template names %s, which %s makes", arn, later)
			}
		}
	}
}

// only gives the one resource of a type.
func only(t *testing.T, tpl stackTemplate, kind string) string {
	t.Helper()
	ids := sortedKeys(of(t, tpl, kind))
	if len(ids) != 1 {
		t.Fatalf("the template has %d of %s", len(ids), kind)
	}
	return ids[0]
}
