select t.student_id, t.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'tier' then 'Tier ' || t.tier
               when 'reason' then case when t.tier <> t.suggested_tier then coalesce(nullif(t.reason, ''), 'other') end end as grp,
       (t.tier <> t.suggested_tier)::int as numerator, 1 as denominator
from reporting.tier_fact t
left join reporting.student_fact s using (student_id)
where t.review_cycle_id = (select reporting.cycle_at($2, $3)) and t.suggested_tier <> '' and t.effective_time < reporting.end_of($3)
