-- Support plans: needs as reviews recorded them, items that answer them, enrolments, deliveries, and what changed when.

-- Weekdays after the first date, up to and including the second; 0 where it is not after it. 1900-01-01 was a Monday.
create function plans.school_days(from_day date, to_day date) returns integer
    language sql immutable parallel safe
    return greatest(0,
          ((to_day - date '1900-01-01') / 7 * 5 + least((to_day - date '1900-01-01') % 7 + 1, 5))
        - ((from_day - date '1900-01-01') / 7 * 5 + least((from_day - date '1900-01-01') % 7 + 1, 5)));

-- Why a need is unmet on a day; null where it is not. The same rule is written in need/unmet.rs; a test compares them.
create function plans.unmet_reason(state text, has_item_in_place boolean, all_items_ended boolean, last_reason text,
                                   recorded_on date, as_of date, after_school_days integer) returns text
    language sql immutable parallel safe
    return case
        when state not in ('open', 'being_addressed') or recorded_on > as_of then null
        when all_items_ended then last_reason
        when not has_item_in_place and plans.school_days(recorded_on, as_of) > after_school_days then last_reason
    end;

create table plans.plan (
    plan_id        uuid        not null,
    student_id     uuid        not null,
    school_id      uuid        not null,
    school_year    integer     not null,
    state          text        not null default 'draft',
    tier           text,
    strength_codes text[]      not null default '{}',
    interest_codes text[]      not null default '{}',
    close_reason   text        not null default '',
    reviewed_at    timestamptz not null,
    version        bigint      not null default 1,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    constraint plan_pkey primary key (plan_id),
    constraint plan_student_id_school_year_key unique (student_id, school_year),
    constraint plan_state_check check (state in ('draft', 'proposed', 'active', 'under_revision', 'paused', 'closed')),
    constraint plan_tier_check check (tier in ('1', '2a', '2b', '3')),
    constraint plan_school_year_check check (school_year between 1900 and 2200)
);
create index plan_school_year_idx on plans.plan (school_year, plan_id);

-- The newest tier of a student in a year; it may come before the plan does.
create table plans.student_tier (
    student_id         uuid        not null,
    school_year        integer     not null,
    tier               text        not null,
    effective_at       timestamptz not null,
    tier_assignment_id uuid        not null,
    constraint student_tier_pkey primary key (student_id, school_year)
);

-- What each class review last said of a student, by version, so that older events change nothing.
create table plans.review_source (
    class_review_id   uuid   not null,
    student_id        uuid   not null,
    plan_id           uuid   not null,
    version           bigint not null default -1,
    protected_version bigint not null default -1,
    strength_codes    text[] not null default '{}',
    interest_codes    text[] not null default '{}',
    constraint review_source_pkey primary key (class_review_id, student_id),
    constraint review_source_plan_id_fkey foreign key (plan_id) references plans.plan
);
create index review_source_plan_id_idx on plans.review_source (plan_id);

create table plans.need (
    need_id           uuid        not null,
    plan_id           uuid        not null,
    student_id        uuid        not null,
    class_review_id   uuid        not null,
    code              text        not null,
    domain            text        not null,
    severity          smallint    not null,
    certainty         text        not null,
    sensitivity       text        not null,
    state             text        not null default 'open',
    recorded_at       timestamptz not null,
    -- Derived from its items, kept so that lists need not look at them.
    has_item_in_place boolean     not null default false,
    all_items_ended   boolean     not null default false,
    last_reason       text        not null default 'not_yet_arranged',
    -- Who settled its state last: 'staff', 'referral', 'review'; empty where nobody did.
    judged_by         text        not null default '',
    judged_at         timestamptz,
    version           bigint      not null default 1,
    updated_at        timestamptz not null default now(),
    constraint need_pkey primary key (need_id),
    constraint need_plan_id_fkey foreign key (plan_id) references plans.plan,
    constraint need_state_check check (state in ('open', 'being_addressed', 'met', 'partly_met', 'not_met', 'no_longer')),
    constraint need_domain_check check (domain in ('academics', 'social_emotional', 'health', 'family')),
    constraint need_severity_check check (severity between 1 and 3),
    constraint need_certainty_check check (certainty in ('observed', 'suspected', 'confirmed')),
    constraint need_sensitivity_check check (sensitivity in ('general', 'restricted', 'protected')),
    constraint need_judged_by_check check (judged_by in ('', 'staff', 'referral', 'review'))
);
create index need_plan_id_idx on plans.need (plan_id);
create index need_student_id_idx on plans.need (student_id);
create index need_recorded_at_idx on plans.need (recorded_at, need_id);
create index need_class_review_id_idx on plans.need (class_review_id, student_id);

create table plans.plan_item (
    plan_item_id     uuid        not null,
    plan_id          uuid        not null,
    kind             text        not null,
    service_category text        not null,
    description      text        not null,
    builds_on_codes  text[]      not null,
    owner            text,
    first_step_owner text,
    due_on           date,
    state            text        not null default 'planned',
    ended_reason     text,
    referral_id      uuid,
    sensitivity      text        not null,
    version          bigint      not null default 1,
    created_at       timestamptz not null default clock_timestamp(),
    updated_at       timestamptz not null default now(),
    constraint plan_item_pkey primary key (plan_item_id),
    constraint plan_item_plan_id_fkey foreign key (plan_id) references plans.plan,
    constraint plan_item_state_check check (state in ('planned', 'arranging', 'in_place', 'done', 'declined_by_family', 'not_available', 'withdrawn')),
    constraint plan_item_sensitivity_check check (sensitivity in ('general', 'restricted', 'protected')),
    constraint plan_item_description_check check (length(description) <= 500),
    constraint plan_item_ended_reason_check
        check ((ended_reason is not null) = (state in ('declined_by_family', 'not_available', 'withdrawn')))
);
create index plan_item_plan_id_idx on plans.plan_item (plan_id);

