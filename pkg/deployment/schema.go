package deployment

import (
	_ "embed"
	"slices"
)

//go:embed deployment.schema.json
var schema []byte

// Schema gives the JSON Schema of the deployment file, for editors and
// pipelines. It accepts every file that Parse accepts; what only Parse knows
// (the rules file, the partition, what a root reaches) it leaves to Parse.
func Schema() []byte { return slices.Clone(schema) }
