-- +goose Up

-- Words that can be searched for: of a text's first 256 KiB (R17), in no
-- language, since a desk has several. Punctuation is taken out before the parser
-- sees it (by regexp_replace, in a twentieth of the time that translate takes): it
-- would take E-204 for a letter and a negative number, and an address for one word. What is left never exceeds the 1 MiB that a tsvector may have.
-- +goose StatementBegin
create function searched(words text) returns tsvector language sql immutable parallel safe as $$
    select to_tsvector('simple'::regconfig, regexp_replace(
        case when octet_length(words) <= 262144 then words else left(words, 65536) end,
        '[!-/:-@\[-`{-~]+', ' ', 'g'))
$$;
-- +goose StatementEnd

alter table cases   add searched tsvector not null generated always as (searched(title || ' ' || description)) stored;
alter table comment add searched tsvector not null generated always as (searched(text)) stored;
alter table note    add searched tsvector not null generated always as (searched(text)) stored;
create index cases_searched on cases using gin (searched);
create index comment_searched on comment using gin (searched);
create index note_searched on note using gin (searched);
create index person_searched on person using gin (searched(name));
create index address_searched on address using gin (searched(address));
create index organisation_searched on organisation using gin (searched(name));

-- What is still to be done on a desk, oldest first.
create index cases_active on cases (desk, opened_at) where class not in ('closed', 'rejected');
