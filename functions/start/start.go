// Package start is what guard and sweep do alike when they start.
//
// It takes the environment, and gives settings, or all that is wrong with them at
// once; the rules; what sends steps to the later queue, and the version.
package start

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// Rules reads the deployed rules file, and refuses one that names a rule which
// does not exist: somebody relies on it.
func Rules(path string, now time.Time) (*org.Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the rules file: %w: deploy it beside the bootstrap, or set ROLEWARDEN_RULES", err)
	}
	r, err := org.ParseDeployed(filepath.Base(path), text, now)
	if err != nil {
		return nil, fmt.Errorf("reading the rules file: %w", err)
	}
	if err := rules.CheckFile(filepath.Base(path), r); err != nil {
		return nil, fmt.Errorf("reading the rules file: %w", err)
	}
	return r, nil
}

// Version is the version of the module, as the build knows it.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		return b.Main.Version
	}
	return ""
}
