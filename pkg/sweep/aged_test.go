package sweep_test

import (
	"strings"
	"testing"
	"time"
)

// The age of a baseline is that of a document that has stood all the while: one
// that was seen, replaced, and put back is as old as its coming back (T60).
func TestADocumentThatWasGoneMeanwhileBeginsAnew(t *testing.T) {
	s := newSweeping(newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1)))
	s.put(dev, "app", closed)
	s.sweep()
	s.now = s.now.Add(12 * time.Hour)
	s.put(dev, "app", opened)
	s.sweep()
	s.now = s.now.Add(6 * time.Hour)
	s.put(dev, "app", closed)
	s.sweep()
	s.now = s.now.Add(7 * time.Hour)
	s.sweep()
	if got := s.baselines(dev, "app"); len(got) != 0 {
		t.Errorf("sealed after it stood for 7 hours: %v", got)
	}
	s.now = s.now.Add(18 * time.Hour)
	s.sweep()
	if got := s.baselines(dev, "app"); len(got) != 1 {
		t.Errorf("not sealed after it stood for 25 hours: %v", got)
	}
}
