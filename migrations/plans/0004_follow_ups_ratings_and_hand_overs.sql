-- Follow-ups, ratings of what helped, transitions between schools, and marks for September.

-- To whom a referral is addressed, and whose it is.
alter table plans.referral add column partner_id uuid, add column student_id uuid, add column need_ids uuid[] not null default '{}';
create index referral_partner_id_idx on plans.referral (partner_id);

create table plans.follow_up (
    follow_up_id           uuid        not null,
    student_id             uuid        not null,
    school_id              uuid        not null,
    subject                text        not null,
    subject_id             uuid        not null,
    -- The item and the needs behind the subject. How sensitive they are now is how sensitive this is.
    plan_item_id           uuid,
    need_ids               uuid[]      not null default '{}',
    -- Never less sensitive than this, and these domains must be cleared as well.
    floor_sensitivity      text        not null default 'general',
    floor_domains          text[]      not null default '{}',
    -- The organisation, where the subject is a referral.
    partner_id             uuid,
    kind                   text        not null,
    due_on                 date        not null,
    -- Null for the school's coordinator.
    owner_id               uuid,
    state                  text        not null default 'open',
    note                   text        not null default '',
    result                 text        not null default '',
    result_note            text        not null default '',
    -- A staff member or an organisation; null for a rule.
    raised_by              uuid,
    raised_as              text        not null,
    -- With the rule and the subject: the one occasion for it. Null where somebody raised it.
    run_key                text,
    raised_at              timestamptz not null default now(),
    closed_by              uuid,
    closed_at              timestamptz,
    nudged_at              timestamptz,
    version                bigint      not null default 1,
    constraint follow_up_pkey primary key (follow_up_id),
    constraint follow_up_raised_as_subject_subject_id_run_key_key unique (raised_as, subject, subject_id, run_key),
    constraint follow_up_subject_check
        check (subject in ('plan_item', 'referral', 'enrolment', 'need', 'family', 'goal', 'individual_review', 'transition')),
    constraint follow_up_kind_check
        check (kind in ('contact_family', 'contact_partner', 'check_attendance', 'check_goal', 're_offer', 'next_year_start', 'individual_review')),
    constraint follow_up_state_check check (state in ('open', 'done', 'snoozed', 'cancelled')),
    constraint follow_up_floor_sensitivity_check check (floor_sensitivity in ('general', 'restricted', 'protected')),
    constraint follow_up_result_check check ((result <> '') = (state = 'done')),
    constraint follow_up_closed_at_check check ((closed_at is not null) = (state in ('done', 'cancelled'))),
    constraint follow_up_note_check check (length(note) <= 500 and length(result_note) <= 1000)
);
create index follow_up_school_id_idx on plans.follow_up (school_id, due_on, follow_up_id);
create index follow_up_student_id_idx on plans.follow_up (student_id, due_on, follow_up_id);
create index follow_up_owner_id_idx on plans.follow_up (owner_id, due_on, follow_up_id);
create index follow_up_raised_by_idx on plans.follow_up (raised_by) where raised_by is not null;
create index follow_up_partner_id_idx on plans.follow_up (partner_id) where partner_id is not null;
create index follow_up_subject_id_idx on plans.follow_up (subject_id) where state in ('open', 'snoozed');

-- A follow-up with the sensitivity that it has now, and the domains that must be cleared to see it.
create view plans.follow_up_now as
    select f.*, level.sensitivity,
           case when level.sensitivity <> 'general' and cardinality(level.domains) = 0 and level.restricted
               then '{academics,social_emotional,health,family}'::text[] else level.domains end as domains
    from plans.follow_up f
    cross join lateral (
        select case when 'protected' in (f.floor_sensitivity, i.sensitivity) or n.protected then 'protected'
                    when 'restricted' in (f.floor_sensitivity, i.sensitivity) or n.restricted then 'restricted'
                    else 'general' end as sensitivity,
               'restricted' in (f.floor_sensitivity, i.sensitivity) or n.restricted as restricted,
               array(select distinct unnest(f.floor_domains || n.domains)) as domains
        from (select coalesce(bool_or(sensitivity = 'protected'), false) as protected, coalesce(bool_or(sensitivity = 'restricted'), false) as restricted,
                     coalesce(array_agg(distinct domain) filter (where sensitivity = 'restricted'), '{}') as domains
              from plans.need where need_id = any(f.need_ids)) n
        cross join (select coalesce((select sensitivity from plans.plan_item where plan_item_id = f.plan_item_id), 'general') as sensitivity) i
    ) level;

