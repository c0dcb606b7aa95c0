-- Concerns on any day, individual reviews by a team, and who is on a protected case.

-- A concern. Its words have the readers of its sensitivity.
create table reviews.concern (
    concern_id           uuid        not null,
    student_id           uuid        not null,
    school_id            uuid        not null,
    school_year          integer     not null,
    state                text        not null,
    urgency              text        not null,
    source               text        not null,
    domain               text        not null,
    code                 text        not null,
    words                text        not null,
    sensitivity          text        not null,
    need_ids             uuid[]      not null default '{}',
    -- The suspected need for which it was raised by itself; none where somebody raised it.
    urgent_need_id       uuid,
    raised_by            uuid        not null,
    raised_at            timestamptz not null,
    due_at               timestamptz not null,
    triage               text,
    triage_note          text        not null default '',
    triaged_by           uuid,
    triaged_at           timestamptz,
    individual_review_id uuid,
    close_note           text        not null default '',
    version              bigint      not null,
    constraint concern_pkey primary key (concern_id),
    constraint concern_state_check check (state in ('raised', 'triaged', 'closed')),
    constraint concern_urgency_check check (urgency in ('routine', 'urgent')),
    constraint concern_source_check check (source in ('staff', 'family', 'student')),
    constraint concern_domain_check check (domain in ('', 'academics', 'social_emotional', 'health', 'family')),
    constraint concern_sensitivity_check check (sensitivity in ('general', 'restricted', 'protected')),
    constraint concern_triage_check check (triage in ('watch', 'act_now', 'individual_review', 'not_a_concern')),
    constraint concern_triaged_at_check check ((state = 'raised') = (triaged_at is null) and (state = 'raised') = (triage is null)),
    constraint concern_text_size_check check (char_length(words) <= 2000 and char_length(triage_note) <= 2000 and char_length(close_note) <= 2000)
);
create index concern_student_id_idx on reviews.concern (student_id);
-- A suspected need raises one concern, however often its review is completed.
create unique index concern_urgent_need_id_key on reviews.concern (urgent_need_id) where urgent_need_id is not null;

-- An individual review. Team, findings and decisions are read and written as a whole, so they are kept as one.
create table reviews.individual_review (
    individual_review_id uuid        not null,
    student_id           uuid        not null,
    school_id            uuid        not null,
    school_year          integer     not null,
    state                text        not null,
    -- Where it was, while it is on hold.
    held_state           text,
    trigger              text        not null,
    concern_id           uuid,
    sensitivity          text        not null,
    lead_id              uuid,
    team                 jsonb       not null default '[]',
    invitation           jsonb,
    meets_on             date,
    held_on              date,
    family_voice         text,
    family_words         text        not null default '',
    findings             jsonb       not null default '[]',
    decisions            jsonb       not null default '[]',
    review_on            date,
    look_again_on        date,
    reason               text        not null default '',
    seconded_by          uuid,
    opened_by            uuid        not null,
    opened_at            timestamptz not null,
    -- When something is next due; lists have the earliest first.
    next_on              date        not null,
    version              bigint      not null,
    constraint individual_review_pkey primary key (individual_review_id),
    constraint individual_review_state_check check (state in
        ('proposed', 'not_needed', 'preparing', 'scheduled', 'held', 'decided', 'under_review', 'closed', 'on_hold')),
    constraint individual_review_held_state_check check ((state = 'on_hold') = (held_state is not null)),
    constraint individual_review_trigger_check check (trigger in
        ('tier_3', 'floor_code', 'concern', 'family_request', 're_entry', 'stalled_plan')),
    constraint individual_review_sensitivity_check check (sensitivity in ('general', 'restricted', 'protected')),
    constraint individual_review_family_voice_check check (family_voice in ('attended', 'sent_input', 'declined', 'unreachable')),
    constraint individual_review_text_size_check check (char_length(family_words) <= 2000 and char_length(reason) <= 500)
);
create index individual_review_student_id_idx on reviews.individual_review (student_id);
-- A student has one open review. A protected one stands apart: a second one that is refused would tell of the first.
create unique index individual_review_student_id_open_key on reviews.individual_review (student_id, (sensitivity = 'protected'))
    where state not in ('not_needed', 'closed');

-- Who is on the case of a student. The grant itself is in relationship_grant, under the same id.
create table reviews.case_access (
    case_access_id uuid        not null,
    student_id     uuid        not null,
    school_id      uuid        not null,
    staff_id       uuid        not null,
    kind           text        not null,
    reason         text        not null,
    granted_by     uuid        not null,
    granted_at     timestamptz not null,
    expires_at     timestamptz,
    revoked_by     uuid,
    revoked_at     timestamptz,
    version        bigint      not null,
    constraint case_access_pkey primary key (case_access_id),
    constraint case_access_kind_check check (kind in ('named', 'break_glass')),
    -- Whoever breaks the glass has it for a while only.
    constraint case_access_expires_at_check check (kind <> 'break_glass' or expires_at is not null),
    constraint case_access_reason_size_check check (char_length(reason) between 1 and 500),
    constraint case_access_revoked_at_check check ((revoked_by is null) = (revoked_at is null))
);
create index case_access_student_id_idx on reviews.case_access (student_id, granted_at desc);
create index case_access_school_id_idx on reviews.case_access (school_id, granted_at desc);

-- Concerns, individual reviews and case accesses as they were after each change. Only ever added to; a version is there
-- once, so that none can be skipped or written over.
create table reviews.case_revision (
    subject_id uuid        not null,
    version    bigint      not null,
    subject    text        not null,
    action     text        not null,
    author_id  uuid        not null,
    written_at timestamptz not null default now(),
    content    jsonb       not null,
    constraint case_revision_pkey primary key (subject_id, version),
    constraint case_revision_subject_check check (subject in ('concern', 'individual_review', 'case_access'))
);
create trigger case_revision_append_only before update or delete on reviews.case_revision
    for each row execute function reviews.refuse_change();

-- What a tier outside a class review comes from, and the request that decided it, so that a repeat answers the same.
alter table reviews.tier_assignment add column origin_id uuid;
alter table reviews.tier_assignment add column request_id uuid;
create index tier_assignment_school_id_idx on reviews.tier_assignment (school_id, school_year);
