-- After a restore the consumers of a schema are new to the log and read it from its beginning, but what their schema holds already is
-- passed over: everything below resume_offset, and where all services were set back together, what was published between the backup
-- and the restore, whose writes are gone. See the verb after-restore.
alter table consumer_position add column resume_offset bigint;
alter table consumer_generation
    add column undone_from timestamptz,
    add column undone_until timestamptz,
    add constraint consumer_generation_undone_check check (undone_from < undone_until);
