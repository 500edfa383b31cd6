package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// Seal encrypts what somebody else's secret is, so that it can be kept in the
// database. Only the same key opens it, and only for the same purpose.
func (k Key) Seal(purpose string, secret []byte) []byte {
	box := k.box(purpose)
	nonce := make([]byte, box.NonceSize(), box.NonceSize()+len(secret)+box.Overhead())
	rand.Read(nonce) // never fails, crypto/rand
	return box.Seal(nonce, nonce, secret, []byte(purpose))
}

// Open gives back what was sealed.
func (k Key) Open(purpose string, sealed []byte) ([]byte, error) {
	box := k.box(purpose)
	n := box.NonceSize()
	if len(sealed) < n {
		return nil, errSealed
	}
	secret, err := box.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, errSealed
	}
	return secret, nil
}

var errSealed = errors.New("a sealed secret does not open: it was made with another key, or changed")

func (k Key) box(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(k.derive("seal", purpose)) // 32 octets: AES-256
	if err != nil {
		panic(err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return box
}
