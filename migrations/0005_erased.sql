-- +goose Up

-- What was erased (R66), as salted hashes: nobody without the instance's secret
-- can tell what they are of. A mail's keeps a comparison with the server from
-- bringing it back; an address's has it erased again after a restore.
create table erased (
    hash bytea       primary key,
    kind text        not null check (kind in ('mail', 'address')),
    at   timestamptz not null
);
