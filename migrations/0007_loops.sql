-- +goose Up

-- Ping-pong (R50) is read from what came and went, like the budgets: these
-- find the few rows that stopped one, and what people of the desk wrote to an
-- address.
create index outbox_stopped on outbox (address, queued_at) where reason = 'ping-pong (R50)';
create index outbox_stopped_case on outbox (case_id, queued_at) where reason = 'ping-pong (R50)';
create index outbox_written on outbox (address, queued_at) where not automatic;
