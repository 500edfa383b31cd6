package core

import (
	"fmt"
	"strconv"
	"strings"
)

// Assurance is how sure it is that the mail comes from the address in From
// (R31). It is judged once, when a mail is first read.
type Assurance string

const (
	Verified Assurance = "verified"
	Unknown  Assurance = "unknown"
	Failed   Assurance = "failed"
)

// Judge says how sure From is, for a mailbox with this border.
func Judge(m Mail, border string) (Assurance, []Step) { return judge(m, border) }

// judge says how sure From is, by the DKIM signatures that we checked and by
// the evidence of the mail system in front of us, as border lets it count
// (R31, R32).
func judge(m Mail, border string) (Assurance, []Step) {
	var steps []Step
	say := func(rule, format string, args ...any) {
		steps = append(steps, Step{rule, fmt.Sprintf(format, args...)})
	}
	if len(m.From) != 1 || m.FromOrg == "" {
		say("R31", "unknown: From is not one address with a domain")
		return Unknown, steps
	}
	for _, s := range m.Signatures {
		if why := s.proves(m.FromOrg); why != "" {
			say("R31", "signature of %s does not count: %s", clean(s.Domain, 100), why)
			continue
		}
		say("R31", "verified: DKIM signature of %s, aligned with From", clean(s.Domain, 100))
		return Verified, steps
	}
	if len(m.Signatures) == 0 {
		say("R31", "%s", map[Checked]string{
			NotChecked: "DKIM was not checked",
			CheckDone:  "no DKIM signature",
			CheckLater: "the DNS gave no answer",
		}[m.DKIM])
	}
	said, where := trusted(m, border)
	switch {
	case where == "":
		say("R32", "no trusted evidence: border is %s", border)
	case said.insider:
		say("R31", "verified: %s says its own signed-in user sent it", where)
		return Verified, steps
	case said.dmarc == "pass" && said.about(m.From[0].Domain()):
		say("R31", "verified: %s says dmarc=pass", where)
		return Verified, steps
	case said.dkimAligned(m.FromOrg):
		say("R31", "verified: %s says an aligned dkim=pass", where)
		return Verified, steps
	case said.dmarc == "fail" && said.policy != "" && said.policy != "none" && (len(said.from) == 0 || said.about(m.From[0].Domain())):
		say("R31", "failed: %s says dmarc=fail, and the policy is not none", where)
		return Failed, steps
	case said.dmarc != "" && !said.about(m.From[0].Domain()):
		say("R32", "%s proves nothing: its dmarc=%s is not said of the domain in From", where, clean(said.dmarc, 20))
	default:
		say("R32", "%s proves nothing: dmarc=%s", where, nameOr(clean(said.dmarc, 20), "none"))
	}
	say("R31", "unknown: nothing proves From")
	return Unknown, steps
}

// proves says why a signature does not prove From, "" if it does.
func (s Signature) proves(org string) string {
	switch {
	case !s.Valid:
		return nameOr(clean(s.Why, 120), "it is not valid") // never "": that would prove it
	case s.Org != org:
		return "another organisation's domain"
	case !s.Covers:
		return "it does not cover From, Subject and Date"
	case s.Limited:
		return "it has l="
	}
	return ""
}

// authResults is what one Authentication-Results field says (RFC 8601).
type authResults struct {
	id      string
	spf     bool // it says anything of SPF
	dmarc   string
	from    []string // domains of which it is said: header.from
	policy  string   // the domain's policy: none, quarantine, reject; "" if not said
	dkim    []string
	insider bool
}

// about says that the result of DMARC is that of this domain, and of no other.
func (a authResults) about(domain string) bool {
	for _, d := range a.from {
		if d != domain {
			return false
		}
	}
	return domain != "" && len(a.from) > 0
}

// dkimAligned says whether a passing signature's domain belongs to org.
func (a authResults) dkimAligned(org string) bool {
	for _, d := range a.dkim {
		if d == org || strings.HasSuffix(d, "."+org) {
			return true
		}
	}
	return false
}

// trusted reads the evidence that border lets count. where is "" if there is
// none. A field that a sender wrote stands below the one of our own mail
// system, or has another id: neither is read.
func trusted(m Mail, border string) (said authResults, where string) {
	name, wanted, _ := strings.Cut(border, ":")
	wanted = strings.ToLower(wanted)
	for _, f := range m.Trusted {
		if !strings.EqualFold(f.Name, "Authentication-Results") {
			continue
		}
		switch name {
		case "google":
			if r := readResults(f.Value, true); r.id == "mx.google.com" {
				return r, r.id
			}
			return authResults{}, "" // only the topmost is Google's
		case "microsoft365":
			r := readResults(f.Value, false)
			if insider(m, r) {
				return authResults{insider: true}, name
			}
			return r, name
		case "authserv":
			if r := readResults(f.Value, true); r.id == wanted && wanted != "" {
				return r, r.id
			}
		default:
			return authResults{}, ""
		}
	}
	if name == "microsoft365" && insider(m, authResults{}) {
		return authResults{insider: true}, name // within one tenant there may be no results at all
	}
	return authResults{}, ""
}

