package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// The files that are written beside the templates, for people who look at them
// or bring them to AWS by other means.
const (
	memberFile   = deployment.MemberStackSet + ".template.json"
	regionalFile = deployment.RegionalStackSet + ".template.json"
	scpFile      = "rolewarden-scp.json"
	rcpFile      = "rolewarden-rcp.json"
	deployerFile = "rolewarden-deployer.json"
)

// writeDocuments writes the documents of a way to deploy into the folder of
// its templates: what the deployer must be allowed to do and, for members, the
// templates of the StackSets and the policies that guard them.
func writeDocuments(folder string, d *deployment.Deployment) error {
	w := worldOf(d)
	files := map[string]string{deployerFile: grants.Deployer(w).JSON()}
	if d.Way == deployment.Members {
		files[scpFile], files[rcpFile] = grants.SCP(w).JSON(), grants.RCP(w).JSON()
		var err error
		if files[memberFile], err = template(d, deployment.MemberStackSet, newMember); err != nil {
			return err
		}
		if len(regionsAbroad(d)) > 0 {
			if files[regionalFile], err = template(d, deployment.RegionalStackSet, newRegional); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(text), "", " "); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		pretty.WriteByte('\n')
		if err := os.WriteFile(filepath.Join(folder, name), pretty.Bytes(), 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}
