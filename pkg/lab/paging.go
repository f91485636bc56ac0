package lab

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// defaultPage is IAM's MaxItems when a call gives none.
const defaultPage = 100

// paged cuts the page that Marker and MaxItems ask for, and gives the
// elements that tell whether there is more.
func paged[T any](all []T, form url.Values) ([]T, []elem, error) {
	start, size := 0, defaultPage
	var err error
	if marker := form.Get("Marker"); marker != "" {
		if start, err = strconv.Atoi(marker); err != nil || start < 0 {
			return nil, nil, validation("Invalid Marker: %s", marker)
		}
	}
	if text := form.Get("MaxItems"); text != "" {
		if size, err = strconv.Atoi(text); err != nil || size < 1 || size > 1000 {
			return nil, nil, validation("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000", text)
		}
	}
	start = min(start, len(all))
	end := min(start+size, len(all))
	if end == len(all) {
		return all[start:end], []elem{leaf("IsTruncated", "false")}, nil
	}
	return all[start:end], []elem{leaf("IsTruncated", "true"), leaf("Marker", strconv.Itoa(end))}, nil
}

// sortedKeys gives a map's keys in order, so that lists do not jump about.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
