select e.student_id, e.school_id,
       case $4 when 'grade' then e.grade when 'tier' then coalesce('Tier ' || t.tier, 'No tier') end as grp,
       (p.student_id is not null)::int as numerator, 1 as denominator
from reporting.enrolled e
left join (select distinct student_id from reporting.plan_at($2, $3) where state = 'active') p using (student_id)
left join reporting.tier_at($3) t using (student_id)
