package token

import (
	"bytes"
	"testing"
)

func TestSeal_opensForTheSameKeyAndPurposeOnly(t *testing.T) {
	one, other := key(t, secret1), key(t, secret2)
	secret := []byte("a refresh token")
	sealed := one.Seal("oauth a", secret)
	if got, err := one.Open("oauth a", sealed); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
	if bytes.Contains(sealed, secret) || bytes.Equal(sealed, one.Seal("oauth a", secret)) {
		t.Error("R61/it is in clear, or the same each time")
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1]++
	for name, open := range map[string]func() ([]byte, error){
		"another key":     func() ([]byte, error) { return other.Open("oauth a", sealed) },
		"another purpose": func() ([]byte, error) { return one.Open("oauth b", sealed) },
		"a changed octet": func() ([]byte, error) { return one.Open("oauth a", changed) },
		"half of it":      func() ([]byte, error) { return one.Open("oauth a", sealed[:5]) },
		"nothing":         func() ([]byte, error) { return one.Open("oauth a", nil) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s opens it: %q", name, got)
		}
	}
}
