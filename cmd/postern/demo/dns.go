package demo

import (
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"

	"github.com/miekg/dns"
)

// DNS is a name server that knows TXT records and nothing else: a name it was
// not told does not exist. The zero value is ready; records may be set before
// and while it serves.
type DNS struct {
	mu      sync.RWMutex
	records map[string][]string // by lower-case name with its final dot
	addr    string
	servers []*dns.Server
}

// Set makes texts the TXT records of name; without any the name is forgotten.
func (d *DNS) Set(name string, texts ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.records == nil {
		d.records = make(map[string][]string)
	}
	name = strings.ToLower(dns.Fqdn(name))
	if len(texts) == 0 {
		delete(d.records, name)
		return
	}
	d.records[name] = texts
}

// Serve listens on addr by UDP and TCP and returns at once. Port 0 takes one
// that is free for both.
func (d *DNS) Serve(addr string) error {
	udp, tcp, err := listenBoth(addr)
	if err != nil {
		return err
	}
	servers := []*dns.Server{{PacketConn: udp, Handler: d}, {Listener: tcp, Handler: d}}
	var started sync.WaitGroup
	for _, s := range servers {
		started.Add(1)
		s.NotifyStartedFunc = started.Done
		go func() { _ = s.ActivateAndServe() }() // ends by Close
	}
	started.Wait() // a server that has not begun cannot be shut down
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addr, d.servers = tcp.Addr().String(), servers
	return nil
}

// listenBoth opens the same port for UDP and TCP.
func listenBoth(addr string) (net.PacketConn, net.Listener, error) {
	const tries = 20 // a port free for TCP may be taken for UDP
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, err
	}
	for range tries {
		var tcp net.Listener
		if tcp, err = net.Listen("tcp", addr); err != nil {
			return nil, nil, err
		}
		var udp net.PacketConn
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err == nil {
			return udp, tcp, nil
		}
		_ = tcp.Close()
		if port != "0" || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, err
		}
	}
	return nil, nil, err
}

// Addr is the host:port that Serve took.
func (d *DNS) Addr() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.addr
}

// Close stops serving.
func (d *DNS) Close() error {
	d.mu.Lock()
	servers := d.servers
	d.servers = nil
	d.mu.Unlock()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Shutdown())
	}
	return errors.Join(errs...)
}

// ServeDNS answers one question; it is dns.Handler.
func (d *DNS) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	a := new(dns.Msg)
	a.SetReply(q)
	a.Authoritative = true
	if len(q.Question) != 1 {
		a.Rcode = dns.RcodeFormatError
		_ = w.WriteMsg(a)
		return
	}
	asked := q.Question[0]
	d.mu.RLock()
	texts, known := d.records[strings.ToLower(asked.Name)]
	d.mu.RUnlock()
	switch {
	case !known:
		a.Rcode = dns.RcodeNameError
	case asked.Qtype == dns.TypeTXT:
		for _, text := range texts {
			a.Answer = append(a.Answer, &dns.TXT{
				Hdr: dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60},
				Txt: inStrings(text),
			})
		}
	}
	if _, overUDP := w.RemoteAddr().(*net.UDPAddr); overUDP {
		size := dns.MinMsgSize
		if edns := q.IsEdns0(); edns != nil {
			size = max(size, int(edns.UDPSize()))
		}
		a.Truncate(size)
	}
	_ = w.WriteMsg(a) // who asked will ask again
}

// inStrings cuts a text into the strings of at most 255 octets that a TXT
// record is made of, RFC 1035 §3.3.14.
func inStrings(text string) []string {
	var all []string
	for len(text) > 255 {
		all = append(all, text[:255])
		text = text[255:]
	}
	return append(all, text)
}
