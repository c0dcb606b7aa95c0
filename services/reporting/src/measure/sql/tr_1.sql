select e.student_id, e.school_id, case $4 when 'tier' then 'Tier ' || t.tier end as grp,
       1 as numerator, 1 as denominator
from reporting.enrolled e
join reporting.tier_at($3) t using (student_id)
