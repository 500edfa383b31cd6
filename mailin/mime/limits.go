package mime

import (
	"errors"
	"time"
)

// Limits are the bounds of R17. They hold while a mail is read, so neither
// work nor memory grows with what a mail claims about itself (R18).
type Limits struct {
	HeaderBytes int // of the header block that is used
	FieldBytes  int
	Fields      int
	// HeaderRefused is the size of a header block beyond which the mail is for
	// quarantine: Read then sets Message.Err to ErrHeaderTooLarge.
	HeaderRefused int

	Depth int // of multiparts in multiparts
	Parts int

	Files     int
	FileBytes int64 // of one file, decoded
	AllBytes  int64 // of all files, decoded

	TextBytes    int // stored text
	HTMLBytes    int // HTML that is cleaned
	HTMLDepth    int
	HTMLElements int

	SubjectRunes  int
	NameRunes     int
	FileNameRunes int
	Addresses     int // used of To and of Cc

	Time time.Duration // for reading one mail: beyond it Message.Err is ErrTooSlow
}

// DefaultLimits are the defaults of R17.
var DefaultLimits = Limits{
	HeaderBytes: 256 << 10, FieldBytes: 64 << 10, Fields: 1000, HeaderRefused: 1 << 20,
	Depth: 20, Parts: 500,
	Files: 100, FileBytes: 25 << 20, AllBytes: 80 << 20,
	TextBytes: 1 << 20, HTMLBytes: 2 << 20, HTMLDepth: 100, HTMLElements: 50_000,
	SubjectRunes: 250, NameRunes: 100, FileNameRunes: 150, Addresses: 40,
	Time: 5 * time.Second,
}

// Why a mail is for quarantine (R17). What was understood is in the Message
// all the same.
var (
	ErrTooSlow        = errors.New("reading took too long")
	ErrHeaderTooLarge = errors.New("header block too large")
)
