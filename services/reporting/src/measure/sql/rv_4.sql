select r.student_id, r.school_id, case $4 when 'grade' then coalesce(nullif(r.grade, ''), 'unknown') end as grp,
       (r.answered_domains >= 4)::int as numerator, 1 as denominator
from reporting.student_review_at($2, $3) r
where r.review_cycle_id = (select reporting.cycle_at($2, $3)) and r.state in ('reviewed', 'amended')
