package quote

import "strings"

// This file knows the header block that some mail programs put above what they
// quote: "From: ...", "Sent: ...", in whatever language.

// above moves up over rulers, empty lines and "Original Message".
func (t *lines) above(i int) int {
	for i > 0 && (t.all[i-1].bare == "" || ruler(t.all[i-1].bare) || t.divides(i-1)) {
		i--
	}
	return i
}

// divides tells "-----Original Message-----" and Notes' "-----Anna wrote: -----".
func (t *lines) divides(i int) bool {
	b := t.all[i].bare
	if len(b) < 6 || t.all[i].quoted {
		return false
	}
	return original(b) || b[0] == '-' && strings.HasSuffix(b, ": -----") && t.look(i)&verb != 0
}

// headers says that the header fields of an earlier mail begin at line i: From
// among at least three, with a subject or an address, or two below a line that
// says so. Where programs speak an unknown language, four lines of their shape
// below a long ruler will do.
func (t *lines) headers(i int) bool {
	l := &t.all[i]
	if l.is == noField {
		return len(l.bare) >= 20 && l.bare[0] == '_' && ruler(l.bare) && t.strangeHeaders(i+1)
	}
	const longest = 20
	var seen [other + 1]bool
	n, addresses, folds := 0, 0, 0
	for j := i; j < len(t.all) && j < i+longest; j++ {
		m := &t.all[j]
		switch {
		case m.quoted:
			j = len(t.all)
			continue
		case m.bare == "" || strings.Trim(m.bare, "|-: ") == "":
			if j+1 < len(t.all) && t.all[j+1].is != noField && n < 3 {
				continue // converted mail puts empty lines between
			}
			j = len(t.all)
			continue
		case m.is == noField:
			if folds++; folds > 8 || !t.foldSoon(j) {
				j = len(t.all)
			}
			continue
		}
		if !seen[m.is] && m.is != other {
			n++
		}
		seen[m.is] = true
		if strings.IndexByte(m.bare[:min(len(m.bare), 1000)], '@') > 0 {
			addresses++
		}
	}
	if !seen[from] {
		return false
	}
	switch {
	case n >= 3 && seen[subject], n >= 3 && seen[date] && addresses > 0:
		return true
	case n >= 2:
		k := i - 1
		for k >= 0 && i-k < 4 && (t.all[k].bare == "" || ruler(t.all[k].bare)) {
			k--
		}
		return k >= 0 && t.divides(k)
	}
	return false
}

// sent says that the header fields at line i are those of a mail: an address or
// a time of day is among them, or a line above says so. People fill in forms that
// have a From, a To and a Subject.
func (t *lines) sent(i int) bool {
	for j := i; j < len(t.all) && j < i+20; j++ {
		if f := t.look(j); f&address != 0 || f&clock != 0 && t.all[j].is == date {
			return true
		}
	}
	for i--; i >= 0; i-- {
		if b := t.all[i].bare; b != "" && !ruler(b) {
			return t.divides(i)
		}
	}
	return false
}

// foldSoon says that a known field follows below line j, which has none, before
// an empty line: then j belongs to the field above it.
func (t *lines) foldSoon(j int) bool {
	for k := j + 1; k < len(t.all) && k < j+8 && t.all[k].bare != ""; k++ {
		if t.all[k].is != noField {
			return true
		}
	}
	return false
}

func (t *lines) strangeHeaders(i int) bool {
	n := 0
	for j := i; j < len(t.all) && j < i+6 && n < 4; j++ {
		b := t.all[j].bare
		if b == "" && n == 0 {
			continue
		}
		k := strings.IndexAny(b[:min(len(b), 40)], ":：")
		if k <= 0 || n == 0 && !strings.Contains(b[:min(len(b), 500)], "@") || n == 1 && !strings.ContainsAny(b[k:min(len(b), k+100)], "0123456789") {
			return false
		}
		n++
	}
	return n == 4
}

// fieldSoon says that a line that names a field, or a sentence with an address
// and a time, follows within four lines.
func (t *lines) fieldSoon(i int) bool {
	for j := i + 1; j < len(t.all) && j <= i+4; j++ {
		if t.all[j].is != noField {
			return true
		}
		if b := t.all[j].bare; b != "" && sentenceEnds(b) && t.look(j)&(address|clock) == address|clock {
			return true
		}
	}
	return false
}
