-- +goose Up

-- An agent may open a case for somebody (R64): until the desk has written to
-- the customer's side publicly, it gets nothing.
alter table cases add column opened_by bigint references person; -- null: the requester
alter table cases add column author    bigint references person; -- of the description; null: the requester

-- Who stood in To or Cc of a mail of a case and takes no part in it: an agent
-- may add them, and their own answers join as asides (R38).
create table proposal (
    case_id bigint not null references cases,
    address text   not null check (address = lower(address)),
    name    text   not null default '',
    made_at timestamptz not null,
    primary key (case_id, address)
);

-- Where somebody wants the mail of one case: the Reply-To of a verified mail of
-- theirs (R39). It is no address of the person: mail from it identifies nobody.
create table reply_to (
    case_id bigint not null references cases,
    person  bigint not null references person,
    address text   not null check (address = lower(address)),
    primary key (case_id, person)
);
create index reply_to_address on reply_to (address);
