package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed no_effect.md
var noEffectPage string

const noEffectID = "no-effect"

func noEffect() Rule {
	return Rule{
		ID: noEffectID, Title: "Nothing may look like a guard that guards nothing",
		Severity: finding.Low, Reach: TellOnly, Page: noEffectPage, Check: checkNoEffect, Mend: mendNoEffect,
	}
}

// checkNoEffect takes each entry by itself. Proof says whether it keeps anybody
// out; the text only says where it is worth asking.
func checkNoEffect(in Input) Judgement {
	var j Judgement
	left := &allowance{statements: mostStatements, carriers: carriers(in.Document)}
	for i, st := range in.Document.Statements {
		if enough(j, finding.Low) {
			break
		}
		left.advised = len(j.Findings)
		switch st.Effect {
		case policy.Allow:
			j = j.and(idleAllow(in, left, i))
		case policy.Deny:
			j = j.and(idleDeny(in, left, i))
		case policy.NoEffect:
		}
	}
	j.Findings, j.Undecided = told(j.Findings), appendMissing(nil, j.Undecided)
	return j
}

// mostTold is how many findings of one severity are enough for one document, and
// mostStatements how many statements are made ready for questions about single
// entries: no document that anybody wrote by hand comes near.
const (
	mostTold       = 8
	mostStatements = 250
	tooMany        = "the document has more entries that may be passed by leaving a key out than are tried"
)

// enough says whether a rule has found all that is told of its gravest severity.
// Lesser findings never stop it: a heap of them is no place to hide behind.
func enough(j Judgement, gravest finding.Severity) bool {
	n := 0
	for _, f := range j.Findings {
		if f.Severity >= gravest {
			n++
		}
	}
	return n >= mostTold
}

// told keeps as many findings of each severity as are told.
func told(findings []finding.Finding) []finding.Finding {
	n := map[finding.Severity]int{}
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		n[f.Severity]++
		return n[f.Severity] > mostTold
	})
}

// allowance bounds what the questions about one document may cost.
type allowance struct {
	statements int
	// parts is what has been made ready so far, as breadth weighs it.
	parts int
	// advised are the findings so far: past what is told nothing is asked of which
	// only advice can come.
	advised int
	// carriers are Allows of what goes with assuming a role.
	carriers []int
}

// advise is spend for such a question, which makes the document ready twice.
func (a *allowance) advise(d policy.Document) bool {
	return a.advised < 2*mostTold && a.spend(d, 2)
}

// spend reports whether a document may be made ready once more, or several times.
func (a *allowance) spend(d policy.Document, times int) bool {
	if a.statements -= times * len(d.Statements); a.statements < 0 || a.parts > 4*mostBreadth {
		return false
	}
	a.parts += times * breadth(d)
	return a.parts <= 4*mostBreadth
}

func idleAllow(in Input, left *allowance, i int) Judgement {
	st := in.Document.Statements[i]
	if tried := unused(in, left, i); tried != "" {
		return said1(idle(at(i), "nobody can use "+at(i)+besideText(in, st)+": "+tried,
			"remove it, or give it the action and the conditions that its principals can meet", "tried: "+tried))
	}
	var j Judgement
	for k, c := range st.Conditions {
		o, ok := policy.ParseOperator(c.Operator)
		if !ok || c.Key == "" || len(c.Values) == 0 {
			continue
		}
		if why, tried := metByAll(in, left, st, c, o); why != "" {
			j.Findings = append(j.Findings, idle(conditionAt(i, c),
				spelled(c)+" "+why, "remove it, or write the values that are meant", "tried: "+tried))
			continue
		}
		if passedByAbsence(o) && entrance(c.Key) {
			if !left.spend(onlyAllow(in.Document, i), 2) {
				return j.and(Judgement{Undecided: []string{tooMany}})
			}
			j = j.and(leftOut(in, i, k))
		}
	}
	return j
}