create table plans.plan_item_need (
    plan_item_id uuid not null,
    need_id      uuid not null,
    constraint plan_item_need_pkey primary key (plan_item_id, need_id),
    constraint plan_item_need_plan_item_id_fkey foreign key (plan_item_id) references plans.plan_item,
    constraint plan_item_need_need_id_fkey foreign key (need_id) references plans.need
);
create index plan_item_need_need_id_idx on plans.plan_item_need (need_id);

-- Each referral as its last event told it, and what that means for its item; null where it means nothing (void).
create table plans.referral (
    referral_id  uuid        not null,
    plan_item_id uuid        not null,
    version      bigint      not null,
    item_state   text,
    item_reason  text,
    changed_at   timestamptz not null,
    constraint referral_pkey primary key (referral_id)
);
create index referral_plan_item_id_idx on plans.referral (plan_item_id);

create table plans.service_enrolment (
    enrolment_id        uuid        not null,
    plan_item_id        uuid        not null,
    service_id          uuid,
    state               text        not null default 'offered',
    reason              text        not null default '',
    sessions_per_week   smallint    not null,
    minutes_per_session smallint    not null,
    weeks               smallint    not null,
    started_on          date,
    ended_on            date,
    version             bigint      not null default 1,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default clock_timestamp(),
    constraint service_enrolment_pkey primary key (enrolment_id),
    constraint service_enrolment_plan_item_id_fkey foreign key (plan_item_id) references plans.plan_item,
    constraint service_enrolment_state_check
        check (state in ('offered', 'accepted', 'declined', 'waitlisted', 'active', 'paused', 'completed', 'stopped', 'void')),
    constraint service_enrolment_span_check check (ended_on >= started_on)
);
create index service_enrolment_plan_item_id_idx on plans.service_enrolment (plan_item_id);

-- One row a session, by calendar year.
create table plans.delivery (
    delivery_id       uuid        not null,
    enrolment_id      uuid        not null,
    delivered_on      date        not null,
    planned_minutes   smallint    not null,
    delivered_minutes smallint    not null,
    attendance        text        not null,
    recorded_by       text        not null,
    request_id        uuid        not null,
    recorded_at       timestamptz not null default now(),
    constraint delivery_pkey primary key (delivery_id, delivered_on),
    constraint delivery_enrolment_id_fkey foreign key (enrolment_id) references plans.service_enrolment,
    constraint delivery_minutes_check check (planned_minutes between 0 and 600 and delivered_minutes between 0 and 600),
    constraint delivery_attendance_check
        check (attendance in ('present', 'partial', 'absent_excused', 'absent_unexcused', 'cancelled_by_provider', 'school_closed'))
) partition by range (delivered_on);
create table plans.delivery_before_2026 partition of plans.delivery for values from (minvalue) to ('2026-01-01');
create table plans.delivery_2026 partition of plans.delivery for values from ('2026-01-01') to ('2027-01-01');
create table plans.delivery_2027 partition of plans.delivery for values from ('2027-01-01') to ('2028-01-01');
create table plans.delivery_2028 partition of plans.delivery for values from ('2028-01-01') to ('2029-01-01');
create table plans.delivery_later partition of plans.delivery default;
create index delivery_enrolment_id_idx on plans.delivery (enrolment_id, delivered_on desc);
create index delivery_request_id_idx on plans.delivery (request_id);

-- One row for each delivery_id, whatever its date: a partitioned table cannot promise that by itself.
create table plans.delivery_key (
    delivery_id uuid not null,
    constraint delivery_key_pkey primary key (delivery_id)
);

-- A need after each change, so that "unmet as of a day" can be asked of any day.
create table plans.need_change (
    need_id           uuid        not null,
    version           bigint      not null,
    state             text        not null,
    has_item_in_place boolean     not null,
    all_items_ended   boolean     not null,
    last_reason       text        not null,
    changed_by        text        not null,
    changed_at        timestamptz not null,
    constraint need_change_pkey primary key (need_id, version)
);

-- Plans, items and enrolments after each change.
create table plans.state_change (
    aggregate  text        not null,
    id         uuid        not null,
    version    bigint      not null,
    state      text        not null,
    reason     text        not null,
    changed_by text        not null,
    changed_at timestamptz not null default now(),
    constraint state_change_pkey primary key (aggregate, id, version),
    constraint state_change_aggregate_check check (aggregate in ('plan', 'plan_item', 'enrolment'))
);

create function plans.refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception 'history is append-only';
end $$;
create trigger need_change_append_only before update or delete on plans.need_change
    for each statement execute function plans.refuse_rewriting();
create trigger state_change_append_only before update or delete on plans.state_change
    for each statement execute function plans.refuse_rewriting();
