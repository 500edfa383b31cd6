-- +goose Up

-- Who waits for the digest of the hour.
create index outbox_digest on outbox (address, desk, id) where state = 'withheld' and reason = 'for the digest';
