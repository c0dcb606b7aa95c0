-- Whole class reviews. Students, classes and staff are ids only: names live in the rosters service.

-- A review season of a school year.
create table reviews.review_cycle (
    review_cycle_id    uuid        not null,
    school_year        integer     not null,
    season             text        not null,
    opens_on           date        not null,
    closes_on          date        not null,
    taxonomy_version   text        not null,
    tier_rules_version text        not null,
    created_by         uuid        not null,
    created_at         timestamptz not null default now(),
    constraint review_cycle_pkey primary key (review_cycle_id),
    constraint review_cycle_school_year_check check (school_year between 2000 and 2100),
    constraint review_cycle_season_check check (season in ('fall', 'spring', 'custom')),
    constraint review_cycle_closes_on_check check (closes_on >= opens_on)
);
-- One fall and one spring a year; custom ones as many as a district likes.
create unique index review_cycle_school_year_season_key on reviews.review_cycle (school_year, season) where season <> 'custom';

-- The review of one class in one cycle.
create table reviews.class_review (
    class_review_id           uuid        not null,
    review_cycle_id           uuid        not null,
    class_id                  uuid        not null,
    school_id                 uuid        not null,
    state                     text        not null,
    roster_date               date        not null,
    version                   bigint      not null,
    started_by                uuid        not null,
    started_at                timestamptz not null,
    teacher_signed_by         uuid,
    teacher_signed_at         timestamptz,
    instead_of_teacher_reason text        not null default '',
    coordinator_signed_by     uuid,
    coordinator_signed_at     timestamptz,
    completed_at              timestamptz,
    constraint class_review_pkey primary key (class_review_id),
    constraint class_review_review_cycle_id_fkey foreign key (review_cycle_id) references reviews.review_cycle,
    constraint class_review_state_check check (state in ('scheduled', 'in_progress', 'paused', 'awaiting_signoff', 'complete', 'cancelled')),
    constraint class_review_completed_at_check check ((state = 'complete') = (completed_at is not null)),
    constraint class_review_reason_size_check check (char_length(instead_of_teacher_reason) <= 500)
);
-- A class has one review a cycle; a cancelled one may be followed by another.
create unique index class_review_review_cycle_id_class_id_key on reviews.class_review (review_cycle_id, class_id) where state <> 'cancelled';
create index class_review_school_id_idx on reviews.class_review (school_id, class_review_id);
create index class_review_class_id_idx on reviews.class_review (class_id, class_review_id);

-- One student of the snapshot that a class review was started from.
create table reviews.student_review (
    class_review_id     uuid        not null,
    student_id          uuid        not null,
    position            integer     not null,
    grade               text        not null,
    state               text        not null,
    version             bigint      not null,
    no_concern_domains  text[]      not null default '{}',
    assigned_tier       text,
    tier_reason         text        not null default '',
    tier_reason_text    text        not null default '',
    no_strength_reason  text        not null default '',
    not_reviewed_reason text        not null default '',
    updated_at          timestamptz not null default now(),
    constraint student_review_pkey primary key (class_review_id, student_id),
    constraint student_review_class_review_id_fkey foreign key (class_review_id) references reviews.class_review,
    constraint student_review_state_check check (state in ('pending', 'in_progress', 'reviewed', 'not_reviewed', 'left')),
    constraint student_review_assigned_tier_check check (assigned_tier in ('1', '2a', '2b', '3')),
    constraint student_review_text_size_check check (char_length(tier_reason_text) <= 500 and char_length(no_strength_reason) <= 500),
    constraint student_review_domains_check check (no_concern_domains <@ array['academics', 'social_emotional', 'health', 'family']),
    constraint student_review_not_reviewed_reason_check check ((state = 'not_reviewed') = (not_reviewed_reason <> ''))
);
create index student_review_student_id_idx on reviews.student_review (student_id, class_review_id);

