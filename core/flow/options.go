package flow

import "slices"

// FindOption returns the type or priority that a person means by a word: its
// key or its label in any language, as FindStatus does.
func FindOption(options []Option, word string) (Option, bool) {
	name := plainName(word)
	for _, o := range options {
		if name != "" && slices.Contains(o.names(), name) {
			return o, true
		}
	}
	return Option{}, false
}

// SuggestOptions returns the keys that a person may have meant by a word that is
// none of them; all of them if nothing is near.
func SuggestOptions(options []Option, word string) []string {
	var near, all []string
	name := plainName(word)
	for _, o := range options {
		all = append(all, o.Key)
		if slices.ContainsFunc(o.names(), func(n string) bool { return Distance(n, name) <= min(2, len(n)/2) }) {
			near = append(near, o.Key)
		}
	}
	if near != nil {
		return near
	}
	return all
}

func (o Option) names() []string {
	names := []string{plainName(o.Key)}
	for _, label := range o.Label {
		names = append(names, plainName(label))
	}
	return names
}
