select coalesce(school_id, '00000000-0000-0000-0000-000000000000') as school_id, grp,
       grouping(school_id) = 1 as all_schools, grouping(grp) = 1 as all_groups,
       coalesce(sum(numerator), 0)::bigint as numerator,
       coalesce(sum(denominator), 0)::bigint as denominator,
       count(distinct student_id) filter (where numerator > 0) as students_counted,
       count(distinct student_id) filter (where denominator > 0) as students_base,
       count(distinct student_id) filter (where denominator > numerator) as students_rest
from unit
where $1::uuid is null or school_id = $1
group by grouping sets ((school_id, grp), (school_id), (grp), ())
