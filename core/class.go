package core

import (
	"fmt"
	"strings"
)

// Class is what kind of mail it is (R26).
type Class string

const (
	Own            Class = "own"
	OwnAddress     Class = "own-address"
	BounceMail     Class = "bounce"
	ReceiptMail    Class = "receipt"
	AutoReply      Class = "auto-reply"
	Bulk           Class = "bulk"
	PerhapsMachine Class = "perhaps-machine"
	Human          Class = "human"
)

// Classify says what kind of mail m is by its bytes alone. Whether it is our
// own only the database and the settings know.
func Classify(m Mail) (Class, Step) { return classify(m, false, false) }

// classify says what kind of mail m is; the first match wins (R26). sentByUs:
// its Message-ID is one of ours, or its X-Postern-Loop holds a token that we
// gave out. ownAddress: From is an address of ours.
func classify(m Mail, sentByUs, ownAddress bool) (Class, Step) {
	class, why := classOf(m, sentByUs, ownAddress)
	return class, Step{"R26", fmt.Sprintf("class %s: %s", class, why)}
}

func classOf(m Mail, sentByUs, ownAddress bool) (Class, string) {
	k := m.Marks
	nullSender := k.ReturnPath != nil && *k.ReturnPath == ""
	auto := firstWord(k.AutoSubmitted)
	precedence := firstWord(k.Precedence)
	suppress := strings.ToLower(k.Suppress)
	switch {
	case sentByUs:
		return Own, "its Message-ID or loop token is ours"
	case ownAddress:
		return OwnAddress, "From is an address of ours, without a sign that we wrote it"
	case k.ReportType == "delivery-status":
		return BounceMail, "report-type delivery-status"
	case nullSender && (k.Daemon || postmaster(m.From)):
		return BounceMail, "empty Return-Path, From mailer-daemon or postmaster"
	case k.ReportType == "disposition-notification" || k.ReportType == "feedback-report":
		return ReceiptMail, "report-type " + k.ReportType
	case auto == "auto-replied" || auto == "auto-notified":
		return AutoReply, "Auto-Submitted: " + auto
	case k.AutoReply:
		return AutoReply, "X-Autoreply or X-Autorespond"
	case precedence == "auto_reply":
		return AutoReply, "Precedence: auto_reply"
	case suppresses(suppress, "all", "oof", "autoreply") && (nullSender || k.InboxRules):
		return AutoReply, "X-Auto-Response-Suppress with an empty Return-Path or an inbox rule's mark"
	case k.List:
		return Bulk, "a List field"
	case precedence == "bulk" || precedence == "junk" || precedence == "list":
		return Bulk, "Precedence: " + precedence
	case auto != "" && auto != "no":
		return PerhapsMachine, "Auto-Submitted: " + clean(auto, 40)
	case nullSender:
		return PerhapsMachine, "empty Return-Path"
	case noReply(m.From):
		return PerhapsMachine, "From is a noreply address"
	}
	return Human, "no sign of a machine"
}

// firstWord is a field's value without case, parameters and comments.
func firstWord(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if i := strings.IndexAny(s, ";( \t,"); i >= 0 {
		s = s[:i]
	}
	return s
}

// suppresses says whether X-Auto-Response-Suppress names one of these.
func suppresses(field string, which ...string) bool {
	for part := range strings.SplitSeq(field, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		for _, w := range which {
			if part == w {
				return true
			}
		}
	}
	return false
}

func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}

func postmaster(from []Address) bool {
	for _, a := range from {
		switch localPart(a.Address) {
		case "mailer-daemon", "postmaster":
			return true
		}
	}
	return false
}

// noReply tells the local parts no-reply, do-not-reply and their like, with
// whatever strokes and whatever stands behind a plus.
func noReply(from []Address) bool {
	for _, a := range from {
		local, _, _ := strings.Cut(localPart(a.Address), "+")
		switch strings.NewReplacer("-", "", "_", "", ".", "").Replace(local) {
		case "noreply", "donotreply":
			return true
		}
	}
	return false
}
