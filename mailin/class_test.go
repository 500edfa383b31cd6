package mailin

import (
	"strings"
	"testing"

	"postern/core"
	"postern/mailin/mime"
)

// readText parses a mail that is written with plain line ends.
func readText(raw string) core.Mail {
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	return Parse(strings.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
}

// Whole header blocks as the senders write them, told from their bytes.
func TestClassify_ofWhatSendersReallyWrite(t *testing.T) {
	const body = "\nHello\n"
	for _, c := range []struct {
		name, raw string
		want      core.Class
	}{
		{"R26/Exchange's out-of-office without Auto-Submitted is an auto-reply",
			"Return-Path: <>\nFrom: Anna <anna@northwind.example>\nSubject: Automatic reply: Printer\nX-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: anna@northwind.example\nX-MS-TNEF-Correlator:\n", core.AutoReply},
		{"R26/Exchange's inbox rule is an auto-reply where the Return-Path was rewritten",
			"Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nX-Auto-Response-Suppress: DR, OOF, AutoReply\nX-MS-Exchange-Inbox-Rules-Loop: anna@northwind.example\n", core.AutoReply},
		{"R26/Exchange's out-of-office with Auto-Submitted auto-generated is an auto-reply by its other marks",
			"Return-Path: <>\nFrom: anna@northwind.example\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n", core.AutoReply},
		{"R26/a meeting answer of Outlook with suppressed answers is a person's",
			"Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nX-Auto-Response-Suppress: DR, OOF, AutoReply\nContent-Class: urn:content-classes:calendarmessage\n", core.Human},
		{"R26/Gmail's vacation responder is an auto-reply",
			"Return-Path: <>\nFrom: Anna <anna@northwind.example>\nSubject: Out of office Re: Printer\nAuto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes\n", core.AutoReply},
		{"R26/Sieve's vacation is an auto-reply in spite of its comment",
			"Return-Path: <>\nFrom: anna@northwind.example\nAuto-Submitted: auto-replied (vacation)\nX-Sieve: Pigeonhole Sieve 0.5.21\nPrecedence: bulk\n", core.AutoReply},
		{"R26/Notes' out-of-office is an auto-reply",
			"Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nAuto-Submitted: auto-replied\nX-Mailer: Lotus Domino Web Server\nPrecedence: junk\n", core.AutoReply},
		{"R26/an old vacation program's Precedence is an auto-reply",
			"Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nPrecedence: auto_reply\n", core.AutoReply},
		{"R26/Zimbra's out-of-office is an auto-reply",
			"Return-Path: <>\nFrom: anna@northwind.example\nAuto-Submitted: auto-replied (zimbra; vacation)\nPrecedence: bulk\n", core.AutoReply},
		{"R26/cPanel's autoresponder is an auto-reply",
			"Return-Path: <>\nFrom: sales@northwind.example\nX-Autorespond: Printer\nPrecedence: auto_reply\nX-Precedence: auto_reply\n", core.AutoReply},
		{"R26/a ticket system with Precedence bulk that auto-replied is an auto-reply, not bulk",
			"Return-Path: <help@northwind.example>\nFrom: help@northwind.example\nPrecedence: bulk\nAuto-Submitted: auto-replied\nX-RT-Originator: support@desk.example\n", core.AutoReply},
		{"R26/auto-notified is an auto-reply",
			"Return-Path: <a@northwind.example>\nFrom: a@northwind.example\nAuto-Submitted: Auto-Notified; owner-email=\"a@northwind.example\"\n", core.AutoReply},
		{"R26/Jira's notification is perhaps a machine's",
			"Return-Path: <jira@northwind.example>\nFrom: \"Anna (Jira)\" <jira@northwind.example>\nAuto-Submitted: auto-generated\nX-JIRA-FingerPrint: 1\n", core.PerhapsMachine},
		{"R26/Jira's notification with Precedence bulk is bulk",
			"Return-Path: <jira@northwind.example>\nFrom: jira@northwind.example\nAuto-Submitted: auto-generated\nPrecedence: bulk\n", core.Bulk},
		{"R26/Zendesk's notification is perhaps a machine's",
			"Return-Path: <support@northwind.example>\nFrom: support@northwind.example\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nX-Mailer: Zendesk Mailer\n", core.PerhapsMachine},
		{"R26/a monitor with an empty Return-Path is perhaps a machine's",
			"Return-Path: <>\nFrom: nagios@northwind.example\n", core.PerhapsMachine},
		{"R26/noreply is perhaps a machine's", "Return-Path: <b@mx.example>\nFrom: NoReply@Shop.example\n", core.PerhapsMachine},
		{"R26/no-reply is perhaps a machine's", "Return-Path: <b@mx.example>\nFrom: Shop <no-reply@shop.example>\n", core.PerhapsMachine},
		{"R26/Google Groups' mail is bulk",
			"Return-Path: <team+bncBC@northwind.example>\nFrom: anna@northwind.example\nPrecedence: list\nMailing-list: list team@northwind.example; contact team+owners@northwind.example\nList-ID: <team.northwind.example>\nList-Post: <https://groups.example/>\n", core.Bulk},
		{"R26/Mailman's mail is bulk",
			"Return-Path: <list-bounces@northwind.example>\nFrom: anna@northwind.example\nList-Id: Talk <talk.northwind.example>\nX-Mailman-Version: 2.1\n", core.Bulk},
		{"R26/a newsletter with List-Unsubscribe alone is bulk",
			"Return-Path: <b@mx.example>\nFrom: news@shop.example\nList-Unsubscribe: <https://shop.example/u>\n", core.Bulk},
		{"R26/List-Post alone is bulk", "Return-Path: <b@mx.example>\nFrom: news@shop.example\nList-Post: NO\n", core.Bulk},
		{"R26/Precedence is read without case, comments and blanks",
			"Return-Path: <b@mx.example>\nFrom: news@shop.example\nPrecedence:  BULK (all of you)\n", core.Bulk},
		{"R26/Auto-Submitted no is human", "Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nAuto-Submitted: No\n", core.Human},
		{"R26/Auto-Submitted no does not undo a List-Id", "Return-Path: <b@mx.example>\nFrom: news@shop.example\nAuto-Submitted: no\nList-Id: <n.shop.example>\n", core.Bulk},
		{"R26/a delivery report is a bounce whoever signs it",
			"Return-Path: <x@mx.example>\nFrom: System <system@mx.example>\nContent-Type: multipart/report; boundary=b;\n\tReport-Type=\"Delivery-Status\"\n", core.BounceMail},
		{"R26/a report with another name is no bounce",
			"Return-Path: <x@mx.example>\nFrom: x@mx.example\nContent-Type: multipart/mixed; boundary=b; report-type=delivery-status\n", core.Human},
		{"R26/qmail's failure notice is a bounce", "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: failure notice\n", core.BounceMail},
		{"R26/Exchange's report of a postmaster is a bounce", "Return-Path: <>\nFrom: Microsoft Outlook <Postmaster@northwind.example>\n", core.BounceMail},
		{"R26/a daemon without a domain is a bounce", "Return-Path: <>\nFrom: MAILER-DAEMON (Mail Delivery System)\n", core.BounceMail},
		{"R26/a daemon in brackets without a domain is a bounce", "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON>\n", core.BounceMail},
		{"R26/a daemon with an envelope sender is no bounce", "Return-Path: <eve@evil.example>\nFrom: mailer-daemon@mx.example\n", core.Human},
		{"R26/a name that says mailer-daemon is no bounce", "Return-Path: <>\nFrom: \"mailer-daemon\" <eve@evil.example>\n", core.PerhapsMachine},
		{"R26/a read receipt is a receipt", "Return-Path: <>\nFrom: anna@northwind.example\nAuto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n", core.ReceiptMail},
		{"R26/a complaint is a receipt", "Return-Path: <fbl@mx.example>\nFrom: fbl@mx.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n", core.ReceiptMail},
		{"R26/a report of another kind is judged by the rest", "Return-Path: <tls@mx.example>\nFrom: noreply@mx.example\nContent-Type: multipart/report; report-type=tlsrpt; boundary=b\n", core.PerhapsMachine},
		{"R27/a subject proves nothing", "Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nSubject: Out of Office: Undeliverable: Delivery Status Notification (Failure)\n", core.Human},
		{"R27/suppressed answers do not make a mail automatic", "Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\nX-Auto-Response-Suppress: All\n", core.Human},
		{"R29/an empty Return-Path below another does not count", "Return-Path: <anna@northwind.example>\nReceived: by mx.example\nReturn-Path: <>\nFrom: mailer-daemon@mx.example\n", core.Human},
		{"R29/an empty Return-Path on top of another counts", "Return-Path: <>\nReturn-Path: <anna@northwind.example>\nFrom: mailer-daemon@mx.example\n", core.BounceMail},
		{"R29/no Return-Path is unknown, not empty", "From: mailer-daemon@mx.example\n", core.Human},
		{"R29/a Return-Path in blanks and comments is empty", "Return-Path: < > (none)\nFrom: postmaster@mx.example\n", core.BounceMail},
		{"R29/a Return-Path without a domain is not empty", "Return-Path: <root>\nFrom: postmaster@mx.example\n", core.Human},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := readText(c.raw + body)
			if got, step := core.Classify(m); got != c.want {
				t.Errorf("%s, want %s: %s (%+v)", got, c.want, step.Says, m.Marks)
			}
		})
	}
}
