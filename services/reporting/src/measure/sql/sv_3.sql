select d.student_id, d.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'code' then coalesce(nullif(i.service_category, ''), 'none') end as grp,
       d.delivered_minutes as numerator, d.planned_minutes as denominator
from reporting.delivery d
left join reporting.student_fact s using (student_id)
left join reporting.item_at($2, $3) i on i.plan_item_id = d.plan_item_id
where d.delivered_on between make_date($2 - 1, 7, 1) and least($3, make_date($2, 6, 30))
