package mailout

import (
	"bufio"
	"bytes"
)

// data says DATA and waits for the leave to go on. What follows is written by
// writeMail, whole blocks at a time: the library's writer looks at each octet.
func (c *connection) data() error {
	id, err := c.Text.Cmd("DATA")
	if err != nil {
		return err
	}
	c.Text.StartResponse(id)
	defer c.Text.EndResponse(id)
	_, _, err = c.Text.ReadResponse(354)
	return err
}

// writeMail writes all of a mail but the final dot (RFC 5321 §4.5.2). A line
// ends with CRLF and with nothing else, or some servers would see an end where
// there is none: what is not so is mended on its way.
func writeMail(w *bufio.Writer, raw []byte) error {
	crlf := bytes.Count(raw, []byte("\r\n"))
	if bytes.Count(raw, []byte("\n")) != crlf || bytes.Count(raw, []byte("\r")) != crlf {
		raw = mended(raw)
	}
	if bytes.HasPrefix(raw, []byte(".")) {
		_ = w.WriteByte('.') // an error of w stays, and comes with the next call
	}
	for {
		i := bytes.Index(raw, []byte("\r\n."))
		if i < 0 {
			break
		}
		_, _ = w.Write(raw[:i+3])
		_ = w.WriteByte('.')
		raw = raw[i+3:]
	}
	_, err := w.Write(raw)
	if err == nil && !bytes.HasSuffix(raw, []byte("\r\n")) {
		_, err = w.WriteString("\r\n")
	}
	return err
}

// mended makes every line end a CRLF.
func mended(raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}

// end sends the final dot, and returns what the server said to it.
func (c *connection) end() (said string, err error) {
	if _, err := c.Text.W.WriteString(".\r\n"); err != nil {
		return "", err
	}
	if err := c.Text.W.Flush(); err != nil {
		return "", err
	}
	_, said, err = c.Text.ReadResponse(250)
	return said, err
}
