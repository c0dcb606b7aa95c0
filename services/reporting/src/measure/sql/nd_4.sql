select n.student_id, n.school_id,
       case $4 when 'reason' then n.last_reason end as grp,
       1 as numerator, 1 as denominator
from reporting.need_at($2, $3) n
where reporting.is_unmet(n, $3)
