-- One row a need of a reviewed student; students are counted once.
select r.student_id, r.school_id,
       case $4 when 'grade' then r.grade
               when 'domain' then n.domain
               when 'tier' then coalesce('Tier ' || t.tier, 'No tier') end as grp,
       reporting.is_unmet(n, $3)::int as numerator, 1 as denominator
from (
    select distinct on (student_id) student_id, school_id, coalesce(nullif(grade, ''), 'unknown') as grade
    from reporting.student_review_at($2, $3)
    where state in ('reviewed', 'amended')
    order by student_id, changed_time desc
) r
join reporting.need_at($2, $3) n on n.student_id = r.student_id and n.state <> 'no_longer'
left join reporting.tier_at($3) t on t.student_id = r.student_id
