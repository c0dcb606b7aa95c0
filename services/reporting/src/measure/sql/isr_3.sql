-- A round lasts from a decision to the look back at it; what was decided last in a round counts.
select d.student_id, d.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown') end as grp,
       case when d.reviewed_on <= d.review_on then d.decisions else 0 end as numerator, d.decisions as denominator
from (
    select distinct on (individual_review_id, round) t.student_id, t.school_id, t.decisions, t.review_on,
           (select reporting.day_of(min(b.changed_time)) from reporting.individual_review_story($2, $3) b
            where b.individual_review_id = t.individual_review_id and b.state in ('under_review', 'closed') and b.version > t.version) as reviewed_on
    from (
        select f.*, count(*) filter (where f.state in ('under_review', 'closed')) over (partition by f.individual_review_id order by f.version, f.changed_time) as round
        from reporting.individual_review_story($2, $3) f
    ) t
    where t.state = 'decided'
    order by individual_review_id, round, version desc, changed_time desc
) d
left join reporting.student_fact s using (student_id)
where d.review_on < $3
