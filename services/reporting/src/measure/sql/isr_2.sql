-- By voice, each kind counts its reviews; otherwise those in which the family spoke count.
select r.student_id, r.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'voice' then coalesce(nullif(r.family_voice, ''), 'not_recorded') end as grp,
       case when $4 = 'voice' then 1 else (r.family_voice in ('attended', 'sent_input'))::int end as numerator, 1 as denominator
from reporting.individual_review_held_at($2, $3) r
left join reporting.student_fact s using (student_id)
