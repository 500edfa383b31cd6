package main

// last is the highest number of a rule in docs/rules.md: each of them needs a
// test that passes.
const last = 75

// required are their numbers, in ascending order.
func required() (all []int) {
	for n := 1; n <= last; n++ {
		all = append(all, n)
	}
	return all
}
