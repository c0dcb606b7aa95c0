select g.student_id, g.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'domain' then g.domain
               when 'area' then coalesce(nullif(g.measure, ''), 'other') end as grp,
       (g.state in ('met', 'partly_met'))::int as numerator, 1 as denominator
from reporting.goal_at($2, $3) g
left join reporting.student_fact s using (student_id)
where g.set_on <= make_date($2, 6, 30) - 42
