package flow

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
)

func checkSVG(t interface {
	Fatalf(string, ...any)
}, svg []byte) {
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, svg)
		}
	}
}

func TestGraph_showsEveryStatusInItsColour(t *testing.T) {
	d := defaultDesk(t)
	svg := string(d.Graph("nl"))
	checkSVG(t, []byte(svg))
	for _, s := range d.Statuses {
		_, box, found := strings.Cut(svg, "<g><title>"+escaped(s.Means.In("nl"))+"</title>")
		box, _, _ = strings.Cut(box, "</g>")
		if !found || !strings.Contains(box, ">"+s.Label.In("nl")+"</text>") {
			t.Errorf("%s is not drawn", s.Key)
		}
		if is := strings.Contains(box, red); is != s.Class.Ended() {
			t.Errorf("%s: red is %v", s.Key, is)
		}
		if is := strings.Contains(box, grey); is != (s.Class == Customer) {
			t.Errorf("%s: grey is %v", s.Key, is)
		}
		onPath := slices.Contains([]string{"open", "in-progress", "resolved", "closed"}, s.Key)
		if is := strings.Contains(box, green); is != onPath {
			t.Errorf("%s: green is %v", s.Key, is)
		}
	}
}

func TestGraph_drawsNoShortCutWhereTheDeskDrewARoad(t *testing.T) {
	d := defaultDesk(t)
	want := []string{"open", "in-progress", "resolved", "closed"}
	if got := d.shortest(d.ways()); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	d = smallDesk(t, "close_after = 10\nclose_to = \"done\"\n", "") // only "*" leads to its end
	if got := d.shortest(d.ways()); !slices.Equal(got, []string{"fresh", "done"}) {
		t.Errorf("got %q", got)
	}
}

func TestGraph_escapesLabels(t *testing.T) {
	d := smallDesk(t, `label = "Fresh"`, `label = "<script>&\"\u0001 and a very long label that goes on"`)
	svg := d.Graph("en")
	checkSVG(t, svg)
	if bytes.Contains(svg, []byte("<script")) {
		t.Errorf("a label is markup:\n%s", svg)
	}
}

func TestWrapped(t *testing.T) {
	for _, test := range []struct {
		name, label string
		want        []string
	}{
		{"a short label", "Open", []string{"Open"}},
		{"two lines", "40 - Migrated to Test", []string{"40 - Migrated to", "Test"}},
		{"too long for two", "waiting for the release of the year", []string{"waiting for the", "release of the y…"}},
		{"one long word", "Donaudampfschifffahrt", []string{"Donaudampfschiff…"}},
	} {
		if got := wrapped(test.label); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q", test.name, got)
		}
	}
}
