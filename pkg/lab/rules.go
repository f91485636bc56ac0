package lab

import (
	"fmt"
	"net/http"
)

// SeedRule is a rule of EventBridge in the partition's home Region. The lab
// shows it and sends nothing by it: events reach listeners (OnEvent) without
// any rule.
type SeedRule struct {
	Name string
	// Bus defaults to "default", Pattern to none.
	Bus, Pattern string
	State        RuleState
}

// RuleState says whether a rule is on. The zero value is one that is.
type RuleState int

// The states of a rule.
const (
	RuleEnabled RuleState = iota
	RuleDisabled
)

// String gives the state's name in EventBridge.
func (s RuleState) String() string {
	switch s {
	case RuleEnabled:
		return "ENABLED"
	case RuleDisabled:
		return "DISABLED"
	default:
		return fmt.Sprintf("RuleState(%d)", int(s))
	}
}

func ruleOperations() map[string]operation {
	return map[string]operation{
		"DescribeRule": {run: (*Lab).describeRule, target: onRule, name: bodyField("Name")},
	}
}

func onRule(l *Lab, req *request) string {
	return l.ruleARN(req.region, req.caller.account.ID, req.text("EventBusName"), req.text("Name"))
}

// ruleARN leaves the default bus out. Service Authorization Reference,
// list_amazoneventbridge.
func (l *Lab) ruleARN(region, account, bus, name string) string {
	if bus == "" || bus == "default" {
		return l.partition.arn("events", region, account, "rule/"+name)
	}
	return l.partition.arn("events", region, account, "rule/"+lastPart(bus)+"/"+name)
}

// SeedRule puts a rule into EventBridge; one of the same name and bus is
// replaced.
func (l *Lab) SeedRule(account string, rule SeedRule) (arn string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, err := l.known(account)
	if err != nil {
		return "", fmt.Errorf("seeding rule %s: %w", rule.Name, err)
	}
	if rule.Bus == "" {
		rule.Bus = "default"
	}
	arn = l.ruleARN(l.partition.home(), acct.ID, rule.Bus, rule.Name)
	acct.rules[arn] = rule
	return arn, nil
}

func noRule(name string) *problem {
	return failPlain(http.StatusBadRequest, "ResourceNotFoundException", "Rule %s does not exist on EventBus default.", name)
}

func (l *Lab) describeRule(req *request) (*answer, error) {
	arn := onRule(l, req)
	rule, ok := req.caller.account.rules[arn]
	if !ok {
		return nil, noRule(req.text("Name"))
	}
	out := map[string]any{"Name": rule.Name, "Arn": arn, "EventBusName": rule.Bus, "State": rule.State.String(), "CreatedBy": req.caller.account.ID}
	if rule.Pattern != "" {
		out["EventPattern"] = rule.Pattern
	}
	return &answer{json: out}, nil
}
