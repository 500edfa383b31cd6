package mailout

import (
	"strings"

	"postern/core"
)

// steady keeps the subject of a case's mails the same for one recipient: Gmail
// begins a new conversation where it changes. A title that has changed since
// stands in the text; and while the title must not be repeated (R51) all kinds
// have one phrase, that of the confirmation.
func (c *Composer) steady(l core.Letter, subject string) (string, error) {
	switch {
	case l.Number == "":
		return subject, nil
	case l.Payload.Fixed:
		l.Kind = core.Confirmation
		lang, t := c.template(l)
		phrase, err := run(t, "subject", newView(l, lang))
		return strings.TrimSpace(phrase), err
	case l.Told != "" && subject == strings.TrimSpace(l.Payload.Title):
		return l.Told, nil
	}
	return subject, nil
}
