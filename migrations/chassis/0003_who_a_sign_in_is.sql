-- Digests of the ids by which the roster file knows its staff, so that a token with such an id finds who it is. No id
-- itself: an e-mail address is a name. Several people may share one by a mistake of the source; it is then nobody's.
create table sign_in_key (
    key      bytea not null,
    staff_id uuid  not null,
    constraint sign_in_key_pkey primary key (key, staff_id),
    constraint sign_in_key_size_check check (octet_length(key) = 32)
);
create index sign_in_key_staff_idx on sign_in_key (staff_id);
