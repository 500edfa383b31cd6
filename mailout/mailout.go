// Package mailout brings letters from the outbox to one SMTP server.
//
// It composes a letter once, from the facts its causing transaction wrote
// down and the words in templates/mail, and hands the bytes over in a
// transaction of its own: one mail, one recipient. Just before the final dot
// it asks the desk to commit that the dot is about to go out (R58); so there
// is no moment at which a crash could send a mail twice without leaving the
// trace that it might have been.
//
//	claimed --compose--> MAIL, RCPT, DATA, all bytes --commit "dotted"--> dot --answer--> ended
//	   |                        |                          |                |
//	   | channel paused         | refused: ended           | lease lost:    | silence:
//	   v                        | broken: Unsent           v closed, no dot v Unanswered
//	released                    v                       nothing sent     uncertain (R59)
//
// What it knows: how a mail is built, how SMTP is spoken, and what an answer
// of the server says about this mail, about its sender or about the server
// itself (R60). What it does not know: why a letter was written, who may read
// what, when a letter is tried again and when it is given up. Those are the
// desk's, in package core, which also draws the states of an outbox row.
package mailout
