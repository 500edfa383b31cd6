package core

import (
	"fmt"
	"strconv"
	"strings"
)

// Searching. A case is found if each term stands in its number, its title, the
// name or address of its requester, the name of its organisation, or in a text
// that the searcher may read: no quoted history, no note for customers, nothing
// older than their part in the case for those who only take part (R38).

// foundBy says that a term, the tsquery $1, is found in case c for searcher s.
// It looks at cases that the searcher sees and at no others: how long it takes
// tells nothing about what others have (R63).
const foundBy = `(searched(c.title) @@ %[1]s
	or c.searched @@ %[1]s and ` + wallWhole + `
	or exists (select from person p where p.id = c.requester and searched(p.name) @@ %[1]s)
	or exists (select from address a where a.person = c.requester and searched(a.address) @@ %[1]s)
	or exists (select from organisation o where o.id = c.organisation and searched(o.name) @@ %[1]s)
	or (select bool_or(x.searched @@ %[1]s) from comment x where x.case_id = c.id
		and (` + wallWhole + ` or x.written_at >= (select p.since from participant p where p.case_id = c.id and p.person = s.person)))
	or exists (select from agent a where a.person = s.person and a.desk = c.desk)
		and (select bool_or(x.searched @@ %[1]s) from note x where x.case_id = c.id)
	or c.number = %[2]s)`

// indexedBy are the cases in which a term is found, for agents, who see all of
// their desks: the indexes find them.
const indexedBy = `(
	select x.id from cases x where x.searched @@ %[1]s
	union all select x.case_id from comment x where x.searched @@ %[1]s
	union all select x.case_id from note x where x.searched @@ %[1]s
	union all select x.id from person p join cases x on x.requester = p.id where searched(p.name) @@ %[1]s
	union all select x.id from address a join cases x on x.requester = a.person where searched(a.address) @@ %[1]s
	union all select x.id from organisation o join cases x on x.organisation = o.id where searched(o.name) @@ %[1]s
	union all select x.id from desk k join cases x on x.desk = k.id and x.number = %[2]s)`

// searchSQL is the condition that a search puts on cases c, for searcher s; arg
// adds an argument. Without a term nothing is found. deskWide: all the cases are
// of desks whose agent the searcher is.
func searchSQL(search string, deskWide bool, arg func(any) string) string {
	terms := readTerms(search)
	if terms == nil {
		return " and false"
	}
	pattern, and := foundBy, " and "
	if deskWide {
		pattern, and = indexedBy, " intersect "
	}
	var found []string
	for _, t := range terms {
		found = append(found, fmt.Sprintf(pattern, "to_tsquery('simple', "+arg(t.tsquery())+")", arg(t.number())+"::bigint"))
	}
	condition := strings.Join(found, and)
	if deskWide { // found once, and not for each case again
		condition = "c.id = any (array(" + condition + "))"
	}
	return " and " + condition
}

// number is the case number that a term is, 0 if it is none.
func (t searchTerm) number() int64 {
	n, err := strconv.ParseInt(t.words[len(t.words)-1], 10, 64)
	if err != nil || len(t.words) > 2 { // 10001, or CASE-10001
		return 0
	}
	return n
}
