package core

import "testing"

func text(s string) *string { return &s }

// marked is a mail of a person, with these marks.
func marked(k Marks) Mail {
	if k.ReturnPath == nil {
		k.ReturnPath = text("anna@northwind.example")
	}
	return Mail{From: []Address{{Address: "anna@northwind.example"}}, Marks: k}
}

func from(address string, k Marks) Mail {
	m := marked(k)
	m.From = []Address{{Address: address}}
	return m
}

func TestClassify_eachEvidenceOfR26(t *testing.T) {
	for _, c := range []struct {
		name             string
		mail             Mail
		ours, ownAddress bool
		want             Class
	}{
		{"a person's mail is human", marked(Marks{}), false, false, Human},
		{"a mail with our Message-ID is our own", marked(Marks{}), true, false, Own},
		{"our address in From without our mark is no mail of ours", marked(Marks{}), false, true, OwnAddress},
		{"a delivery status report is a bounce", marked(Marks{ReportType: "delivery-status"}), false, false, BounceMail},
		{"an empty Return-Path from mailer-daemon is a bounce", from("mailer-daemon@mx.example", Marks{ReturnPath: text("")}), false, false, BounceMail},
		{"an empty Return-Path from postmaster is a bounce", from("postmaster@mx.example", Marks{ReturnPath: text("")}), false, false, BounceMail},
		{"postmaster with an envelope sender is a person", from("postmaster@mx.example", Marks{}), false, false, Human},
		{"a read receipt is a receipt", marked(Marks{ReportType: "disposition-notification"}), false, false, ReceiptMail},
		{"a complaint report is a receipt", marked(Marks{ReportType: "feedback-report"}), false, false, ReceiptMail},
		{"auto-replied is an auto-reply", marked(Marks{AutoSubmitted: "auto-replied"}), false, false, AutoReply},
		{"auto-notified is an auto-reply", marked(Marks{AutoSubmitted: "auto-notified"}), false, false, AutoReply},
		{"X-Autoreply is an auto-reply", marked(Marks{AutoReply: true}), false, false, AutoReply},
		{"Precedence auto_reply is an auto-reply", marked(Marks{Precedence: "auto_reply"}), false, false, AutoReply},
		{"Exchange's out-of-office with an empty Return-Path is an auto-reply", marked(Marks{Suppress: "OOF, DR", ReturnPath: text("")}), false, false, AutoReply},
		{"Exchange's out-of-office with the inbox rule's mark is an auto-reply", marked(Marks{Suppress: "All", InboxRules: true}), false, false, AutoReply},
		{"X-Auto-Response-Suppress alone does not make a mail automatic", marked(Marks{Suppress: "All"}), false, false, Human},
		{"an inbox rule's mark alone does not make a mail automatic", marked(Marks{InboxRules: true}), false, false, Human},
		{"suppressing delivery reports says nothing of the mail", marked(Marks{Suppress: "DR, RN, NRN", InboxRules: true}), false, false, Human},
		{"a List field makes it bulk", marked(Marks{List: true}), false, false, Bulk},
		{"Precedence bulk makes it bulk", marked(Marks{Precedence: "bulk"}), false, false, Bulk},
		{"Precedence junk makes it bulk", marked(Marks{Precedence: "junk"}), false, false, Bulk},
		{"Precedence list makes it bulk", marked(Marks{Precedence: "list"}), false, false, Bulk},
		{"another Precedence says nothing", marked(Marks{Precedence: "first-class"}), false, false, Human},
		{"auto-generated is perhaps a machine", marked(Marks{AutoSubmitted: "auto-generated"}), false, false, PerhapsMachine},
		{"an unknown Auto-Submitted is perhaps a machine", marked(Marks{AutoSubmitted: "auto-whatever"}), false, false, PerhapsMachine},
		{"Auto-Submitted no is human", marked(Marks{AutoSubmitted: "no"}), false, false, Human},
		{"an empty Return-Path alone is perhaps a machine", marked(Marks{ReturnPath: text("")}), false, false, PerhapsMachine},
		{"noreply is perhaps a machine", from("noreply@shop.example", Marks{}), false, false, PerhapsMachine},
		{"no-reply is perhaps a machine", from("no-reply@shop.example", Marks{}), false, false, PerhapsMachine},
		{"noreply with something behind a plus is perhaps a machine", from("noreply+a1b2@shop.example", Marks{}), false, false, PerhapsMachine},
		{"do_not_reply is perhaps a machine", from("do_not_reply@shop.example", Marks{}), false, false, PerhapsMachine},
		{"a name that begins with noreply is a person's", from("noreply.smith@shop.example", Marks{}), false, false, Human},
		{"a receipt address that only contains postmaster is a person's", from("postmasters@mx.example", Marks{ReturnPath: text("")}), false, false, PerhapsMachine},
	} {
		t.Run("R26/"+c.name, func(t *testing.T) {
			got, step := classify(c.mail, c.ours, c.ownAddress)
			if got != c.want {
				t.Errorf("%s, want %s (%s)", got, c.want, step.Says)
			}
			if step.Rule != "R26" || step.Says == "" {
				t.Errorf("the trace says %+v", step)
			}
		})
	}
}

