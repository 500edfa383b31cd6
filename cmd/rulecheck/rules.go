package main

// last is the highest number of a rule in docs/rules.md.
const last = 75

// leftOut are the rules that need no test here, and why: they concern what is
// sent. All others concern mail in, and each needs a test that passes.
var leftOut = map[int]string{
	53: "header fields of the mail that is sent",
	55: "suppressed addresses: what is sent to them",
	56: "how the headers of sent mail are written",
	57: "HTML of sent mail",
	58: "the outbox",
	59: "mail that was sent and never answered for",
	60: "when sending is tried again",
	61: "TLS and secrets of sending",
	62: "one clock for reminders and closing by silence",
}

// required are the rules that need a test that passes, in ascending order.
func required() (all []int) {
	for n := 1; n <= last; n++ {
		if leftOut[n] == "" {
			all = append(all, n)
		}
	}
	return all
}
