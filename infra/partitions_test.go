package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// arnStart is how an ARN begins, without the wildcards of policies for all partitions.
var arnStart = regexp.MustCompile(`arn:(aws[a-z-]*):`)

// In China and in GovCloud nothing names another partition, and everything is
// where IAM is.
func TestEveryPartitionNamesItselfAlone(t *testing.T) {
	for partition, home := range map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"} {
		for _, way := range []string{"hub", "members"} {
			d, err := deployment.Load(abroad(t, partition, home), deployment.Override{Way: way}, today())
			if err != nil {
				t.Fatal(err)
			}
			a, err := render(d)
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range a.files {
				if !strings.HasSuffix(name, ".template.json") {
					continue
				}
				for _, found := range arnStart.FindAllStringSubmatch(text, -1) {
					if found[1] != partition {
						t.Errorf("%s %s: %s names %s", partition, way, name, found[0])
						break
					}
				}
				if strings.Contains(text, "us-east-1") {
					t.Errorf("%s %s: %s names us-east-1", partition, way, name)
				}
			}
			if !strings.Contains(a.files["manifest.json"], "aws://555555555555/"+home) {
				t.Errorf("%s %s: the stacks are not in %s", partition, way, home)
			}
		}
	}
}

// abroad writes the deployment file of these tests for another partition.
func abroad(t *testing.T, partition, home string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"organization.yaml", "rules.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", "deployments", name))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("arn:aws:", "arn:"+partition+":", "us-east-1, eu-west-1", home, "  management:", "  partition: "+partition+"\n  management:").Replace(string(text))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "organization.yaml")
}
