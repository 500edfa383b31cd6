package core_test

import (
	"fmt"
	"slices"
	"strings"

	"postern/core"
)

// saysInTranscript is what a transcript says, one thing a line.
func saysInTranscript(l core.Letter) string {
	lines := slices.Clone(l.Payload.Lines)
	for _, p := range l.Payload.Problems {
		lines = append(lines, p.String())
	}
	for _, c := range l.Payload.Changes {
		lines = append(lines, fmt.Sprintf("%s: %s -> %s", c.What, c.Was, c.Became))
	}
	return strings.Join(lines, "\n")
}
