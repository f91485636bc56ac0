package access_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// How large the differential run is, and which one. A seed of 0 draws one.
var (
	differentialDocuments = flag.Int("differential.documents", 2000, "documents of the differential run, with 20 requests each")
	differentialSeed      = flag.Uint64("differential.seed", 1, "seed of the differential run; 0 draws one")
	differentialFrom      = flag.Int("differential.from", 0, "number of the first document, to see one again")
	differentialWorkers   = flag.Int("differential.workers", 2, "processes of the second judge")
)

// requestsEach is how many requests each document is asked about.
const requestsEach = 20

// figures count what a differential run saw.
type figures struct {
	documents, compared, undecided, allowed, agreed, disagreed int
	// open counts the explained ones where AWS leaves something open besides.
	open int
	// explained counts by difference; a disagreement may need two.
	explained   map[string]int
	unexplained []string
}

func (f *figures) add(g figures) {
	f.documents += g.documents
	f.compared += g.compared
	f.undecided += g.undecided
	f.allowed += g.allowed
	f.agreed += g.agreed
	f.disagreed += g.disagreed
	f.open += g.open
	for name, n := range g.explained {
		f.explained[name] += n
	}
	f.unexplained = append(f.unexplained, g.unexplained...)
}

// An evaluator that this project did not write decides generated documents and
// requests as access does, but for the differences that differences names.
func TestAnOutsideJudgeDecidesAlike(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the outside judge is slow")
	}
	seed := *differentialSeed
	for seed == 0 {
		seed = rand.Uint64()
	}
	start := time.Now()
	total := figures{explained: map[string]int{}}
	var failed error
	var lock sync.Mutex
	var wait sync.WaitGroup
	for w := range *differentialWorkers {
		judge := startJudge(t)
		wait.Go(func() {
			seen, err := differ(judge, seed, w)
			lock.Lock()
			defer lock.Unlock()
			total.add(seen)
			failed = errors.Join(failed, err, judge.stop())
		})
	}
	wait.Wait()
	if failed != nil {
		t.Fatal(failed)
	}
	t.Log(total.report(seed, time.Since(start)))
	for i, text := range total.unexplained {
		if i == 10 {
			t.Fatalf("and %d more", len(total.unexplained)-i)
		}
		t.Error(text)
	}
	for _, d := range differences {
		if total.documents >= 20000 && total.explained[d.name] == 0 {
			t.Errorf("the difference %q was not met in %d documents: it explains nothing, remove it", d.name, total.documents)
		}
	}
}

func (f *figures) report(seed uint64, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d documents, %d requests in %.0f s: %d compared (%d allowed), %d undecided by access\n",
		seed, f.documents, f.compared+f.undecided, took.Seconds(), f.compared, f.allowed, f.undecided)
	fmt.Fprintf(&b, "%d agree, %d disagree for a named reason (%d of them with an open element besides), %d unexplained\n",
		f.agreed, f.disagreed, f.open, len(f.unexplained))
	for _, d := range differences {
		fmt.Fprintf(&b, "%8d  %s (%s, %s: %q)\n", f.explained[d.name], d.name, d.side, d.page, d.says)
	}
	return b.String()
}

// trial is a document with the requests about it.
type trial struct {
	number   int
	document policy.Document
	requests []access.Request
}

// draw makes the trial of a number; the document is read as a user's would be.
func draw(seed uint64, number int) (trial, error) {
	e := newEdges(seed, uint64(number))
	d, err := policy.Parse(e.document().Print())
	if err != nil {
		return trial{}, fmt.Errorf("document %d: %w", number, err)
	}
	out := trial{number: number, document: d}
	for range requestsEach {
		out.requests = append(out.requests, e.request())
	}
	return out, nil
}

// differ does one worker's share of the run. Questions go ahead of the answers,
// so that neither process waits for the other.
func differ(judge *secondJudge, seed uint64, worker int) (figures, error) {
	seen := figures{explained: map[string]int{}}
	trials := make(chan trial, 64)
	asking := make(chan error, 1)
	go func() {
		defer close(trials)
		last := *differentialFrom + *differentialDocuments
		for n := *differentialFrom + worker; n < last; n += *differentialWorkers {
			next, err := draw(seed, n)
			if err == nil {
				err = judge.put(next.document.Print(), next.requests)
			}
			if err != nil {
				asking <- err
				return
			}
			trials <- next
		}
		asking <- nil
	}()
	for next := range trials {
		said, err := judge.take(requestsEach)
		if err != nil {
			return seen, fmt.Errorf("document %d, %s: %w", next.number, next.document.Print(), err)
		}
		seen.documents++
		for i, r := range next.requests {
			seen.compare(next, i, r, said[i])
		}
	}
	return seen, <-asking
}

// compare counts one request. The differences have to foretell the judge's
// decision everywhere, also where access comes to the same one without them.
func (f *figures) compare(of trial, i int, r access.Request, judge access.Decision) {
	ours := access.Evaluate(of.document, r)
	if ours.Decision == access.Undecided {
		f.undecided++
		return
	}
	f.compared++
	if ours.Decision == access.Allowed {
		f.allowed++
	}
	foretold := access.Evaluate(readAs(of.document, r, differences), r).Decision
	var names []string
	ok := false
	if ours.Decision != judge {
		names, ok = explain(of.document, r, judge)
	}
	switch {
	case ours.Decision == judge && (foretold == judge || foretold == access.Undecided):
		f.agreed++
		return
	case ours.Decision != judge && ok:
		f.disagreed++
		for _, name := range names {
			f.explained[name]++
		}
		if foretold == access.Undecided {
			f.open++
		}
		return
	}
	asked, err := r.MarshalJSON()
	f.unexplained = append(f.unexplained, fmt.Sprintf("document %d, request %d: access says %v, the judge %v, the differences %v\n%s\n%s\n%s %v",
		of.number, i, ours.Decision, judge, foretold, of.document.Print(), asked, ours.Reason, err))
}
