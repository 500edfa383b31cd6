package core

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Erasure is what was removed of a person, or would be (R66).
type Erasure struct {
	Addresses int64 // of the person, forgotten
	Mails     int64 // that they sent: nothing but salted hashes is left
	Cases     int64 // that they opened: title and description are empty
	Entries   int64 // comments and notes that they wrote: empty
	Files     int64 // that nobody else brought too
	Letters   int64 // to them
	Raw       int64 // raw mails, of others too that may quote them
	Secrets   int64 // sessions, links and codes
	Mentions  int64 // rows in which others wrote their address, or their name in a case of theirs
	DeskFiles []string
}

// ErasedHash is what is kept of something that was erased.
type ErasedHash struct {
	Kind string // mail, address
	Hash []byte
	At   time.Time
}

// ErrNobody is an address that stands nowhere.
var ErrNobody = errors.New("nobody has this address, and no mail came from it")

// erasedMark stands where something was.
const erasedMark = "[erased]"

// errDry rolls a rehearsal back.
var errDry = errors.New("only a rehearsal")

// Erase removes a person by one of their addresses: names, addresses, texts,
// files and raw mail, everything or nothing. What is left of a case is that it
// was, and what others wrote. A rehearsal says what would go.
func (d *Desk) Erase(ctx context.Context, address string, rehearsal bool) (Erasure, error) {
	address, err := checkAddress(address)
	if err != nil {
		return Erasure{}, err
	}
	if d.isOwn(address) {
		return Erasure{}, fmt.Errorf("%s is an address of a mailbox, not of a person", address)
	}
	var e Erasure
	err = d.inTx(ctx, func(tx *tx) error {
		e = Erasure{}
		if err := d.erase(ctx, tx, address, &e); err != nil {
			return err
		}
		if rehearsal {
			return errDry
		}
		return nil
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	if err != nil {
		return Erasure{}, fmt.Errorf("erase %s: %w", address, err)
	}
	return e, nil
}

// ErasedHashes are those of all that was erased, for safe keeping outside the
// database: a backup from before an erasure does not have them.
func (d *Desk) ErasedHashes(ctx context.Context) ([]ErasedHash, error) {
	var all []ErasedHash
	err := d.readTx(ctx, func(tx *tx) (err error) {
		all, err = erasedHashes(ctx, tx)
		return err
	})
	return all, err
}

// Restored is what was done after the database came from a backup.
type Restored struct {
	Numbers map[string]string // by desk: the next case number
	Erased  []string          // addresses that were erased again
	Hashes  int64             // of what was erased that the backup did not have
	Queued  int64             // mails that wait to be sent: some may have left after the backup
	Boxes   int64             // folders that are compared from their start on
}

// ErrServed says that a process serves this database now.
var ErrServed = errors.New("a process serves this database now")

// Restored makes good what a backup cannot know (R8, R66): no number that was
// told to a customer is given twice, nobody who was erased is back, and every
// mailbox is compared with the ledger from its start on. kept are the hashes
// that were kept outside. A second call costs another thousand numbers.
func (d *Desk) Restored(ctx context.Context, kept []ErasedHash, served bool) (Restored, error) {
	r := Restored{Numbers: map[string]string{}}
	var again []string
	err := d.inTx(ctx, func(tx *tx) (err error) {
		live, err := liveLeases(ctx, tx)
		if err == nil && live > 0 && !served {
			err = ErrServed
		}
		if err != nil {
			return err
		}
		again, err = d.erasedSince(ctx, tx, kept)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("restored: %w", err)
	}
	for _, address := range again {
		if _, err := d.Erase(ctx, address, false); err != nil && !errors.Is(err, ErrNobody) {
			return r, err
		}
		r.Erased = append(r.Erased, address)
	}
	err = d.inTx(ctx, func(tx *tx) (err error) {
		// the hashes come last: until then a second call erases again
		if r.Hashes, err = keepErased(ctx, tx, kept); err != nil {
			return err
		}
		if r.Queued, r.Boxes, err = whatWaits(ctx, tx); err != nil {
			return err
		}
		for _, key := range d.Desks() {
			desk, err := d.desk(key)
			if err != nil {
				return err
			}
			next, err := moveNumbers(ctx, tx, desk.id, restoredNumbers)
			if err != nil {
				return err
			}
			r.Numbers[key] = desk.caseNumber(next)
		}
		return compareAgain(ctx, tx, "")
	})
	if err != nil {
		return r, fmt.Errorf("restored: %w", err)
	}
	return r, nil
}

// restoredNumbers is more than any desk gives out between two backups (R8).
const restoredNumbers = 1000

// saltedMail is what is kept of a mail's content hash.
func (d *Desk) saltedMail(content []byte) []byte { return d.set.Key.Salted("mail", string(content)) }

func (d *Desk) saltedAddress(address string) []byte { return d.set.Key.Salted("address", address) }

// isErased has no effect on a mail that was erased and still lies on the
// server: nothing of it is kept, nor written down (R66).
func (r *reading) isErased() bool {
	if !r.f.erased {
		return false
	}
	r.plan = plan{class: r.plan.class, assurance: r.plan.assurance}
	r.say("R66", "a mail that was erased")
	r.m.From, r.m.Subject, r.m.MessageID = nil, "", ""
	return r.end(Duplicate, "erased", "")
}

// needles finds words of a person in what others wrote, whatever their case and
// never within a longer word.
type needles struct {
	words   []string
	pattern *regexp.Regexp
}

// newNeedles leaves out what is too short to be found without harm.
func newNeedles(words ...string) needles {
	var n needles
	var quoted []string
	for _, w := range words {
		if utf8.RuneCountInString(w) > 1 {
			n.words = append(n.words, w)
			quoted = append(quoted, regexp.QuoteMeta(w))
		}
	}
	if quoted != nil {
		n.pattern = regexp.MustCompile(`(?i)(^|[^\pL\pN._+-])(` + strings.Join(quoted, "|") + `)`)
	}
	return n
}

// like are patterns of SQL for texts that may hold one.
func (n needles) like() []string {
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	all := make([]string, len(n.words))
	for i, w := range n.words {
		all[i] = "%" + escape.Replace(w) + "%"
	}
	return all
}

// blot puts the mark in the place of each.
func (n needles) blot(text string) string {
	if n.pattern == nil {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		at := n.pattern.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		begin, end := at[4], at[5]
		next, _ := utf8.DecodeRuneInString(text[end:])
		out.WriteString(text[:begin])
		if end < len(text) && wordRune(next) || end+1 < len(text) && next == '.' && wordByte(text[end+1]) {
			out.WriteString(text[begin:end]) // part of a longer one
		} else {
			out.WriteString(erasedMark)
		}
		text = text[end:]
	}
	out.WriteString(text)
	return out.String()
}

var wordPattern = regexp.MustCompile(`^[\pL\pN_-]$`)

func wordRune(r rune) bool { return wordPattern.MatchString(string(r)) }

func wordByte(b byte) bool { return b < utf8.RuneSelf && wordRune(rune(b)) || b >= utf8.RuneSelf }

// blotJSON blots the texts of a decoded JSON value, and leaves its keys.
func (n needles) blotJSON(v any) any {
	switch v := v.(type) {
	case string:
		return n.blot(v)
	case []any:
		for i := range v {
			v[i] = n.blotJSON(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = n.blotJSON(v[k])
		}
	}
	return v
}
