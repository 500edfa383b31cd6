-- +goose Up

-- A case that an agent gave to another requester: they get nothing of it before
-- somebody of the desk has written to them (R64).
alter table cases
    add given_at   timestamptz,
    add split_from bigint references cases; -- a comment of that case became this one
