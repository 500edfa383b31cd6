// Package desks holds the desk files that come with Postern: one file per
// preset, ready to be used as it is or copied and changed. It is data; core/flow
// reads it.
package desks

import "embed"

// Files are the presets, as "default.toml".
//
//go:embed *.toml
var Files embed.FS
