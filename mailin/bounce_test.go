package mailin

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"postern/core"
)

const (
	daemon42 = "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.northwind.example>\nTo: support@desk.example\nSubject: Undelivered Mail\n"
	letter42 = "Return-Path: <support@desk.example>\nReceived: from out.desk.example by mx.northwind.example; Tue, 3 Nov 2026 09:00:00 +0000\nFrom: Support <support@desk.example>\nTo: anna@northwind.example\nSubject: [CASE-10001] Printer\nMessage-ID: <n42@desk.example>\nDate: Tue, 3 Nov 2026 09:00:00 +0000\n"
	plain42  = "Content-Type: text/plain; charset=utf-8\n\n"
)

// reported is a delivery report of parts.
func reported(human, machine, returnedType, returned string) string {
	s := daemon42 + "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n" + plain42 + human
	if machine != "" {
		s += "\n--b\nContent-Type: message/delivery-status\n\n" + machine
	}
	if returnedType != "" {
		s += "\n--b\nContent-Type: " + returnedType + "\n\n" + returned
	}
	return s + "\n--b--\n"
}

// dsn prints a report: recipient, action, status and diagnostic of each.
func dsn(m core.Mail) string {
	if m.Report == nil {
		return "none"
	}
	var all []string
	for _, r := range m.Report.Recipients {
		s := fmt.Sprintf("%s %s %s", r.Address, r.Action, r.Status)
		if r.Original != "" {
			s += " was " + r.Original
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ") + " <" + m.Report.ReturnedID + ">"
}

// Bounces in the shape in which servers write them.
func TestParse_bouncesOfCommonServers(t *testing.T) {
	const anna, bob = "anna@northwind.example", "bob@northwind.example"
	const ms365 = "<html><head></head><body><p><b>Your message to anna@northwind.example couldn't be delivered.</b></p>" +
		"<p>anna wasn't found at northwind.example.</p><table><tr><td>support</td><td>Office 365</td><td>anna</td></tr></table>" +
		"<p>Original Message Details</p><p>Diagnostic information for administrators:</p><p>Generating server: AM0PR01MB1234.eurprd01.prod.example</p>" +
		"<p>anna@northwind.example<br>Remote Server returned '550 5.1.1 &lt;anna@northwind.example&gt;: Recipient address rejected: User unknown'</p>" +
		"<p>Original message headers:</p><pre>Received: from AM0PR01MB1234 by AM0PR01MB5678\nFrom: Support &lt;support@desk.example&gt;\nMessage-ID: &lt;n42@desk.example&gt;\n</pre></body></html>"
	for _, c := range []struct{ name, raw, want, why string }{
		// with a machine part
		{"Postfix", reported("This is the mail system at host mx.northwind.example.\n\n<anna@northwind.example>: host mx said: 550 5.1.1 User unknown\n",
			"Reporting-MTA: dns; mx.northwind.example\nX-Postfix-Queue-ID: A1\nArrival-Date: Tue, 3 Nov 2026 09:00:00 +0000\n\nFinal-Recipient: rfc822; anna@northwind.example\nOriginal-Recipient: rfc822;anna@northwind.example\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx\nDiagnostic-Code: smtp; 550 5.1.1 <anna@northwind.example>: Recipient address rejected:\n    User unknown in virtual mailbox table\n",
			"message/rfc822", letter42+"\nHello\n"), anna + " failed 5.1.1 <n42@desk.example>", "Recipient address rejected: User unknown in virtual mailbox table"},
		{"Sendmail with the header alone", reported("The original message was received at Tue, 3 Nov 2026\n\n   ----- The following addresses had permanent fatal errors -----\n<anna@northwind.example>\n    (reason: 550 5.1.1 <anna@northwind.example>... User unknown)\n",
			"Reporting-MTA: dns; mx.northwind.example\nReceived-From-MTA: DNS; out.desk.example\n\nFinal-Recipient: RFC822; anna@northwind.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: SMTP; 550 5.1.1 <anna@northwind.example>... User unknown\nLast-Attempt-Date: Tue, 3 Nov 2026 09:00:01 GMT\n",
			"text/rfc822-headers", letter42), anna + " failed 5.1.1 <n42@desk.example>", "User unknown"},
		{"Exim with its report", reported("This message was created automatically by mail delivery software.\n",
			"Reporting-MTA: dns; mx.northwind.example\n\nAction: failed\nFinal-Recipient: rfc822;anna@northwind.example\nStatus: 5.0.0\nRemote-MTA: dns; mx\nDiagnostic-Code: smtp; 550 5.1.1 No such user\n",
			"message/rfc822", letter42+"\nHello\n"), anna + " failed 5.0.0 <n42@desk.example>", "550 5.1.1 No such user"},
		{"Exchange 2010 to 2019", reported("Delivery has failed to these recipients or groups:\n\nanna@northwind.example<mailto:anna@northwind.example>\nThe email address you entered couldn't be found.\n",
			"Reporting-MTA: dns;ex.northwind.example\nReceived-From-MTA: dns;out.desk.example\nArrival-Date: Tue, 3 Nov 2026 09:00:00 +0000\n\nFinal-Recipient: rfc822;anna@northwind.example\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\nX-Display-Name: anna\n",
			"message/rfc822", letter42+"\nHello\n"), anna + " failed 5.1.10 <n42@desk.example>", "RESOLVER.ADR.RecipientNotFound"},
		{"Microsoft 365", daemon42 + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/html; charset=us-ascii\n\n" + ms365 +
			"\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.example\n\nFinal-Recipient: rfc822;anna@northwind.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp;550 5.1.1 User unknown\nRemote-MTA: dns;mx\n\n--b\nContent-Type: message/rfc822\n\n" + letter42 + "\nHello\n\n--b--\n",
			anna + " failed 5.1.1 <n42@desk.example>", "User unknown"},
		{"Microsoft 365 with its page alone", daemon42 + "Content-Type: text/html; charset=us-ascii\n\n" + ms365, anna + " failed 5.1.1 <n42@desk.example>", "Remote Server returned '550 5.1.1"},
		{"Gmail", reported("** Address not found **\n\nYour message wasn't delivered to anna@northwind.example because the address couldn't be found, or is unable to receive mail.\n",
			"Reporting-MTA: dns; googlemail.com\nReceived-From-MTA: dns; support@desk.example\nArrival-Date: Tue, 03 Nov 2026 01:00:00 -0800 (PST)\nX-Original-Message-ID: <n42@desk.example>\n\nFinal-Recipient: rfc822; anna@northwind.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\n",
			"message/rfc822", letter42+"\nHello\n"), anna + " failed 5.1.1 <n42@desk.example>", "does not exist"},
		{"Amazon SES", reported("An error occurred while trying to deliver the mail to the following recipients:\nanna@northwind.example\n",
			"Reporting-MTA: dns; a8-19.smtp-out.example\n\nAction: failed\nFinal-Recipient: rfc822; anna@northwind.example\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\nStatus: 5.1.1\n", "message/rfc822", letter42+"\nHello\n"), anna + " failed 5.1.1 <n42@desk.example>", "user unknown"},
		{"Mimecast, with another recipient in the end", reported("The following message to <anna@northwind.example> was undeliverable.\n",
			"Reporting-MTA: dns; mx.northwind.example\n\nOriginal-Recipient: rfc822;anna@northwind.example\nFinal-Recipient: rfc822;a.berg@int.northwind.example\nAction: failed\nStatus: 5.4.1\nDiagnostic-Code: smtp;550 Rejected by header based manually Blocked Senders\n", "message/rfc822", letter42+"\nHello\n"), "a.berg@int.northwind.example failed 5.4.1 was " + anna + " <n42@desk.example>", "Blocked Senders"},
		{"Proofpoint", reported("Your message could not be delivered.\n", "Reporting-MTA: dns; mx.northwind.example\n\nFinal-Recipient: RFC822; <anna@northwind.example>\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: SMTP; 554 Blocked\n", "text/rfc822-headers", letter42), anna + " failed 5.7.1 <n42@desk.example>", "Blocked"},
		{"Barracuda", reported("**Message you sent blocked by our bulk email filter**\n", "Reporting-MTA: dns; barracuda.northwind.example\nReceived-From-MTA: smtp; out ([192.0.2.1])\n\nFinal-Recipient: rfc822; anna@northwind.example\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 Message content rejected, UBE, id=1\n", "text/rfc822-headers", letter42), anna + " failed 5.7.1 <n42@desk.example>", "UBE"},
		{"Courier", reported("                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<anna@northwind.example>:\n    mx [192.0.2.1]:\n>>> RCPT TO:<anna@northwind.example>\n<<< 550 5.1.1 User unknown\n",
			"Reporting-MTA: dns; mx.northwind.example\nArrival-Date: Tue, 03 Nov 2026 09:00:00 +0000\n\nFinal-Recipient: rfc822; anna@northwind.example\nAction: failed\nStatus: 5.0.0\nRemote-MTA: dns; mx [192.0.2.1]\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n", "text/rfc822-headers; charset=us-ascii", letter42), anna + " failed 5.0.0 <n42@desk.example>", "550 5.1.1"},
		{"Zimbra", reported("This is the mail system at host zimbra.northwind.example.\n", "Reporting-MTA: dns; zimbra.northwind.example\n\nFinal-Recipient: rfc822; anna@northwind.example\nOriginal-Recipient: rfc822;anna@northwind.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: X-Postfix; unknown user: \"anna@northwind.example\"\n", "message/rfc822", letter42+"\nx\n"), anna + " failed 5.1.1 <n42@desk.example>", "unknown user"},
		{"Domino", daemon42 + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n" + plain42 + "Your message\n\n  Subject: Printer\n\nwas not delivered to:\n\n  anna@northwind.example\n\nbecause:\n\n  User anna (anna@northwind.example) not listed in Domino Directory\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;notes.northwind.example\n\nFinal-Recipient: rfc822;anna@northwind.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: X-Notes; User anna (anna@northwind.example) not listed in Domino Directory\n\n--b\nContent-Type: message/rfc822\n\n" + letter42 + "\nx\n\n--b--\n", anna + " failed 5.1.1 <n42@desk.example>", "Domino Directory"},
		{"several recipients", reported("x\n", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; anna@northwind.example\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; bob@northwind.example\nAction: delayed\nStatus: 4.2.2\nWill-Retry-Until: Fri, 6 Nov 2026 09:00:00 +0000\n\nFinal-Recipient: rfc822; carl@northwind.example\nAction: relayed\nStatus: 2.1.9\n\nFinal-Recipient: rfc822; team@northwind.example\nAction: expanded\nStatus: 2.1.5\n\nFinal-Recipient: rfc822; dora@northwind.example\nAction: delivered (to mailbox)\nStatus: 2.0.0\n", "", ""),
			anna + " failed 5.1.1; " + bob + " delayed 4.2.2; carl@northwind.example relayed 2.1.9; team@northwind.example expanded 2.1.5; dora@northwind.example delivered 2.0.0 <>", ""},
		{"several recipients without empty lines between them", reported("x\n", "Reporting-MTA: dns; mx\n \t\nFinal-Recipient: rfc822; anna@northwind.example\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; bob@northwind.example\nAction: failed\nStatus: 5.2.1\n", "", ""), anna + " failed 5.1.1; " + bob + " failed 5.2.1 <>", ""},
		{"a report that leaves action and status out", reported("x\n", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; anna@northwind.example\nDiagnostic-Code: smtp; 550 5.2.1 mailbox disabled\n", "message/rfc822", letter42+"\nx\n"), anna + " failed 5.2.1 <n42@desk.example>", "disabled"},
		{"a report with the status in words", reported("x\n", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; anna@northwind.example\nAction: Failed\nStatus: 5.1.1 (bad destination mailbox)\n", "", ""), anna + " failed 5.1.1 <>", ""},
		{"a report without its machine part", reported("<anna@northwind.example>: 550 5.1.1 User unknown\n", "", "text/rfc822-headers", letter42), anna + " failed 5.1.1 <n42@desk.example>", "User unknown"},
		{"an SMTPUTF8 report", daemon42 + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/global-delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: utf-8; \u00e5sa@northwind.example\nAction: failed\nStatus: 5.1.1\n\n--b--\n", "\u00e5sa@northwind.example failed 5.1.1 <>", ""},

		// without one
		{"qmail", daemon42 + plain42 + "Hi. This is the qmail-send program at mx.northwind.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<anna@northwind.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\n" + letter42 + "\nHello bob@northwind.example\n", anna + " failed 5.1.1 <n42@desk.example>", "Remote host said: 550 5.1.1 User unknown"},
		{"qmail's own mailboxes", daemon42 + plain42 + "Hi. This is the qmail-send program at mx.northwind.example.\n\n<anna@northwind.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n<bob@northwind.example>:\nThe users mailfolder is over the allowed quota (size). (#5.2.2)\n\n--- Below this line is a copy of the message.\n\n" + letter42 + "\nHello\n", anna + " failed 5.1.1; " + bob + " failed 5.2.2 <n42@desk.example>", "no mailbox here"},
		{"Exim without its report", "Return-Path: <>\nX-Failed-Recipients: anna@northwind.example\nAuto-Submitted: auto-replied\nFrom: Mail Delivery System <Mailer-Daemon@mx.northwind.example>\nTo: support@desk.example\n" + plain42 +
			"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  anna@northwind.example\n    host mx [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<anna@northwind.example>:\n    550 5.1.1 <anna@northwind.example>... User Unknown\n\n------ This is a copy of the message, including all the headers. ------\n\n" + letter42 + "\nHello\n", anna + " failed 5.1.1 <n42@desk.example>", "550 5.1.1"},
		{"Exim with two failures and no code", "Return-Path: <>\nX-Failed-Recipients: anna@northwind.example,\n  bob@northwind.example\nFrom: Mail Delivery System <Mailer-Daemon@mx.northwind.example>\nTo: support@desk.example\n" + plain42 +
			"A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  anna@northwind.example\n    Unrouteable address\n\n  bob@northwind.example\n    mailbox is full: retry timeout exceeded\n\n------ This is a copy of the message's headers. ------\n\n" + letter42, anna + " failed 5.1.2; " + bob + " failed 5.2.2 <n42@desk.example>", "Unrouteable address"},
		{"Exim's warning", daemon42 + plain42 + "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.northwind.example.\n\nThe message identifier is:     1P1YNN-0003AD-Ga\nThe address to which the message has not yet been delivered is:\n\n  anna@northwind.example\n    Delay reason: Connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n", anna + " delayed 4.0.0 <>", "Delay reason: Connection timed out"},
		{"Exchange 2003", daemon42 + "X-MimeOLE: Produced By Microsoft Exchange V6.5\n" + plain42 + "Your message\n\n  To:      anna@northwind.example\n  Subject: Printer\n  Sent:    Tue, 3 Nov 2026 09:00:00 +0000\n\ndid not reach the following recipient(s):\n\nanna@northwind.example on Tue, 3 Nov 2026 09:00:01 +0000\n    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a= ;p=northwind;l=EX0911030900ABCD\n    MSEXCH:IMS:NORTHWIND:HQ:EX 0 (000C05A6) Unknown Recipient\n", anna + " failed 5.1.1 <>", "recipient name is not recognized"},
		{"Exchange 2007", daemon42 + "Content-Language: en-US\n" + plain42 + "Delivery has failed to these recipients or distribution lists:\n\nanna@northwind.example\nThe recipient's e-mail address was not found in the recipient's e-mail system.\n\nDiagnostic information for administrators:\n\nGenerating server: ex.northwind.example\n\nanna@northwind.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\nReceived: from out.desk.example (192.0.2.2) by ex.northwind.example\nFrom: Support <support@desk.example>\nMessage-ID: <n42@desk.example>\n", anna + " failed 5.1.1 <n42@desk.example>", ""},
		{"Gmail's old text", "Return-Path: <>\nX-Failed-Recipients: anna@northwind.example\nFrom: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: support@desk.example\nSubject: Delivery Status Notification (Failure)\n" + plain42 + "Delivery to the following recipient failed permanently:\n\n     anna@northwind.example\n\nTechnical details of permanent failure: \nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain northwind.example by mx.northwind.example. [192.0.2.1].\n\nThe error that the other server returned was:\n550 5.1.1 <anna@northwind.example>... User Unknown\n\n----- Original message -----\n\n" + letter42 + "\nHello\n", anna + " failed 5.1.1 <n42@desk.example>", "550 5.1.1"},
		{"Gmail's new text", "Return-Path: <>\nX-Failed-Recipients: anna@northwind.example\nFrom: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: support@desk.example\n" + plain42 + "\n** Address not found **\n\nYour message wasn't delivered to anna@northwind.example because the address couldn't be found, or is unable to receive mail.\n\nThe response was:\n550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces.\n\n----- Original message -----\n\n" + letter42 + "\n", anna + " failed 5.1.1 <n42@desk.example>", ""},
		{"Gmail's warning", daemon42 + plain42 + "THIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipient has been delayed:\n\n     anna@northwind.example\n\nMessage will be retried for 2 more day(s)\n\nTechnical details of temporary failure:\nThe error that the other server returned was:\n450 4.2.2 <anna@northwind.example>... Mailbox Full (state 14).\n", anna + " delayed 4.2.2 <>", "Mailbox Full"},
		{"Yahoo", daemon42 + plain42 + "Sorry, we were unable to deliver your message to the following address.\n\n<anna@northwind.example>:\nRemote host said:\n554 delivery error: dd This user doesn't have a northwind.example account (anna@northwind.example) [0] - mta1\n[BODY]\n\n--- Below this line is a copy of the message.\n\n" + letter42 + "\nHello\n", anna + " failed 5.0.0 <n42@desk.example>", "This user doesn't have"},
		{"Postfix's text alone", daemon42 + plain42 + "This is the Postfix program at host mx.northwind.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\n                        The Postfix program\n\n<anna@northwind.example>: host mx[192.0.2.1] said: 550 5.1.1\n    <anna@northwind.example>: Recipient address rejected: User unknown (in reply to RCPT TO command)\n", anna + " failed 5.1.1 <>", "550 5.1.1"},
		{"Sendmail's text alone", daemon42 + plain42 + "The original message was received at Tue, 3 Nov 2026 09:00:00 GMT\nfrom out.desk.example [192.0.2.2]\n\n   ----- The following addresses had permanent fatal errors -----\n<anna@northwind.example>\n\n   ----- Transcript of session follows -----\n... while talking to mx.northwind.example.:\n>>> RCPT To:<anna@northwind.example>\n<<< 550 5.1.1 User unknown\n550 <anna@northwind.example>... User unknown\n\n   ----- Message header follows -----\n" + letter42, anna + " failed 5.1.1 <n42@desk.example>", "<<< 550 5.1.1 User unknown"},
		{"Zoho", daemon42 + "X-ZohoMail: Si CHF_MF_NL\n" + plain42 + "This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error. \n\nanna@northwind.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <anna@northwind.example>... User Unknown\n\nReceived: from mail.desk.example by mx.example with SMTPS id 1\nMessage-Id: <n42@desk.example>\n", anna + " failed 5.1.1 <n42@desk.example>", "Invalid Address"},
		{"Zoho's giving up", daemon42 + plain42 + "This message was created automatically by mail delivery software.\n This is a permanent error.\n\n[Status: Error, Address: <anna@northwind.example>, ResponseCode 421, , Host not reachable.]\n", anna + " failed 4.0.0 <>", "Host not reachable"},
		{"GMX", daemon42 + "X-GMX-Antispam: 0 (Mail was not recognized as spam)\n" + plain42 + "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\n\"anna@northwind.example\":\nSMTP error from remote server after RCPT command:\nhost: mx.northwind.example\n5.1.1 <anna@northwind.example>... User Unknown\n\n--- The header of the original message is following. ---\n\n" + letter42, anna + " failed 5.1.1 <n42@desk.example>", "SMTP error from remote server"},
		{"IONOS", daemon42 + plain42 + "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\nanna@northwind.example\n\nFor the following reason:\n\nMail size limit exceeded. For explanation visit\nhttp://postmaster.example/en/error-messages?ip=%1s\n\n--- The header of the original message is following. ---\n\n" + letter42, anna + " failed 5.3.4 <n42@desk.example>", "Mail size limit exceeded"},
		{"T-Online", daemon42 + plain42 + "|------------------------- Message log follows: -------------------------|\n no valid recipients were found for this message\n|------------------------- Failed addresses follow: ---------------------|\n <anna@northwind.example>\n   552 5.2.2 <anna@northwind.example> Quota exceeded (mailbox for user is full)\n\n|------------------------- Message header follows: ----------------------|\n" + letter42, anna + " failed 5.2.2 <n42@desk.example>", "Quota exceeded"},
		{"Domino's text alone", daemon42 + plain42 + "Your message\n\n  Subject: Printer\n\nwas not delivered to:\n\n  anna@northwind.example\n\nbecause:\n\n  User anna (anna@northwind.example) not listed in Domino Directory\n", anna + " failed 5.1.1 <>", "not listed in Domino Directory"},
		{"MDaemon", daemon42 + plain42 + "The attached message had PERMANENT fatal errors!\n\nCould not be delivered.\n\nFailed address: anna@northwind.example\n\n--- Session Transcript ---\n Tue 2026-11-03 09:00:00: --> RCPT To:<anna@northwind.example>\n Tue 2026-11-03 09:00:01: <-- 550 5.1.1 Unknown user\n--- End Transcript ---\n", anna + " failed 5.1.1 <>", "550 5.1.1"},
		{"Mimecast's text alone", daemon42 + plain42 + "Failed to deliver message to the following recipients:\n\nanna@northwind.example\nReason: 550 5.1.1 User unknown\n", anna + " failed 5.1.1 <>", "User unknown"},
		{"the returned mail attached and no report", daemon42 + "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + plain42 + "<anna@northwind.example>: 550 5.2.1 disabled\n\n--b\nContent-Type: message/rfc822\n\n" + letter42 + "\nHello\n\n--b--\n", anna + " failed 5.2.1 <n42@desk.example>", "disabled"},
		{"the returned mail quoted", daemon42 + plain42 + "<anna@northwind.example>: 550 5.1.1 unknown\n\n----- Original message -----\n> From: Support <support@desk.example>\n> Message-ID:\n>  <n42@desk.example>\n>\n> Hello\n", anna + " failed 5.1.1 <n42@desk.example>", "unknown"},
		{"a machine part pasted into the text", daemon42 + plain42 + "Sorry.\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; anna@northwind.example\nAction: failed\nStatus: 5.1.1\n", anna + " failed 5.1.1 <>", ""},
		{"nothing but regret", daemon42 + plain42 + "Sorry, that did not work. Ask postmaster@northwind.example for help.\n", "none", ""},
		{"a person who writes of a bounce", "Return-Path: <anna@northwind.example>\nFrom: anna@northwind.example\n" + plain42 + "<bob@northwind.example>: 550 5.1.1 User unknown\n", "none", ""},
		{"the address of who sent it", daemon42 + plain42 + "A message sent by\n\n  <support@desk.example>\n\ncould not be delivered to:\n\n  anna@northwind.example\n    550 5.1.1 unknown\n", anna + " failed 5.1.1 <>", "unknown"},
	} {
		t.Run("R54/"+c.name, func(t *testing.T) {
			m := readText(c.raw)
			if got := dsn(m); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.why != "" && (m.Report == nil || len(m.Report.Recipients) == 0 || !strings.Contains(m.Report.Recipients[0].Diagnostic, c.why)) {
				t.Errorf("no %q in %+v", c.why, m.Report)
			}
			if x := NewExplanation("x", m); m.Report != nil && (x.DSN == nil || len(x.DSN.Status) != len(m.Report.Recipients) || len(x.DSN.Original) != len(x.DSN.Recipient)) {
				t.Errorf("explained as %+v", x.DSN)
			}
		})
	}
}

// Whatever a bounce holds, it is read in one go.
func TestParse_hostileBouncesAreReadQuickly(t *testing.T) {
	line := "<anna@northwind.example>: 550 5.1.1 your message to x " + strings.Repeat("your message to ", 4) + "\n"
	for name, raw := range map[string]string{
		"a million recipients":     daemon42 + plain42 + strings.Repeat("<a@b.example>: 550\n", 200_000),
		"other recipients each":    daemon42 + plain42 + others(100_000),
		"one line":                 daemon42 + plain42 + strings.Repeat("your message to ", 100_000),
		"marks of returned mail":   daemon42 + plain42 + strings.Repeat("Received: from x\nMessage-ID: \n", 100_000),
		"a failing field for each": "Return-Path: <>\nX-Failed-Recipients: " + strings.Repeat("a@b.example,\n ", 3000) + "\nFrom: mailer-daemon@x.example\n" + plain42 + strings.Repeat(line, 20_000),
		"blocks of a status":       reported("x", strings.Repeat("Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n\n", 20_000), "", ""),
		"one block of many":        reported("x", strings.Repeat("Final-Recipient: rfc822; a@b.example\n", 20_000), "", ""),
		"a status that never ends": reported("x", "Final-Recipient: rfc822; a@b.example\nDiagnostic-Code: smtp; "+strings.Repeat("5.1.", 50_000), "", ""),
		"dots and digits":          daemon42 + plain42 + "<a@b.example>: " + strings.Repeat("5.55.", 200_000),
	} {
		t.Run("R54/"+name, func(t *testing.T) {
			start := time.Now()
			m := readText(raw)
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%v", took)
			}
			if m.Report != nil && len(m.Report.Recipients) > 100 {
				t.Errorf("%d recipients", len(m.Report.Recipients))
			}
		})
	}
}

func others(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<a%d@b.example>:\n550 5.1.1 no\n", i)
	}
	return b.String()
}

// FuzzBounce reads texts of mail systems: bounded, and never a broken string.
func FuzzBounce(f *testing.F) {
	f.Add("<anna@northwind.example>: 550 5.1.1 User unknown\n\n----- Original message -----\nMessage-ID: <n42@desk.example>\n")
	f.Add("Your message wasn't delivered to anna@northwind.example because")
	f.Add("Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n")
	f.Add("[Status: Error, Address: <a@b.example>, ResponseCode 421]")
	f.Add("\"a@b.example\":\n(mailto:a@b.example) <mailto:")
	f.Fuzz(func(t *testing.T, text string) {
		m := readText(daemon42 + plain42 + text)
		if m.Report == nil {
			return
		}
		if len(m.Report.Recipients) > 100 {
			t.Errorf("%d recipients", len(m.Report.Recipients))
		}
		for _, r := range m.Report.Recipients {
			if s := r.Address + r.Original + r.Action + r.Status + r.Diagnostic; !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n") || len(s) > 8<<10 {
				t.Errorf("%q", s)
			}
		}
	})
}