// insider says that Exchange had its own signed-in user send the mail. From
// mail of strangers it takes this field away; as a header firewall can be
// switched off, whatever else shows that the mail came from outside decides:
// a look at the sending host (spf, compauth), a direction, or a second word.
func insider(m Mail, topmost authResults) bool {
	said := false
	for _, f := range m.Trusted {
		value := strings.ToLower(strings.TrimSpace(f.Value))
		switch strings.ToLower(f.Name) {
		case "x-ms-exchange-organization-authas":
			if said || value != "internal" {
				return false
			}
			said = true
		case "x-ms-exchange-crosstenant-authas":
			if value != "internal" {
				return false
			}
		case "x-ms-exchange-organization-messagedirectionality":
			if value != "originating" {
				return false
			}
		}
	}
	return said && !topmost.spf && topmost.dmarc != "fail"
}

// readResults reads an Authentication-Results field: "id; method=result
// prop=value ...; ...". Exchange Online's has no id: one that has is not its.
func readResults(value string, hasID bool) authResults {
	var r authResults
	for i, part := range splitResults(value) {
		if i == 0 && hasID {
			if len(part.fields) > 0 {
				r.id = strings.ToLower(part.fields[0])
			}
			continue
		}
		if len(part.fields) == 0 {
			continue
		}
		method, result, ok := strings.Cut(strings.ToLower(part.fields[0]), "=")
		if i == 0 && !ok {
			return authResults{}
		}
		method, _, _ = strings.Cut(method, "/") // its version
		switch method {
		case "spf", "compauth":
			r.spf = true
		case "dmarc":
			if r.dmarc == "" {
				r.dmarc, r.policy = result, dmarcPolicy(part.comments, part.fields[1:])
				r.from = valuesOf(part.fields[1:], "header.from")
			}
		case "dkim":
			if result != "pass" {
				continue
			}
			r.dkim = append(r.dkim, valuesOf(part.fields[1:], "header.d")...)
			for _, identity := range valuesOf(part.fields[1:], "header.i") {
				if at := strings.LastIndexByte(identity, '@'); at >= 0 {
					r.dkim = append(r.dkim, identity[at+1:])
				}
			}
		}
	}
	return r
}

// valuesOf are the values of a property, lower case.
func valuesOf(fields []string, property string) (all []string) {
	for _, f := range fields {
		if p, v, _ := strings.Cut(strings.ToLower(f), "="); p == property {
			all = append(all, v)
		}
	}
	return all
}

// dmarcPolicy finds the sender's policy: Google writes "(p=NONE sp=NONE
// dis=NONE)", Microsoft "action=none".
func dmarcPolicy(comments string, fields []string) string {
	for _, f := range fields {
		if v, ok := strings.CutPrefix(strings.ToLower(f), "action="); ok {
			return v
		}
		if v, ok := strings.CutPrefix(strings.ToLower(f), "policy.dmarc="); ok {
			return v
		}
	}
	for f := range strings.FieldsSeq(strings.ToLower(comments)) {
		if v, ok := strings.CutPrefix(f, "p="); ok {
			return strings.Trim(v, ";,")
		}
	}
	return ""
}

// resultPart is what stands between two semicolons.
type resultPart struct {
	fields   []string // "method=result", "property=value"; quotes are taken off
	comments string
}

// splitResults cuts a field at its semicolons and blanks, and takes the
// comments out: what stands in brackets is no result. What stands in quotes is
// part of one value, whatever it looks like.
func splitResults(value string) []resultPart {
	var parts []resultPart
	var part resultPart
	var field, comments strings.Builder
	depth, quoted, escaped := 0, false, false
	word := func() {
		if field.Len() > 0 {
			part.fields = append(part.fields, field.String())
			field.Reset()
		}
	}
	end := func() {
		word()
		part.comments = comments.String()
		parts = append(parts, part)
		part = resultPart{}
		comments.Reset()
	}
	for i := 0; i < len(value) && i < 16<<10; i++ {
		c := value[i]
		switch {
		case escaped:
			escaped = false
		case c == '\\' && (quoted || depth > 0):
			escaped = true
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
			continue
		case c == '(' && !quoted:
			if depth == 0 {
				word()
			}
			depth++
			comments.WriteByte(' ')
			continue
		case c == ')' && !quoted && depth > 0:
			depth--
			continue
		case c == ';' && !quoted && depth == 0:
			end()
			continue
		case strings.IndexByte(" \t\r\n", c) >= 0 && !quoted && depth == 0:
			word()
			continue
		}
		switch {
		case depth > 0:
			comments.WriteByte(c)
		case quoted && c == '=':
			field.WriteByte(0) // no method's or property's name stands before it
		default:
			field.WriteByte(c)
		}
	}
	if !quoted && depth == 0 { // a part that never ends says nothing
		end()
	}
	return parts
}

// spamByBorder says whether Microsoft's own mark calls it spam: a spam
// confidence level of 5 or more (R72).
func spamByBorder(m Mail, border string) bool {
	if border != "microsoft365" {
		return false
	}
	for _, f := range m.Trusted {
		if strings.EqualFold(f.Name, "X-MS-Exchange-Organization-SCL") {
			if n, err := strconv.Atoi(strings.TrimSpace(f.Value)); err == nil && n >= 5 {
				return true
			}
		}
	}
	return false
}
