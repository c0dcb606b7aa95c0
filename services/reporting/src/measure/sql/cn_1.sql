select c.student_id, c.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'urgency' then coalesce(nullif(c.urgency, ''), 'routine') end as grp,
       coalesce(c.triage_time <= c.due_time, false)::int as numerator, 1 as denominator
from reporting.concern_at($2, $3) c
left join reporting.student_fact s using (student_id)