func idleDeny(in Input, left *allowance, i int) Judgement {
	st := in.Document.Statements[i]
	if tried := unused(in, left, i); tried != "" {
		return said1(idle(at(i), "the Deny in "+at(i)+" keeps nobody out: "+tried,
			"remove it, or write whom it is meant for", "tried: "+tried))
	}
	if namesOnly(st) && !slices.ContainsFunc(st.Principal.List, unique) {
		if left.advise(in.Document) && namesNobody(in, st) {
			const why = "none of those it names is let in by any Allow"
			return said1(idle(at(i), "the Deny in "+at(i)+" keeps nobody out: "+why,
				"remove it, or write whom it is meant for", "tried: without any Deny, "+why))
		}
		return Judgement{}
	}
	var j Judgement
	for _, c := range st.Conditions {
		o, ok := policy.ParseOperator(c.Operator)
		if ok && entrance(c.Key) && allBut(c, o) {
			if !left.spend(in.Document, 2) {
				return j.and(Judgement{Undecided: []string{tooMany}})
			}
			j = j.and(dodged(in, i, c))
		}
	}
	return j
}

// namesNobody asks whether no Allow lets in any of those whom a Deny names.
func namesNobody(in Input, st policy.Statement) bool {
	allows := in.Document
	allows.Statements = slices.DeleteFunc(slices.Clone(allows.Statements), func(o policy.Statement) bool { return o.Effect == policy.Deny })
	t := in.trying(allows)
	arns, accounts := map[proof.CallerKind][]string{}, map[proof.CallerKind][]string{}
	services := proof.Callers{Kind: proof.Services}
	for _, p := range st.Principal.List {
		kind := proof.Users
		switch p.Kind {
		case policy.Service:
			services.Names = append(services.Names, p.Name)
			continue
		case policy.Role:
			kind = proof.RoleSessions
		case policy.User:
		default:
			return false // one session of a role is not told from its others
		}
		arns[kind], accounts[kind] = append(arns[kind], p.Value), append(accounts[kind], p.Account)
	}
	for kind, named := range arns {
		callers := proof.Callers{Kind: kind, Accounts: proof.Accounts{Only: appendMissing(nil, accounts[kind])}}
		if t.ask(callers, demand(proof.Holds, "StringEquals", principalARNKey, named...)).Outcome != proof.None {
			return false
		}
	}
	return len(services.Names) == 0 || t.ask(services).Outcome == proof.None
}

func said1(f finding.Finding) Judgement { return Judgement{Findings: []finding.Finding{f}} }

// idle is advice: nobody gets in by what does nothing.
func idle(where, message, fix, sentence string) finding.Finding {
	return finding.Finding{
		Rule: noEffectID, Severity: finding.Advice, Where: where, Message: message, Fix: fix,
		Evidence: finding.Evidence{Kind: finding.Place, Sentence: oneLine(sentence)},
	}
}

// escaped is more: some values are refused, and who gives none is not.
func escaped(where, message, fix string, a proof.Answer) finding.Finding {
	return finding.Finding{
		Rule: noEffectID, Severity: finding.Low, Where: where, Message: message, Fix: fix,
		Evidence: finding.Evidence{Kind: finding.Place, Sentence: "tried: " + a.Witness.Sentence()},
	}
}

