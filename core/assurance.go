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
	case said.dmarc == "pass":
		say("R31", "verified: %s says dmarc=pass", where)
		return Verified, steps
	case said.dkimAligned(m.FromOrg):
		say("R31", "verified: %s says an aligned dkim=pass", where)
		return Verified, steps
	case said.dmarc == "fail" && said.policy != "" && said.policy != "none":
		say("R31", "failed: %s says dmarc=fail, and the policy is not none", where)
		return Failed, steps
	default:
		say("R32", "%s proves nothing: dmarc=%s", where, clean(said.dmarc, 20))
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
	dmarc   string
	policy  string // the domain's policy: none, quarantine, reject; "" if not said
	dkim    []string
	insider bool
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
	if name == "microsoft365" && insider(m) {
		return authResults{insider: true}, name // within one tenant there may be no results at all
	}
	for _, f := range m.Trusted {
		if !strings.EqualFold(f.Name, "Authentication-Results") {
			continue
		}
		r := readResults(f.Value, name != "microsoft365")
		switch name {
		case "google":
			if r.id == "mx.google.com" {
				return r, "mx.google.com"
			}
			return authResults{}, "" // only the topmost is Google's
		case "microsoft365":
			return r, name
		case "authserv":
			if r.id == strings.ToLower(wanted) {
				return r, r.id
			}
		default:
			return authResults{}, ""
		}
	}
	return authResults{}, ""
}

// insider says that Exchange had its own signed-in user send the mail; from
// outside mail it takes this field away.
func insider(m Mail) bool {
	for _, f := range m.Trusted {
		if f.Name == "X-Ms-Exchange-Organization-Authas" && strings.EqualFold(strings.TrimSpace(f.Value), "internal") {
			return true
		}
	}
	return false
}

// readResults reads an Authentication-Results field: "id; method=result
// prop=value ...; ...". Exchange Online's has no id.
func readResults(value string, hasID bool) authResults {
	var r authResults
	for i, part := range splitResults(value) {
		if i == 0 && hasID {
			r.id = firstWord(part.words)
			continue
		}
		fields := strings.Fields(part.words)
		if len(fields) == 0 {
			continue
		}
		method, result, _ := strings.Cut(strings.ToLower(fields[0]), "=")
		switch strings.TrimSpace(method) {
		case "dmarc":
			if r.dmarc == "" {
				r.dmarc, r.policy = result, dmarcPolicy(part.comments, fields[1:])
			}
		case "dkim":
			if result != "pass" {
				continue
			}
			for _, f := range fields[1:] {
				prop, v, _ := strings.Cut(strings.ToLower(f), "=")
				switch prop {
				case "header.d":
					r.dkim = append(r.dkim, strings.Trim(v, `"`))
				case "header.i":
					_, domain, _ := strings.Cut(strings.Trim(v, `"`), "@")
					r.dkim = append(r.dkim, domain)
				}
			}
		}
	}
	return r
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

type resultPart struct{ words, comments string }

// splitResults cuts a field at its semicolons, and takes the comments out:
// what stands in brackets is no result.
func splitResults(value string) []resultPart {
	var parts []resultPart
	var words, comments strings.Builder
	depth, quoted, escaped := 0, false, false
	end := func() {
		parts = append(parts, resultPart{strings.TrimSpace(words.String()), comments.String()})
		words.Reset()
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
		case c == '(' && !quoted:
			depth++
			comments.WriteByte(' ')
			continue
		case c == ')' && !quoted && depth > 0:
			depth--
			continue
		case c == ';' && !quoted && depth == 0:
			end()
			continue
		}
		if depth > 0 {
			comments.WriteByte(c)
		} else {
			words.WriteByte(c)
		}
	}
	end()
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
			n, err := strconv.Atoi(strings.TrimSpace(f.Value))
			return err == nil && n >= 5
		}
	}
	return false
}
