-- Relationships that people give one another, perhaps for a while, beside those that the roster tells. One row a grant,
-- so that ending one leaves another of the same kind standing.
create table relationship_grant (
    grant_id   uuid        not null,
    subject    uuid        not null,
    relation   text        not null,
    object     uuid        not null,
    expires_at timestamptz,
    revoked    boolean     not null,
    version    bigint      not null,
    constraint relationship_grant_pkey primary key (grant_id)
);
create index relationship_grant_subject_idx on relationship_grant (subject) where not revoked;
