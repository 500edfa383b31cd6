// Package words holds the words of the pages, one file for each language, with
// the same keys in each. It is data; cmd/postern/web looks the words up.
package words

import "embed"

// Files are the languages, as "en.toml".
//
//go:embed *.toml
var Files embed.FS
