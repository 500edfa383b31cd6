package mailin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"
)

// explain says what to check.
func (s Server) explain(ctx context.Context, err error) error {
	var (
		dns      *net.DNSError
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		noTLS    tls.RecordHeaderError
		deadline = context.Cause(ctx)
	)
	switch {
	case deadline != nil:
		return deadline
	case errors.As(err, &dns):
		return fmt.Errorf("the name %s is not known: check host (%w)", s.Host, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens there: check host and port, 993 for implicit and mostly 143 for starttls (%w)", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer: check host, port and firewall (%w)", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("its certificate comes from an authority that this machine does not know: name the authority with ca_file (%w)", err)
	case errors.As(err, &name):
		return fmt.Errorf("its certificate is for another name: host must be the name in the certificate (%w)", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("its certificate is not valid: renew it there (%w)", err)
	case errors.As(err, &noTLS):
		return fmt.Errorf(`it does not speak TLS on this port: check port, or set tls = "starttls" (%w)`, err)
	}
	return err
}

// oneLine makes a stranger's text fit for a log line (R69).
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200])
	}
	return s
}
