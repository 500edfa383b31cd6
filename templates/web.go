package templates

import "embed"

// Web holds the pages people see in a browser: layout.html, parts.html, one
// file for each page, the style and the icon. Their words are in words/.
//
//go:embed web/*
var Web embed.FS
