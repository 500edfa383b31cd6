package core

import (
	"strings"
	"testing"
)

const org = "northwind.example"

// annas is a mail of anna@northwind.example with these signatures.
func annas(signatures ...Signature) Mail {
	return Mail{From: []Address{{Address: "anna@" + org}}, FromOrg: org, DKIM: CheckDone, Signatures: signatures}
}

func results(m Mail, values ...string) Mail {
	for _, v := range values {
		m.Trusted = append(m.Trusted, AuthField{"Authentication-Results", v})
	}
	return m
}

func TestJudge_aSignatureVerifiesOnlyIfNothingIsWrongWithIt(t *testing.T) {
	good := Signature{Domain: "mail." + org, Org: org, Valid: true, Covers: true}
	with := func(change func(*Signature)) Signature {
		s := good
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		mail Mail
		want Assurance
	}{
		{"an aligned signature verifies", annas(good), Verified},
		{"no signature proves nothing", annas(), Unknown},
		{"a broken signature proves nothing", annas(with(func(s *Signature) { s.Valid, s.Why = false, "body hash" })), Unknown},
		{"an expired signature proves nothing", annas(with(func(s *Signature) { s.Valid, s.Why = false, "expired" })), Unknown},
		{"another organisation's signature proves nothing", annas(with(func(s *Signature) { s.Domain, s.Org = "evil.example", "evil.example" })), Unknown},
		{"a signature that leaves Subject or Date out proves nothing", annas(with(func(s *Signature) { s.Covers = false })), Unknown},
		{"a signature with l= proves nothing", annas(with(func(s *Signature) { s.Limited = true })), Unknown},
		{"a good signature after a bad one verifies", annas(with(func(s *Signature) { s.Valid = false }), good), Verified},
		{"a broken signature never yields failed", annas(with(func(s *Signature) { s.Valid = false })), Unknown},
		{"two authors are nobody, whoever signed", func() Mail {
			m := annas(good)
			m.From = append(m.From, Address{Address: "b@" + org})
			return m
		}(), Unknown},
		{"no author is nobody", func() Mail { m := annas(good); m.From = nil; return m }(), Unknown},
		{"a From without a domain is nobody", func() Mail {
			m := annas(with(func(s *Signature) { s.Org = "" }))
			m.FromOrg = ""
			return m
		}(), Unknown},
	} {
		t.Run("R31/"+c.name, func(t *testing.T) {
			got, steps := judge(c.mail, "none")
			if got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, steps)
			}
			if len(steps) == 0 || !strings.HasPrefix(steps[len(steps)-1].Says, string(c.want)) {
				t.Errorf("the trace does not end with %s: %v", c.want, steps)
			}
		})
	}
}

