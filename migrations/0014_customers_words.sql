-- +goose Up

-- What a customer did with one press can be taken back for a day (R45): the
-- link of the mail that reports it. move is the status it goes back to, made_at
-- the instant of the press, and wake_at the date that status had.
alter table secret drop constraint secret_kind_check;
alter table secret add constraint secret_kind_check
    check (kind in ('sign-in', 'invitation', 'move', 'question', 'undo'));
alter table secret add column wake_at timestamptz;

-- Who wants no more mail of a case (R38). A participant gets nothing more of
-- it, its requester only what the desk writes. They still may see it and write.
create table left_case (
    case_id bigint      not null references cases,
    person  bigint      not null references person,
    at      timestamptz not null,
    primary key (case_id, person)
);
create index left_case_person on left_case (person);