// Each mail bears the evidence of its row and of every row below: what stands
// higher must decide.
func TestClassify_theFirstRowThatMatchesDecides(t *testing.T) {
	everything := Marks{ReportType: "delivery-status", AutoSubmitted: "auto-replied", List: true, ReturnPath: text(""),
		Suppress: "All", Precedence: "bulk"}
	rows := []struct {
		ours, ownAddress bool
		mail             func() Mail
		want             Class
	}{
		{true, true, func() Mail { return from("mailer-daemon@mx.example", everything) }, Own},
		{false, true, func() Mail { return from("mailer-daemon@mx.example", everything) }, OwnAddress},
		{false, false, func() Mail { return from("mailer-daemon@mx.example", everything) }, BounceMail},
		{false, false, func() Mail {
			k := everything
			k.ReportType = "disposition-notification"
			return from("noreply@mx.example", k)
		}, ReceiptMail},
		{false, false, func() Mail {
			k := everything
			k.ReportType = ""
			return from("noreply@mx.example", k)
		}, AutoReply},
		{false, false, func() Mail {
			k := everything
			k.ReportType, k.AutoSubmitted, k.Suppress = "", "auto-generated", ""
			return from("noreply@mx.example", k)
		}, Bulk},
		{false, false, func() Mail {
			return from("noreply@mx.example", Marks{AutoSubmitted: "auto-generated", ReturnPath: text("")})
		}, PerhapsMachine},
	}
	for _, r := range rows {
		t.Run("R26/of several signs the higher row decides: "+string(r.want), func(t *testing.T) {
			if got, step := classify(r.mail(), r.ours, r.ownAddress); got != r.want {
				t.Errorf("%s (%s)", got, step.Says)
			}
		})
	}
}

func TestClassify_caseAndParametersDoNotMatter(t *testing.T) {
	for field, want := range map[string]Class{
		"Auto-Replied":                        AutoReply,
		"auto-replied; owner-email=a@b":       AutoReply,
		"auto-replied (vacation)":             AutoReply,
		" AUTO-GENERATED ":                    PerhapsMachine,
		"no (I typed this, not auto-replied)": Human,
		"NO; auto-replied":                    Human,
	} {
		t.Run("R26/case and parameters do not matter: "+field, func(t *testing.T) {
			if got, _ := classify(marked(Marks{AutoSubmitted: field}), false, false); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestClassify_theSubjectProvesNothing(t *testing.T) {
	m := marked(Marks{})
	m.Subject = "Automatic reply: Out of office, Undeliverable: Delivery Status Notification (Failure)"
	if got, _ := classify(m, false, false); got != Human {
		t.Errorf("R27: a subject made it %s", got)
	}
}

func TestClassify_anAbsentReturnPathIsUnknownNotEmpty(t *testing.T) {
	m := Mail{From: []Address{{Address: "mailer-daemon@mx.example"}}, Marks: Marks{ReturnPath: nil}}
	if got, _ := classify(m, false, false); got != Human {
		t.Errorf("R29: without Return-Path: %s, want human", got)
	}
	m.Marks.ReturnPath = text("")
	if got, _ := classify(m, false, false); got != BounceMail {
		t.Errorf("R29: with an empty one: %s, want bounce", got)
	}
}
