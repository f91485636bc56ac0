// Command rolewarden judges trust policies, compares them, plays the line in a
// lab, and explains its rules. See `rolewarden --help`.
package main

import (
	"os"

	"github.com/rolewarden/rolewarden/pkg/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
