package core

import "errors"

// What callers ask about with errors.Is.
var (
	ErrNotFound    = errors.New("not found")           // also: not yours (R63)
	ErrExpired     = errors.New("expired")             // a link or code that is used up, withdrawn or too old
	ErrLeaseLost   = errors.New("lease lost")          // another process works on it (R16, R58)
	ErrUnavailable = errors.New("database is away")    // no try counts (R10)
	ErrTooMany     = errors.New("too many")            // a budget or a number of tries is spent (R46, R48)
	ErrNotAllowed  = errors.New("not allowed")         // seen, but not to be done by this person
	ErrHopeless    = errors.New("beyond what is read") // of a mail: no later try will do better (R17)
	ErrDecided     = errors.New("decided already")     // somebody was first: held mail has had its word
	ErrNoCase      = errors.New("no such case")        // a number that is none of this desk's cases
	ErrNoText      = errors.New("a text is needed")    // or it is longer than maxPressText
	ErrInUse       = errors.New("still in use")        // a desk file without a key that cases have
)
