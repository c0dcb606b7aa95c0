select n.student_id, n.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'domain' then n.domain
               when 'code' then n.code
               when 'reason' then case when reporting.is_unmet(n, $3) then n.last_reason end end as grp,
       reporting.is_unmet(n, $3)::int as numerator, 1 as denominator
from reporting.need_at($2, $3) n
left join reporting.student_fact s using (student_id)
where n.state <> 'no_longer'
