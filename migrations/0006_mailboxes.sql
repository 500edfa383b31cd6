-- +goose Up

-- When a mailbox was first seen, whatever since says: older mail is taken in
-- unanswered (R74).
alter table mailbox add column begun_at timestamptz not null default 'epoch';
update mailbox set begun_at = added_at;

-- Secrets that others give us and that change: refresh tokens (R15). They are
-- encrypted by a key that the database does not have. One process at a time
-- renews one.
create table sealed (
    name        text primary key,
    secret      bytea not null default '',
    holder      text not null default '',
    lease_until timestamptz not null default '-infinity'
);
