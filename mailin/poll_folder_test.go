package mailin

import (
	"testing"
)

// Several sessions of one account want the same folder at the same moment, and
// servers have their own ideas of subscriptions.
func TestPoll_makesFoldersThatAreMissing(t *testing.T) {
	const no, ok = "NO", "OK"
	for _, c := range []struct {
		name                             string
		first, create, subscribe, second string // what the server says
		there                            bool
	}{
		{"R13/a folder that is there is not made", ok, "", "", "", true},
		{"R13/one that is missing is made", no, ok, ok, "", true},
		{"R13/one that somebody else made meanwhile is there", no, no, "", ok, true},
		{"R13/one that cannot be subscribed to is there", no, ok, no, "", true},
		{"R13/one that cannot be made is not", no, no, "", no, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := script(t, func(w *wire) {
				w.signIn("IMAP4rev1")
				say := func(command, answer string) {
					if answer == "" {
						return
					}
					tag := w.expect(command)
					if command == "STATUS" && answer == ok {
						w.say(`* STATUS Processed (MESSAGES 0)`)
					}
					w.say(tag + " " + answer + " so it is")
				}
				say("STATUS", c.first)
				say("CREATE", c.create)
				say("SUBSCRIBE", c.subscribe)
				say("STATUS", c.second)
				w.hang()
			})
			conn, err := Dial(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			p := poller(t, newFakeDesk(), at)
			p.once.Do(p.defaults)
			s := &session{Poller: p, c: conn, folders: map[string]bool{}}
			if err := s.need(t.Context(), "Processed"); err != nil || s.folders["Processed"] != c.there {
				t.Errorf("there: %v, %v", s.folders["Processed"], err)
			}
		})
	}
}
