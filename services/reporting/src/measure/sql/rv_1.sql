select e.student_id, e.school_id, case $4 when 'grade' then e.grade end as grp,
       (r.student_id is not null)::int as numerator, 1 as denominator
from reporting.enrolled e
left join (
    select distinct student_id from reporting.student_review_at($2, $3)
    where review_cycle_id = (select reporting.cycle_at($2, $3)) and state in ('reviewed', 'amended')
) r using (student_id)