-- Whether a caller may see something of a student: for restricted domains and for what is protected, where the caller's
-- clearance reaches (see sight.rs).
create function plans.sees(student uuid, level text, domains text[], restricted_everywhere text[], restricted_places uuid[], restricted_domains text[],
                           protected_everywhere boolean, protected_places uuid[], protected_students uuid[]) returns boolean
    language sql stable
    return (level <> 'protected' or protected_everywhere or student = any(protected_students) or exists (
                select from plans.relationship r where r.subject = student and r.relation in ('attends', 'member') and r.object = any(protected_places)))
       and not exists (
                select from unnest(domains) as d(domain) where not (d.domain = any(restricted_everywhere) or exists (
                    select from plans.relationship r join unnest(restricted_places, restricted_domains) as seen(place, domain) on seen.place = r.object
                    where r.subject = student and r.relation in ('attends', 'member') and seen.domain = d.domain)));

create table plans.rating (
    rating_id    uuid        not null,
    student_id   uuid        not null,
    need_id      uuid        not null,
    plan_item_id uuid,
    rater        text        not null,
    points       smallint    not null,
    words        text        not null,
    rated_on     date        not null,
    recorded_by  uuid        not null,
    recorded_at  timestamptz not null default now(),
    constraint rating_pkey primary key (rating_id),
    constraint rating_need_id_fkey foreign key (need_id) references plans.need,
    constraint rating_plan_item_id_fkey foreign key (plan_item_id) references plans.plan_item,
    constraint rating_rater_check check (rater in ('coordinator', 'teacher', 'family', 'student', 'partner')),
    constraint rating_points_check check (points between 1 and 5),
    constraint rating_words_check check (length(words) <= 500)
);
create index rating_student_id_idx on plans.rating (student_id, rated_on desc);
create trigger rating_append_only before update or delete on plans.rating for each statement execute function plans.refuse_rewriting();

create table plans.transition (
    transition_id  uuid        not null,
    student_id     uuid        not null,
    -- Null where the other school is outside the district.
    from_school_id uuid,
    to_school_id   uuid,
    kind           text        not null,
    first_day_on   date        not null,
    state          text        not null default 'offered',
    note           text        not null,
    answer_note    text        not null default '',
    offered_by     uuid        not null,
    accepted_by    uuid,
    offered_at     timestamptz not null default now(),
    answered_at    timestamptz,
    version        bigint      not null default 1,
    constraint transition_pkey primary key (transition_id),
    constraint transition_kind_check check (kind in ('school', 'grade', 'into_district', 'out_of_district')),
    constraint transition_state_check check (state in ('offered', 'accepted', 'returned', 'withdrawn')),
    constraint transition_school_check check (from_school_id is not null or to_school_id is not null),
    constraint transition_note_check check (length(note) <= 2000 and length(answer_note) <= 1000),
    constraint transition_accepted_by_check check ((accepted_by is not null) = (state = 'accepted'))
);
create unique index transition_student_id_open_key on plans.transition (student_id) where state in ('offered', 'returned');
create index transition_from_school_id_idx on plans.transition (from_school_id, offered_at desc);
create index transition_to_school_id_idx on plans.transition (to_school_id, offered_at desc);
create index transition_student_id_idx on plans.transition (student_id);

create table plans.transition_step (
    transition_id uuid     not null,
    position      smallint not null,
    step          text     not null,
    done_on       date,
    constraint transition_step_pkey primary key (transition_id, step),
    constraint transition_step_transition_id_fkey foreign key (transition_id) references plans.transition
);

-- A coordinator's word on attention in September; the rules speak where there is none.
create table plans.september_mark (
    student_id   uuid        not null,
    school_year  integer     not null,
    attention    boolean     not null,
    -- Whether a person said so, or it was only noted that they were contacted.
    because      text        not null,
    note         text        not null,
    contacted_on date,
    contacted_by uuid,
    marked_by    text        not null,
    version      bigint      not null default 1,
    updated_at   timestamptz not null default now(),
    constraint september_mark_pkey primary key (student_id, school_year),
    constraint september_mark_because_check check (because in ('coordinator', 'tier_3', 'open_referral')),
    constraint september_mark_note_check check (length(note) <= 500)
);
