create table if not exists event_log.topic (
    name        text    not null,
    next_offset bigint  not null default 0,
    compacted   boolean not null default false,
    constraint topic_pkey primary key (name)
);
create table if not exists event_log.record (
    topic       text        not null,
    "offset"    bigint      not null,
    event_id    uuid        not null,
    key         text        not null,
    type        text        not null,
    headers     jsonb       not null,
    occurred_at timestamptz not null,
    payload     bytea       not null,
    constraint record_pkey primary key (topic, "offset")
);
