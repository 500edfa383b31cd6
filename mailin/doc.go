// Package mailin brings mail from IMAP mailboxes to the desk.
//
// It knows IMAP, MIME and DKIM. It does not know what a mail means: which case
// it belongs to, who may write to it and what is answered is core's business,
// and so is the ledger, of which this package only sees rows.
//
//	IMAP server
//	   |  Poller: one for each mailbox; one connection, one command at a time
//	   |    sizes of 500 UIDs, then bytes in batches, each into a spool
//	   v
//	Desk.Keep         commits the batch and the cursor (R1): from here on
//	   |              no mail is lost, whatever happens to this process
//	   |  Filer: one for the process; rows in UID order, related ones one
//	   |    after another (R75), six workers and two for what just came in
//	   v
//	Parse, Verify     bytes -> facts; signatures are looked up here, since no
//	   |              transaction spans the network
//	   v
//	Desk.Receive      one transaction: what becomes of the mail
//	   |
//	   v
//	Poller            tells the server: \Seen, and the folder (R12, R13); a
//	                  courtesy to people who look, nothing depends on it
//
// The ledger decides what is new. Flags, dates and sequence numbers do not,
// and only UID commands are used (R2).
package mailin
