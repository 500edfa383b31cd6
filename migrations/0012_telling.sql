-- +goose Up

-- What a person has said of how they hear of what happens on a desk, under the
-- desk's table.
create table if not exists preference (
    person bigint not null references person,
    desk   int    not null references desk,
    event  text   not null,
    how    text   not null check (how in ('mail', 'digest', 'nothing')),
    primary key (person, desk, event)
);

-- Who waits for the digest of the hour.
create index outbox_digest on outbox (address, desk, id) where state = 'withheld' and reason = 'for the digest';
