package demo

import (
	"slices"
	"strings"
)

// Role is what somebody does in the story.
type Role string

// The three kinds of people. The service address is read by Postern.
const (
	Customer Role = "customer"
	Agent    Role = "agent"
	Service  Role = "service"
)

// Person has a mailbox in the demo world.
type Person struct {
	Name     string
	Address  string // also the user name of IMAP and SMTP
	Role     Role
	Company  string
	Password string
}

const (
	serviceAddress = "support@desk.example"

	// password is everybody's. The servers listen on loopback and hold
	// nothing but the demo's own mail.
	password = "postern"
)

var cast = []Person{
	{"Anna Berg", "anna@northwind.example", Customer, "Northwind", password},
	{"Bo Lind", "bo@northwind.example", Customer, "Northwind", password},
	{"Carla Ross", "carla@fabrikam.example", Customer, "Fabrikam", password},
	{"Mia Holm", "mia@desk.example", Agent, "Desk", password},
	{"Tom Vale", "tom@desk.example", Agent, "Desk", password},
	{"Service desk", serviceAddress, Service, "Desk", password},
}

// People lists everybody who has a mailbox, the service address last.
func (w *World) People() []Person { return slices.Clone(cast) }

// ID is the person's name in paths of the page.
func (p Person) ID() string { return local(p.Address) }

// First is the first name.
func (p Person) First() string {
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// personByID finds who is played at a path of the page.
func personByID(id string) (Person, bool) {
	i := slices.IndexFunc(cast, func(p Person) bool { return p.ID() == id })
	if i < 0 {
		return Person{}, false
	}
	return cast[i], true
}

// domains are those that the demo's provider signs for.
func domains() []string {
	var all []string
	for _, p := range cast {
		if d := domain(p.Address); !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

func local(address string) string {
	name, _, _ := strings.Cut(address, "@")
	return name
}

func domain(address string) string {
	_, d, _ := strings.Cut(address, "@")
	return strings.ToLower(d)
}

// base is the account behind an address: in lower case, without its plus tag.
func base(address string) string {
	name, host, found := strings.Cut(strings.ToLower(address), "@")
	if !found {
		return name
	}
	name, _, _ = strings.Cut(name, "+")
	return name + "@" + host
}
