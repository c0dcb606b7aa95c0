-- By age, each band counts its needs; otherwise those above 40 school days count.
select student_id, school_id,
       case $4 when 'domain' then domain
               when 'reason' then last_reason
               when 'age' then case when age > 60 then 'over 60' when age > 40 then '41 to 60' when age > 20 then '21 to 40' else '20 or less' end end as grp,
       case when $4 = 'age' then 1 else (age > 40)::int end as numerator, 1 as denominator
from (
    select n.*, reporting.school_days(reporting.day_of(n.recorded_time), $3) as age
    from reporting.need_at($2, $3) n
    where reporting.is_unmet(n, $3)
) as unmet
