package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// printJSON writes one object a line.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printEachJSON writes a list so, each as what of makes of it.
func printEachJSON[T, J any](w io.Writer, list []T, of func(T) J) error {
	for _, v := range list {
		if err := printJSON(w, of(v)); err != nil {
			return err
		}
	}
	return nil
}

// checkLimit says whether a list may be asked for that is so long.
func checkLimit(limit int) error {
	if limit < 1 || limit > 1000 {
		return usageError("--limit must be from 1 to 1000")
	}
	return nil
}

// columns writes rows under a heading, one row a line.
func columns(w io.Writer, heading string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(heading, " ", "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = oneLine(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// harmless takes out what a terminal would obey: mail text comes from anybody.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text)
}

// oneLine is text for a column.
func oneLine(text string) string {
	return cut(strings.Join(strings.Fields(harmless(text)), " "), 100)
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i] + "…"
		}
	}
	return text
}

// moment is a time for people: UTC, or a dash for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
