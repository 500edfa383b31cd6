-- +goose Up

-- When an agent was asked or warned last (R42): among all that they were ever
-- mailed.
create index outbox_asked on outbox (address, queued_at) where kind in ('question', 'warning');
