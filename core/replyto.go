package core

// asksForReplies reads Reply-To of a mail that became part of a case. It is
// used only if nothing but the sender's own wish can stand behind it: a
// verified mail of theirs, written to this desk, names one address, of exactly From's domain, which is
// nobody's of ours and no public provider's (there the same domain means
// nothing). From then on their mail of this one case goes there; their next
// verified mail without such a Reply-To ends it. The confirmation goes to From
// (R51), and Reply-To identifies nobody (R30, R39).
func (r *reading) asksForReplies(c *caseRow) {
	if r.plan.assurance != Verified || !r.sure || !r.wroteToDesk() || r.plan.class != Human || r.f.sender != nil && r.f.sender.Role != "" {
		return
	}
	to, why := r.replyTo()
	asked := false
	for _, p := range r.f.people {
		asked = asked || p.CaseID == c.ID && p.Person == r.plan.person && p.Asked
	}
	switch {
	case to != "":
		r.say("R39", "answers on this case go to %s from now on", clean(to, 100))
	case why != "":
		r.say("R39", "Reply-To is not used: %s", why)
	}
	if to != "" || asked {
		r.plan.repliesTo = &to
	}
}

// replyTo is the address of Reply-To that may be used; why says why one is not.
func (r *reading) replyTo() (address, why string) {
	from := r.from()
	switch {
	case len(r.m.ReplyTo) == 0 || len(r.m.ReplyTo) == 1 && r.m.ReplyTo[0].Address == from.Address:
		return "", ""
	case len(r.m.ReplyTo) > 1:
		return "", "it names several addresses"
	}
	to := r.m.ReplyTo[0]
	switch {
	case !isReachable(to.Address):
		return "", "it is no address"
	case r.isOwn(to.Address):
		return "", "it is an address of ours"
	case to.Domain() != from.Domain():
		return "", "it is of another domain than From"
	case isPublicProvider(to.Domain()):
		return "", "everybody has an address in its domain"
	}
	return to.Address, ""
}
