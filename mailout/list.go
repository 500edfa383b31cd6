package mailout

import (
	"fmt"
	"strings"

	"github.com/wneessen/go-mail"

	"postern/core"
)

// writeList writes the fields of mail that its reader may do without (R53): of
// such mail alone, since a program may take whatever carries them for a
// circular.
func writeList(m *mail.Msg, l core.Letter) error {
	if l.Optional == "" {
		return nil
	}
	id := l.Optional + "." + l.Desk + "." + l.From.Domain()
	values := append([]string{id}, l.Unsubscribe...)
	for _, v := range values {
		if !printable(v) || strings.ContainsAny(v, "<> ,") {
			return fmt.Errorf("%q cannot stand in a field of a list", v)
		}
	}
	m.SetGenHeader(mail.HeaderPrecedence, "bulk")
	m.SetGenHeader("List-Id", "<"+id+">")
	if len(l.Unsubscribe) == 0 {
		return nil
	}
	m.SetGenHeader(mail.HeaderListUnsubscribe, "<"+strings.Join(l.Unsubscribe, ">, <")+">")
	if strings.HasPrefix(l.Unsubscribe[len(l.Unsubscribe)-1], "https://") {
		m.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	return nil
}
