// Package meter is what rolewarden counts, so that it tells when it is blind.
//
// It takes samples of the metrics in its table, and log records that carry the
// attribute "alarm". It gives CloudWatch embedded metric format: JSON lines
// from which CloudWatch Logs makes metrics (Amazon CloudWatch User Guide,
// CloudWatch_Embedded_Metric_Format_Specification). It never holds a log record
// back, never emits a metric that is not in the table, and never puts an
// account, a role or a secret into a line: those belong into the log.
package meter

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"
)

// Space is the CloudWatch namespace of every metric.
const Space = "Rolewarden"

// Dimension is the one dimension of every metric; its value is the function
// that counts. More dimensions would make a new metric, and a new bill, for
// each of their values (Amazon CloudWatch User Guide, cloudwatch_concepts).
const Dimension = "Function"

// Config is what a Meter needs; every field is required.
type Config struct {
	// Function is Guard, Notify, Canary or Sweep.
	Function string
	// Out takes the lines; in Lambda that is standard output. Each line is one Write.
	Out io.Writer
	Now func() time.Time
}

// Meter writes metrics. It is safe for concurrent use.
type Meter struct {
	cfg Config

	mu sync.Mutex
	// lost counts the lines that could not be written since the last that
	// could, err says why, and broken that a part of a line may stand there.
	lost   int
	err    error
	broken breakage
}

// breakage says whether Out may hold a line without an end.
type breakage uint8

const (
	whole breakage = iota
	torn
)

// New makes a Meter. A Config that lacks something gives one whose every line
// is lost, which Err tells: counting is never a reason for not working.
func New(cfg Config) *Meter { return &Meter{cfg: cfg} }

// Sample is one value of a metric of the table. Make it with Count, Seconds or Value.
type Sample struct {
	Name  string
	Value float64
}

// Count makes a sample of a metric that is counted.
func Count(name string, n int) Sample { return Sample{Name: name, Value: float64(n)} }

// Seconds makes a sample of a duration. Clocks differ, and CloudTrail tells
// whole seconds: what seems to have taken less than no time took none.
func Seconds(name string, d time.Duration) Sample {
	return Sample{Name: name, Value: max(0, d.Seconds())}
}

// Value makes a sample of any other metric.
func Value(name string, v float64) Sample { return Sample{Name: name, Value: v} }

// Put writes samples as one line; as more where the format allows no more in
// one. Counts of the same name are added up, other values are listed. No
// samples, no line.
//
// A sample that the function's table does not hold, or whose value is no
// number, is a mistake in the code: it counts as Alarm instead. A line that
// cannot be written is counted: the next one tells of it in Unwritten, and Err
// until then.
func (m *Meter) Put(samples ...Sample) {
	if len(samples) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.cfg.check(); err != nil {
		m.lost, m.err = m.lost+1, err
		return
	}
	series := m.cfg.gather(samples)
	for _, line := range m.cfg.lines(series, m.cfg.Now()) {
		m.write(line)
	}
}

// Err says why lines are missing; nil when none is.
func (m *Meter) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lost == 0 {
		return nil
	}
	return fmt.Errorf("writing metrics: %d lines are lost: %w", m.lost, m.err)
}

// write writes one line and, once that works again, how many were lost.
func (m *Meter) write(line []byte) {
	if m.broken == torn {
		line = append([]byte("\n"), line...)
	}
	if !m.try(line) || m.lost == 0 {
		return
	}
	told := m.cfg.lines([]series{{Metric: m.cfg.unwritten(), values: []float64{float64(m.lost)}}}, m.cfg.Now())
	if m.try(told[0]) {
		m.lost, m.err = 0, nil
	}
}

func (m *Meter) try(line []byte) bool {
	n, err := m.cfg.Out.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		m.lost, m.err, m.broken = m.lost+1, err, torn
		return false
	}
	m.broken = whole
	return true
}

func (c Config) check() error {
	switch {
	case c.Out == nil:
		return errors.New("making the meter: Config.Out is not set")
	case c.Now == nil:
		return errors.New("making the meter: Config.Now is not set")
	default:
		return nil
	}
}

// series is a metric and its values in one Put.
type series struct {
	Metric
	values []float64
}

// gather orders samples by metric, in the order of their first appearance.
func (c Config) gather(samples []Sample) []series {
	var out []series
	at := map[string]int{}
	for _, s := range samples {
		metric, ok := Find(c.Function, s.Name)
		if !ok || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			metric, s.Value = c.alarm(), 1
		}
		i, seen := at[metric.Name]
		switch {
		case !seen:
			at[metric.Name] = len(out)
			out = append(out, series{Metric: metric, values: []float64{s.Value}})
		case metric.Unit == UnitCount:
			out[i].values[0] += s.Value
		default:
			out[i].values = append(out[i].values, s.Value)
		}
	}
	return out
}
