// Reads dashboards as Grafana's own types define them, strictly: unknown fields, missing ones and wrong values are errors, also in
// the options of each kind of panel. Prints what is wrong, and exits with 1.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// check returns what is wrong with a file. The SDK also returns an empty list of errors.
func check(name string) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	for _, err := range []error{read.UnmarshalJSONStrict(raw), read.Validate()} {
		var wrong cog.BuildErrors
		if err != nil && !(errors.As(err, &wrong) && len(wrong) == 0) {
			return err
		}
	}
	return nil
}

func main() {
	plugins.RegisterDefaultPlugins()
	status := 0
	for _, name := range os.Args[1:] {
		if err := check(name); err != nil {
			fmt.Printf("%s: %v\n", name, err)
			status = 1
		}
	}
	os.Exit(status)
}
