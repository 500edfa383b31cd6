// Package token makes and recognises the secrets that mails carry: reply
// addresses, one-time links and codes. A secret is derived from the instance's
// key and a public nonce, so the database needs to hold only its hash and any
// process can compose the mail. The package knows no mail, no case and no
// clock: what a secret is good for, and for how long, is written in the row
// that holds its hash.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Key is the instance's secret.
type Key struct{ secret []byte }

// NewKey makes a Key of at least 32 bytes of secret.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < 32 {
		return Key{}, fmt.Errorf("the secret has %d bytes: at least 32 are needed", len(secret))
	}
	return Key{append([]byte(nil), secret...)}, nil
}

// Fingerprint tells two keys apart without telling anything of them.
func (k Key) Fingerprint() string {
	return hex.EncodeToString(k.derive("fingerprint", ""))[:16]
}

func (k Key) derive(purpose, nonce string) []byte {
	if len(k.secret) == 0 {
		panic(errors.New("token: key without a secret"))
	}
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write([]byte(nonce))
	return h.Sum(nil)
}

// lower is base32 in lower case: read without case (R33), and safe in the
// local part of an address.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// replyChars carry 100 bits (R33).
const replyChars = 20

// Reply derives the token of a reply address, 20 characters of base32.
func (k Key) Reply(purpose, nonce string) string {
	return lower.EncodeToString(k.derive("reply "+purpose, nonce))[:replyChars]
}

// Link derives the secret of a one-time link: 128 bits, 26 characters.
func (k Key) Link(purpose, nonce string) string {
	return lower.EncodeToString(k.derive("link "+purpose, nonce)[:16])
}

// Salted is a hash of something that only this instance can make again (R66).
func (k Key) Salted(purpose, of string) []byte { return k.derive("salted "+purpose, of) }

// Digits derives a code of n digits to be typed (n <= 8).
func (k Key) Digits(purpose, nonce string, n int) string {
	b := k.derive("digits "+purpose, nonce)
	var s strings.Builder
	for i := range n {
		// two bytes a digit: the bias is under 1 in 6,000
		s.WriteByte('0' + byte((int(b[2*i])<<8|int(b[2*i+1]))%10))
	}
	return s.String()
}

// codeLetters leaves out what people mix up when they type: 0 O 1 I L.
const codeLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// Code derives a code of 8 letters and digits to be typed.
func (k Key) Code(purpose, nonce string) string {
	b := k.derive("code "+purpose, nonce)
	var s strings.Builder
	for i := range 8 {
		s.WriteByte(codeLetters[(int(b[2*i])<<8|int(b[2*i+1]))%len(codeLetters)])
	}
	return s.String()
}

// Hash is what the database keeps of a secret. Secrets are read without case
// and without the blanks and dashes that people and programs put in them. An
// empty secret has no hash: it never matches.
func Hash(secret string) []byte {
	s := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(secret)))
	if s == "" {
		return nil
	}
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// Nonce is 128 random bits as 26 characters.
func Nonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, crypto/rand
	return lower.EncodeToString(b[:])
}

// Mode is what a plus address is for (R33).
type Mode string

const (
	Public Mode = ""   // a reply, to the other side
	Bounce Mode = "b-" // bounces
	Probe  Mode = "p-" // mail to ourselves

	Command Mode = "command" // asks and commands: a fixed word, which proves nothing
	New     Mode = "new"     // opens a case: a fixed word, which proves nothing
)

// Plus puts a token into an address: desk@x becomes desk+<mode><token>@x.
func Plus(address string, m Mode, token string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	return address[:at] + "+" + string(m) + token + address[at:]
}

// Split takes a plus address apart. plain is the address without its tag; ok
// says that the tag has a token's shape, or is one of the fixed words.
func Split(address string) (plain string, m Mode, token string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	plus := strings.IndexByte(address, '+')
	if plus < 0 || plus > at {
		return address, "", "", false
	}
	plain, tag := address[:plus]+address[at:], strings.ToLower(address[plus+1:at])
	if tag == string(Command) || tag == string(New) {
		return plain, Mode(tag), "", true
	}
	for _, mode := range []Mode{Bounce, Probe} {
		if rest, found := strings.CutPrefix(tag, string(mode)); found {
			m, tag = mode, rest
			break
		}
	}
	if len(tag) != replyChars || strings.Trim(tag, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return plain, "", "", false
	}
	return plain, m, tag, true
}
