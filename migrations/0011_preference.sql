-- +goose Up

-- What a person has said of how they hear of what happens on a desk.
create table if not exists preference (
    person bigint not null references person,
    desk   int    not null references desk,
    event  text   not null,
    how    text   not null check (how in ('mail', 'digest', 'nothing')),
    primary key (person, desk, event)
);
