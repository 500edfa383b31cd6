package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"postern/core"
)

// statistics is what the metrics are read from, at each scrape.
type statistics interface {
	Stats(context.Context) (core.Stats, error)
}

// deskMetrics tells Prometheus what the database knows. Every process of an
// instance says the same: take the max over them, not the sum.
type deskMetrics struct {
	desk statistics
	log  *slog.Logger
	now  func() time.Time
}

var (
	mailsByFate   = prometheus.NewDesc("postern_mails", "Mails of the ledger by fate.", []string{"state"}, nil)
	mailsByClass  = prometheus.NewDesc("postern_mails_by_class", "Mails of the ledger by class (R26).", []string{"class"}, nil)
	outboxByState = prometheus.NewDesc("postern_outbox_mails", "Mails of the outbox by state.", []string{"state"}, nil)
	oldestStored  = prometheus.NewDesc("postern_oldest_stored_seconds", "Age of the oldest mail that waits to be filed; 0 if none does.", nil, nil)
	oldestUnsent  = prometheus.NewDesc("postern_oldest_unsent_seconds", "Age of the oldest mail that waits to be sent; 0 if none does.", nil, nil)
	mailboxLag    = prometheus.NewDesc("postern_mailbox_lag_seconds", "Time since the last good poll of a mailbox.", []string{"account", "folder"}, nil)
	databaseUp    = prometheus.NewDesc("postern_database_up", "1 if the database answered this scrape.", nil, nil)
	scrapeTook    = prometheus.NewDesc("postern_stats_seconds", "What it took to ask the database for these numbers.", nil, nil)
	collectorDesc = []*prometheus.Desc{mailsByFate, mailsByClass, outboxByState, oldestStored, oldestUnsent, mailboxLag, databaseUp, scrapeTook}
)

func (m deskMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range collectorDesc {
		out <- d
	}
}

// scrapeTime is how long the database may take for a scrape.
const scrapeTime = 5 * time.Second

func (m deskMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	started := time.Now()
	stats, err := m.desk.Stats(ctx)
	gauge(scrapeTook, time.Since(started).Seconds())
	if err != nil {
		m.log.Warn("no numbers for metrics", "err", err)
		gauge(databaseUp, 0)
		return
	}
	gauge(databaseUp, 1)
	now := m.now()
	age := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(0, now.Sub(t).Seconds())
	}
	for _, fate := range fates {
		gauge(mailsByFate, float64(stats.Ledger[fate.state]), string(fate.state))
	}
	for class, n := range stats.Class {
		gauge(mailsByClass, float64(n), string(class))
	}
	for state, n := range stats.Outbox {
		gauge(outboxByState, float64(n), state)
	}
	gauge(oldestStored, age(stats.OldestStored))
	gauge(oldestUnsent, age(stats.OldestUnsent))
	for _, b := range stats.Mailboxes {
		if b.PolledAt != nil {
			gauge(mailboxLag, age(*b.PolledAt), b.Account, b.Folder)
		}
	}
}

// metricsHandler serves /metrics from a registry of its own: nothing that a
// library registers by itself gets in. Of the process's own metrics it learns
// the settings: who may ask, and which folders are polled.
func metricsHandler(desk statistics, log *slog.Logger, more ...prometheus.Collector) http.Handler {
	var proxies []netip.Prefix
	for _, c := range more {
		if process, ok := c.(processMetrics); ok {
			proxies = process.settings.Instance.TrustedProxies
			if l, ok := desk.(*lately); ok {
				l.only(polledFolders(process.settings))
			}
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(deskMetrics{desk, log, time.Now}, collectors.NewGoCollector())
	registry.MustRegister(more...)
	if runtime.GOOS == "linux" {
		registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return nearby(proxies, promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 2 * scrapeTime}))
}

// passedOn are fields by which a proxy says that it asks for somebody else.
var passedOn = []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"}

// nearby serves this machine and the trusted proxies' own requests. For all
// others, and for whoever asks through a proxy, there is no such page.
func nearby(proxies []netip.Prefix, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		from := peer.Addr().Unmap().WithZone("")
		known := err == nil && (from.IsLoopback() || slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(from) }))
		through := slices.ContainsFunc(passedOn, func(field string) bool { return r.Header.Values(field) != nil })
		if !known || through {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// processMetrics tells Prometheus what this process does: add them up over all.
type processMetrics struct{ *gateway }

var (
	attempts     = prometheus.NewDesc("postern_send_attempts_total", "Attempts to send by their result, since the start of this process.", []string{"result"}, nil)
	channelPause = prometheus.NewDesc("postern_send_paused", "1 if sending pauses because the SMTP server takes no mail.", nil, nil)
	kept         = prometheus.NewDesc("postern_mails_kept_total", "Mails taken from a mailbox, since the start of this process.", []string{"account", "folder"}, nil)
	behind       = prometheus.NewDesc("postern_mailbox_behind", "Mails that are listed in a folder and not yet taken.", []string{"account", "folder"}, nil)
	holds        = prometheus.NewDesc("postern_mailbox_held", "1 if this process works on the folder.", []string{"account", "folder"}, nil)
)

func (m processMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{attempts, channelPause, kept, behind, holds} {
		out <- d
	}
}

func (m processMetrics) Collect(out chan<- prometheus.Metric) {
	say := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for _, p := range m.pollers {
		s := p.Status()
		say(kept, prometheus.CounterValue, float64(s.Kept), s.Mailbox, s.Folder)
		say(behind, prometheus.GaugeValue, float64(s.Behind), s.Mailbox, s.Folder)
		say(holds, prometheus.GaugeValue, yes(s.Held), s.Mailbox, s.Folder)
	}
	if m.sender == nil {
		return
	}
	s := m.sender.Status()
	for result, n := range s.Results {
		say(attempts, prometheus.CounterValue, float64(n), string(result))
	}
	say(channelPause, prometheus.GaugeValue, yes(!s.PausedUntil.IsZero()))
}

// filingTimes measures what filing a mail takes, from its turn to the commit.
func filingTimes() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "postern_filing_seconds",
		Help:    "What it took this process to file a mail, by its fate.",
		Buckets: []float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 30},
	}, []string{"state"})
}
