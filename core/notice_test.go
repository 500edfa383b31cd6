package core

import (
	"slices"
	"testing"
)

func TestTold_whoGetsNotices(t *testing.T) {
	agents := []agentRow{
		{Person: 1, Address: "mia@desk.example"},
		{Person: 1, Address: "mia@private.example"},
		{Person: 2, Address: "tom@desk.example"},
		{Person: 3, Address: "zoe@desk.example"},
	}
	mia, tom, gone := int64(1), int64(2), int64(99)
	for _, c := range []struct {
		name   string
		notify []string
		owner  *int64
		kind   Kind
		but    int64
		want   []string
	}{
		{"all of them of a new case", nil, nil, NoticeNew, 0, []string{"mia@desk.example", "tom@desk.example", "zoe@desk.example"}},
		{"those whom the desk names of a new case", []string{"tom@desk.example"}, nil, NoticeNew, 0, []string{"tom@desk.example"}},
		{"also of a new case that has an owner", []string{"tom@desk.example"}, &mia, NoticeNew, 0, []string{"tom@desk.example"}},
		{"the owner of all that follows", nil, &tom, NoticeComment, 0, []string{"tom@desk.example"}},
		{"the owner, though the desk names others", []string{"tom@desk.example"}, &mia, NoticeStatus, 0, []string{"mia@desk.example"}},
		{"those whom the desk names while nobody owns it", []string{"zoe@desk.example"}, nil, NoticeComment, 0, []string{"zoe@desk.example"}},
		{"everybody if the owner has left the desk", nil, &gone, NoticeComment, 0, []string{"mia@desk.example", "tom@desk.example", "zoe@desk.example"}},
		{"never the one who did it", nil, nil, NoticeComment, 1, []string{"tom@desk.example", "zoe@desk.example"}},
		{"nobody if the owner did it", nil, &tom, NoticeComment, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &running{Desk: shippedDesk(t)}
			d.Notify = c.notify
			var got []string
			for _, r := range told(d, caseRow{Owner: c.owner}, agents, c.kind, c.but) {
				got = append(got, r.address)
				if !r.agent {
					t.Errorf("%s is told as a customer", r.address)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