// leftOut asks whether everybody whom an Allow's entry might keep out comes in
// by leaving its key out.
func leftOut(in Input, i, k int) Judgement {
	st := in.Document.Statements[i]
	c := st.Conditions[k]
	alone := onlyAllow(in.Document, i)
	without := alone
	without.Statements = slices.Clone(alone.Statements)
	bare := st
	bare.Conditions = slices.Delete(slices.Clone(st.Conditions), k, k+1)
	without.Statements[0] = bare
	with, free := in.trying(alone), in.trying(without)
	var passed proof.Answer
	for _, callers := range bySending(audience(st), c.Key) {
		a := proof.Answer{Outcome: proof.None}
		if !sent(callers, c.Key) {
			a = with.ask(callers, lacking(alone, c.Key, callers.Kind)...)
		}
		if a.Outcome == proof.None {
			if a = free.ask(callers); a.Outcome == proof.Found {
				return Judgement{}
			}
		}
		switch {
		case a.Outcome == proof.Unknown:
			return Judgement{Undecided: doubtsOf(a)}
		case a.Outcome == proof.Found && passed.Outcome != proof.Found:
			passed = a
		}
	}
	if passed.Outcome != proof.Found {
		return Judgement{}
	}
	if service := passed.Witness.Caller.Service; service != "" && (!strings.Contains(strings.ToLower(c.Key), "sourceorg") || assumerOf(service).sends <= sendsNone) {
		// To demand a key that a service does not send would lock it out.
		return said1(idle(conditionAt(i, c), fmt.Sprintf("%s keeps nobody out: that %s sends %s is not documented", spelled(c), word(service), word(c.Key)),
			"remove it, or see that the service sends the key and "+plainly(c), "tried: "+passed.Witness.Sentence()))
	}
	return said1(escaped(conditionAt(i, c),
		fmt.Sprintf("%s keeps nobody out: who leaves %s out is let in", spelled(c), word(c.Key)), plainly(c), passed))
}

// plainly says how an entry is written that does not pass by absence.
func plainly(c policy.Condition) string {
	o, _ := policy.ParseOperator(c.Operator)
	if o.Negated {
		return "write the values that are let in, not those that are not"
	}
	return "write it as " + firm(o).String()
}

// firm is the operator that does not hold where the key is absent.
func firm(o policy.Operator) policy.Operator {
	o.IfExists = false
	if o.Set == policy.ForAllValues {
		o.Set = policy.NoSet
	}
	return o
}

// dodged asks it of a Deny of all values but some: whether somebody whom it
// stops comes in by leaving the key out.
func dodged(in Input, i int, c policy.Condition) Judgement {
	st := in.Document.Statements[i]
	if !anybody(st) {
		return Judgement{}
	}
	var fires, others []proof.Requirement
	for _, o := range st.Conditions {
		r := proof.Requirement{Condition: o, Sense: proof.Holds}
		fires = append(fires, r)
		if !strings.EqualFold(o.Key, c.Key) {
			others = append(others, r)
		}
	}
	without := in.Document
	without.Statements = slices.Delete(slices.Clone(without.Statements), i, i+1)
	free := in.trying(without)
	var passed proof.Answer
	for _, callers := range bySending(audience(policy.Statement{Principal: everyPrincipal(without)}), c.Key) {
		if sent(callers, c.Key) || !covers(st, actionOf(callers.Kind)) || free.ask(callers, fires...).Outcome != proof.Found {
			continue
		}
		a := in.find(in.query(actionOf(callers.Kind), all(append(others, lacking(onlyDenies(in.Document), c.Key, callers.Kind)...)), callers))
		switch a.Outcome {
		case proof.Found:
			passed = a
		case proof.None: // those it does stop; an Allow for them hides nobody else
		case proof.Unknown:
			return Judgement{Undecided: doubtsOf(a)}
		}
	}
	if passed.Outcome != proof.Found {
		return Judgement{}
	}
	return said1(escaped(conditionAt(i, c),
		fmt.Sprintf("the Deny in %s is for all but %s, and who leaves %s out is let in", at(i), values(c), word(c.Key)),
		"let the Deny fire where the key is absent too: "+firmDeny(c)+" without Null beside it", passed))
}

// onlyDenies gives the document without its Allows.
func onlyDenies(d policy.Document) policy.Document {
	d.Statements = slices.DeleteFunc(slices.Clone(d.Statements), func(o policy.Statement) bool { return o.Effect != policy.Deny })
	return d
}

// firmDeny names the operator under which a Deny fires where the key is absent.
func firmDeny(c policy.Condition) string {
	o, _ := policy.ParseOperator(c.Operator)
	o.Set, o.IfExists = policy.NoSet, !o.Negated
	return o.String()
}

// values shows the values of a condition as spelled does.
func values(c policy.Condition) string {
	return strings.TrimPrefix(spelled(c), word(c.Operator)+" ")
}
