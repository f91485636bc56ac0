package org

import (
	_ "embed"
	"slices"
)

//go:embed rules.schema.json
var schema []byte

// Schema gives the JSON Schema of the rules file, for editors and pipelines. It
// accepts every file that Parse accepts; what only Parse knows (days, members,
// duplicates) it leaves to Parse.
func Schema() []byte { return slices.Clone(schema) }
