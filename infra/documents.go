package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// The files that are written beside the templates, for people who look at them
// or bring them to AWS by other means.
const (
	scpFile    = "rolewarden-scp.json"
	rcpFile    = "rolewarden-rcp.json"
	doctorFile = "rolewarden-doctor.json"
)

// writeDocuments writes the documents of a way to deploy beside its templates:
// for each stack what CloudFormation and whoever deploys must be allowed to do
// and, for members, the templates of the StackSets and the policies that guard
// them.
func writeDocuments(made cxapi.CloudAssembly, d *deployment.Deployment) error {
	w := worldOf(d)
	files := map[string]string{}
	for _, s := range *made.Stacks() {
		there := w
		there.Account = *s.Environment().Account
		types, err := typesOf(s)
		if err != nil {
			return err
		}
		files[*s.StackName()+".deployer.json"] = grants.Deployer(there, types...).JSON()
		files[*s.StackName()+".operator.json"] = grants.Operator(there).JSON()
	}
	files[doctorFile] = grants.Doctor(w).JSON()
	for name, d := range grants.People(w) {
		files["rolewarden-"+name+".json"] = d.JSON()
	}
	if d.Way == deployment.Members {
		files[scpFile], files[rcpFile] = grants.SCP(w).JSON(), grants.RCP(w).JSON()
		for _, t := range memberTemplates(d) {
			body, err := template(d, t)
			if err != nil {
				return err
			}
			files[t.name+".template.json"] = body
		}
	}
	for name, text := range files {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(text), "", " "); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		pretty.WriteByte('\n')
		if err := os.WriteFile(filepath.Join(*made.Directory(), name), pretty.Bytes(), 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// typesOf lists the types of a stack's resources, each once.
func typesOf(s cxapi.CloudFormationStackArtifact) ([]string, error) {
	text, err := os.ReadFile(*s.TemplateFullPath())
	if err != nil {
		return nil, fmt.Errorf("reading the template of %s: %w", *s.StackName(), err)
	}
	var t struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("reading the template of %s: %w", *s.StackName(), err)
	}
	var types []string
	for _, r := range t.Resources {
		types = append(types, r.Type)
	}
	slices.Sort(types)
	return slices.Compact(types), nil
}
