//go:build !prove

package main

import "postern/core"

// atPoints is where `make prove` kills the program, see points_prove.go. The
// program that people run has no such points.
func atPoints(d *core.Desk) *core.Desk { return d }
