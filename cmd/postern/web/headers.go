package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// policy of every page: no script, nothing from elsewhere, in nobody's frame.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
	"frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers are set before any handler runs, so that errors have them too.
func headers(next http.Handler, referrer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", referrer)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// referrerPolicy keeps our addresses, which carry secrets, from other sites.
//
// With no-referrer a browser sends a form with "Origin: null" (Fetch, append a
// request Origin header), and tells by Sec-Fetch-Site that it is ours: but that
// only over https or to this machine. A desk in an office, over plain http, gets
// same-origin instead: as silent towards others, and the Origin is right.
func referrerPolicy(base *url.URL) string {
	if base.Scheme == "https" || loopback(base.Hostname()) {
		return "no-referrer"
	}
	return "same-origin"
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// client is the address that asks: what our proxies say, if it is one of ours
// that speaks.
func (p *pages) client(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, _ := netip.ParseAddr(host)
	addr = addr.Unmap()
	// right to left: each trusted proxy vouches for the one before it
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trusted(addr); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = before.Unmap()
	}
	return addr
}

func (p *pages) trusted(addr netip.Addr) bool {
	for _, prefix := range p.proxies {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