-- A strength, need or interest. The id of a need is the need_id that plans, services and reports carry.
-- An entry that is taken out keeps its row, so that its id can never mean another entry.
create table reviews.entry (
    entry_id        uuid        not null,
    class_review_id uuid        not null,
    student_id      uuid        not null,
    polarity        text        not null,
    code            text        not null,
    domain          text        not null,
    severity        smallint    not null,
    certainty       text,
    source          text        not null,
    note            text        not null,
    sensitivity     text        not null,
    version         bigint      not null,
    author_id       uuid        not null,
    removed         boolean     not null default false,
    recorded_at     timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    constraint entry_pkey primary key (entry_id),
    constraint entry_student_review_fkey foreign key (class_review_id, student_id) references reviews.student_review,
    -- One expression instead of four: the autosave pays for each at every insert.
    constraint entry_shape_check check (case polarity
        when 'need' then domain <> '' and severity between 1 and 3 and certainty is not null and certainty in ('suspected', 'observed', 'confirmed')
        when 'strength' then domain <> '' and severity = 0 and certainty is null
        when 'interest' then domain = '' and severity = 0 and certainty is null
        else false end),
    constraint entry_note_size_check check (char_length(note) <= 500),
    constraint entry_sensitivity_check check (sensitivity in ('general', 'restricted', 'protected'))
) with (fillfactor = 85);
create index entry_class_review_id_idx on reviews.entry (class_review_id, student_id);

-- What was written and when. Only ever added to.
create table reviews.student_review_revision (
    class_review_id uuid        not null,
    student_id      uuid        not null,
    revision_id     bigint      generated always as identity,
    written_at      timestamptz not null default now(),
    author_id       uuid        not null,
    action          text        not null,
    review          jsonb,
    entry_id        uuid,
    entry_version   bigint,
    entry_author_id uuid,
    polarity        text,
    code            text,
    domain          text,
    severity        smallint,
    certainty       text,
    source          text,
    note            text,
    sensitivity     text,
    constraint student_review_revision_pkey primary key (class_review_id, student_id, revision_id),
    constraint student_review_revision_action_check
        check (action in ('entry_put', 'entry_removed', 'updated', 'completed', 'skipped', 'reopened', 'left', 'returned'))
);

-- Tiers that were decided; the current one is the latest. Only ever added to.
create table reviews.tier_assignment (
    tier_assignment_id uuid        not null,
    student_id         uuid        not null,
    school_id          uuid        not null,
    school_year        integer     not null,
    review_cycle_id    uuid,
    class_review_id    uuid,
    tier               text        not null,
    suggested_tier     text        not null,
    tier_rules_version text        not null,
    source             text        not null,
    reason             text        not null,
    reason_text        text        not null,
    effective_at       timestamptz not null,
    decided_by         uuid        not null,
    constraint tier_assignment_pkey primary key (tier_assignment_id),
    constraint tier_assignment_tier_check check (tier in ('1', '2a', '2b', '3') and suggested_tier in ('1', '2a', '2b', '3')),
    constraint tier_assignment_source_check check (source in ('fall_wcr', 'spring_wcr', 'custom_wcr', 'isr', 'concern', 'transfer_in'))
);
create index tier_assignment_student_id_idx on reviews.tier_assignment (student_id, effective_at desc, tier_assignment_id desc);

-- The newest roster state of each student that was applied; older ones are ignored.
create table reviews.roster_state (
    student_id uuid   not null,
    version    bigint not null,
    constraint roster_state_pkey primary key (student_id)
);

create function reviews.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '%.% is only ever added to', tg_table_schema, tg_table_name using errcode = 'integrity_constraint_violation';
end $$;
create trigger student_review_revision_append_only before update or delete on reviews.student_review_revision
    for each row execute function reviews.refuse_change();
create trigger tier_assignment_append_only before update or delete on reviews.tier_assignment
    for each row execute function reviews.refuse_change();
