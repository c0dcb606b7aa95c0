-- SHA-256 of each id by which the source knows a member of staff, as they were last published.
alter table rosters.staff_state add column sign_in_keys bytea[] not null default '{}';
