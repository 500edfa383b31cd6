package mailout

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// Signer signs the mail of one sender with DKIM (RFC 6376). One Signer serves
// any number of goroutines.
type Signer struct {
	domain, selector string
	key              crypto.Signer
}

// NewSigner signs for a domain with the private key in a PEM file. Its error
// says what is wrong with the key.
func NewSigner(domain, selector string, file []byte) (*Signer, error) {
	key, err := signingKey(file)
	if err != nil {
		return nil, err
	}
	return &Signer{strings.ToLower(domain), strings.ToLower(selector), key}, nil
}

// leastBits is what RFC 8301 asks of an RSA key at least; verifiers count less
// as no signature.
const leastBits = 1024

func signingKey(file []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, errors.New("it holds no key in PEM form (-----BEGIN PRIVATE KEY-----)")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errEncrypted
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errEncrypted
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, errors.New("it is the public key: mail is signed with the private one")
	default:
		return nil, fmt.Errorf("it is a %q: mail is signed with an RSA or ed25519 private key", strings.ToLower(block.Type))
	}
	if err != nil {
		return nil, fmt.Errorf("the key in it cannot be read: %w", err)
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < leastBits {
			return nil, fmt.Errorf("its RSA key has %d bits: %d are the least, 2048 usual", bits, leastBits)
		}
		return k, nil
	}
	return nil, errors.New("its key is neither RSA nor ed25519: no other can sign mail")
}

var errEncrypted = errors.New("its key is encrypted with a passphrase: write it without one")

// Kind names the key: "RSA, 2048 bits".
func (s *Signer) Kind() string {
	if k, ok := s.key.Public().(*rsa.PublicKey); ok {
		return fmt.Sprintf("RSA, %d bits", k.N.BitLen())
	}
	return "ed25519"
}

// Record is the TXT record to publish: its name, and its text.
func (s *Signer) Record() (name, text string) {
	kind, public := "ed25519", []byte(nil)
	switch k := s.key.Public().(type) {
	case ed25519.PublicKey: // the bare key, RFC 8463 §4.2
		public = k
	case *rsa.PublicKey:
		kind = "rsa"
		public, _ = x509.MarshalPKIXPublicKey(k) // every RSA key can be written
	}
	return s.selector + "._domainkey." + s.domain, "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(public)
}

// Published compares the TXT records that the DNS has under the name of Record
// with the key. nil: receivers can check our signatures.
func (s *Signer) Published(records []string) error {
	switch len(records) {
	case 0:
		return errors.New("there is no record")
	case 1:
	default:
		return fmt.Errorf("there are %d records, and a receiver takes none then", len(records))
	}
	tags := map[string]string{"k": "rsa"}
	for tag := range strings.SplitSeq(records[0], ";") {
		name, value, _ := strings.Cut(tag, "=")
		tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
	}
	_, right := s.Record()
	_, public, _ := strings.Cut(right, "p=")
	switch {
	case tags["v"] != "" && tags["v"] != "DKIM1":
		return errors.New("the record is no DKIM record")
	case tags["p"] == "":
		return errors.New("the record holds no key (p= is empty): that revokes it")
	case s.kind() != strings.ToLower(tags["k"]) || !s.same(tags["p"], public):
		return errors.New("the record holds another key")
	case slices.Contains(strings.Split(tags["t"], ":"), "y"):
		return errors.New("the record says that the key is only tried out (t=y): receivers ignore the signature")
	}
	return nil
}

func (s *Signer) kind() string {
	if _, ok := s.key.(ed25519.PrivateKey); ok {
		return "ed25519"
	}
	return "rsa"
}

// same compares two published keys; one of RSA may stand there in the older
// form, too (RFC 6376 §3.6.1).
func (s *Signer) same(there, ours string) bool {
	if there == ours {
		return true
	}
	der, err := base64.StdEncoding.DecodeString(there)
	if err != nil {
		return false
	}
	k, err := x509.ParsePKCS1PublicKey(der)
	return err == nil && k.Equal(s.key.Public())
}

// signedFields are those that a signature covers, where the mail has them.
// From stands twice: nobody can add a second one (RFC 6376 §5.4.2). Those of
// RFC 8058 have to be among them, else a mail program shows no press.
var signedFields = []string{
	"From", "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Reply-To",
	"Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}

// sign puts a signature on top of a mail.
func (s *Signer) sign(raw []byte) ([]byte, error) {
	w, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: s.domain, Selector: s.selector, Signer: s.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             fieldsOf(raw),
	})
	if err != nil {
		return nil, err
	}
	_, err = w.Write(raw)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("sign for %s: %w", s.domain, err)
	}
	return slices.Insert(raw, 0, []byte(w.Signature())...), nil
}

// fieldsOf are the signed fields that a mail of ours has.
func fieldsOf(raw []byte) []string {
	head, _, _ := strings.Cut(string(raw[:min(len(raw), 16<<10)]), "\r\n\r\n")
	has := map[string]bool{}
	for line := range strings.SplitSeq(head, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		has[strings.ToLower(name)] = true
	}
	return slices.DeleteFunc(slices.Clone(signedFields), func(f string) bool { return !has[strings.ToLower(f)] })
}
