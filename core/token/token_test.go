package token

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func key(t testing.TB, secret string) Key {
	t.Helper()
	k, err := NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const secret1, secret2 = "the first secret, longer than thirty-two bytes", "another secret, longer than thirty-two bytes"

func TestNewKey_refusesAShortSecret(t *testing.T) {
	if _, err := NewKey(bytes.Repeat([]byte("x"), 31)); err == nil {
		t.Error("31 bytes were taken")
	}
	if _, err := NewKey(bytes.Repeat([]byte("x"), 32)); err != nil {
		t.Error(err)
	}
}

func TestKey_isACopyOfTheSecret(t *testing.T) {
	secret := []byte(secret1)
	k, err := NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	before := k.Reply("public", "n")
	clear(secret)
	if k.Reply("public", "n") != before {
		t.Error("clearing the caller's bytes changed the key")
	}
}

func TestKey_withoutASecretMakesNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a key without a secret made a token")
		}
	}()
	Key{}.Reply("public", "n")
}

func TestKey_eachPurposeNonceAndSecretHasItsOwnTokens(t *testing.T) {
	seen := map[string]string{}
	for _, secret := range []string{secret1, secret2} {
		k := key(t, secret)
		for _, purpose := range []string{"public", "note", "bounce", "probe"} {
			for _, nonce := range []string{"a@x", "b@x", ""} {
				name := secret[:3] + " " + purpose + " " + nonce
				for kind, s := range map[string]string{"reply ": k.Reply(purpose, nonce), "link ": k.Link(purpose, nonce), "code ": k.Code(purpose, nonce)} {
					if other := seen[s]; other != "" {
						t.Errorf("%s%s is %s", kind, name, other)
					}
					seen[s] = kind + name
				}
			}
		}
	}
	one, again, other := key(t, secret1), key(t, secret1), key(t, secret2)
	if one.Fingerprint() == other.Fingerprint() || one.Fingerprint() != again.Fingerprint() {
		t.Error("fingerprints do not tell keys apart")
	}
}

func TestKey_shapes(t *testing.T) {
	k := key(t, secret1)
	for name, c := range map[string]struct{ got, shape string }{
		"R33/a reply token is 20 characters of base32":                               {k.Reply("public", "n"), `^[a-z2-7]{20}$`},
		"R46/a link is 128 bits, 26 characters":                                      {k.Link("move", "n"), `^[a-z2-7]{26}$`},
		"R46/a sign-in code is 6 digits":                                             {k.Digits("sign-in", "n", 6), `^[0-9]{6}$`},
		"R46/an invitation's code is 8 letters and digits that look alike to nobody": {k.Code("invitation", "n"), `^[2-9A-HJKMNP-Z]{8}$`},
	} {
		if !regexp.MustCompile(c.shape).MatchString(c.got) {
			t.Errorf("%s: %q", name, c.got)
		}
	}
}

func TestNonce_isNeverTheSame(t *testing.T) {
	a, b := Nonce(), Nonce()
	if a == b || len(a) != 26 {
		t.Errorf("%q, %q", a, b)
	}
}

func TestHash_readsSecretsAsPeopleWriteThem(t *testing.T) {
	want := Hash("abcd2345")
	for _, same := range []string{"ABCD2345", " abcd2345\n", "abcd-2345", "AB CD 23 45", "a-b c-d2345"} {
		if !bytes.Equal(Hash(same), want) {
			t.Errorf("R33/%q is another secret than abcd2345", same)
		}
	}
	for _, other := range []string{"abcd2346", "abcd234", "abcd23455", "äbcd2345"} {
		if bytes.Equal(Hash(other), want) {
			t.Errorf("R33/%q is the same secret as abcd2345", other)
		}
	}
}

func TestHash_emptyNeverMatches(t *testing.T) {
	for _, empty := range []string{"", " ", "\t\n", "-", " - - "} {
		if h := Hash(empty); h != nil {
			t.Errorf("R46/%q has the hash %x", empty, h)
		}
	}
}

