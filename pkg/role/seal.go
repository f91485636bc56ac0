package role

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"
)

// Provenance says where a baseline comes from. The zero value is Unreviewed.
type Provenance uint8

// The provenances of a baseline.
const (
	// Unreviewed is a first sighting: nobody told who made the document, so it
	// may have been bad before anybody looked (T62).
	Unreviewed Provenance = iota
	// Observed is a document that an event told the maker of.
	Observed
)

func provenanceWords() []string { return []string{"Unreviewed", "Observed"} }

// String gives "Unreviewed" or "Observed".
func (p Provenance) String() string {
	if w := provenanceWords(); int(p) < len(w) {
		return w[p]
	}
	return "Provenance?"
}

// MarshalText gives the same word; in JSON a provenance is that string.
func (p Provenance) MarshalText() ([]byte, error) {
	if int(p) >= len(provenanceWords()) {
		return nil, fmt.Errorf("writing a provenance: there is no number %d", uint8(p))
	}
	return []byte(p.String()), nil
}

// UnmarshalText takes what MarshalText gives and nothing else.
func (p *Provenance) UnmarshalText(text []byte) error {
	n := slices.Index(provenanceWords(), string(text))
	if n < 0 {
		return fmt.Errorf("reading a provenance: %q is none of %q", text, provenanceWords())
	}
	*p = Provenance(n)
	return nil
}

// messageForm names the encoding that is hashed: a seal over this one never
// fits another.
const messageForm = "rolewarden baseline 1"

// Message gives what the seal covers: every field but the seal itself. Each is
// written with its length, so that no two baselines share an encoding, and the
// whole is hashed, since KMS takes at most 4,096 bytes (AWS KMS API Reference,
// API_GenerateMac).
func (b Baseline) Message() []byte {
	h := sha256.New()
	writeTexts(h, messageForm, b.Account, b.RoleID, b.Document, b.Digest)
	writeNumber(h, uint64(len(b.Principals)))
	for _, arn := range slices.Sorted(maps.Keys(b.Principals)) {
		writeTexts(h, arn, b.Principals[arn])
	}
	writeNumber(h, uint64(b.Provenance))
	writeTexts(h, b.Actor, b.EventID, b.RulesHash)
	writeTime(h, b.Since)
	writeTime(h, b.Sealed)
	return h.Sum(nil)
}

func writeNumber(h hash.Hash, n uint64) {
	var eight [8]byte
	binary.BigEndian.PutUint64(eight[:], n)
	_, _ = h.Write(eight[:]) // a hash never refuses
}

func writeTexts(h hash.Hash, texts ...string) {
	for _, t := range texts {
		writeNumber(h, uint64(len(t)))
		_, _ = h.Write([]byte(t))
	}
}

// writeTime writes the moment and not how it is printed: a time comes back
// from the table in another zone.
func writeTime(h hash.Hash, t time.Time) {
	writeNumber(h, uint64(t.Unix()))
	writeNumber(h, uint64(t.Nanosecond()))
}
