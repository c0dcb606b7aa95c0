-- Groups with schedules, corrections that supersede, tangible aid, whole-school activities, service logs from files.

-- A school's own group.
create table plans.service_group (
    group_id            uuid        not null,
    school_id           uuid        not null,
    school_year         integer     not null,
    name                text        not null,
    service_category    text        not null,
    leader_id           uuid        not null,
    weekdays            smallint[]  not null,
    -- `HH:MM`; empty where it is not fixed.
    starts_at           text        not null,
    minutes_per_session smallint    not null,
    first_on            date        not null,
    last_on             date        not null,
    capacity            smallint    not null,
    -- 0: the district's number.
    no_show_limit       smallint    not null,
    version             bigint      not null default 1,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    constraint service_group_pkey primary key (group_id),
    constraint service_group_name_check check (length(name) between 1 and 100),
    constraint service_group_span_check check (last_on >= first_on),
    constraint service_group_capacity_check check (capacity between 1 and 500),
    constraint service_group_minutes_per_session_check check (minutes_per_session between 1 and 600),
    constraint service_group_weekdays_check check (cardinality(weekdays) between 1 and 7 and weekdays <@ '{1,2,3,4,5,6,7}'),
    constraint service_group_school_year_check check (school_year between 1900 and 2200),
    constraint service_group_no_show_limit_check check (no_show_limit between 0 and 100)
);
create index service_group_school_id_idx on plans.service_group (school_id, school_year, name, group_id);
create index service_group_leader_id_idx on plans.service_group (leader_id, school_year, name, group_id);

alter table plans.service_enrolment
    add column group_id        uuid,
    add column starts_on       date,
    add column outcome         text        not null default '',
    -- Since when it waits for a place; null where it does not.
    add column waitlisted_at   timestamptz,
    -- Since when it is paused; null where it is not.
    add column paused_on       date,
    -- Days of the pauses that are over.
    add column paused_days     integer     not null default 0,
    -- Why it started although what it depends on was not in place.
    add column override_reason text        not null default '',
    add constraint service_enrolment_group_id_fkey foreign key (group_id) references plans.service_group,
    add constraint service_enrolment_paused_days_check check (paused_days >= 0),
    add constraint service_enrolment_override_reason_check check (length(override_reason) <= 200);
create index service_enrolment_group_id_idx on plans.service_enrolment (group_id) where group_id is not null;
create index service_enrolment_waitlisted_at_idx on plans.service_enrolment (waitlisted_at) where waitlisted_at is not null;

-- Enrolments that wait have waited since they were last moved.
update plans.service_enrolment set waitlisted_at = updated_at where state = 'waitlisted';
update plans.service_enrolment set paused_on = (updated_at at time zone 'utc')::date where state = 'paused';

alter table plans.delivery
    add column mode          text,
    add column note          text     not null default '',
    add column goal_progress smallint,
    add column source        text     not null default 'staff',
    -- The group whose attendance it was.
    add column group_id      uuid,
    -- Takes back the one that it supersedes, and counts for nothing itself.
    add column void          boolean  not null default false,
    add constraint delivery_mode_check check (mode in ('individual', 'small_group', 'whole_class', 'family', 'online')),
    add constraint delivery_note_check check (length(note) <= 500),
    add constraint delivery_goal_progress_check check (goal_progress between 0 and 4),
    add constraint delivery_source_check check (source in ('staff', 'partner', 'file'));
create index delivery_group_id_idx on plans.delivery (group_id, delivered_on desc) where group_id is not null;

-- Which delivery took the place of which: each has at most one that supersedes it.
create table plans.delivery_correction (
    superseded_id uuid        not null,
    delivery_id   uuid        not null,
    -- In words, at most 200 characters; empty where attendance was taken again.
    reason        text        not null,
    corrected_by  text        not null,
    corrected_at  timestamptz not null default now(),
    constraint delivery_correction_pkey primary key (superseded_id),
    constraint delivery_correction_delivery_id_key unique (delivery_id),
    constraint delivery_correction_superseded_id_fkey foreign key (superseded_id) references plans.delivery_key,
    constraint delivery_correction_delivery_id_fkey foreign key (delivery_id) references plans.delivery_key,
    constraint delivery_correction_reason_check check (length(reason) <= 200)
);

-- What counts: neither superseded nor taken back.
create view plans.standing_delivery as
    select d.* from plans.delivery d
    where not d.void and not exists (select from plans.delivery_correction c where c.superseded_id = d.delivery_id);

