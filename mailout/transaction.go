package mailout

import (
	"errors"
	"net/textproto"
	"time"

	"postern/core"
)

// transact hands one mail over, in one SMTP transaction. dot asks for the
// leave to end it; without that leave the connection is cut and nothing is
// delivered.
func (c *connection) transact(l core.Letter, raw []byte, limits limits, dot func() leave) (v verdict, at stage) {
	fail := func(at stage, err error) (verdict, stage) {
		v := judge(at, err, !c.wire.broken.Load())
		c.after(at, v, limits)
		return v, at
	}
	from, err := path(l.Envelope)
	if err != nil {
		return defect(err), atMail
	}
	to, err := path(l.To.Address)
	if err != nil {
		return defect(err), atMail
	}
	// asked for only where needed: a relay behind this server may not have it
	c.SkipSMTPUTF8(ascii(from) && ascii(to))
	c.wire.limit(limits.command)
	if err := c.Mail(from); err != nil {
		return fail(atMail, err)
	}
	if err := c.Rcpt(to); err != nil {
		return fail(atRcpt, err)
	}
	if err := c.data(); err != nil {
		return fail(atData, err)
	}
	c.wire.limit(limits.block)
	if err := writeMail(c.Text.W, raw); err != nil {
		return fail(atWrite, c.lastWord(err))
	}
	switch dot() {
	case lost:
		c.cut()
		return verdict{Delivery: core.Delivery{Result: core.LostLease}}, atWrite
	case unrecorded:
		c.cut()
		return verdict{Delivery: core.Delivery{Result: core.Unsent}, noted: true}, atWrite
	}
	c.wire.limit(limits.dot)
	said, err := c.end()
	if err != nil {
		return fail(atDot, err)
	}
	v.Result, v.Code = core.Accepted, 250
	v.Enhanced, v.Answer = enhanced.FindString(said), oneLine(said)
	return v, atDot
}

// lastWord is what the server said before it hung up in the middle of a mail:
// "552 too large", say. Without that the mail would be offered for ever.
func (c *connection) lastWord(err error) error {
	c.wire.limit(time.Second)
	var said *textproto.Error
	if _, _, answer := c.Text.ReadResponse(250); errors.As(answer, &said) && said.Code >= 400 {
		return said
	}
	return err
}

// after leaves the connection ready for the next mail, or closed.
func (c *connection) after(at stage, v verdict, limits limits) {
	switch {
	case v.Code == 0, v.Code == 421, at == atWrite, v.Result == core.Unsent, v.Result == core.Unanswered:
		c.cut()
	case at < atWrite:
		c.wire.limit(limits.command)
		if c.Reset() != nil {
			c.cut()
		}
	}
}

// defect is a letter that cannot be sent as it is.
func defect(err error) verdict {
	return verdict{Delivery: core.Delivery{Result: core.Uncomposable, Answer: oneLine(err.Error())}}
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
