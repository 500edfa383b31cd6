-- +goose Up

-- A signature may let the spaces of a mail change (RFC 6376 section 3.4): gist
-- is the hash of what is left without them, of verified mail alone. By it a
-- signed mail is known again that somebody sends on with other spaces (R42).
alter table ledger add column gist bytea;
create index ledger_gist on ledger (gist) where gist is not null;
