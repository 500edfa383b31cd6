package core_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestAlarms_tellWhatNeedsAPerson(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Operator = []string{"ops@example.org"} })
	ctx := context.Background()
	quiet := func() []string {
		t.Helper()
		lines, err := w.Alarms(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	if err := w.Polled(ctx, w.mb); err != nil {
		t.Fatal(err)
	}
	// a folder that is only compared, and a mailbox that was taken out of the settings
	for _, box := range [][2]string{{"support", "Processed"}, {"gone", "INBOX"}} {
		if _, err := w.OpenMailbox(ctx, box[0], box[1], time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Clock.Advance(14 * time.Minute)
	if lines := quiet(); len(lines) != 0 {
		t.Errorf("R15: after 14 minutes: %q", lines)
	}
	w.Clock.Advance(2 * time.Minute)
	lines := quiet()
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "mailbox support (INBOX): no good poll since") {
		t.Errorf("R15: after 16 minutes: %q", lines)
	}
	quiet()
	mail := to(t, w.letters(), "ops@example.org", core.Alarm)
	if len(mail.Payload.Lines) != 1 {
		t.Errorf("the mail tells %q", mail.Payload.Lines)
	}
	w.Clock.Advance(time.Hour)
	quiet()
	to(t, w.letters(), "ops@example.org", core.Alarm)
}
