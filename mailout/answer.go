package mailout

import (
	"errors"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"

	"postern/core"
)

// stage is how far a transaction had come.
type stage int

const (
	atMail stage = iota
	atRcpt
	atData
	atWrite
	atDot
)

// verdict is what an answer, or none, means.
type verdict struct {
	core.Delivery
	// Channel says that the answer is about the server or about us, not about
	// this mail: the channel pauses, the letter is put back (R60).
	Channel bool
	// OwnToo says that it could still be about this one recipient: greylisting
	// answers RCPT by 4.7.1, and so does a server that has enough of us.
	OwnToo bool
	// Config says that it stays so until a person does something.
	Config bool

	noted bool // the settler knows already
}

var enhanced = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// judge reads the error of a stage. dotGone says whether the final dot may
// have left us; it counts at atDot alone.
func judge(at stage, err error, dotGone bool) verdict {
	var said *textproto.Error
	if !errors.As(err, &said) {
		v := verdict{}
		v.Answer = oneLine(err.Error())
		v.Result = core.Unsent
		if at == atDot && dotGone {
			v.Result = core.Unanswered
		}
		return v
	}
	v := verdict{}
	v.Code = said.Code
	v.Enhanced = enhanced.FindString(said.Msg)
	v.Answer = oneLine(said.Msg)
	beforeData := at <= atData
	switch class := said.Code / 100; {
	case beforeData && tooMany(v.Code, v.Enhanced):
		v.Channel = true
		v.OwnToo = at == atRcpt && v.Code != 421 && v.Enhanced != "4.3.2"
		v.Result = core.Temporary
	case beforeData && v.Code == 530: // it wants a login first: no sender would please it
		v.Channel, v.Config = true, true
	case v.Enhanced == "5.7.60" || v.Enhanced == "5.2.252" || class == 5 && at == atMail:
		v.Result = core.SenderRefused
	case class == 5:
		v.Result = core.Permanent
	case class == 4:
		v.Result = core.Temporary
	case class == 2 && at == atDot:
		v.Result = core.Accepted
	case at == atDot:
		v.Result = core.Unanswered
	default: // no answer that SMTP knows here
		v.Result = core.Unsent
	}
	return v
}

// tooMany says whether the server asks for a pause (R60).
func tooMany(code int, enhanced string) bool {
	return code == 421 || code/100 == 4 && (enhanced == "4.3.2" || strings.HasPrefix(enhanced, "4.7."))
}

// oneLine makes what a server said fit for a log line (R69).
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200])
	}
	return s
}
