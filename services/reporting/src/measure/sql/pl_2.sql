-- By response, each counts its plans; otherwise those with an answer count.
select p.student_id, p.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'tier' then coalesce('Tier ' || t.tier, 'No tier')
               when 'response' then coalesce(nullif(p.family_response, ''), 'shared') end as grp,
       case when $4 = 'response' then 1
            else (p.family_response in ('agreed', 'agreed_in_part', 'asked_changes', 'declined'))::int end as numerator, 1 as denominator
from reporting.plan_at($2, $3) p
left join reporting.student_fact s using (student_id)
left join reporting.tier_at($3) t using (student_id)
where p.state = 'active' and reporting.plan_shown_on(p.plan_id) < $3 - 10
