select e.student_id, e.school_id,
       case $4 when 'grade' then e.grade when 'reason' then r.reason end as grp,
       (r.student_id is not null)::int as numerator, 1 as denominator
from reporting.enrolled e
left join (
    -- A student of two classes is not reviewed where one class says so and none says reviewed.
    select student_id, coalesce(nullif(min(not_reviewed_reason), ''), 'other') as reason
    from reporting.student_review_at($2, $3)
    where review_cycle_id = (select reporting.cycle_at($2, $3)) and state in ('reviewed', 'amended', 'not_reviewed')
    group by student_id
    having bool_and(state = 'not_reviewed')
) r using (student_id)
