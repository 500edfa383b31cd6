-- +goose Up

-- Does a border let forged fields through? A mail from outside carries one, and
-- is known by the hash of its token when it comes in (R32).
create table border_test (
    hash     bytea primary key,
    mailbox  text  not null,            -- its name in the settings
    name     text  not null,            -- the authserv-id that was forged, lower case
    made_at  timestamptz not null,
    back_at  timestamptz,               -- when it last came in
    survived boolean not null default false -- the forged field was still in it, at any time
);
create index border_test_name on border_test (mailbox, name, back_at desc) where back_at is not null;

-- Failures of an address within a week are counted from what happened (R54).
create index event_bounce on event (was, at) where kind = 'bounce';
