-- What the measures ask of the facts: how those of a school year stood at the end of a day (UTC). All are plain SQL,
-- so that the planner sees through them. A record keeps its school year through all its versions.

-- First moment after a day.
create function reporting.end_of(day date) returns timestamptz language sql immutable
    return (day + 1)::timestamp at time zone 'UTC';

-- Day of a moment.
create function reporting.day_of(moment timestamptz) returns date language sql immutable
    return (moment at time zone 'UTC')::date;

-- Weekdays from the Monday 2000-01-03 up to, not with, a day.
create function reporting.weekdays_before(day date) returns integer language sql immutable
    return 5 * floor((day - date '2000-01-03') / 7.0)::integer
         + least(5, (day - date '2000-01-03') - 7 * floor((day - date '2000-01-03') / 7.0)::integer);

-- School days after `since`, up to and with `until`. Weekdays, as long as there is no district calendar.
create function reporting.school_days(since date, until date) returns integer language sql immutable
    return reporting.weekdays_before(until + 1) - reporting.weekdays_before(since + 1);

-- The base E(s, t): one row a student and school.
create view reporting.enrolled as
    select student_id, school_id, coalesce(nullif(grade, ''), 'unknown') as grade
    from reporting.student_fact cross join lateral unnest(school_ids) as school_id
    where active;

create function reporting.student_review_at(year integer, day date) returns setof reporting.student_review_fact language sql stable as $$
    select distinct on (class_review_id, student_id) * from reporting.student_review_fact
    where school_year = year and changed_time < reporting.end_of(day)
    order by class_review_id, student_id, version desc, changed_time desc
$$;

create function reporting.plan_at(year integer, day date) returns setof reporting.plan_fact language sql stable as $$
    select distinct on (plan_id) * from reporting.plan_fact
    where school_year = year and changed_time < reporting.end_of(day)
    order by plan_id, version desc, changed_time desc
$$;

-- Without protected needs. Where a need was raised to protected, its earlier versions say nothing either.
create function reporting.need_at(year integer, day date) returns setof reporting.need_fact language sql stable as $$
    select * from (
        select distinct on (need_id) * from reporting.need_fact
        where school_year = year and changed_time < reporting.end_of(day) and recorded_time < reporting.end_of(day)
        order by need_id, version desc, changed_time desc
    ) as latest
    where not exists (select from reporting.need_fact p where p.need_id = latest.need_id and p.sensitivity = 'protected')
$$;

create function reporting.item_at(year integer, day date) returns setof reporting.item_fact language sql stable as $$
    select distinct on (plan_item_id) * from reporting.item_fact
    where school_year = year and changed_time < reporting.end_of(day)
    order by plan_item_id, version desc, changed_time desc
$$;

-- The tier that took effect last.
create function reporting.tier_at(day date) returns setof reporting.tier_fact language sql stable as $$
    select distinct on (student_id) * from reporting.tier_fact
    where effective_time < reporting.end_of(day)
    order by student_id, effective_time desc, tier_assignment_id desc
$$;

-- The season under way: of the year's regular ones that began by the day, the last to begin; a custom one where
-- there is no other.
create function reporting.cycle_at(year integer, day date) returns uuid language sql stable as $$
    select review_cycle_id
    from (
        select review_cycle_id, season, changed_time from reporting.class_review_fact where school_year = year
        union all
        select review_cycle_id, season, changed_time from reporting.student_review_fact where school_year = year
    ) as told
    where changed_time < reporting.end_of(day)
    group by review_cycle_id
    order by bool_or(season <> 'custom') desc, min(changed_time) desc, review_cycle_id desc
    limit 1
$$;

-- Whether nobody meets a need: it still stands, and its items all ended without happening, or nothing is in place
-- more than 20 school days after it was recorded.
create function reporting.is_unmet(need reporting.need_fact, day date) returns boolean language sql immutable
    return (need).state in ('open', 'being_addressed')
       and ((need).all_items_ended
            or (not (need).has_item_in_place and reporting.school_days(reporting.day_of((need).recorded_time), day) > 20));

-- Referrals that were sent in a school year by the day, with what ever became of them. Without protected ones.
create function reporting.referral_at(year integer, day date)
returns table (referral_id uuid, student_id uuid, school_id uuid, service_category text, state text, outcome text, reason text, reason_side text,
               sent_on date, respond_by date, answered_on date, ever_accepted boolean, ever_declined boolean, ever_started boolean, ever_withdrawn boolean)
language sql stable as $$
    select now.referral_id, now.student_id, now.school_id, now.service_category, now.state, now.outcome, now.reason, now.reason_side,
           reporting.day_of(now.sent_time), now.respond_by, reporting.day_of(story.answered), story.accepted, story.declined, story.started, story.withdrawn
    from (
        select distinct on (f.referral_id) f.* from reporting.referral_fact f
        where f.changed_time < reporting.end_of(day)
        order by f.referral_id, f.version desc, f.changed_time desc
    ) as now
    join (
        select f.referral_id,
               min(f.changed_time) filter (where f.state in ('needs_family_action', 'waitlisted', 'accepted', 'declined', 'unable_to_contact')) as answered,
               bool_or(f.state in ('accepted', 'started', 'attending', 'paused', 'completed', 'stopped_early')) as accepted,
               bool_or(f.state = 'declined') as declined,
               bool_or(f.state in ('started', 'attending', 'completed')) as started,
               bool_or(f.state = 'withdrawn') as withdrawn
        from reporting.referral_fact f where f.changed_time < reporting.end_of(day)
        group by f.referral_id
    ) as story using (referral_id)
    where now.mode <> 'protected' and now.state not in ('draft', 'void')
      and now.sent_time >= reporting.end_of(make_date(year - 1, 6, 30)) and now.sent_time < reporting.end_of(least(day, make_date(year, 6, 30)))
$$;