func TestJudge_believesOnlyTheBorder(t *testing.T) {
	const google = "mx.google.com; dkim=pass header.i=@northwind.example header.s=s1 header.b=AbCd; " +
		"spf=pass (google.com: domain of anna@northwind.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=anna@northwind.example; " +
		"dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=northwind.example"
	const microsoft = "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=northwind.example; dkim=pass (signature was verified) " +
		"header.d=northwind.example;dmarc=pass action=none header.from=northwind.example;compauth=pass reason=100"
	const own = "mx.desk.example; dkim=pass header.d=northwind.example; dmarc=pass header.from=northwind.example"
	for _, c := range []struct {
		name   string
		border string
		fields []string
		want   Assurance
	}{
		{"with border none no field is read", "none", []string{google}, Unknown},
		{"an unknown border reads nothing", "whatever", []string{google, microsoft, own}, Unknown},
		{"google's own field verifies", "google", []string{google}, Verified},
		{"google's field below another one is a forged one", "google", []string{"relay.desk.example; none", google}, Unknown},
		{"a field of another id on top is not google's", "google", []string{strings.Replace(google, "mx.google.com", "mx.evil.example", 1)}, Unknown},
		{"an id that only begins like google's is not google's", "google", []string{strings.Replace(google, "mx.google.com", "mx.google.com.evil.example", 1)}, Unknown},
		{"a forged pass below google's fail does not count", "google",
			[]string{"mx.google.com; dmarc=fail (p=REJECT sp=REJECT dis=REJECT) header.from=northwind.example", google}, Failed},
		{"a fail under a policy of none proves nothing", "google",
			[]string{"mx.google.com; spf=softfail smtp.mailfrom=x@evil.example; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=northwind.example"}, Unknown},
		{"a fail under quarantine is a forgery", "google",
			[]string{"mx.google.com; dmarc=fail (p=QUARANTINE sp=NONE dis=QUARANTINE) header.from=northwind.example"}, Failed},
		{"spf alone verifies nobody", "google", []string{"mx.google.com; spf=pass smtp.mailfrom=anna@northwind.example"}, Unknown},
		{"an aligned dkim without dmarc verifies", "google", []string{"mx.google.com; dkim=pass header.i=@mail.northwind.example header.s=a"}, Verified},
		{"another domain's dkim does not", "google", []string{"mx.google.com; dkim=pass header.i=@evil.example header.s=a"}, Unknown},
		{"a domain that only ends like From's does not", "google", []string{"mx.google.com; dkim=pass header.i=@evilnorthwind.example"}, Unknown},
		{"a failed dkim of From's domain does not", "google", []string{"mx.google.com; dkim=fail header.i=@northwind.example"}, Unknown},
		{"what stands in a comment is no result", "google",
			[]string{"mx.google.com; spf=fail (mailfrom dkim=pass; dmarc=pass header.from=northwind.example) smtp.mailfrom=x@evil.example"}, Unknown},
		{"what stands in a nested comment is no result", "google",
			[]string{"mx.google.com; spf=fail (a (b; c) \\) ; dmarc=pass ) smtp.mailfrom=x@evil.example"}, Unknown},
		{"what stands in a quoted value is no result", "google",
			[]string{`mx.google.com; spf=fail smtp.mailfrom="x; dmarc=pass "@evil.example`}, Unknown},
		{"a comment that never ends hides what follows", "google", []string{"mx.google.com; spf=none (open; dmarc=pass"}, Unknown},
		{"a second dmarc in one field does not count", "google", []string{"mx.google.com; dmarc=fail (p=REJECT); dmarc=pass"}, Failed},
		{"Exchange's field has no id and verifies", "microsoft365", []string{microsoft}, Verified},
		{"a forged field below Exchange's does not count", "microsoft365",
			[]string{"spf=fail (sender IP is 192.0.2.9) smtp.mailfrom=evil.example; dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=northwind.example", microsoft}, Unknown},
		{"Exchange's fail with its action none proves nothing", "microsoft365",
			[]string{"spf=fail smtp.mailfrom=evil.example; dkim=none header.d=none;dmarc=fail action=none header.from=northwind.example"}, Unknown},
		{"Exchange's fail with a policy that asks for it is a forgery", "microsoft365",
			[]string{"spf=fail smtp.mailfrom=evil.example; dkim=none header.d=none;dmarc=fail action=oreject header.from=northwind.example"}, Failed},
		{"a best guess is no pass", "microsoft365", []string{"spf=pass smtp.mailfrom=x;dmarc=bestguesspass action=none header.from=northwind.example"}, Unknown},
		{"the named server's field verifies", "authserv:mx.desk.example", []string{own}, Verified},
		{"the named server is read without case, also with a version", "authserv:MX.desk.example", []string{strings.Replace(own, ";", " 1;", 1)}, Verified},
		{"the named server's field counts below others'", "authserv:mx.desk.example", []string{"mx.evil.example; dmarc=fail (p=reject)", own}, Verified},
		{"another server's field does not", "authserv:mx.desk.example", []string{strings.Replace(own, "mx.desk", "mx.evil", 1)}, Unknown},
		{"the first of two fields of the named server decides", "authserv:mx.desk.example",
			[]string{"mx.desk.example; dmarc=fail policy.dmarc=reject", own}, Failed},
		{"the policy of RFC 8601's property counts", "authserv:mx.desk.example", []string{"mx.desk.example; dmarc=fail policy.dmarc=none"}, Unknown},
		{"a dmarc=pass said of another domain does not verify", "google", []string{"mx.google.com; dmarc=pass (p=NONE) header.from=evil.example"}, Unknown},
		{"a dmarc=pass said of nobody does not verify", "google", []string{"mx.google.com; dmarc=pass (p=NONE)"}, Unknown},
		{"a dmarc=pass said of two domains does not verify", "google", []string{"mx.google.com; dmarc=pass header.from=northwind.example header.from=evil.example"}, Unknown},
		{"a dmarc=fail said of another domain is no forgery", "google", []string{"mx.google.com; dmarc=fail (p=REJECT) header.from=evil.example"}, Unknown},
		{"a property in a quoted reason is none", "authserv:mx.desk.example", []string{`mx.desk.example; dmarc=pass reason="x header.from=northwind.example y" header.from=evil.example`}, Unknown},
		{"a domain in a signer's quoted local part is none", "authserv:mx.desk.example", []string{`mx.desk.example; dkim=pass header.i="x header.d=northwind.example y"@evil.example`}, Unknown},
		{"an @ in a signer's quoted local part ends nothing", "authserv:mx.desk.example", []string{`mx.desk.example; dkim=pass header.i="x@northwind.example"@evil.example`}, Unknown},
		{"an escaped quote ends nothing", "authserv:mx.desk.example", []string{`mx.desk.example; dkim=pass header.i="x\" header.d=northwind.example \""@evil.example`}, Unknown},
		{"a quote that never ends hides its part", "authserv:mx.desk.example", []string{`mx.desk.example; dkim=pass header.i="@northwind.example`}, Unknown},
		{"a comment between two words parts them", "authserv:mx.desk.example", []string{"mx.desk.example; dmarc=pass(p=none)header.from=northwind.example"}, Verified},
		{"a comment before the name is none of it", "authserv:mx.desk.example", []string{"(mx.evil.example) mx.desk.example (by us); dmarc=pass header.from=northwind.example"}, Verified},
		{"a method with its version counts", "authserv:mx.desk.example", []string{"mx.desk.example 1; dkim/1=pass header.d=northwind.example"}, Verified},
		{"a folded field counts", "authserv:mx.desk.example", []string{"mx.desk.example;\r\n\tdmarc=pass\r\n\theader.from=northwind.example"}, Verified},
		{"a field with an id is not Exchange's", "microsoft365", []string{"mx.evil.example; dmarc=pass action=none header.from=northwind.example"}, Unknown},
		{"Exchange's composite pass alone verifies nobody", "microsoft365", []string{"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=evil.example; dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=northwind.example;compauth=pass reason=130"}, Unknown},
		{"an authserv without a name reads nothing", "authserv:", []string{"; dmarc=pass header.from=northwind.example"}, Unknown},
		{"an empty field proves nothing", "authserv:mx.desk.example", []string{""}, Unknown},
	} {
		t.Run("R32/"+c.name, func(t *testing.T) {
			if got, steps := judge(results(annas(), c.fields...), c.border); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, steps)
			}
		})
	}
}

