select r.student_id, r.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'code' then coalesce(nullif(r.service_category, ''), 'none') end as grp,
       (r.outcome in ('need_met', 'need_partly_met'))::int as numerator, 1 as denominator
from reporting.referral_at($2, $3) r
left join reporting.student_fact s using (student_id)
where r.state = 'closed' and r.outcome in ('need_met', 'need_partly_met', 'need_not_met')
