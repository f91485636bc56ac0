package cli

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/org"
)

//go:embed schemas/*.schema.json
var schemas embed.FS

type schemaVerb struct {
	Name string `arg:"" optional:"" help:"What the schema is of." placeholder:"NAME"`
}

// Help is the verb's long help.
func (schemaVerb) Help() string {
	return `The schemas (JSON Schema 2020-12) are of what each verb prints with --format json, of the request that findings show and evaluate takes, of the alerts on SNS, and, for editors, of the rules file and the deployment file. Without a NAME it lists the names.`
}

const (
	schemaFolder = "schemas/"
	schemaSuffix = ".schema.json"
	rulesFile    = "rules-file"
	deployFile   = "deployment-file"
	alertName    = "alert"
)

// Run prints a schema.
func (v schemaVerb) Run(s *session) error {
	if v.Name == "" {
		return s.show(strings.Join(schemaNames(), "\n") + "\n")
	}
	text, ok := schemaOf(v.Name)
	if !ok {
		return fmt.Errorf("there is no schema of %q: write one of %s", v.Name, strings.Join(schemaNames(), ", "))
	}
	if _, err := s.out.Write(text); err != nil {
		return fmt.Errorf("writing the schema: %w", err)
	}
	return nil
}

// schemaOf gives a schema by name.
func schemaOf(name string) ([]byte, bool) {
	switch name {
	case rulesFile:
		return org.Schema(), true
	case deployFile:
		return deployment.Schema(), true
	case alertName:
		return alert.Schema(), true
	}
	text, err := schemas.ReadFile(schemaFolder + name + schemaSuffix)
	return text, err == nil
}

// schemaNames gives the names of the schemas, sorted.
func schemaNames() []string {
	names := []string{rulesFile, deployFile, alertName}
	// The folder is in the binary, so it can be read.
	entries, _ := schemas.ReadDir(strings.TrimSuffix(schemaFolder, "/"))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), schemaSuffix))
	}
	slices.Sort(names)
	return names
}
