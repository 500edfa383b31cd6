package mailin

import (
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-msgauth/dkim"
)

// keyring looks the keys of one mail up, and heeds their flags (RFC 6376
// §3.6.1), which go-msgauth reads and does not use.
type keyring struct {
	look   func(name string) ([]string, error)
	mu     sync.Mutex
	strict []string // names of keys with t=s
}

// txt finds a key. One that its owner only tries out (t=y) counts as none: its
// signature must be worth no more than no signature at all.
func (k *keyring) txt(name string) ([]string, error) {
	found, err := k.look(name)
	if err != nil || len(found) != 1 {
		return found, err
	}
	flags := strings.Split(tag(found[0], "t"), ":")
	if slices.Contains(flags, "y") {
		return nil, &net.DNSError{Err: "the key is for testing", Name: name, IsNotFound: true}
	}
	if slices.Contains(flags, "s") {
		k.mu.Lock()
		k.strict = append(k.strict, strings.ToLower(name))
		k.mu.Unlock()
	}
	return found, nil
}

// isStrict says that the key of a signature is good for its very domain alone.
func (k *keyring) isStrict(v *dkim.Verification, selector string) bool {
	return slices.Contains(k.strict, strings.ToLower(selector+"._domainkey."+v.Domain))
}
