select i.student_id, i.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown') when 'code' then coalesce(nullif(i.service_category, ''), 'none') end as grp,
       i.builds_on_strength::int as numerator, 1 as denominator
from reporting.item_at($2, $3) i
left join reporting.student_fact s using (student_id)
where i.state <> 'replaced'
