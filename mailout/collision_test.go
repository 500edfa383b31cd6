package mailout

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestCompose_collisionsAndMergedCasesAreToldInEveryLanguage(t *testing.T) {
	at := time.Date(2026, 3, 4, 9, 5, 0, 0, time.UTC)
	for _, lang := range []string{"en", "nl", "da", "nb", "de"} {
		t.Run("R42/who answered first is named, dated and quoted, "+lang, func(t *testing.T) {
			l := full(core.Transcript, lang)
			l.Payload.Zone = "UTC"
			l.Payload.Collision = &core.Collision{Name: "Tom Visser", When: at, Text: "Use sand.\nNot water."}
			m := compose(t, l)
			for _, want := range []string{"Tom Visser", "09:05", "> Use sand.\n> Not water."} {
				if !strings.Contains(m.text, want) {
					t.Errorf("no %q in\n%s", want, m.text)
				}
			}
		})
		t.Run("R42/so is who set the status, "+lang, func(t *testing.T) {
			l := full(core.Transcript, lang)
			l.Payload.Collision = &core.Collision{Name: "Tom Visser", When: at, Status: "Resolved by Tom"}
			if m := compose(t, l); !strings.Contains(m.text, "Resolved by Tom") {
				t.Errorf("\n%s", m.text)
			}
		})
		for _, k := range []core.Kind{core.StatusNews, core.Answer} {
			for _, fixed := range []bool{false, true} {
				t.Run("R37/"+string(k)+" says as which case it goes on, "+lang, func(t *testing.T) {
					l := full(k, lang)
					l.Payload.Fixed = fixed // our own number is no word of the sender's (R51)
					if strings.Contains(compose(t, l).text, "CASE-10777") {
						t.Fatal("it says so without cause")
					}
					l.Payload.GoesOn = "CASE-10777"
					if m := compose(t, l); !strings.Contains(m.text, "CASE-10777") {
						t.Errorf("\n%s", m.text)
					}
				})
			}
		}
	}
}
