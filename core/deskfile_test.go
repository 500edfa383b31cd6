package core_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/token"
)

// another is a second process on the same database.
func (w *world) another(t testing.TB, change func(*core.Settings)) (*core.Desk, error) {
	t.Helper()
	set := core.Settings{DatabaseURL: w.URL, Connections: 4, BaseURL: "http://desk.example", Key: coretest.Key(),
		Mailboxes: []core.MailboxSettings{{Name: "support", Desk: "support", Addresses: []string{"support@desk.example"}, Border: "none"}},
		Budgets:   core.DefaultBudgets(), Now: w.Clock.Now, ReplyTokens: "on"}
	if change != nil {
		change(&set)
	}
	d, err := core.Open(t.Context(), set)
	if err == nil {
		t.Cleanup(d.Close)
	}
	return d, err
}

func TestEnsureDesk_loadsAFileOnce(t *testing.T) {
	w := newWorld(t, nil)
	other := []byte(strings.Replace(string(coretest.DefaultDesk(t)), `prefix = "CASE"`, `prefix = "OTHER"`, 1))
	if err := w.EnsureDesk(t.Context(), "support", other); err != nil {
		t.Fatal(err)
	}
	if err := w.EnsureDesk(t.Context(), "support", []byte("what is no desk file at all")); err != nil {
		t.Errorf("the text in the database rules, and the file was read: %v", err)
	}
	got, version, err := w.DeskSource(t.Context(), "support")
	if err != nil || version != 1 || !bytes.Equal(got, coretest.DefaultDesk(t)) {
		t.Errorf("version %d, %v", version, err)
	}
	if o := w.opens(mail{from: anna}); o.Case != "CASE-10001" {
		t.Errorf("numbers are now %s", o.Case)
	}
}

func TestEnsureDesk_refusesAWrongFileAndAnotherDesksPrefix(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.EnsureDesk(t.Context(), "sales", []byte(`name = "Sales"`)); err == nil {
		t.Error("a file without statuses made a desk")
	}
	if err := w.EnsureDesk(t.Context(), "sales", coretest.DefaultDesk(t)); err == nil || !strings.Contains(err.Error(), "CASE") {
		t.Errorf("two desks with the prefix CASE: %v", err)
	}
	if n := w.count(`select count(*) from desk`); n != 1 {
		t.Errorf("%d desks", n)
	}
}

func TestApplyDesk_showsChangesAndStoresThemUnlessDry(t *testing.T) {
	w := newWorld(t, nil)
	changed := []byte(strings.ReplaceAll(string(coretest.DefaultDesk(t)), `label = "Open"`, `label = "Received"`))
	for _, dry := range []bool{true, false} {
		changes, err := w.ApplyDesk(t.Context(), "support", changed, nil, dry)
		if err != nil || len(changes) == 0 || !strings.Contains(strings.Join(changes, "\n"), "Received") {
			t.Fatalf("dry %v: %q, %v", dry, changes, err)
		}
		got, version, _ := w.DeskSource(t.Context(), "support")
		if bytes.Equal(got, changed) == dry || dry != (version == 1) {
			t.Errorf("dry %v: stored version %d", dry, version)
		}
	}
	if o := w.opens(mail{from: anna}); o.confirmation.Payload.Status != "Received" {
		t.Errorf("the next confirmation says %s", o.confirmation.Payload.Status)
	}
	if _, err := w.ApplyDesk(t.Context(), "support", []byte("name = 1"), nil, false); err == nil {
		t.Error("a wrong file was applied")
	}
	if _, err := w.ApplyDesk(t.Context(), "sales", changed, nil, false); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a desk that is not there: %v", err)
	}
}

// withoutThirdParty is the default desk file without one of its statuses.
func withoutThirdParty(t testing.TB) []byte {
	s := string(coretest.DefaultDesk(t))
	for _, key := range []string{"[[status]]\nkey = \"third-party\"", "[[move]]\nfrom = \"*\"\nto = \"third-party\""} {
		a := strings.Index(s, key)
		if a < 0 {
			t.Fatalf("no %q", key)
		}
		e := a + 2 + strings.Index(s[a+2:], "[[")
		s = s[:a] + s[e:]
	}
	return []byte(s)
}