create trigger delivery_append_only before update or delete on plans.delivery
    for each statement execute function plans.refuse_rewriting();
create trigger delivery_correction_append_only before update or delete on plans.delivery_correction
    for each statement execute function plans.refuse_rewriting();

-- Runs of no-shows that were noticed, by the day of their first absence: each is noticed once.
create table plans.no_show_run (
    enrolment_id uuid        not null,
    since        date        not null,
    noticed_at   timestamptz not null default now(),
    constraint no_show_run_pkey primary key (enrolment_id, since),
    constraint no_show_run_enrolment_id_fkey foreign key (enrolment_id) references plans.service_enrolment
);

-- Tangible aid.
create table plans.aid (
    aid_id           uuid        not null,
    student_id       uuid        not null,
    school_id        uuid        not null,
    service_category text        not null,
    item             text        not null,
    quantity         integer     not null,
    value_cents      bigint,
    given_on         date        not null,
    received_by      text        not null,
    recorded_by      text        not null,
    created_at       timestamptz not null default now(),
    constraint aid_pkey primary key (aid_id),
    constraint aid_item_check check (length(item) between 1 and 200),
    constraint aid_quantity_check check (quantity between 1 and 1000),
    constraint aid_value_cents_check check (value_cents >= 0),
    constraint aid_received_by_check check (received_by in ('student', 'family', 'household'))
);
create index aid_student_id_idx on plans.aid (student_id, given_on desc, aid_id desc);
create table plans.aid_need (
    aid_id  uuid not null,
    need_id uuid not null,
    constraint aid_need_pkey primary key (aid_id, need_id),
    constraint aid_need_aid_id_fkey foreign key (aid_id) references plans.aid,
    constraint aid_need_need_id_fkey foreign key (need_id) references plans.need
);
create trigger aid_append_only before update or delete on plans.aid
    for each statement execute function plans.refuse_rewriting();

-- Whole-school activities.
create table plans.activity (
    activity_id      uuid        not null,
    school_id        uuid        not null,
    school_year      integer     not null,
    name             text        not null,
    service_category text        not null,
    first_on         date        not null,
    last_on          date        not null,
    version          bigint      not null default 1,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    constraint activity_pkey primary key (activity_id),
    constraint activity_name_check check (length(name) between 1 and 100),
    constraint activity_span_check check (last_on >= first_on)
);
create index activity_school_id_idx on plans.activity (school_id, school_year, first_on desc, activity_id desc);
-- Each count of a day, newest last; the newest one holds.
create table plans.activity_count (
    activity_id uuid        not null,
    on_date     date        not null,
    number      integer     not null,
    head_count  integer     not null,
    student_ids uuid[]      not null,
    recorded_by text        not null,
    recorded_at timestamptz not null default now(),
    constraint activity_count_pkey primary key (activity_id, on_date, number),
    constraint activity_count_activity_id_fkey foreign key (activity_id) references plans.activity,
    constraint activity_count_head_count_check check (head_count between 0 and 100000)
);
create trigger activity_count_append_only before update or delete on plans.activity_count
    for each statement execute function plans.refuse_rewriting();

-- Words to a step, e.g. why a service started before what it depends on. More aggregates have a history now.
alter table plans.state_change
    add column note text not null default '',
    drop constraint state_change_aggregate_check,
    add constraint state_change_aggregate_check check (aggregate ~ '^[a-z_]{1,40}$'),
    add constraint state_change_note_check check (length(note) <= 200);

-- Whether a caller sees a need of a student: the rule of lists, where decisions are made set by set. `everywhere`, `places`
-- and `domains` say where restricted needs of which domain may be seen, `protected_*` where and of whom protected ones.
create function plans.sees_need(student uuid, sensitivity text, domain text, restricted_everywhere text[], restricted_places uuid[],
                           restricted_domains text[], protected_everywhere boolean, protected_places uuid[], protected_students uuid[]) returns boolean
    language sql stable parallel safe
    return case sensitivity
        when 'general' then true
        when 'restricted' then domain = any(restricted_everywhere) or exists (
            select from plans.relationship r join unnest(restricted_places, restricted_domains) as seen(place, of_domain) on seen.place = r.object
            where r.subject = student and r.relation in ('attends', 'member') and seen.of_domain = domain)
        else protected_everywhere or student = any(protected_students) or exists (
            select from plans.relationship r
            where r.subject = student and r.relation in ('attends', 'member') and r.object = any(protected_places))
    end;
