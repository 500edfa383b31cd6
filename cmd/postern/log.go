package main

import (
	"io"
	"log/slog"
	"time"
)

// longestLogged is how much of a value a log line holds, with the mark that it
// was cut (R69).
const longestLogged = 200

// newLog writes a line for each thing that happens. The handler quotes values
// and escapes control characters in them.
func newLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: loggable}))
}

func loggable(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case time.Duration:
		a.Value = slog.StringValue(v.Round(time.Microsecond).String())
	case string:
		a.Value = slog.StringValue(cut(v, longestLogged-1))
	case error:
		a.Value = slog.StringValue(cut(v.Error(), longestLogged-1))
	}
	return a
}
