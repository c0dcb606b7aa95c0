-- Tables that every service's schema begins with. Applied with the schema as the search path.

-- Requests that must not take effect twice; written in the mutation's own transaction, kept for a day.
create table idempotency (
    caller      text        not null,
    method      text        not null,
    request_id  uuid        not null,
    fingerprint bytea       not null,
    created_at  timestamptz not null default now(),
    constraint idempotency_pkey primary key (caller, method, request_id)
);
create index idempotency_created_at_idx on idempotency using brin (created_at);

-- Events on their way to the log. Columns follow Debezium's outbox event router; rows are inserted and deleted,
-- never updated. The table stays tiny, so vacuum looks at it often.
create table outbox (
    position      bigint      generated always as identity,
    id            uuid        not null,
    aggregatetype text        not null,
    aggregateid   text        not null,
    type          text        not null,
    payload       bytea       not null,
    headers       jsonb       not null default '{}',
    occurred_at   timestamptz not null default now(),
    constraint outbox_pkey primary key (position),
    constraint outbox_payload_size_check check (octet_length(payload) <= 524288)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- The notification is a hint that wakes the relay, not a transport: it carries nothing.
create function outbox_notify() returns trigger language plpgsql as $$
begin
    perform pg_notify('outbox_' || tg_table_schema, '');
    return null;
end $$;
create trigger outbox_inserted after insert on outbox for each statement execute function outbox_notify();

-- Events that were applied. Written with the effect, so nothing is applied twice.
create table inbox (
    consumer    text        not null,
    event_id    uuid        not null,
    received_at timestamptz not null default now(),
    constraint inbox_pkey primary key (consumer, event_id)
);
create index inbox_received_at_idx on inbox using brin (received_at);

-- How far each consumer has come, written with the effect.
create table consumer_position (
    consumer          text        not null,
    topic             text        not null,
    partition         integer     not null,
    next_offset       bigint      not null,
    applied_count     bigint      not null default 0,
    newest_event_time timestamptz,
    constraint consumer_position_pkey primary key (consumer, topic, partition)
);

-- A schema that was dropped and made anew is a new consumer to the log, and starts from its beginning.
create table consumer_generation (
    generation uuid not null default gen_random_uuid(),
    single     boolean not null default true,
    constraint consumer_generation_pkey primary key (single),
    constraint consumer_generation_single_check check (single)
);
insert into consumer_generation default values;

-- Events that could not be applied, kept with the reason until somebody replays or discards them.
create table dead_letter (
    dead_letter_id uuid        not null default gen_random_uuid(),
    consumer       text        not null,
    topic          text        not null,
    partition      integer     not null,
    "offset"       bigint      not null,
    event_id       uuid        not null,
    key            text        not null,
    type           text        not null,
    headers        jsonb       not null,
    payload        bytea       not null,
    reason         text        not null,
    attempts       integer     not null default 1,
    received_at    timestamptz not null default now(),
    constraint dead_letter_pkey primary key (dead_letter_id),
    constraint dead_letter_event_key unique (consumer, event_id)
);

-- Who belongs where, kept from roster events: (staff, teaches, class), (staff, a role, school),
-- (student, member, class), (student, attends, school), (class, of, school).
create table relationship (
    subject  uuid not null,
    relation text not null,
    object   uuid not null,
    constraint relationship_pkey primary key (subject, relation, object)
);
create index relationship_object_idx on relationship (object, relation, subject);

-- The version of the state that a subject's relationships come from; older events are ignored.
create table relationship_version (
    subject uuid   not null,
    version bigint not null,
    constraint relationship_version_pkey primary key (subject)
);

-- Reads of restricted or protected records, and of many students at once.
create table access_log (
    read_at     timestamptz not null default now(),
    caller      text        not null,
    action      text        not null,
    basis       text        not null,
    sensitivity text        not null,
    subject     uuid,
    row_count   integer     not null
) partition by range (read_at);
create table access_log_before_2027 partition of access_log for values from (minvalue) to ('2027-01-01');
create table access_log_2027 partition of access_log for values from ('2027-01-01') to ('2028-01-01');
create table access_log_2028 partition of access_log for values from ('2028-01-01') to ('2029-01-01');
create table access_log_later partition of access_log default;
create index access_log_subject_idx on access_log (subject, read_at);
