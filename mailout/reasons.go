package mailout

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"postern/core"
	"postern/templates/words"
)

// sayings are sentences that mails and pages have in common, by table and
// code: why a mail is held, and what is wrong with an answer.
type sayings map[string]map[string]string

func readSayings(code string) (sayings, error) {
	source, err := words.Files.ReadFile(code + ".toml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s sayings
	if err := toml.Unmarshal(source, &s); err != nil {
		return nil, fmt.Errorf("words of %s: %w", code, err)
	}
	return s, nil
}

// of is the sentence of a code; the code itself where there is none.
func (s sayings) of(table, code, name string) string {
	text, ok := s[table][code]
	if !ok {
		return strings.TrimSuffix(code+", "+name, ", ")
	}
	return strings.ReplaceAll(text, "{name}", name)
}

// reason is why a mail is held.
func (s sayings) reason(i core.HeldItem) string {
	if i.Detail != "" && s["held-reason"][i.Code+"-of"] != "" {
		return s.of("held-reason", i.Code+"-of", i.Detail)
	}
	return s.of("held-reason", i.Code, i.Detail)
}

// heldMail is a mail that waits for its reader's word, or had it.
type heldMail struct {
	core.HeldItem
	Why, At string
	Wrong   string // what is wrong with the line
}

// held sorts what waits: people's mail apart from the rest.
func (v *view) held(p core.Payload, lang *language, at func(core.HeldItem) string) {
	v.Page = p.Page
	for kind, n := range p.HeldCount {
		if kind == core.HeldPeople {
			v.PeopleCount = n
		} else {
			v.OtherCount += n
		}
	}
	for _, i := range p.Held {
		m := heldMail{HeldItem: i, Why: lang.says.reason(i), At: at(i)}
		switch {
		case i.Problem != "":
			m.Wrong = lang.says.of("held-problem", i.Problem, i.Case)
			fallthrough
		case i.Line != "":
			v.Done = append(v.Done, m)
		case i.Kind == core.HeldPeople:
			v.People = append(v.People, m)
		default:
			v.Others = append(v.Others, m)
		}
	}
	v.MorePeople, v.MoreOthers = v.PeopleCount-len(v.People), v.OtherCount-len(v.Others)
}
