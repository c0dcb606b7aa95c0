-- Whole class reviews in full: booked, paused, reopened; students who join; entries of earlier reviews answered one by
-- one; observations; needs that are understood as other needs; measured minutes.

alter table reviews.review_cycle
    add column required_fields text[] not null default '{}',
    add constraint review_cycle_required_fields_check check (required_fields <@ array['interest', 'family_voice', 'need_note']);

alter table reviews.class_review
    alter column started_at drop not null,
    add column scheduled_on   date,
    add column booked_minutes integer not null default 0,
    add column teacher_ids    uuid[]  not null default '{}',
    add column coordinator_id uuid,
    add column reopen_count   integer not null default 0,
    add column reason         text    not null default '',
    add constraint class_review_booked_minutes_check check (booked_minutes between 0 and 480),
    add constraint class_review_teacher_ids_check check (cardinality(teacher_ids) <= 10),
    add constraint class_review_words_size_check check (char_length(reason) <= 500),
    add constraint class_review_started_at_check check (state not in ('in_progress', 'paused', 'awaiting_signoff', 'complete') or started_at is not null);

-- Protected entries have a count of changes of their own: the other one is seen by everybody who sees the review.
alter table reviews.student_review
    add column added             boolean not null default false,
    add column protected_changes bigint  not null default 0,
    drop constraint student_review_state_check,
    add constraint student_review_state_check check (state in ('pending', 'in_progress', 'reviewed', 'not_reviewed', 'left', 'amended'));

alter table reviews.entry
    add column since         date,
    add column confirmed_by  text,
    add column origin        text,
    add column from_entry_id uuid,
    add column superseded_by uuid;
update reviews.entry set confirmed_by = source where certainty = 'confirmed';
alter table reviews.entry
    drop constraint entry_shape_check,
    -- One expression instead of many: the autosave pays for each at every insert.
    add constraint entry_shape_check check (case polarity
        when 'need' then domain <> '' and severity between 1 and 3 and certainty is not null and certainty in ('suspected', 'observed', 'confirmed')
            and (certainty = 'confirmed') = (confirmed_by is not null)
        when 'strength' then domain <> '' and severity = 0 and certainty is null and confirmed_by is null
        when 'interest' then domain = '' and severity = 0 and certainty is null and confirmed_by is null
        when 'observation' then domain <> '' and severity = 0 and certainty is null and confirmed_by is null
        else false end),
    add constraint entry_origin_check check (origin is null or (from_entry_id is not null and origin in ('carried', 'reclassified', 'promoted')));

alter table reviews.student_review_revision
    add column since        date,
    add column confirmed_by text,
    add column reason       text,
    drop constraint student_review_revision_action_check,
    add constraint student_review_revision_action_check
        check (action in ('entry_put', 'entry_removed', 'updated', 'completed', 'skipped', 'reopened', 'left', 'returned', 'added',
                          'prior_answered', 'reclassified', 'promoted', 'sensitivity_set')),
    add constraint student_review_revision_reason_size_check check (char_length(reason) <= 500);

-- What was answered about an entry of an earlier review. An answer that is taken back is taken out; the history keeps it.
create table reviews.prior_answer (
    class_review_id uuid        not null,
    student_id      uuid        not null,
    prior_entry_id  uuid        not null,
    answer          text        not null,
    entry_id        uuid,
    answered_by     uuid        not null,
    answered_at     timestamptz not null default now(),
    constraint prior_answer_pkey primary key (class_review_id, student_id, prior_entry_id),
    constraint prior_answer_student_review_fkey foreign key (class_review_id, student_id) references reviews.student_review,
    constraint prior_answer_prior_entry_id_fkey foreign key (prior_entry_id) references reviews.entry,
    constraint prior_answer_answer_check check (answer in ('still_true', 'changed', 'no_longer')),
    constraint prior_answer_entry_id_check check ((answer = 'no_longer') = (entry_id is null))
);

-- Somebody was at work, for the measured minutes. Only ever added to.
create table reviews.activity (
    activity_id     bigint      generated always as identity,
    class_review_id uuid        not null,
    student_id      uuid,
    staff_id        uuid        not null,
    noted_at        timestamptz not null default now(),
    constraint activity_pkey primary key (activity_id),
    constraint activity_class_review_id_fkey foreign key (class_review_id) references reviews.class_review
);
create index activity_class_review_id_idx on reviews.activity (class_review_id, noted_at);
create trigger activity_append_only before update or delete on reviews.activity
    for each row execute function reviews.refuse_change();

-- A need that is confirmed without a word on by whom was confirmed by who said so: for writers of before this file.
create function reviews.confirm_by_source() returns trigger language plpgsql as $$
begin
    new.confirmed_by := new.source;
    return new;
end $$;
create trigger entry_confirmed_by before insert or update on reviews.entry
    for each row when (new.certainty = 'confirmed' and new.confirmed_by is null) execute function reviews.confirm_by_source();
