package core

import "time"

// SentMail is what is known of one letter of a case: whether it left, and if
// not, why. Only agents see it.
type SentMail struct {
	ID        int64
	Kind      Kind
	Address   string
	State     string // as the outbox has it
	MessageID string
	Answer    string    // the server's last words, or why it was withheld
	Queued    time.Time // owed since
	At        time.Time // sent, or ended, then; zero while it is neither
	Next      time.Time // of the next attempt, zero if there is none
	Kept      bool      // its bytes are: it could be sent once more
	Waits     bool      // uncertain, and no process sends it again: a person decides (R59)

	comment, note int64 // whose text it carries
}

// Over says that nothing more happens to it by itself.
func (s SentMail) Over() bool {
	return s.State == "sent" || s.State == "failed" || s.State == "expired" || s.State == "withheld" || s.Waits
}

// addSent puts each letter where a reader looks for it: at the comment or note
// whose text it brings, the confirmation at the description, the others by
// themselves.
func (v *CaseView) addSent(mails []SentMail) {
	for _, m := range mails {
		kind, id := "", int64(0)
		switch {
		case m.comment != 0:
			kind, id = "comment", m.comment
		case m.note != 0:
			kind, id = "note", m.note
		case m.Kind == Confirmation:
			kind = "description"
		}
		placed := false
		for i := range v.Entries {
			if e := &v.Entries[i]; kind != "" && e.Kind == kind && e.ID == id {
				e.Sent, placed = append(e.Sent, m), true
				break
			}
		}
		if !placed {
			v.Sent = append(v.Sent, m)
		}
	}
}
