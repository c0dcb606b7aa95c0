-- Concerns, individual reviews, goals, what families answered, and corrections of sessions.

alter table reporting.plan_fact add column family_response text not null default '';

alter table reporting.delivery_fact add column supersedes_id uuid;
create index delivery_fact_supersedes_id_idx on reporting.delivery_fact (supersedes_id) where supersedes_id is not null;

create table reporting.concern_fact (
    concern_id   uuid        not null,
    version      bigint      not null,
    changed_time timestamptz not null,
    student_id   uuid        not null,
    school_id    uuid        not null,
    school_year  integer     not null,
    state        text        not null,
    urgency      text        not null,
    triage       text        not null,
    raise_time   timestamptz not null,
    due_time     timestamptz not null,
    triage_time  timestamptz,
    sensitivity  text        not null,
    constraint concern_fact_pkey primary key (concern_id, version, changed_time)
);
create index concern_fact_concern_id_protected_idx on reporting.concern_fact (concern_id) where sensitivity = 'protected';

create table reporting.individual_review_fact (
    individual_review_id uuid        not null,
    version              bigint      not null,
    changed_time         timestamptz not null,
    student_id           uuid        not null,
    school_id            uuid        not null,
    school_year          integer     not null,
    state                text        not null,
    trigger              text        not null,
    family_voice         text        not null,
    held_on              date,
    review_on            date,
    decisions            integer     not null,
    sensitivity          text        not null,
    constraint individual_review_fact_pkey primary key (individual_review_id, version, changed_time)
);
create index individual_review_fact_student_id_idx on reporting.individual_review_fact (student_id);
create index individual_review_fact_protected_idx on reporting.individual_review_fact (individual_review_id) where sensitivity = 'protected';

create table reporting.goal_fact (
    goal_id      uuid        not null,
    version      bigint      not null,
    changed_time timestamptz not null,
    plan_id      uuid        not null,
    student_id   uuid        not null,
    school_id    uuid        not null,
    school_year  integer     not null,
    domain       text        not null,
    measure      text        not null,
    state        text        not null,
    constraint goal_fact_pkey primary key (goal_id, version, changed_time)
);

-- Sessions as they are known today: a correction stands for what it corrects, and one without attendance and minutes
-- takes it back.
create view reporting.delivery as
    select d.* from reporting.delivery_fact d
    where not exists (select from reporting.delivery_fact c where c.supersedes_id = d.delivery_id)
      and not (d.supersedes_id is not null and d.attendance = '' and d.delivered_minutes = 0);

-- Concerns raised by the day, as they stood then. Where one was raised to protected, its earlier versions say nothing.
create function reporting.concern_at(year integer, day date) returns setof reporting.concern_fact language sql stable as $$
    select * from (
        select distinct on (concern_id) * from reporting.concern_fact
        where school_year = year and changed_time < reporting.end_of(day)
        order by concern_id, version desc, changed_time desc
    ) as latest
    where not exists (select from reporting.concern_fact p where p.concern_id = latest.concern_id and p.sensitivity = 'protected')
$$;

-- Every version of the year's individual reviews told by the day, without protected ones.
create function reporting.individual_review_story(year integer, day date) returns setof reporting.individual_review_fact language sql stable as $$
    select * from reporting.individual_review_fact told
    where school_year = year and changed_time < reporting.end_of(day)
      and not exists (select from reporting.individual_review_fact p
                      where p.individual_review_id = told.individual_review_id and p.sensitivity = 'protected')
$$;

-- Individual reviews held by the day: who spoke for the family as known then.
create function reporting.individual_review_held_at(year integer, day date) returns setof reporting.individual_review_fact language sql stable as $$
    select * from (
        select distinct on (individual_review_id) * from reporting.individual_review_story(year, day)
        order by individual_review_id, version desc, changed_time desc
    ) as latest
    where held_on <= day
$$;

-- The tiers of a year's fall and spring reviews: of each student and season the one that took effect last.
create function reporting.seasonal_tier_at(year integer, day date)
returns table (student_id uuid, season text, tier text, school_id uuid) language sql stable as $$
    select distinct on (t.student_id, c.season) t.student_id, c.season, t.tier, t.school_id
    from reporting.tier_fact t
    join (
        select review_cycle_id, season from reporting.class_review_fact where school_year = year
        union
        select review_cycle_id, season from reporting.student_review_fact where school_year = year
    ) c on c.review_cycle_id = t.review_cycle_id
    where t.school_year = year and c.season in ('fall', 'spring') and t.effective_time < reporting.end_of(day)
    order by t.student_id, c.season, t.effective_time desc, t.tier_assignment_id desc
$$;

-- Goals set by the day, as they stood then, and the day on which each was set.
create function reporting.goal_at(year integer, day date)
returns table (goal_id uuid, student_id uuid, school_id uuid, domain text, measure text, state text, set_on date) language sql stable as $$
    select distinct on (goal_id) goal_id, student_id, school_id, domain, measure, state,
           reporting.day_of(min(changed_time) over (partition by goal_id))
    from reporting.goal_fact
    where school_year = year and changed_time < reporting.end_of(day)
    order by goal_id, version desc, changed_time desc
$$;

-- The first day on which a plan was with the family.
create function reporting.plan_shown_on(plan uuid) returns date language sql stable as $$
    select reporting.day_of(min(changed_time)) from reporting.plan_fact where plan_id = plan and (state = 'proposed' or family_response <> '')
$$;
