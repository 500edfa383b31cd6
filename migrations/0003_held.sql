-- +goose Up

-- An agent's word on held mail: whose (released_by), which, and on which case.
-- '': no word yet, or the agent's own that what waited is theirs (R42).
alter table ledger
    add released_as   text not null default '' check (released_as in ('', 'release', 'case', 'attach', 'refuse')),
    add released_case bigint references cases, -- attach: to this one
    add about         bigint references cases, -- of held mail: the case it names, if any (R36)
    add listed_at     timestamptz;             -- since when agents have been told that it waits
create index ledger_unlisted on ledger (desk) where state in ('held', 'quarantined') and listed_at is null;
create index ledger_held on ledger (desk, id desc) where state in ('held', 'quarantined');

-- Has a desk said within the hour what waits?
create index outbox_held_list on outbox (address, queued_at) where kind = 'held-list';
