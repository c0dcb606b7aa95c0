-- One row a reviewed student and open need; a student without one stays in the denominator.
select r.student_id, r.school_id,
       case $4 when 'grade' then r.grade when 'code' then n.code when 'domain' then n.domain end as grp,
       (n.need_id is not null)::int as numerator, 1 as denominator
from (
    select distinct on (student_id) student_id, school_id, coalesce(nullif(grade, ''), 'unknown') as grade
    from reporting.student_review_at($2, $3)
    where state in ('reviewed', 'amended')
    order by student_id, changed_time desc
) r
left join reporting.need_at($2, $3) n on n.student_id = r.student_id and n.state in ('open', 'being_addressed')
