package mime

import (
	"strings"
	"unicode/utf8"
)

const (
	longestID = 998 // R7
	mostIDs   = 200
)

// MessageID is the id of a Message-ID field without its brackets, or "" if it
// is missing, empty, malformed or over-long: such an id is never a key (R7).
func MessageID(field string) string {
	if id := bracketed(field); strings.Contains(id, "@") {
		return id
	}
	return ""
}

// bracketed is MessageID for the names of parts, which need no "@".
func bracketed(field string) string {
	field = stripComments(field)
	if in, ok := strings.CutPrefix(field, "<"); ok {
		id, rest, closed := strings.Cut(in, ">")
		if !closed || strings.TrimSpace(rest) != "" || !validID(id) {
			return ""
		}
		return id
	}
	if strings.Contains(field, "@") && validID(field) {
		return field
	}
	return ""
}

// MessageIDs are the ids of a References or In-Reply-To field in their order,
// each once. Text between them is ignored; a fold within an id is healed.
func MessageIDs(field string) []string {
	var ids []string
	add := func(id string) {
		if !validID(id) {
			return
		}
		ids = append(ids, id)
	}
	rest := field
	for {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		id, after, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = id[i+1:]
		}
		add(strings.Join(strings.Fields(id), ""))
		rest = after
	}
	if len(ids) == 0 && !strings.ContainsAny(field, "<>\"(") {
		words := strings.Fields(field)
		for _, w := range words {
			if strings.Contains(w, "@") {
				add(w)
			}
		}
	}
	return lastOnes(ids)
}

// lastOnes drops repeated ids and, of very many, all but the first and the
// newest.
func lastOnes(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	kept := ids[:0]
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	if len(kept) > mostIDs {
		kept = append(kept[:1], kept[len(kept)-mostIDs+1:]...)
	}
	return kept
}

func validID(id string) bool {
	if id == "" || len(id) > longestID || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if r <= ' ' || r == 127 || r == '<' || r == '>' || r == utf8.RuneError || r >= 0x80 && r < 0xa0 {
			return false
		}
	}
	return true
}
