// Package templates holds every word people read: data, no logic. It knows
// nothing of cases, mail or pages; who uses a template gives it its values.
package templates

import "embed"

// Mail holds one file for each kind of mail and language, mail/<kind>.<language>.txt,
// and parts.<language>.txt for what several of them say.
//
//go:embed mail/*
var Mail embed.FS