func TestJudge_aSignatureThatWeCheckedOutweighsABorderThatFailedIt(t *testing.T) {
	m := results(annas(Signature{Domain: org, Org: org, Valid: true, Covers: true}), "mx.google.com; dmarc=fail (p=REJECT)")
	if got, steps := judge(m, "google"); got != Verified {
		t.Errorf("R31: %s: %v", got, steps)
	}
}

// X-MS-Exchange-Organization-AuthAs is removed from outside mail by Exchange;
// any other border lets a sender's own through.
func TestJudge_anInsiderOfExchangeIsVerifiedBehindExchangeAlone(t *testing.T) {
	insider := AuthField{"X-MS-Exchange-Organization-AuthAs", "Internal"}
	none := AuthField{"Authentication-Results", "dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=northwind.example"}
	for _, c := range []struct {
		name   string
		border string
		fields []AuthField
		want   Assurance
	}{
		{"with Exchange's results beside it", "microsoft365", []AuthField{none, insider}, Verified},
		{"without any results, as within one tenant", "microsoft365", []AuthField{insider}, Verified},
		{"an anonymous sender is none", "microsoft365", []AuthField{none, {"X-MS-Exchange-Organization-AuthAs", "Anonymous"}}, Unknown},
		{"an insider's word beside a look at the sending host is a stranger's", "microsoft365", []AuthField{{"Authentication-Results", "spf=pass (sender IP is 192.0.2.9) smtp.mailfrom=evil.example; dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=northwind.example;compauth=fail reason=001"}, insider}, Unknown},
		{"two such words are one too many", "microsoft365", []AuthField{none, insider, insider}, Unknown},
		{"a stranger's word above Exchange's is one too many", "microsoft365", []AuthField{insider, none, {"X-MS-Exchange-Organization-AuthAs", "Anonymous"}}, Unknown},
		{"a mail that came in is no insider's", "microsoft365", []AuthField{none, insider, {"X-MS-Exchange-Organization-MessageDirectionality", "Incoming"}}, Unknown},
		{"a mail that the tenant saw as anonymous is no insider's", "microsoft365", []AuthField{none, insider, {"X-MS-Exchange-CrossTenant-AuthAs", "Anonymous"}}, Unknown},
		{"a mail that the tenant sent is an insider's", "microsoft365", []AuthField{none, insider, {"X-MS-Exchange-CrossTenant-AuthAs", "Internal"}, {"X-MS-Exchange-Organization-MessageDirectionality", "Originating"}}, Verified},
		{"behind google the field is a stranger's word", "google", []AuthField{insider}, Unknown},
		{"without a border too", "none", []AuthField{insider}, Unknown},
	} {
		t.Run("R32/"+c.name, func(t *testing.T) {
			m := annas()
			m.Trusted = c.fields
			if got, steps := judge(m, c.border); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, steps)
			}
		})
	}
}

// Whatever a sender writes into a comment or a quoted string, it makes no
// result.
func FuzzReadResults(f *testing.F) {
	f.Add("x", true)
	f.Add("dmarc=pass (", false)
	f.Add(`a" ; dmarc=pass`, true)
	f.Add(`\) ; dmarc=pass`, false)
	f.Add("((;", true)
	f.Fuzz(func(t *testing.T, s string, quoted bool) {
		readResults(s, true)
		readResults(s, false)
		if len(s) > 8<<10 {
			return
		}
		hidden := "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(s) + ")"
		if quoted {
			hidden = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		}
		r := readResults("mx.desk.example; spf=none smtp.mailfrom="+hidden+"; dmarc=fail (p=reject)", true)
		if r.id != "mx.desk.example" || r.dmarc != "fail" || r.policy != "reject" || len(r.dkim) != 0 {
			t.Errorf("%q made %+v", hidden, r)
		}
	})
}
