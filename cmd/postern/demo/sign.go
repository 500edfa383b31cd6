package demo

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/emersion/go-msgauth/dkim"
)

// Signer signs the mail of one domain with DKIM, as its provider does.
type Signer struct {
	domain, selector string
	key              crypto.Signer
	record           string
}

// NewSigner signs for domain with key, an ed25519 or RSA key.
func NewSigner(domain, selector string, key crypto.Signer) (*Signer, error) {
	s := &Signer{domain: domain, selector: selector, key: key}
	switch public := key.Public().(type) {
	case ed25519.PublicKey: // the bare key, RFC 8463 §4.2
		s.record = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return nil, fmt.Errorf("dkim key of %s: %w", domain, err)
		}
		s.record = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	default:
		return nil, fmt.Errorf("dkim key of %s: a %T cannot sign: use ed25519 or RSA", domain, public)
	}
	return s, nil
}

// Record is the name and the text of the TXT record that holds the public key.
func (s *Signer) Record() (name, text string) {
	return s.selector + "._domainkey." + s.domain, s.record
}

// signedFields are what readers see and what programs thread by. The fields
// that identify are named twice: nobody can add a second one later, RFC 6376
// §5.4.2.
var signedFields = []string{
	"From", "From", "Subject", "Subject", "Date", "Date", "To", "Cc", "Reply-To", "Reply-To",
	"Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted",
}

// Sign returns raw, a mail with CRLF line ends, with its signature on top.
func (s *Signer) Sign(raw []byte) ([]byte, error) {
	var signed bytes.Buffer
	err := dkim.Sign(&signed, bytes.NewReader(raw), &dkim.SignOptions{
		Domain: s.domain, Selector: s.selector, Signer: s.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             signedFields,
	})
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", s.domain, err)
	}
	return signed.Bytes(), nil
}

// selector is the same for every domain of the demo's provider.
const selector = "demo"

// openSigners reads the key of each domain from dir, and makes those that are
// missing.
func openSigners(dir string, domains []string) (map[string]*Signer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be made (%w): make its parent writable", dir, err)
	}
	signers := make(map[string]*Signer)
	for _, d := range domains {
		key, err := openKey(filepath.Join(dir, d+".pem"))
		if err != nil {
			return nil, err
		}
		if signers[d], err = NewSigner(d, selector, key); err != nil {
			return nil, err
		}
	}
	return signers, nil
}

func openKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the key %s cannot be read (%w): make it readable", path, err)
	}
	unusable := fmt.Errorf("the key %s is not a private key: remove the file, a new one is made", path)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, unusable
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, unusable
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, unusable
	}
	return key, nil
}

func makeKey(path string) (crypto.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := writeFile(path, text); err != nil {
		return nil, fmt.Errorf("the key %s cannot be written (%w): make its folder writable", path, err)
	}
	return key, nil
}
