select t.student_id, t.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown') end as grp,
       (exists (select from reporting.individual_review_story($2, $3) r
                where r.student_id = t.student_id and r.held_on <= $3 and abs(reporting.school_days(t.since, r.held_on)) <= 30))::int as numerator,
       1 as denominator
from (
    -- The first time in the year.
    select distinct on (student_id) student_id, school_id, reporting.day_of(effective_time) as since
    from reporting.tier_fact
    where school_year = $2 and tier = '3' and effective_time < reporting.end_of($3)
    order by student_id, effective_time, tier_assignment_id
) t
left join reporting.student_fact s using (student_id)
