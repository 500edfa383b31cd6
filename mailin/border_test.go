package mailin

import (
	"strings"
	"testing"

	"postern/core"
)

// Header blocks in the shape that each provider documents. None of them was
// seen on a live account of ours yet.
const (
	gmail = "Delivered-To: support@desk.example\n" +
		"Received: by 2002:a05:7300:1234:b0:12a:34b5:c678 with SMTP id xy1csp123456dyb;\n        Tue, 3 Nov 2026 01:00:02 -0800 (PST)\n" +
		"X-Received: by 2002:a05:6000:178b:b0:33b:1a2b with SMTP id e11-20020a05;\n        Tue, 03 Nov 2026 01:00:02 -0800 (PST)\n" +
		"ARC-Seal: i=1; a=rsa-sha256; t=1762160402; cv=none;\n        d=google.com; s=arc-20160816;\n        b=AbCd\n" +
		"ARC-Authentication-Results: i=1; mx.google.com;\n       dkim=pass header.i=@northwind.example header.s=s1 header.b=AbCdEfGh;\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=northwind.example\n" +
		"Return-Path: <anna@northwind.example>\n" +
		"Received: from mail.northwind.example (mail.northwind.example. [192.0.2.1])\n        by mx.google.com with ESMTPS id abc\n" +
		"Received-SPF: pass (google.com: domain of anna@northwind.example designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1;\n"
	gmailPass = "Authentication-Results: mx.google.com;\n       dkim=pass header.i=@northwind.example header.s=s1 header.b=AbCdEfGh;\n" +
		"       spf=pass (google.com: domain of anna@northwind.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=anna@northwind.example;\n" +
		"       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=northwind.example\n"
	gmailFail = "Authentication-Results: mx.google.com;\n       spf=softfail (google.com: domain of transitioning eve@evil.example does not designate 192.0.2.9 as permitted sender) smtp.mailfrom=eve@evil.example;\n" +
		"       dmarc=fail (p=REJECT sp=REJECT dis=REJECT) header.from=northwind.example\n"

	exchange = "Received: from AM0PR01MB1234.eurprd01.prod.example (2603:10a6:208:1::1)\n by AM0PR01MB5678.eurprd01.prod.example with HTTPS; Tue, 3 Nov 2026\n 09:00:02 +0000\n"
	eopPass  = "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\n smtp.mailfrom=northwind.example; dkim=pass (signature was verified)\n header.d=northwind.example;dmarc=pass action=none\n header.from=northwind.example;compauth=pass reason=100\n" +
		"Received-SPF: Pass (protection.example: domain of northwind.example designates\n 192.0.2.1 as permitted sender) receiver=protection.example;\n"
	eopFail = "Authentication-Results: spf=fail (sender IP is 192.0.2.9)\n smtp.mailfrom=evil.example; dkim=none (message not signed)\n header.d=none;dmarc=fail action=oreject header.from=northwind.example;compauth=fail\n reason=000\n"
	eopNone = "Authentication-Results: dkim=none (message not signed)\n header.d=none;dmarc=none action=none header.from=northwind.example;\n"
	inside  = "X-MS-Exchange-Organization-AuthSource: AM0PR01MB5678.eurprd01.prod.example\nX-MS-Exchange-Organization-AuthAs: Internal\nX-MS-Exchange-Organization-SCL: -1\nX-MS-Exchange-CrossTenant-AuthAs: Internal\n"
	outside = "X-MS-Exchange-Organization-AuthAs: Anonymous\nX-MS-Exchange-Organization-SCL: 1\nX-MS-Exchange-Organization-MessageDirectionality: Incoming\n"

	milter = "Return-Path: <anna@northwind.example>\n" +
		"Authentication-Results: mx.desk.example 1;\n\tdkim=pass (2048-bit key; secure; of a; b) header.d=northwind.example header.i=@northwind.example header.b=\"AbCd; x\";\n\tdmarc=pass (p=reject; dis=none) header.from=northwind.example\n"

	fromAnna = "From: Anna <anna@northwind.example>\nSubject: Printer\nDate: Tue, 3 Nov 2026 09:00:00 +0000\n\nIt burns.\n"
)

func TestJudge_ofHeadersInTheShapeThatProvidersDocument(t *testing.T) {
	for _, c := range []struct {
		name, border, raw string
		want              core.Assurance
	}{
		{"R32/Gmail's pass verifies", "google", gmail + gmailPass + fromAnna, core.Verified},
		{"R32/Gmail's fail is a forgery", "google", gmail + gmailFail + fromAnna, core.Failed},
		{"R32/ARC's copy of the results is none", "google", gmail + fromAnna, core.Unknown},
		{"R32/a forged pass below Gmail's fail does not count", "google", gmail + gmailFail + gmailPass + fromAnna, core.Failed},
		{"R32/another system's field above Gmail's hides it", "google", "Authentication-Results: gw.desk.example; none\n" + gmail + gmailPass + fromAnna, core.Unknown},
		{"R32/Gmail's pass means nothing behind another border", "microsoft365", gmail + gmailPass + fromAnna, core.Unknown},
		{"R32/Exchange Online's pass verifies", "microsoft365", exchange + eopPass + outside + fromAnna, core.Verified},
		{"R32/Exchange Online's fail is a forgery", "microsoft365", exchange + eopFail + outside + fromAnna, core.Failed},
		{"R32/a forged pass below Exchange Online's fail does not count", "microsoft365", exchange + eopFail + outside + eopPass + fromAnna, core.Failed},
		{"R32/a colleague within the tenant is verified", "microsoft365", exchange + eopNone + inside + fromAnna, core.Verified},
		{"R32/a colleague without any results is verified", "microsoft365", exchange + inside + fromAnna, core.Verified},
		{"R32/a stranger who claims to be inside is not", "microsoft365", exchange + strings.Replace(eopNone, "dkim=none", "spf=none (sender IP is 192.0.2.9) smtp.mailfrom=evil.example; dkim=none", 1) + inside + fromAnna, core.Unknown},
		{"R32/a stranger who claims to be inside is not believed beside Exchange's own word", "microsoft365", exchange + eopNone + outside + inside + fromAnna, core.Unknown},
		{"R32/a claim to be inside means nothing elsewhere", "google", exchange + inside + fromAnna, core.Unknown},
		{"R32/a milter's pass with semicolons in comments and quotes verifies", "authserv:mx.desk.example", milter + fromAnna, core.Verified},
		{"R32/a milter's pass means nothing to another name", "authserv:desk.example", milter + fromAnna, core.Unknown},
		{"R32/without a border nothing is believed", "none", gmail + gmailPass + exchange + eopPass + inside + milter + fromAnna, core.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, steps := core.Judge(readText(c.raw), c.border); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, steps)
			}
		})
	}
}
