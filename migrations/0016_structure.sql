-- +goose Up

alter table cases
    -- an agent gave the case to another requester: they get nothing of it before
    -- somebody of the desk has written to them (R64)
    add given_at timestamptz,
    -- this comment of another case became this one, once
    add split_of bigint unique references comment;
