package core_test

import (
	"slices"
	"testing"

	"postern/core"
)

func TestCase_aDescriptionIsMarkedAsACommentIs(t *testing.T) {
	for _, c := range []struct {
		name string
		mail mail
		want []string
	}{
		{"R36/in a customer's name, and nothing proves it", mail{from: anna, unverified: true}, []string{"unverified"}},
		{"R28/perhaps a machine's", mail{from: anna, change: machine}, []string{"machine"}},
		{"R17/beyond a limit", mail{from: anna, change: func(m *core.Mail) { m.Flaws = []string{"cut"} }}, []string{"cut"}},
		{"R36/a customer's own", mail{from: anna}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			wants(t, w.receive(c.mail), core.Filed, "opens a case", "")
			for who, want := range map[string][]string{mia: c.want, anna: nil} {
				v := w.view(who, "CASE-10001")
				i := slices.IndexFunc(v.Entries, func(e core.Entry) bool { return e.Kind == "description" })
				if i < 0 || !slices.Equal(v.Entries[i].Marks, want) {
					t.Errorf("%s sees %v, not marked %v", who, v.Entries, want)
				}
			}
		})
	}
}