func TestApplyDesk_aKeyThatCasesHaveCannotGoSilently(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#status third-party\nThey must help.", false))
	file := withoutThirdParty(t)
	for _, dry := range []bool{true, false} {
		if _, err := w.ApplyDesk(ctx, "support", file, nil, dry); !errors.Is(err, core.ErrInUse) || !strings.Contains(err.Error(), "third-party (1 case") {
			t.Errorf("dry %v: %v", dry, err)
		}
	}
	if _, err := w.ApplyDesk(ctx, "support", file, map[string]string{"third-party": "nowhere"}, false); err == nil {
		t.Error("cases were moved to a status that is not there")
	}
	if got := w.status(o); got != "third-party" {
		t.Fatalf("the case is %s", got)
	}
	if _, err := w.ApplyDesk(ctx, "support", file, map[string]string{"third-party": "resolved"}, false); err != nil {
		t.Fatal(err)
	}
	if got, class := w.status(o), w.text(`select class from cases where id = $1`, o.CaseID); got != "resolved" || class != "resolved" {
		t.Errorf("the case is %s, class %s", got, class)
	}
	wants(t, w.receive(mail{from: anna, subject: o.Case, text: "close"}), core.Filed, "joins and moves to closed", "")
}

func TestApplyDesk_anotherProcessFilesWithTheNewVersion(t *testing.T) {
	w := newWorld(t, nil)
	second, err := w.another(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#status third-party\nThey must help.", false))
	w.letters()
	if _, err := w.ApplyDesk(t.Context(), "support", withoutThirdParty(t), map[string]string{"third-party": "need-input"}, false); err != nil {
		t.Fatal(err)
	}
	r, err := second.Receive(t.Context(), w.keep(fromMia(o, "#status third-party\nAgain.", false)))
	if err != nil || r.Outcome != "commands refused, text kept as a note" {
		t.Errorf("the other process still has the old file: %+v, %v", r, err)
	}
	v := w.signsIn(mia)
	if err := second.MoveCase(t.Context(), v, o.Case, "third-party"); err == nil {
		t.Errorf("the other process set a status that is no more")
	}
	if got := w.status(o); got != "need-input" {
		t.Errorf("the case is %s", got)
	}
}

func TestApplyDesk_aRetiredPrefixIsStillFoundAndNobodyElses(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.apply(t, func(s string) string { return replace(t, s, `prefix = "CASE"`, `prefix = "HELP"`) })
	if r := w.receive(mail{from: anna, subject: "Re: [CASE-10001]", text: "more"}); r.CaseID != o.CaseID {
		t.Errorf("R34: the old number names no case: %+v", r)
	}
	for _, number := range []string{"CASE-10001", "HELP-10001"} {
		if v, err := w.Case(t.Context(), w.signsIn(anna), number); err != nil || v.Number != "HELP-10001" {
			t.Errorf("%s: %+v, %v", number, v.Number, err)
		}
	}
	if err := w.EnsureDesk(t.Context(), "sales", coretest.DefaultDesk(t)); err == nil {
		t.Error("a retired prefix was given to another desk")
	}
	w.apply(t, func(s string) string { return replace(t, s, `prefix = "HELP"`, `prefix = "CASE"`) })
	if o := w.opens(mail{from: carl}); o.Case != "CASE-10002" {
		t.Errorf("back to its own old prefix: %s", o.Case)
	}
}

func TestOpen_refusesAnotherSecret(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.another(t, nil); err != nil {
		t.Fatalf("with the same secret: %v", err)
	}
	other, err := token.NewKey([]byte("another secret of tests, longer than thirty-two bytes"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.another(t, func(s *core.Settings) { s.Key = other })
	if err == nil || !strings.Contains(err.Error(), "secret_file") {
		t.Errorf("with another secret: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "another secret of tests") {
		t.Errorf("R61: the secret stands in the error: %v", err)
	}
}

// One mail to two desks opens a case in each; a desk's evidence is no
// evidence on the other.
func TestReceive_aMailBelongsToTheDeskItWasSentTo(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) {
		s.Mailboxes = append(s.Mailboxes, core.MailboxSettings{Name: "sales", Desk: "sales", Addresses: []string{"sales@desk.example"}})
	})
	file := strings.Replace(string(coretest.DefaultDesk(t)), `prefix = "CASE"`, `prefix = "SALE"`, 1)
	if err := w.EnsureDesk(t.Context(), "sales", []byte(file)); err != nil {
		t.Fatal(err)
	}
	support := w.receive(mail{from: anna, subject: "x", text: "y", id: "one@client.example"})
	sales := w.receive(mail{from: anna, subject: "x", text: "y", id: "one@client.example", to: "sales@desk.example"})
	if support.Case != "CASE-10001" || sales.Case != "SALE-10001" {
		t.Errorf("R5: %+v, %+v", support, sales)
	}
	r := w.receive(mail{from: anna, subject: "[CASE-10001]", text: "which desk?", to: "sales+anything@desk.example"})
	if r.Outcome != "opens a case" || !strings.HasPrefix(r.Case, "SALE-") {
		t.Errorf("R34: a number of another desk: %+v", r)
	}
	wants(t, w.receive(mail{from: mia, subject: "[SALE-10001]", text: "I am no agent there.", to: "sales@desk.example"}), core.Filed, "opens a case", "")
}
