-- +goose Up

-- What agents read beside a description, as they do beside a comment: that
-- nothing proves who wrote it, say.
alter table cases add marks text[] not null default '{}';

-- Those that are open now tell what their mail's ledger row knows.
update cases c set marks =
        case when l.assurance <> 'verified' and l.released_by is null then array['unverified'] else '{}' end
        || case when l.class <> 'human' then array['machine'] else '{}' end
from ledger l where l.id = c.ledger and c.author is null and c.opened_by is null;