func TestSplit_takesOnlyTokensFromAddresses(t *testing.T) {
	const tok = "abcdefghijklmnop2345"
	for _, c := range []struct {
		address string
		plain   string
		mode    Mode
		token   string
		ok      bool
	}{
		{"desk@x.example", "desk@x.example", "", "", false},
		{"desk+" + tok + "@x.example", "desk@x.example", Public, tok, true},
		{"desk+b-" + tok + "@x.example", "desk@x.example", Bounce, tok, true},
		{"desk+p-" + tok + "@x.example", "desk@x.example", Probe, tok, true},
		{"desk+" + strings.ToUpper(tok) + "@x.example", "desk@x.example", Public, tok, true},
		{"desk+B-" + strings.ToUpper(tok) + "@x.example", "desk@x.example", Bounce, tok, true},
		{"desk+b-p-" + tok + "@x.example", "desk@x.example", "", "", false},
		{"desk+p-b-" + tok + "@x.example", "desk@x.example", "", "", false},
		{"desk+b-b-" + tok + "@x.example", "desk@x.example", "", "", false},
		{"desk+" + tok[1:] + "@x.example", "desk@x.example", "", "", false},
		{"desk+" + tok + "a@x.example", "desk@x.example", "", "", false},
		{"desk+" + tok[:19] + "1@x.example", "desk@x.example", "", "", false},
		{"desk+" + tok[:19] + "+@x.example", "desk@x.example", "", "", false},
		{"desk+command@x.example", "desk@x.example", Command, "", true},
		{"desk+Command@x.example", "desk@x.example", Command, "", true},
		{"desk+commands@x.example", "desk@x.example", "", "", false},
		{"desk+command" + tok + "@x.example", "desk@x.example", "", "", false},
		{"desk+new@x.example", "desk@x.example", New, "", true},
		{"desk+NEW@x.example", "desk@x.example", New, "", true},
		{"desk+news@x.example", "desk@x.example", "", "", false},
		{"desk+new" + tok + "@x.example", "desk@x.example", "", "", false},
		{"desk+sales@x.example", "desk@x.example", "", "", false},
		{"desk+@x.example", "desk@x.example", "", "", false},
		{"+" + tok + "@x.example", "@x.example", Public, tok, true},
		{"desk@x+" + tok + ".example", "desk@x+" + tok + ".example", "", "", false},
		{"a@b+" + tok + "@x.example", "a@b@x.example", Public, tok, true},
		{"desk+" + tok, "desk+" + tok, "", "", false},
		{"@", "@", "", "", false},
		{"", "", "", "", false},
	} {
		plain, mode, tok, ok := Split(c.address)
		if plain != c.plain || mode != c.mode || tok != c.token || ok != c.ok {
			t.Errorf("R33/%q: %q %q %q %v", c.address, plain, mode, tok, ok)
		}
	}
}

func TestPlus_isWhatSplitTakesApart(t *testing.T) {
	k := key(t, secret1)
	for _, mode := range []Mode{Public, Bounce, Probe} {
		tok := k.Reply("public", string(mode))
		plain, m, got, ok := Split(Plus("desk@x.example", mode, tok))
		if !ok || plain != "desk@x.example" || m != mode || got != tok {
			t.Errorf("%q: %q %q %q %v", mode, plain, m, got, ok)
		}
	}
	if got := Plus("no address", Public, "t"); got != "no address" {
		t.Errorf("%q", got)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"desk+abcdefghijklmnop2345@x", "desk+b-abcdefghijklmnop2345@x", "+@", "@+", "a+b+c@d@e", "desk+\x00@x", "ſ+K@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		plain, mode, tok, ok := Split(address)
		if !ok && (mode != "" || tok != "") {
			t.Errorf("%q: %q %q without ok", address, mode, tok)
		}
		if ok && mode != Command && mode != New && (len(tok) != 20 || strings.Trim(tok, "abcdefghijklmnopqrstuvwxyz234567") != "") {
			t.Errorf("%q: token %q", address, tok)
		}
		if ok && !strings.EqualFold(Plus(plain, mode, tok), address) {
			t.Errorf("%q is not %q", Plus(plain, mode, tok), address)
		}
		if strings.Count(plain, "@") != strings.Count(address, "@") && !strings.Contains(address, "+") {
			t.Errorf("%q lost an @: %q", address, plain)
		}
	})
}

func FuzzHash(f *testing.F) {
	f.Add("abcd-2345")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		h := Hash(s)
		if (h == nil) != (strings.Map(blank, strings.TrimSpace(s)) == "") {
			t.Errorf("%q: %x", s, h)
		}
		if !bytes.Equal(h, Hash(" "+s+" ")) {
			t.Errorf("%q with blanks around it is another secret", s)
		}
	})
}

func blank(r rune) rune {
	if r == ' ' || r == '-' {
		return -1
	}
	return r
}
